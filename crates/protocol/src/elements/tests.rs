use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::limits;

fn parse(text: &str) -> Result<String, CommandError> {
    let raw: &RawValue = serde_json::from_str(text).expect("valid JSON");
    let body = MsgBody::parse(raw, limits::MESSAGE_BYTES, Code::GROUP_BAD_PARAMETER)?;
    Ok(body.json().to_owned())
}

fn refused(body: &Value) -> String {
    let error = parse(&body.to_string()).expect_err("refused");
    assert_eq!(error.code, Code::GROUP_BAD_PARAMETER);
    error.info
}

fn text(text: &str) -> Value {
    json!({"MsgType": "TIMTextElem", "MsgContent": {"Text": text}})
}

fn element(kind: &str, content: &Value) -> Value {
    json!([{"MsgType": kind, "MsgContent": content}])
}

fn size(kind: u32) -> Value {
    json!({"Type": kind, "Size": 10, "Width": 1, "Height": 2, "URL": "https://x", "MsgType": 0})
}

/// One good content of each kind, as the web SDK sends it.
fn good() -> Vec<(&'static str, Value)> {
    vec![
        ("TIMTextElem", json!({"Text": "hi"})),
        ("TIMCustomElem", json!({"Data": "d", "Desc": "", "Ext": ""})),
        ("TIMFaceElem", json!({"Index": 1, "Data": "tt00"})),
        ("TIMLocationElem", json!({"Desc": "here", "Longitude": -113.9, "Latitude": 22.5})),
        (
            "TIMImageElem",
            json!({"UUID": "u", "ImageFormat": 255, "InstanceId": 7,
                   "ImageInfoArray": [size(1), size(2), size(3)]}),
        ),
        (
            "TIMSoundElem",
            json!({"UUID": "u", "Url": "https://x", "Size": 9, "Second": 2, "Download_Flag": 2}),
        ),
        (
            "TIMFileElem",
            json!({"UUID": "u", "Url": "https://x", "FileName": "a.txt", "FileSize": 3,
                   "Download_Flag": 2}),
        ),
        (
            "TIMVideoFileElem",
            json!({"VideoUUID": "u", "VideoUrl": "https://x", "VideoSize": 1, "VideoSecond": 1,
                   "VideoFormat": "mp4", "VideoDownloadFlag": 2, "ThumbUUID": "t",
                   "ThumbUrl": "https://y", "ThumbSize": 1, "ThumbWidth": 1, "ThumbHeight": 1,
                   "ThumbFormat": "jpg", "ThumbDownloadFlag": 2, "SnapshotUrl": "https://y"}),
        ),
        (
            "TIMRelayElem",
            json!({"Title": "t", "AbstractList": ["a"], "CompatibleText": "c", "Version": 1,
                   "LayersOverLimit": false, "JsonMsgKey": "", "PbMsgKey": "",
                   "MsgList": [{"From_Account": "ann"}]}),
        ),
    ]
}

#[test]
fn good_elements_pass_unchanged_and_uncopied() {
    for (kind, content) in good() {
        let body = element(kind, &content).to_string();
        assert_eq!(parse(&body).as_deref(), Ok(&*body), "{kind}");
        let raw: &RawValue = serde_json::from_str(&body).expect("JSON");
        let parsed = MsgBody::parse(raw, 12_288, Code::GROUP_BAD_PARAMETER).expect("good");
        assert!(matches!(parsed.text, Cow::Borrowed(_)), "{kind} was copied");
        assert_eq!(parsed.len(), body.len());
        assert_eq!(parsed.into_bytes(), body.as_bytes());
    }
    let all: Vec<Value> = good()
        .iter()
        .map(|(kind, content)| json!({"MsgType": kind, "MsgContent": content}))
        .collect();
    assert!(parse(&Value::from(all).to_string()).is_ok());
}

#[test]
fn every_required_field_is_asked_for_by_name() {
    let required: &[(&str, &[&str])] = &[
        ("TIMTextElem", &["Text"]),
        ("TIMFaceElem", &["Index"]),
        ("TIMLocationElem", &["Longitude", "Latitude"]),
        ("TIMImageElem", &["UUID", "ImageInfoArray"]),
        ("TIMSoundElem", &["UUID", "Url"]),
        ("TIMFileElem", &["UUID", "Url", "FileName", "FileSize"]),
        (
            "TIMVideoFileElem",
            &["VideoUUID", "VideoUrl", "ThumbUUID", "ThumbUrl", "ThumbWidth", "ThumbHeight"],
        ),
    ];
    for (kind, content) in good() {
        let fields = required.iter().find(|(name, _)| *name == kind).map_or(&[][..], |row| row.1);
        for field in fields {
            let mut without = content.clone();
            without.as_object_mut().expect("an object").remove(*field);
            let problem = refused(&element(kind, &without));
            assert_eq!(problem, format!("MsgBody[0].MsgContent.{field}: missing field"));
        }
    }
}

