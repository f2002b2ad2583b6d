//! What a client says, in which order, when its line breaks, and when nothing comes.

use super::*;
use crate::client::inbound::AnswerBody;
use crate::plan::Priority;

fn common() -> Common {
    Common {
        app: AppId(7),
        key: "secret".to_owned(),
        user_prefix: "u".to_owned(),
        group_prefix: "g".to_owned(),
        salt: 1,
        text: "hello".to_owned(),
    }
}

fn at(second: u32) -> Now {
    Now { second, unix_s: 1_700_000_000 + i64::from(second) }
}

/// The requests in masked frames: command, sequence, whole text.
fn requests(out: &mut Outgoing) -> Vec<(String, u64, String)> {
    let mut bytes = std::mem::take(&mut out.bytes);
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (header, len) = match bytes[1] & 0x7F {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            len => (2, usize::from(len)),
        };
        let rest = bytes.split_off(header + 4 + len);
        let mask = &bytes[header..header + 4];
        let text: Vec<u8> = bytes[header + 4..]
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask)
            .collect();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let (head, text) = (&value["head"], String::from_utf8(text).unwrap());
        let servcmd = head["servcmd"].as_str().unwrap().to_owned();
        found.push((servcmd, head["seq"].as_u64().unwrap(), text));
        bytes = rest;
    }
    found
}

fn answer(seq: u64) -> Answer {
    let body = AnswerBody {
        a2_key: Some("token".into()),
        tiny_id: Some("5".into()),
        inst_id: 3,
        hello_interval: 120,
        msg_seq: 9,
        ..AnswerBody::default()
    };
    Answer { seq, body }
}

fn message() -> Message {
    Message { at: 0, room: 0, place: 0, sender: 1, priority: Priority::High, bytes: 5 }
}

fn logged_in(out: &mut Outgoing) -> Session {
    let mut session = Session::new(1);
    session.opened(&common(), at(0), out);
    let seq = requests(out)[0].1;
    let happened = session.answered(&common(), answer(seq), at(0), out);
    assert_eq!(happened, Some(Happened::LoggedIn));
    let alive = requests(out)[0].1;
    assert_eq!(session.answered(&common(), answer(alive), at(0), out), None);
    session
}

#[test]
fn what_was_unanswered_comes_again_byte_for_byte_before_the_login() {
    let (common, mut out) = (common(), Outgoing::default());
    let mut session = logged_in(&mut out);
    session.send(&common, 41, &message(), at(1), &mut out);
    let first = requests(&mut out).remove(0);
    assert!(first.2.contains(r#""Random":42"#) && first.2.contains(r#""MsgPriority":"High""#));
    session.lost();
    session.send(&common, 42, &message(), at(2), &mut out);
    assert!(out.bytes.is_empty(), "there is no line");
    session.opened(&common, at(3), &mut out);
    let again = requests(&mut out);
    let commands: Vec<_> = again.iter().map(|(servcmd, _, _)| servcmd.as_str()).collect();
    assert_eq!(commands, [command::SEND, command::SEND, command::LOGIN, command::ALIVE]);
    assert_eq!(again[0], first);
    assert!(again[2].2.contains(r#""a2":"token""#), "the login is by the token");

    let returned = session.answered(&common, answer(again[2].1), at(3), &mut out);
    assert_eq!(returned, Some(Happened::Returned));
    assert_eq!(requests(&mut out)[0].0, command::CONVERSATIONS);
    let done = session.answered(&common, answer(first.1), at(3), &mut out);
    assert_eq!(done, Some(Happened::Acknowledged { number: 41, seq: 9, dropped: false }));
    assert_eq!(session.sending().count(), 1);
}

#[test]
fn a_quiet_line_is_asked_and_given_up() {
    let (common, mut out, mut happened) = (common(), Outgoing::default(), Vec::new());
    let mut session = logged_in(&mut out);
    session.tick(&common, at(9), &mut out, &mut happened);
    assert!(out.bytes.is_empty());
    session.tick(&common, at(10), &mut out, &mut happened);
    assert_eq!(requests(&mut out)[0].0, command::ALIVE);
    session.tick(&common, at(13), &mut out, &mut happened);
    assert_eq!(happened, [Happened::Dead]);
}

#[test]
fn sends_without_an_answer_fail() {
    let (common, mut out, mut happened) = (common(), Outgoing::default(), Vec::new());
    let mut session = logged_in(&mut out);
    session.send(&common, 0, &message(), at(1), &mut out);
    session.heard(at(15));
    session.tick(&common, at(16), &mut out, &mut happened);
    assert_eq!(happened, [Happened::SendFailed { number: 0, code: TIMED_OUT }]);
    assert_eq!(session.sending().count(), 0);
}
