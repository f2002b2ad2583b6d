//! What one group message costs between the socket and the room, stage by stage: reading the frame,
//! finding the command and its group, checking the message, and encoding the frame that all members
//! get. Figures and conditions: `docs/benchmarks.md`.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use throng_group_router::message::{Checked, check};
use throng_group_router::wire::{EncodedItem, GroupInfo, ItemControl, ItemHead, message_item};
use throng_protocol::catalogue;
use throng_protocol::frame::RequestFrame;

/// A comment of 250 bytes, as the client sends it (SDK protocol notes 02, 2.3).
fn request() -> Bytes {
    let text = "What a match! ".repeat(18);
    let text = &text[..250];
    let body = format!(
        r#"{{"From_Account":"viewer-10442","GroupId":"@TGS#a7KQ2M5X","Random":84917230,"ClientSeq":3917140001,"MsgPriority":"Normal","MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}],"CloudCustomData":"","OnlineOnlyFlag":0,"OfflinePushInfo":{{"PushFlag":0,"Title":"","Desc":"","Ext":"","ApnsInfo":{{}},"AndroidInfo":{{}}}},"GroupAtInfo":[],"MsgClientTime":1795166233,"NeedReadReceipt":0,"SupportMessageExtension":0,"IsRelayMsg":0}}"#
    );
    let a2 = "kQ".repeat(80);
    Bytes::from(format!(
        r#"{{"head":{{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"3.6.6","status_instid":83917212,"sdkappid":1400000001,"contenttype":"","reqtime":1795166233,"identifier":"viewer-10442","usersig":"","sdkability":1,"tjgID":"t","a2":"{a2}","tinyid":"144115200000000002","servcmd":"group_open_http_svc.send_group_msg","seq":3917140001,"cs":3917}},"body":{body}}}"#
    ))
}

/// The body of a frame, without a copy.
fn parse(frame: &Bytes) -> Bytes {
    let parsed = RequestFrame::parse(frame).expect("a good frame");
    let (service, command) = parsed.head.service_and_command();
    black_box((service, command));
    frame.slice_ref(parsed.body.get().as_bytes())
}

fn route(body: &Bytes) -> usize {
    let command = catalogue::lookup("group_open_http_svc", "send_group_msg").expect("a row");
    catalogue::routing_group(command.key, body).expect("a group").len()
}

fn encode(message: &Checked<'_>) -> EncodedItem {
    let head = ItemHead {
        from: &message.from,
        tiny_id: 144_115_200_000_000_002,
        msg_seq: 4711,
        random: message.random,
        time: 1_795_166_234,
        client_time: message.client_time,
        client_seq: message.client_seq,
        priority: message.priority.wire(),
        cloud_custom_data: &message.cloud_custom_data,
        wants: message.wants,
        control: ItemControl::default(),
    };
    let info = GroupInfo {
        group_id: &message.group_id,
        group_name: "The final, live",
        group_type: "AVChatRoom",
        nick: Some("Viewer 10442"),
        avatar: Some("https://cdn.example.com/avatars/10442.png"),
    };
    message_item(3, &head, info, &message.body)
}

fn message(criterion: &mut Criterion) {
    let frame = request();
    let body = parse(&frame);
    let checked = check(&body, "viewer-10442", false).expect("a good message");
    let mut group = criterion.benchmark_group("message");
    group.throughput(Throughput::Elements(1));
    group.bench_function("parse", |bencher| bencher.iter(|| parse(black_box(&frame))));
    group.bench_function("route", |bencher| bencher.iter(|| route(black_box(&body))));
    group.bench_function("check", |bencher| {
        bencher.iter(|| black_box(check(black_box(&body), "viewer-10442", false)).is_ok());
    });
    group.bench_function("encode", |bencher| bencher.iter(|| encode(black_box(&checked))));
    group.bench_function("all", |bencher| {
        bencher.iter(|| {
            let body = parse(black_box(&frame));
            black_box(route(&body));
            let checked = check(&body, "viewer-10442", false).expect("a good message");
            encode(&checked)
        });
    });
    group.finish();
}

criterion_group!(benches, message);
criterion_main!(benches);
