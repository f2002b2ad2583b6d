//! What a captured message costs: at its session (shape and pseudonyms), and at the writer (the line).

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use throng_capture::{Command, Key, Message, Record, Shape, What, line};
use throng_protocol::AppId;

const BODY: &[u8] = br#"{"From_Account":"user-1234","GroupId":"room-7","Random":48151623,"ClientSeq":42,
"MsgPriority":"Normal","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"some sixty bytes of text as
people write it in live rooms!"}}],"CloudCustomData":"","OnlineOnlyFlag":0,"GroupAtInfo":[],"MsgClientTime":1795165947}"#;

fn make(key: &Key) -> Record {
    let app = AppId(1_400_000_001);
    // The user's pseudonym is kept with its connection.
    let (user, group) = (throng_capture::Pseudonym(7), key.group(app, "room-7"));
    let shape = Shape::of(black_box(BODY));
    let message = Message {
        id: key.message(user, group, shape.random),
        priority: shape.priority.map(Into::into),
        elements: shape.elements,
        seq: 17,
        dropped: false,
    };
    let command = Command {
        name: "group_open_http_svc.send_group_msg".into(),
        took: Some(900),
        group: Some(group),
        live: true,
        message: Some(message),
        ..Command::default()
    };
    Record { at: 1_000_000, line: 3, place: 9, user: Some(user), what: What::Command(command) }
}

fn record(criterion: &mut Criterion) {
    let key = Key::random();
    criterion.bench_function("a message at its session", |bencher| bencher.iter(|| make(&key)));
    let made = make(&key);
    criterion.bench_function("a message as a line", |bencher| bencher.iter(|| line(&made)));
}

criterion_group!(benches, record);
criterion_main!(benches);
