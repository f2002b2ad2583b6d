//! What it costs to compress a batch of room messages, and what it saves.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use throng_protocol::compress::Compressor;
use throng_protocol::frame::{PUSH_END, PUSH_START};

const WORDS: &[&str] = &[
    "the",
    "stream",
    "great",
    "song",
    "hello",
    "from",
    "when",
    "does",
    "next",
    "round",
    "start",
    "lol",
    "who",
    "is",
    "winning",
    "again",
    "please",
    "show",
    "that",
    "one",
    "more",
    "time",
    "nice",
    "gift",
    "for",
    "everybody",
    "tonight",
    "what",
    "a",
    "goal",
];

/// A linear congruential generator: the same texts in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % most
    }

    fn words(&mut self, bytes: usize) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            let word = self.below(WORDS.len() as u64);
            text.push_str(WORDS[usize::try_from(word).expect("a small number")]);
            text.push(' ');
        }
        text
    }
}

/// A message of a live room as its members get it.
fn entry(chance: &mut Chance, seq: u64, text_bytes: usize) -> String {
    let (user, random) = (chance.below(50_000), chance.below(1 << 32));
    let (tiny, time) = (144_115_200_000_000_000 + chance.below(1 << 40), 1_795_165_947 + seq / 40);
    let text = chance.words(text_bytes);
    format!(
        r#"{{"Event":3,"GroupMsgArray":[{{"From_Account":"user-{user}","From_AccountHeadurl":"https://img.example.com/a/{user}.png","From_AccountNick":"Viewer {user}","TinyId":"{tiny}","ToGroupId":"@TGS#aLIVE","ToTinyId":"0","GroupInfo":{{"FaceUrl":"","GroupName":"live","GroupType":"AVChatRoom"}},"MsgSeq":{seq},"MsgRandom":{random},"MsgTimeStamp":{time},"MsgClientTime":{time},"MsgPriority":3,"ClientSeq":{seq},"IsPlaceMsg":0,"IsSystemMsg":0,"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}]}}]}}"#
    )
}

fn batches(c: &mut Criterion) {
    let mut group = c.benchmark_group("compress");
    for (events, text) in [(1, 20), (1, 250), (2, 250), (4, 250), (16, 250), (64, 250)] {
        let mut chance = Chance(42);
        let entries: Vec<String> =
            (0..events).map(|seq| entry(&mut chance, 8_000 + seq, text)).collect();
        let mut parts: Vec<&[u8]> = vec![PUSH_START];
        for (number, entry) in entries.iter().enumerate() {
            if number > 0 {
                parts.push(b",");
            }
            parts.push(entry.as_bytes());
        }
        parts.push(PUSH_END);
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let mut compressor = Compressor::default();
        let left = compressor.compress(&parts).map_or(size, |compressed| compressed.len());
        let name = format!("{events} of {text} bytes, {size} to {left}");
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| compressor.compress(black_box(&parts)));
        });
    }
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