#[test]
fn every_known_field_has_its_type() {
    for (kind, content) in good() {
        for field in content.as_object().expect("an object").keys() {
            let mut wrong = content.clone();
            wrong[field] = Value::Null;
            let body = element(kind, &wrong);
            if ["InstanceId", "SnapshotUrl"].contains(&&**field) {
                assert!(parse(&body.to_string()).is_ok(), "{field} is nobody's business");
            } else {
                let problem = refused(&body);
                let path = format!("MsgBody[0].MsgContent.{field}: must be ");
                assert!(problem.starts_with(&path), "{problem}");
            }
        }
    }
}

/// The web SDK throws on a file without name or size, and loses the whole frame.
#[test]
fn a_files_size_is_a_number() {
    for wrong in [json!("3"), json!(-3), json!(3.5), json!(true)] {
        let content = json!({"UUID": "u", "Url": "", "FileName": "a", "FileSize": wrong});
        let problem = refused(&element("TIMFileElem", &content));
        assert_eq!(problem, "MsgBody[0].MsgContent.FileSize: must be a whole number, not negative");
    }
}

/// Clients go by place: a forwarded image comes as 1, 3, 2 and has to leave as 1, 2, 3.
#[test]
fn sizes_of_images_are_put_in_order() {
    for order in [[1, 3, 2], [3, 2, 1], [2, 3, 1]] {
        let content = json!({"UUID": "u", "ImageInfoArray": order.map(size), "ImageFormat": 1});
        let body = json!([
            text("before"),
            {"MsgType": "TIMImageElem", "MsgContent": content},
            text("after"),
        ]);
        let mut sorted = body.clone();
        sorted[1]["MsgContent"]["ImageInfoArray"] = json!([size(1), size(2), size(3)]);
        assert_eq!(parse(&body.to_string()), Ok(sorted.to_string()));
        assert_eq!(parse(&format!("{body:#}")), Ok(sorted.to_string()));
    }
}

#[test]
fn two_images_in_one_message_are_both_put_in_order() {
    let image = |order: [u32; 2]| {
        let content = json!({"UUID": "u", "ImageInfoArray": order.map(size)});
        json!({"MsgType": "TIMImageElem", "MsgContent": content})
    };
    let body = json!([image([2, 1]), image([1, 2]), image([3, 1])]);
    let sorted = json!([image([1, 2]), image([1, 2]), image([1, 3])]);
    assert_eq!(parse(&body.to_string()), Ok(sorted.to_string()));
}

#[test]
fn sizes_of_images_are_checked_one_by_one() {
    let with =
        |sizes: Value| element("TIMImageElem", &json!({"UUID": "u", "ImageInfoArray": sizes}));
    let path = "MsgBody[0].MsgContent.ImageInfoArray";
    let count = format!("{path}: must be an array of 1 to 3 image sizes");
    assert_eq!(refused(&with(json!([]))), count);
    assert_eq!(refused(&with(json!([size(1), size(2), size(3), size(1)]))), count);
    assert_eq!(refused(&with(json!({}))), count);
    let twice = format!("{path}: two entries of the same Type");
    assert_eq!(refused(&with(json!([size(1), size(1)]))), twice);
    assert_eq!(refused(&with(json!([size(1), size(2), size(1)]))), twice);
    assert_eq!(refused(&with(json!([7]))), format!("{path}[0]: must be an object"));
    let third = refused(&with(json!([size(1), size(4)])));
    assert_eq!(third, format!("{path}[1].Type: must be 1, 2 or 3"));
    for (field, problem) in [
        ("URL", "missing field"),
        ("Width", "missing field"),
        ("Height", "missing field"),
        ("Type", "must be 1, 2 or 3"),
    ] {
        let mut entry = size(2);
        entry.as_object_mut().expect("an object").remove(field);
        let text = refused(&with(json!([size(1), entry])));
        assert_eq!(text, format!("{path}[1].{field}: {problem}"));
    }
}

#[test]
fn a_merged_message_has_its_list_or_a_key_to_it() {
    let with = |list: Value, key: &str| {
        element("TIMRelayElem", &json!({"Title": "t", "MsgList": list, "JsonMsgKey": key}))
    };
    assert!(parse(&with(json!([{}]), "").to_string()).is_ok());
    assert!(parse(&with(json!([]), "key").to_string()).is_ok());
    let problem = "MsgBody[0].MsgContent: must have exactly one of MsgList and JsonMsgKey";
    assert_eq!(refused(&with(json!([]), "")), problem);
    assert_eq!(refused(&with(json!([{}]), "key")), problem);
    assert_eq!(
        refused(&with(json!(["x"]), "")),
        "MsgBody[0].MsgContent.MsgList: must be an array of objects"
    );
}

