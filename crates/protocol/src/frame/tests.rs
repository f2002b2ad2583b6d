use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A request as the web SDK 3.6.6 sends it after login.
const REQUEST: &str = r#"{"head":{"ver":"v4","platform":7,"websdkappid":537048168,
    "websdkversion":"1.7.3","a2":"token","tinyid":"144115200663665735","status_instid":1001,
    "sdkappid":1400000001,"contenttype":"json","reqtime":1795165947,"sdkability":75689843,
    "sdkability_ext":"","cappid":0,"cs":179577782,"servcmd":"recentcontact.page_get",
    "seq":35878930},"body":{"From_Account":"alice","TimeStamp":0}}"#;

fn error(frame: &str) -> String {
    RequestFrame::parse(frame.as_bytes()).expect_err(frame).to_string()
}

#[test]
fn a_request_is_taken_apart_without_copying() {
    let frame = RequestFrame::parse(REQUEST.as_bytes()).expect("a request");
    let head = &frame.head;
    assert_eq!(head.service_and_command(), ("recentcontact", "page_get"));
    assert_eq!((head.seq, head.status_instid), (35_878_930, 1001));
    assert_eq!((head.sdkappid, head.platform), (1_400_000_001, 7));
    assert_eq!((&*head.a2, &*head.tinyid), ("token", "144115200663665735"));
    assert_eq!((&*head.identifier, &*head.usersig), ("", ""));
    for text in [&head.servcmd, &head.a2, &head.tinyid] {
        assert!(matches!(text, Cow::Borrowed(_)));
    }
    assert_eq!(frame.body.get(), r#"{"From_Account":"alice","TimeStamp":0}"#);
    let range = REQUEST.as_bytes().as_ptr_range();
    assert!(range.contains(&frame.body.get().as_ptr()));
}

#[test]
fn what_is_absent_is_empty() {
    let frame = RequestFrame::parse(br#"{"head":{"servcmd":"heartbeat.alive"}}"#).expect("minimal");
    assert_eq!((frame.head.seq, frame.head.sdkappid), (0, 0));
    assert_eq!(frame.body.get(), "{}");
}

#[test]
fn names_with_escapes_are_decoded() {
    let frame = br#"{"head":{"servcmd":"a.b","identifier":"\u0061lice \ud83d\ude00"},"body":{}}"#;
    let frame = RequestFrame::parse(frame).expect("escapes");
    assert_eq!(frame.head.identifier, "alice \u{1f600}");
}

#[test]
fn the_largest_seq_is_2_to_the_53() {
    let with = |seq: &str| format!(r#"{{"head":{{"servcmd":"a.b","seq":{seq}}},"body":{{}}}}"#);
    let largest = with("9007199254740992");
    let frame = RequestFrame::parse(largest.as_bytes()).expect("largest");
    assert_eq!(frame.head.seq, 9_007_199_254_740_992);
    assert_eq!(error(&with("9007199254740993")), "head.seq: larger than 2^53");
}

#[test]
fn a_wrong_field_is_named() {
    for (head, field) in [
        (r#""seq":"1""#, "head.seq: "),
        (r#""seq":-1"#, "head.seq: "),
        (r#""seq":1.5"#, "head.seq: "),
        (r#""a2":7"#, "head.a2: "),
        (r#""tinyid":144115200663665735"#, "head.tinyid: "),
        (r#""identifier":null"#, "head.identifier: "),
        (r#""usersig":[]"#, "head.usersig: "),
        (r#""sdkappid":"1400000001""#, "head.sdkappid: "),
        (r#""sdkappid":4294967296"#, "head.sdkappid: "),
        (r#""status_instid":{}"#, "head.status_instid: "),
        (r#""platform":true"#, "head.platform: "),
    ] {
        let text = error(&format!(r#"{{"head":{{"servcmd":"a.b",{head}}},"body":{{}}}}"#));
        assert!(text.starts_with(field), "{head}: {text}");
    }
    let text = error(r#"{"head":{"servcmd":["a.b"]},"body":{}}"#);
    assert!(text.starts_with("head.servcmd: "), "{text}");
    assert!(error(r#"{"head":7,"body":{}}"#).starts_with("head: "));
}

#[test]
fn a_frame_needs_a_service_and_a_command() {
    assert_eq!(error(r#"{"head":{},"body":{}}"#), "head.servcmd: missing");
    for servcmd in ["alive", ".alive", "heartbeat."] {
        let frame = format!(r#"{{"head":{{"servcmd":"{servcmd}"}},"body":{{}}}}"#);
        assert_eq!(RequestFrame::parse(frame.as_bytes()).expect_err("bad"), FrameError::BadServcmd);
    }
}

#[test]
fn what_is_no_request_is_told_apart() {
    let parse = |frame: &[u8]| RequestFrame::parse(frame).expect_err("refused");
    assert_eq!(parse(b"COMPx\x9c"), FrameError::Compressed);
    assert_eq!(parse(b"{\"head\":\"\xff\"}"), FrameError::NotUtf8);
    for frame in ["", "hello", "[]", "null", "{", r#"{"head":{"servcmd":"a.b"},"body":{}} x"#] {
        assert!(matches!(parse(frame.as_bytes()), FrameError::NotJson(_)), "{frame}");
    }
    let deep =
        format!(r#"{{"head":{{"servcmd":"a.b"}},"body":{}{}}}"#, "[".repeat(999), "]".repeat(999));
    assert_eq!(parse(deep.as_bytes()), FrameError::TooDeep);
    assert_eq!(
        parse("[".repeat(1_000_000).as_bytes()),
        FrameError::NotJson("it does not begin with {".to_owned())
    );
}

#[test]
fn answers_echo_servcmd_and_seq() {
    assert_eq!(
        reply("heartbeat.alive", 7, b"{}"),
        &br#"{"head":{"servcmd":"heartbeat.alive","seq":7},"body":{}}"#[..]
    );
    assert_eq!(
        push("im_open_push.msg_push", br#"{"EventArray":[]}"#),
        &br#"{"head":{"servcmd":"im_open_push.msg_push"},"body":{"EventArray":[]}}"#[..]
    );
}

proptest! {
    #[test]
    fn any_name_is_echoed_as_it_came(servcmd in ".{0,40}", seq in 0..=SEQ_MAX) {
        let value: Value = serde_json::from_slice(&reply(&servcmd, seq, b"{}")).expect("JSON");
        prop_assert_eq!(&value, &json!({"head": {"servcmd": servcmd, "seq": seq}, "body": {}}));
        let value: Value = serde_json::from_slice(&push(&servcmd, b"{}")).expect("JSON");
        prop_assert_eq!(&value["head"]["servcmd"], &Value::from(servcmd));
    }

    #[test]
    fn a_head_is_read_whatever_it_says(
        command in "[a-z_]{1,20}\\.[a-z_]{1,20}", seq in 0..=SEQ_MAX, user in ".{0,40}", app: u32,
    ) {
        let frame = json!({
            "body": {"x": user}, "head": {"identifier": user, "seq": seq, "servcmd": command, "sdkappid": app}
        });
        let text = frame.to_string();
        let parsed = RequestFrame::parse(text.as_bytes()).expect("a request");
        prop_assert_eq!(&parsed.head.servcmd, &command);
        prop_assert_eq!(&parsed.head.identifier, &user);
        prop_assert_eq!((parsed.head.seq, parsed.head.sdkappid), (seq, app));
        prop_assert_eq!(parsed.body.get(), frame["body"].to_string());
    }

    #[test]
    fn any_bytes_at_all_are_survived(frame: Vec<u8>) {
        let _ = RequestFrame::parse(&frame);
    }
}
