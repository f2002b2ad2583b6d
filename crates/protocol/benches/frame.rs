//! What one group message costs at the edges: taking the frame apart, finding its owner, checking its
//! elements, putting the answer and the room's frame together.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use serde_json::value::RawValue;
use throng_protocol::elements::MsgBody;
use throng_protocol::frame::{self, RequestFrame};
use throng_protocol::{AppId, Code, catalogue, envelope, limits, token};

const FRAME: &[u8] = br#"{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","a2":"oTxYaBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789oTxYaBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abc","tinyid":"144115200663665735","status_instid":1001,"sdkappid":1400000001,"contenttype":"json","reqtime":1795165947,"sdkability":75689843,"sdkability_ext":"","cappid":0,"cs":179577782,"servcmd":"group_open_http_svc.send_group_msg","seq":35878930},"body":{"From_Account":"alice","GroupId":"live1","Random":84917230,"ClientSeq":3917140001,"MsgPriority":"Normal","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"the quick brown fox jumps over the lazy dog"}}],"CloudCustomData":"","OnlineOnlyFlag":0,"OfflinePushInfo":{"PushFlag":0,"Title":"","Desc":"","Ext":"","ApnsInfo":{"Sound":"","BadgeMode":0},"AndroidInfo":{"Sound":"","XiaoMiChannelID":""}},"GroupAtInfo":[],"MsgClientTime":1795166233}}"#;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send<'a> {
    group_id: &'a str,
    random: u32,
    #[serde(borrow)]
    msg_body: &'a RawValue,
}

fn parts(c: &mut Criterion) {
    let request = RequestFrame::parse(FRAME).expect("a request");
    let body = request.body.get().as_bytes();
    let send: Send<'_> = envelope::parse(body, Code::GROUP_BAD_PARAMETER).expect("a message");
    let command = catalogue::lookup("group_open_http_svc", "send_group_msg").expect("a row");
    let key = [7; 32];
    let session = token::A2 {
        app: AppId(1_400_000_001),
        user: "alice".to_owned(),
        tiny_id: 144_115_200_663_665_735,
        inst_id: 1001,
        issued_at: 1_795_165_947,
        instance: [1; 16],
    };
    let a2 = session.seal(&key);

    let mut group = c.benchmark_group("message");
    group.throughput(Throughput::Bytes(FRAME.len() as u64));
    group.bench_function("parse frame", |b| {
        b.iter(|| RequestFrame::parse(black_box(FRAME)));
    });
    group.bench_function("open a2", |b| {
        b.iter(|| token::A2::open(black_box(&a2), &key));
    });
    group.bench_function("find owner", |b| {
        b.iter(|| {
            let (service, command) = request.head.service_and_command();
            catalogue::lookup(black_box(service), command)
        });
    });
    group.bench_function("find group", |b| {
        b.iter(|| catalogue::routing_group(command.key, black_box(body)));
    });
    group.bench_function("read body", |b| {
        b.iter(|| {
            let send: Send<'_> =
                envelope::parse(black_box(body), Code::GROUP_BAD_PARAMETER).expect("a message");
            (send.group_id.len(), send.random, send.msg_body.get().len())
        });
    });
    group.bench_function("check elements", |b| {
        b.iter(|| {
            let raw = black_box(send.msg_body);
            MsgBody::parse(raw, limits::MESSAGE_BYTES, Code::GROUP_BAD_PARAMETER).map(|it| it.len())
        });
    });
    group.bench_function("encode push", |b| {
        b.iter(|| frame::push("im_open_push.msg_push", black_box(body)));
    });
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);
