use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    group_id: &'a str,
    list: Vec<u32>,
}

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn the_envelope_comes_first_and_the_fields_behind_it() {
    let body = ok(&Answer { group_id: "live1", list: vec![1, 2] });
    assert_eq!(
        text(&body),
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","GroupId":"live1","List":[1,2]}"#
    );
    let bare = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#;
    assert_eq!(text(&ok(&())), bare);
    #[derive(Serialize)]
    struct Empty {}
    assert_eq!(text(&ok(&Empty {})), bare);
}

#[test]
fn failures_say_what_went_wrong_in_json() {
    let error = Code::GROUP_BAD_PARAMETER.with("GroupId: \"\n\"");
    assert_eq!(
        text(&fail(&error)),
        r#"{"ActionStatus":"FAIL","ErrorCode":10004,"ErrorInfo":"GroupId: \"\n\""}"#
    );
    let body = fail_with(&error, &Answer { group_id: "g", list: vec![] });
    assert!(text(&body).ends_with(r#","GroupId":"g","List":[]}"#));
    let error = error.with_fields(&Answer { group_id: "g", list: vec![] });
    assert_eq!(fail(&error), body);
}

#[test]
fn some_successes_have_a_text_or_another_status() {
    assert_eq!(
        text(&ok_saying("succeed", &())),
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"succeed"}"#
    );
    assert!(text(&some_failed(&())).starts_with(r#"{"ActionStatus":"SomeError","ErrorCode":0,"#));
}

#[test]
fn a_body_that_json_cannot_express_is_an_internal_error() {
    let impossible = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert!(text(&ok(&impossible)).contains(r#""ErrorCode":10002"#));
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    group_id: &'a str,
    #[serde(default)]
    msg_body: Vec<Element<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Element<'a> {
    msg_type: &'a str,
    msg_content: Content<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content<'a> {
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
}

fn refused(body: &str) -> String {
    let error = parse::<Request<'_>>(body.as_bytes(), Code::GROUP_BAD_PARAMETER).expect_err(body);
    assert_eq!(error.code, Code::GROUP_BAD_PARAMETER);
    error.info
}

#[test]
fn a_good_body_is_read_without_copying() {
    let body = br#" {"GroupId":"g","MsgBody":[{"MsgType":"T","MsgContent":{"Text":"hi"}}],"X":1} "#;
    let request: Request<'_> = parse(body, Code::GROUP_BAD_PARAMETER).expect("good");
    assert_eq!(request.group_id, "g");
    assert_eq!(request.msg_body[0].msg_type, "T");
    let text = &request.msg_body[0].msg_content.text;
    assert!(matches!(text, std::borrow::Cow::Borrowed("hi")));
}

#[test]
fn the_text_names_the_field() {
    assert_eq!(refused("{}"), "GroupId: missing field");
    assert_eq!(
        refused(r#"{"GroupId":7}"#),
        "GroupId: invalid type: integer `7`, expected a borrowed string"
    );
    let element = |inner: &str| format!(r#"{{"GroupId":"g","MsgBody":[{inner}]}}"#);
    assert_eq!(refused(&element(r#"{"MsgType":"T"}"#)), "MsgBody[0].MsgContent: missing field");
    assert_eq!(
        refused(&element(r#"{"MsgType":"T","MsgContent":{}}"#)),
        "MsgBody[0].MsgContent.Text: missing field"
    );
    assert_eq!(
        refused(&element(r#"{"MsgType":"T","MsgContent":{"Text":null}}"#)),
        "MsgBody[0].MsgContent.Text: invalid type: null, expected a string"
    );
}

#[test]
fn a_field_that_ends_like_its_parent_is_still_named_in_full() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "Group")]
        _group: Inner,
    }
    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "Group")]
        _group: u32,
    }
    let error = parse::<Outer>(br#"{"Group":{}}"#, Code::GROUP_BAD_PARAMETER).expect_err("missing");
    assert_eq!(error.info, "Group.Group: missing field");
}

#[test]
fn what_is_no_json_object_is_refused() {
    for body in ["", "  ", "null", "[]", "[\"g\"]", "\"{}\"", "\u{feff}{}"] {
        assert_eq!(refused(body), "the body is not a JSON object", "{body}");
    }
    for body in ["{", r#"{"GroupId":"g"}}"#, r#"{"GroupId":"g",}"#] {
        assert!(refused(body).starts_with("the body is not valid JSON: "), "{body}");
    }
    let deep = format!(r#"{{"GroupId":"g","X":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(refused(&deep), "the body is nested too deeply");
}

proptest! {
    #[test]
    fn an_answer_is_always_valid_json(info in ".{0,60}", group in ".{0,60}", list: Vec<u32>) {
        let error = Code::GROUP_INTERNAL.with(info.clone());
        let body = fail_with(&error, &Answer { group_id: &group, list: list.clone() });
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        prop_assert_eq!(&value["ErrorInfo"], &Value::from(info));
        prop_assert_eq!(&value["ErrorCode"], &Value::from(10002));
        prop_assert_eq!(&value["GroupId"], &Value::from(group));
        prop_assert_eq!(&value["List"], &Value::from(list));
    }

    #[test]
    fn any_bytes_at_all_are_survived(body: Vec<u8>) {
        let _ = parse::<Request<'_>>(&body, Code::GROUP_BAD_JSON);
    }
}
