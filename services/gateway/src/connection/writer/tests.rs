//! Shards with sockets in memory: whatever comes, whatever sockets take, everybody gets what is theirs,
//! in order, and what a slow one loses is counted.

use std::io::{self, ErrorKind, IoSlice, Read as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::ZlibDecoder;
use parking_lot::Mutex;
use proptest::prelude::*;
use throng_protocol::compress::MARK;
use tokio::time::Instant;

use super::Pacing;
use super::lane::Lane;
use super::orders::{Inbox, RoomFrame};
use super::shard::Shard;
use crate::connection::outbox::Outbox;
use crate::connection::stream::Write;
use crate::connection::{Close, Kind};
use crate::rooms::Position;

/// A socket that takes as many bytes as it is told to.
#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<PipeState>,
}

#[derive(Debug, Default)]
struct PipeState {
    written: Vec<u8>,
    takes: usize,
    /// Taken and not sent, as a connection with TLS does; and how much of it there may be.
    kept: Vec<u8>,
    keeps: usize,
    broken: bool,
    finished: bool,
}

impl PipeState {
    fn flush(&mut self) -> io::Result<()> {
        let size = self.kept.len().min(self.takes);
        self.takes -= size;
        self.written.extend(self.kept.drain(..size));
        if self.kept.is_empty() { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) }
    }
}

impl Write for Pipe {
    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state.lock();
        if state.broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        state.flush()?;
        let mut taken = 0;
        for part in parts {
            let size = part.len().min(state.takes);
            state.takes -= size;
            state.written.extend_from_slice(&part[..size]);
            let more = (part.len() - size).min(state.keeps - state.kept.len());
            state.kept.extend_from_slice(&part[size..size + more]);
            taken += size + more;
        }
        if taken == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn flush(&self) -> io::Result<()> {
        self.state.lock().flush()
    }

    fn finish(&self) {
        self.state.lock().finished = true;
    }
}

impl Pipe {
    /// The texts of all events and answers that were written whole: entries of pushes one by one.
    fn texts(&self) -> Vec<String> {
        let state = self.state.lock();
        let mut rest = &state.written[..];
        let mut texts = Vec::new();
        while let Some((first, payload, after)) = server_frame(rest) {
            rest = after;
            if first & 0x0f == 8 {
                texts.push("close".to_owned());
                continue;
            }
            let frame: serde_json::Value =
                serde_json::from_slice(&inflated(payload)).expect("it is JSON");
            match frame["body"]["EventArray"].as_array() {
                Some(entries) => {
                    texts.extend(entries.iter().map(|entry| entry.as_str().unwrap().to_owned()));
                }
                None => texts.push(frame["answer"].as_str().unwrap().to_owned()),
            }
        }
        texts
    }
}

fn server_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, short], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match short {
        126 => rest.split_first_chunk().map(|(n, rest)| (u16::from_be_bytes(*n).into(), rest))?,
        127 => rest.split_first_chunk().map(|(n, rest)| (u64::from_be_bytes(*n), rest))?,
        short => (u64::from(short), rest),
    };
    let length = usize::try_from(length).ok()?;
    (rest.len() >= length).then(|| (first, &rest[..length], &rest[length..]))
}

fn inflated(payload: &[u8]) -> Vec<u8> {
    let Some(zlib) = payload.strip_prefix(MARK) else { return payload.to_vec() };
    let mut out = Vec::new();
    ZlibDecoder::new(zlib).read_to_end(&mut out).expect("it is zlib");
    out
}

