//! What one delivery costs the tool: frame, hash, account, histogram; with as many members as one process has
//! descriptors for, so that their state does not fit into a cache.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use throng_load::check::{Member, Witness};
use throng_load::client::inbound::{Inbound, Reader};
use throng_load::client::websocket::next_frame;
use throng_load::measure::Latency;

const MEMBERS: usize = 19_000;
const MESSAGES: u32 = 2_400;

/// A frame about as long as a comment's.
fn frame(number: u32) -> Vec<u8> {
    let text = "x".repeat(60);
    let seq = number + 1;
    let json = format!(
        r#"{{"head":{{"servcmd":"im_open_push.msg_push"}},"body":{{"EventArray":[{{"Event":3,"GroupMsgArray":[{{"Event":3,"From_Account":"load1u7","TinyId":"144115200663665735","ToGroupId":"load1r0","GroupId":"load1r0","MsgSeq":{seq},"MsgRandom":{seq},"MsgTimeStamp":1795165947,"MsgClientTime":1795165947,"ClientSeq":12345,"MsgPriority":2,"CloudCustomData":"","GroupInfo":{{"GroupId":"load1r0","GroupName":"load 0","GroupType":"AVChatRoom","From_AccountNick":"","From_AccountHeadurl":""}},"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}]}}]}}]}}}}"#
    );
    let len = u16::try_from(json.len()).unwrap();
    let mut frame = vec![0x82, 126];
    frame.extend(len.to_be_bytes());
    frame.extend(json.into_bytes());
    frame
}

fn delivery(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delivery");
    group.throughput(Throughput::Elements(MEMBERS as u64));
    group.bench_function("one message to 19,000 members", |bencher| {
        let mut reader = Reader::new("load1r");
        let mut members = vec![Member::new(MESSAGES); MEMBERS];
        let mut witness = Witness::new(MESSAGES);
        let mut latency = Latency::default();
        let mut number = 0;
        bencher.iter(|| {
            let bytes = frame(number % MESSAGES);
            number += 1;
            for member in &mut members {
                let frame = next_frame(black_box(&bytes)).unwrap().unwrap();
                let Inbound::Push(push) = reader.read(frame.payload).unwrap() else {
                    panic!("it is a push");
                };
                for item in &push.items {
                    witness.message(item.random - 1, item.seq);
                    black_box(member.take(item.random - 1, item.seq));
                    latency.record(u64::from(item.seq) * 1_000);
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, delivery);
criterion_main!(benches);