#[test]
fn the_shape_around_the_content_is_checked_too() {
    assert_eq!(refused(&json!([])), "MsgBody: no element");
    assert_eq!(refused(&json!({})), "MsgBody: must be an array of elements");
    assert_eq!(refused(&json!([{}])), "MsgBody[0].MsgType: missing field");
    assert!(refused(&json!([text("x"), 7])).starts_with("MsgBody[1]: invalid type: "));
    assert_eq!(
        refused(&json!([text("x"), {"MsgType": "TIMTextElem"}])),
        "MsgBody[1].MsgContent: missing field"
    );
    assert_eq!(
        refused(&json!([{"MsgType": "TIMNewElem", "MsgContent": {}}])),
        "MsgBody[0].MsgType: unknown type of element"
    );
    assert_eq!(
        refused(&json!([{"MsgType": 7, "MsgContent": {}}])),
        "MsgBody[0].MsgType: must be a string"
    );
    let list = refused(&json!([{"MsgType": "TIMTextElem", "MsgContent": ["hi"]}]));
    assert!(list.starts_with("MsgBody[0]: invalid type: sequence"), "{list}");
}

#[test]
fn a_message_has_at_most_one_custom_element() {
    let custom = json!({"MsgType": "TIMCustomElem", "MsgContent": {}});
    assert!(parse(&json!([custom, text("x")]).to_string()).is_ok());
    assert_eq!(
        refused(&json!([custom, text("x"), custom])),
        "MsgBody[2].MsgType: at most one TIMCustomElem in a message"
    );
}

#[test]
fn the_type_may_come_behind_the_content() {
    let body = r#"[{"MsgContent":{"Text":"hi"},"MsgType":"TIMTextElem"}]"#;
    assert_eq!(parse(body).as_deref(), Ok(body));
    let image = format!(
        r#"[{{"MsgContent":{{"UUID":"u","ImageInfoArray":[{},{}]}},"MsgType":"TIMImageElem"}}]"#,
        size(2),
        size(1)
    );
    let parsed: Value = serde_json::from_str(&parse(&image).expect("good")).expect("JSON");
    assert_eq!(parsed[0]["MsgContent"]["ImageInfoArray"], json!([size(1), size(2)]));
    let wrong = r#"[{"MsgContent":{"Text":7},"MsgType":"TIMTextElem"}]"#;
    let error = parse(wrong).expect_err("refused");
    assert_eq!(error.info, "MsgBody[0].MsgContent.Text: must be a string");
}

#[test]
fn nothing_may_be_given_twice() {
    for (body, path) in [
        (r#"[{"MsgType":"TIMTextElem","MsgType":"TIMTextElem"}]"#, ".MsgType"),
        (r#"[{"MsgContent":{},"MsgContent":{}}]"#, ".MsgContent"),
        (r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a","Text":"b"}}]"#, ".MsgContent.Text"),
    ] {
        let error = parse(body).expect_err("refused");
        assert_eq!(error.info, format!("MsgBody[0]{path}: given twice"));
    }
}

#[test]
fn white_space_between_the_parts_goes() {
    let pretty = format!("{:#}", json!([text("two  words\n")]));
    assert_eq!(parse(&pretty), Ok(json!([text("two  words\n")]).to_string()));
}

/// Half an emoji, as a client cuts it, is no reason to refuse a message.
#[test]
fn texts_are_not_decoded() {
    let body = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"\ud83d"}}]"#;
    assert_eq!(parse(body).as_deref(), Ok(body));
}

#[test]
fn the_limit_counts_the_text_without_white_space() {
    let body = json!([text(&"x".repeat(100))]);
    let raw = body.to_string();
    let check = |text: &str, limit| {
        let raw: &RawValue = serde_json::from_str(text).expect("JSON");
        MsgBody::parse(raw, limit, Code::GROUP_BAD_PARAMETER).map(|_| ()).map_err(|e| e.code)
    };
    assert_eq!(check(&raw, raw.len()), Ok(()));
    assert_eq!(check(&raw, raw.len() - 1), Err(Code::MESSAGE_TOO_LONG));
    assert_eq!(check(&format!("{body:#}"), raw.len()), Ok(()));
    let padded = format!("[{}{}]", " ".repeat(100_000), text("x"));
    assert_eq!(check(&padded, 1000), Err(Code::MESSAGE_TOO_LONG));
}

proptest! {
    #[test]
    fn whatever_passes_is_the_same_message(texts in proptest::collection::vec(".{0,30}", 1..6), pretty: bool) {
        let body = Value::from(texts.iter().map(|each| text(each)).collect::<Vec<_>>());
        let source = if pretty { format!("{body:#}") } else { body.to_string() };
        prop_assert_eq!(parse(&source), Ok(body.to_string()));
    }

    #[test]
    fn one_wrong_content_never_panics(kind in 0..9_usize, field in "[A-Za-z_]{1,12}", value in ".{0,20}") {
        let (name, mut content) = good().swap_remove(kind);
        content[field] = json!(value);
        let _ = parse(&element(name, &content).to_string());
    }
}
