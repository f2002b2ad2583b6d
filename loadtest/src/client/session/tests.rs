//! What a client says, in which order, when its line breaks, and when nothing comes.

use throng_protocol::AppId;

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
        burst: false,
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
    assert_eq!(requests(&mut out)[0].0, Ask::Conversations.command());
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

#[test]
fn after_its_login_it_asks_for_what_the_sdk_asks_for() {
    let common = Common { burst: true, ..common() };
    let (mut out, mut session, mut happened) = (Outgoing::default(), Session::new(1), Vec::new());
    session.opened(&common, at(0), &mut out);
    let login = requests(&mut out)[0].1;
    assert_eq!(session.answered(&common, answer(login), at(0), &mut out), Some(Happened::LoggedIn));
    let mut asked = requests(&mut out).split_off(1);
    let commands: Vec<_> = asked.iter().map(|(servcmd, _, _)| servcmd.clone()).collect();
    assert_eq!(commands, Ask::FIRST.map(Ask::command));
    let mut followed = Vec::new();
    while let Some((_, seq, _)) = asked.pop() {
        assert!(session.is_settling() && happened.is_empty());
        happened.extend(session.answered(&common, answer(seq), at(0), &mut out));
        let more = requests(&mut out);
        followed.extend(more.iter().map(|(servcmd, _, _)| servcmd.clone()));
        asked.extend(more);
    }
    let follows = [Ask::Communities, Ask::ConversationGroups];
    assert_eq!(followed, follows.map(Ask::command));
    assert_eq!(happened, [Happened::Settled]);
    session.tick(&common, at(1), &mut out, &mut happened);
    assert_eq!(requests(&mut out)[0].0, Ask::Features.command());

    session.lost();
    session.opened(&common, at(3), &mut out);
    let login = requests(&mut out)[0].1;
    session.answered(&common, answer(login), at(3), &mut out);
    let again: Vec<_> = requests(&mut out).into_iter().map(|(servcmd, _, _)| servcmd).collect();
    assert_eq!(again, Ask::AGAIN.map(Ask::command));
}

#[test]
fn what_is_refused_after_a_login_is_told_and_not_waited_for() {
    let common = Common { burst: true, ..common() };
    let (mut out, mut session, mut happened) = (Outgoing::default(), Session::new(1), Vec::new());
    session.opened(&common, at(0), &mut out);
    let login = requests(&mut out)[0].1;
    session.answered(&common, answer(login), at(0), &mut out);
    let blacklist = requests(&mut out)[2].1;
    let refused = AnswerBody { error_code: 70_001, ..AnswerBody::default() };
    let told = session.answered(&common, Answer { seq: blacklist, body: refused }, at(0), &mut out);
    assert_eq!(told, Some(Happened::AskFailed(Ask::Blacklist.command(), 70_001)));
    session.heard(at(15));
    session.tick(&common, at(15), &mut out, &mut happened);
    let failed = happened.iter().filter(|one| matches!(one, Happened::AskFailed(_, TIMED_OUT)));
    assert_eq!(failed.count(), Ask::FIRST.len() - 1);
    assert!(!session.is_settling());
}