fn push(text: &str) -> Bytes {
    let body = format!(r#"{{"EventArray":["{text}"]}}"#);
    throng_protocol::frame::push("im_open_push.msg_push", body.as_bytes())
}

fn answer(text: &str) -> Vec<u8> {
    format!(r#"{{"answer":"{text}"}}"#).into_bytes()
}

const RING: usize = 6;
/// Bytes of frames that are compressed: frames of several events are longer.
const COMPRESSED: usize = 100;

fn pacing() -> Pacing {
    Pacing {
        duty: 1.0,
        longest_rest: Duration::ZERO,
        busy_events: u32::MAX,
        busy_step: Duration::ZERO,
        ring_events: RING,
        ring_bytes: 1 << 20,
        compress_rooms: COMPRESSED,
        compress_answers: COMPRESSED,
    }
}

/// A shard and its connections.
struct Bench {
    shard: Shard<Pipe>,
    inbox: Arc<Inbox<Pipe>>,
    lines: Vec<(Outbox<Pipe>, Arc<Pipe>)>,
    blocked: Vec<Arc<crate::connection::outbox::Shared<Pipe>>>,
    now: Instant,
    events: u64,
}

impl Bench {
    fn new(lines: usize) -> Self {
        let mut bench = Self {
            shard: Shard::new(pacing()),
            inbox: Arc::new(Inbox::new(COMPRESSED)),
            lines: Vec::new(),
            blocked: Vec::new(),
            now: Instant::now(),
            events: 0,
        };
        for number in 0..lines {
            let kind = [Kind::Binary, Kind::Compressed, Kind::Text][number % 3];
            let outbox = Outbox::new(&bench.inbox, kind, 1 << 20);
            let pipe = Arc::new(Pipe::default());
            pipe.state.lock().keeps = if number % 2 == 1 { 150 } else { 0 };
            outbox.open(Arc::clone(&pipe));
            bench.lines.push((outbox, pipe));
        }
        bench
    }

    fn event(&mut self, room: u64, text: &str, priority: u32) {
        self.events += 1;
        let position = Position { epoch: 1, event_no: self.events };
        let event = RoomFrame { position, frame: push(text), priority };
        self.inbox.push(super::Order::Event { room, event });
        self.obey();
    }

    fn obey(&mut self) {
        let mut orders = Vec::new();
        self.inbox.take(&mut orders);
        for order in orders {
            self.shard.obey(order, self.now);
        }
        self.shard.write_own();
        self.note_blocked();
    }

    fn pass(&mut self, most: usize) -> bool {
        if self.shard.next_pass().is_some_and(|due| due <= self.now) {
            self.shard.begin_pass(self.now);
        }
        let now = self.now;
        let goes_on = self.shard.pass(most, || now);
        self.note_blocked();
        goes_on
    }

    fn pass_all(&mut self) {
        while self.pass(2) {}
    }

    fn note_blocked(&mut self) {
        self.blocked.extend(self.shard.newly_blocked().into_iter().map(|(line, _)| line));
    }

    /// A socket takes so many bytes more.
    fn takes(&mut self, line: usize, bytes: usize) {
        let (outbox, pipe) = &self.lines[line];
        let mut state = pipe.state.lock();
        state.takes = state.takes.saturating_add(bytes);
        drop(state);
        if let Some(at) = self.blocked.iter().position(|one| Arc::ptr_eq(one, &outbox.shared)) {
            let line = self.blocked.swap_remove(at);
            self.inbox.push(super::Order::Writable { line });
            self.obey();
        }
    }

    fn texts(&self, line: usize) -> Vec<String> {
        self.lines[line].1.texts()
    }
}

#[tokio::test]
async fn who_waits_gets_several_events_in_one_frame_and_answers_before_them() {
    let mut bench = Bench::new(2);
    for line in 0..2 {
        bench.takes(line, usize::MAX);
        bench.lines[line].0.join(7, Position::default());
    }
    for text in ["a", "b", "c"] {
        bench.event(7, text, 3);
    }
    bench.lines[0].0.control(&answer("ok")).unwrap();
    bench.obey();
    assert_eq!(bench.texts(0), ["ok", "a", "b", "c"]);
    assert!(bench.texts(1).is_empty(), "not before the pass");
    bench.pass_all();
    assert_eq!(bench.texts(1), ["a", "b", "c"]);
    assert_eq!(bench.shard.written.frames, 3);
    assert_eq!(bench.shard.written.writes, 2, "one write for each");
}

#[tokio::test]
async fn what_is_for_one_alone_comes_after_what_was_for_all() {
    let mut bench = Bench::new(2);
    for line in 0..2 {
        bench.takes(line, usize::MAX);
        bench.lines[line].0.join(7, Position::default());
    }
    bench.event(7, "for all", 3);
    bench.lines[1].0.in_order(&push("for one")).unwrap();
    bench.lines[1].0.part(7);
    bench.event(7, "later", 3);
    bench.pass_all();
    assert_eq!(bench.texts(0), ["for all", "later"]);
    assert_eq!(bench.texts(1), ["for all", "for one"]);
}

#[tokio::test]
async fn a_socket_that_takes_nothing_loses_what_may_be_dropped_and_nothing_else() {
    let mut bench = Bench::new(2);
    bench.takes(1, usize::MAX);
    for line in 0..2 {
        bench.lines[line].0.join(7, Position::default());
    }
    for number in 0..40 {
        bench.event(7, &format!("{number}"), if number % 10 == 0 { 0 } else { 4 });
        bench.pass_all();
    }
    assert_eq!(bench.texts(1).len(), 40);
    bench.takes(0, usize::MAX);
    bench.pass_all();
    let got: Vec<u32> = bench.texts(0).iter().map(|text| text.parse().unwrap()).collect();
    assert!(got.is_sorted() && got.len() < 40, "{got:?}");
    for number in (0..40).step_by(10) {
        assert!(got.contains(&number), "{number} may not be dropped: {got:?}");
    }
    assert_eq!(got.last(), Some(&39), "the last ones were still kept");
}

#[tokio::test]
async fn what_may_not_be_dropped_piles_up_to_the_budget_and_then_the_line_ends() {
    let mut bench = Bench::new(2);
    bench.takes(1, usize::MAX);
    for line in 0..2 {
        bench.lines[line].0.join(7, Position::default());
    }
    let long = "x".repeat(100_000);
    for _ in 0..30 {
        bench.event(7, &long, 0);
        bench.pass_all();
    }
    assert_eq!(bench.texts(1).len(), 30);
    assert_eq!(bench.lines[0].0.close_reason(), Some(Close::SLOW));
    assert_eq!(bench.lines[1].0.close_reason(), None);
}

#[tokio::test]
async fn the_end_comes_after_what_waits_but_not_for_ever() {
    let mut bench = Bench::new(3);
    bench.takes(0, usize::MAX);
    for line in 0..3 {
        bench.lines[line].0.join(7, Position::default());
    }
    bench.obey();
    bench.event(7, "last", 3);
    bench.lines[0].0.close(Close::DRAIN);
    bench.lines[1].0.close(Close::DRAIN);
    bench.lines[2].0.close(Close::DRAIN);
    bench.lines[2].1.state.lock().broken = true;
    bench.obey();
    assert_eq!(bench.texts(0), ["last", "close"]);
    let finished = |bench: &Bench| {
        bench.lines.iter().map(|(_, pipe)| pipe.state.lock().finished).collect::<Vec<_>>()
    };
    assert_eq!(finished(&bench), [true, false, true]);
    bench.now += Duration::from_secs(4);
    bench.shard.end_late(bench.now);
    assert_eq!(finished(&bench), [true, true, true]);
    bench.event(7, "nobody", 3);
    bench.pass_all();
}

/// Those who can inflate share one compressed frame, whoever cannot gets the plain one.
#[tokio::test]
async fn a_batch_is_compressed_once_for_all_who_can_inflate() {
    let mut lane = Lane::new(Instant::now(), COMPRESSED);
    for event_no in 1..=20 {
        let position = Position { epoch: 1, event_no };
        lane.push(RoomFrame { position, frame: push("the same again"), priority: 3 });
    }
    let batch = lane.batch(Kind::Compressed, 0);
    assert!(Arc::ptr_eq(&batch, &lane.batch(Kind::Compressed, 0)));
    let packed = |kind, lane: &mut Lane| {
        let batch = lane.batch(kind, 0);
        assert_eq!((batch.len(), batch[0].events), (1, 20));
        let (_, payload, _) = server_frame(&batch[0].bytes).unwrap();
        payload.starts_with(MARK)
    };
    assert!(packed(Kind::Compressed, &mut lane));
    assert!(!packed(Kind::Binary, &mut lane) && !packed(Kind::Text, &mut lane));
    let (essence, _) = lane.essence(Kind::Compressed, 0);
    assert!(essence.is_empty(), "all may be dropped");
}

#[derive(Debug, Clone)]
enum Step {
    Event(u64, u32),
    Control(usize),
    Alone(usize, u64),
    Join(usize, u64),
    Part(usize, u64),
    Takes(usize, usize),
    Pass(usize),
    Close(usize),
}

const LINES: usize = 4;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let line = 0..LINES;
    let step = prop_oneof![
        8 => (0..2u64, 0..5u32).prop_map(|(room, priority)| Step::Event(room, priority)),
        2 => line.clone().prop_map(Step::Control),
        1 => (line.clone(), 0..2u64).prop_map(|(line, room)| Step::Alone(line, room)),
        2 => (line.clone(), 0..2u64).prop_map(|(line, room)| Step::Join(line, room)),
        1 => (line.clone(), 0..2u64).prop_map(|(line, room)| Step::Part(line, room)),
        6 => (line.clone(), prop_oneof![1..200usize, Just(100_000)])
            .prop_map(|(line, bytes)| Step::Takes(line, bytes)),
        6 => (1..4usize).prop_map(Step::Pass),
        1 => line.prop_map(Step::Close),
    ];
    prop::collection::vec(step, 1..150)
}

/// What one connection should get.
#[derive(Debug, Default)]
struct Owed {
    rooms: [bool; 2],
    /// Text, and whether it may be dropped.
    all: Vec<(String, bool)>,
    closed: bool,
}

proptest! {
    #[test]
    fn everybody_gets_what_is_theirs_in_order(steps in steps()) {
        let mut bench = Bench::new(LINES);
        bench.obey();
        let mut owed: Vec<Owed> = (0..LINES).map(|_| Owed::default()).collect();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Event(room, priority) => {
                    let text = format!("{room}-{number}");
                    for owed in owed.iter_mut().filter(|owed| owed.rooms[room as usize] && !owed.closed) {
                        owed.all.push((text.clone(), priority != 0));
                    }
                    bench.event(room, &text, priority);
                }
                Step::Control(line) => {
                    let text = format!("c-{number}");
                    if bench.lines[line].0.control(&answer(&text)).is_ok() {
                        owed[line].all.push((text, false));
                    }
                }
                Step::Alone(line, room) => {
                    let text = format!("{room}-{number}");
                    if bench.lines[line].0.in_order(&push(&text)).is_ok() {
                        owed[line].all.push((text, false));
                    }
                }
                Step::Join(line, room) => {
                    if !owed[line].rooms[room as usize] && !owed[line].closed {
                        owed[line].rooms[room as usize] = true;
                        bench.lines[line].0.join(room, Position::default());
                    }
                }
                Step::Part(line, room) => {
                    owed[line].rooms[room as usize] = false;
                    bench.lines[line].0.part(room);
                }
                Step::Takes(line, bytes) => bench.takes(line, bytes),
                Step::Pass(most) => {
                    bench.pass(most);
                }
                Step::Close(line) => {
                    if !owed[line].closed {
                        owed[line].closed = true;
                        owed[line].all.push(("close".to_owned(), false));
                        bench.lines[line].0.close(Close::DRAIN);
                    }
                }
            }
            bench.obey();
        }
        for line in 0..LINES {
            bench.takes(line, usize::MAX);
        }
        bench.obey();
        while bench.shard.next_pass().is_some() {
            bench.pass_all();
        }
        bench.pass_all();
        let mut lost = 0;
        for (line, owed) in owed.iter().enumerate() {
            let got = bench.texts(line);
            // Of one kind the order holds: of each room, and of answers.
            for kind in ["0-", "1-", "c-"] {
                let of = |texts: &[String]| texts.iter().filter(|text| text.starts_with(kind)).cloned().collect::<Vec<_>>();
                let owed: Vec<String> = owed.all.iter().map(|(text, _)| text.clone()).collect();
                let mut rest = owed.iter().filter(|text| text.starts_with(kind));
                for text in of(&got) {
                    prop_assert!(rest.any(|owed| *owed == text), "line {line}: {text} in {got:?}, owed {owed:?}");
                }
            }
            for (text, may_be_dropped) in &owed.all {
                prop_assert!(*may_be_dropped || got.contains(text), "line {line} lacks {text}: {got:?}");
            }
            if owed.closed {
                prop_assert_eq!(got.last().map(String::as_str), Some("close"));
            }
            lost += owed.all.len() - got.len();
            prop_assert_eq!(bench.lines[line].0.shared.waiting.load(Ordering::Relaxed), 0);
        }
        // DRP-1.
        prop_assert_eq!(bench.shard.written.dropped.iter().sum::<u32>() as usize, lost);
    }
}
