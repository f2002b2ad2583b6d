//! One room at one shard: what came and has not gone out to everybody, and who sits there. Frames are
//! made once for all who stand at the same place, several events in one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throng_protocol::frame::{PUSH_END, PUSH_START, push_entries};
use tokio::time::Instant;

use super::Pacing;
use super::orders::RoomFrame;
use crate::connection::Kind;
use crate::connection::dropped::{Dropped, priority_of};
use crate::connection::packing;

/// Events of one frame: a client complains about 100 (SDK protocol notes 02, 1.5).
const FRAME_EVENTS: usize = 64;
/// Bytes of one frame of several events.
const FRAME_BYTES: usize = 64 * 1024;

/// Frames that lead from one place of a lane to its head.
pub(super) type Batch = Arc<[Framed]>;

/// A finished WebSocket frame.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) bytes: Bytes,
    /// The place behind its last event.
    pub(super) end: u64,
    /// Events in it.
    pub(super) events: u32,
}

/// A room.
#[derive(Debug)]
pub(super) struct Lane {
    /// Events that somebody may still need, the oldest first.
    events: VecDeque<RoomFrame>,
    bytes: usize,
    /// Place behind the last event.
    head: u64,
    /// Slots of the lines that sit here.
    pub(super) members: Vec<u32>,
    /// Made since the last event came.
    batches: Vec<(Kind, u64, Batch)>,
    pub(super) pace: Pace,
    /// Every line that is not blocked has what is before this place.
    pub(super) low: u64,
    /// Bytes of frames that are compressed; 0: none are.
    compress: usize,
}

impl Lane {
    pub(super) fn new(now: Instant, compress: usize) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            head: 0,
            members: Vec::new(),
            batches: Vec::new(),
            pace: Pace::new(now),
            low: 0,
            compress,
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Events that are kept.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn push(&mut self, event: RoomFrame) {
        self.bytes += event.frame.len();
        self.events.push_back(event);
        self.head += 1;
        self.batches.clear();
    }

    /// Forgets what is before a place.
    pub(super) fn forget_before(&mut self, place: u64) {
        while self.first() < place
            && let Some(event) = self.events.pop_front()
        {
            self.bytes -= event.frame.len();
        }
        if self.events.is_empty() {
            self.events.shrink_to(16);
            self.batches.clear();
        }
    }

    /// The first event after a place that is later than `after`.
    pub(super) fn skip_until(&self, mut place: u64, after: crate::rooms::Position) -> u64 {
        while self.event(place).is_some_and(|event| event.position <= after) {
            place += 1;
        }
        place
    }

    /// The frames from a place to the head.
    pub(super) fn batch(&mut self, kind: Kind, from: u64) -> Batch {
        let found = self.batches.iter().find(|(of, place, _)| (*of, *place) == (kind, from));
        if let Some((_, _, batch)) = found {
            return Arc::clone(batch);
        }
        let start = usize::try_from(from - self.first()).unwrap_or(usize::MAX);
        let maker = Maker::new(kind, self.compress);
        let batch: Batch = maker.frames(from, self.events.range(start..), |_| true).into();
        self.batches.push((kind, from, Arc::clone(&batch)));
        batch
    }

    /// What a line that cannot keep up gets of the events from a place on: those that are never
    /// dropped. And how many of the others there are.
    pub(super) fn essence(&self, kind: Kind, from: u64) -> (Vec<Framed>, Dropped) {
        let start = usize::try_from(from - self.first()).unwrap_or(usize::MAX);
        let mut dropped = Dropped::default();
        for event in self.events.range(start..).filter(|event| event.priority != 0) {
            dropped[priority_of(event.priority)] += 1;
        }
        // For this line alone, so without the work of compressing it.
        let maker = Maker::new(kind.plain(), 0);
        (maker.frames(from, self.events.range(start..), |event| event.priority == 0), dropped)
    }

    fn first(&self) -> u64 {
        self.head - self.events.len() as u64
    }

    fn event(&self, place: u64) -> Option<&RoomFrame> {
        self.events.get(usize::try_from(place.checked_sub(self.first())?).ok()?)
    }
}

/// Puts events into frames, as many into each as fit.
struct Maker<'a> {
    kind: Kind,
    compress: usize,
    framed: Vec<Framed>,
    /// Of the frame that is being filled.
    entries: Vec<&'a [u8]>,
    bytes: usize,
}

impl<'a> Maker<'a> {
    fn new(kind: Kind, compress: usize) -> Self {
        Self { kind, compress, framed: Vec::new(), entries: Vec::new(), bytes: 0 }
    }

    /// The frames of the events that are wanted; the first of them is at that place.
    fn frames(
        mut self,
        from: u64,
        events: impl Iterator<Item = &'a RoomFrame>,
        wanted: impl Fn(&RoomFrame) -> bool,
    ) -> Vec<Framed> {
        let mut place = from;
        for event in events {
            if wanted(event) {
                self.add(&event.frame, place);
            }
            place += 1;
        }
        self.close(place);
        self.framed
    }

    fn add(&mut self, frame: &'a [u8], place: u64) {
        let Some(entry) = push_entries(frame) else {
            self.close(place);
            let bytes = packing::frame(self.kind, self.compress, &[frame]);
            return self.framed.push(Framed { bytes, end: place + 1, events: 1 });
        };
        if self.entries.len() >= FRAME_EVENTS || self.bytes + entry.len() > FRAME_BYTES {
            self.close(place);
        }
        self.bytes += entry.len();
        self.entries.push(entry);
    }

    fn close(&mut self, end: u64) {
        if self.entries.is_empty() {
            return;
        }
        let mut parts = Vec::with_capacity(2 * self.entries.len() + 1);
        for (number, entry) in self.entries.drain(..).enumerate() {
            parts.push(if number == 0 { PUSH_START } else { b"," });
            parts.push(entry);
        }
        let events = u32::try_from(parts.len() / 2).unwrap_or(u32::MAX);
        parts.push(PUSH_END);
        let bytes = packing::frame(self.kind, self.compress, &parts);
        self.framed.push(Framed { bytes, end, events });
        self.bytes = 0;
    }
}

/// When a room's events go out: at once in a quiet room, in steps in a busy one, and in one that takes
/// long to write not before a rest.
#[derive(Debug)]
pub(super) struct Pace {
    /// Events come that have not gone out.
    dirty: bool,
    /// More events come than in a quiet room.
    busy: bool,
    /// When the last ones went out, and how long that took.
    written: Instant,
    took: Duration,
    /// The second that is counted, its events, and those of the one before.
    second: Instant,
    count: u32,
    before: u32,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            dirty: false,
            busy: false,
            written: now,
            took: Duration::ZERO,
            second: now,
            count: 0,
            before: 0,
        }
    }

    /// An event came. True: it is the first that has not gone out.
    pub(super) fn came(&mut self, now: Instant, pacing: &Pacing) -> bool {
        let second = Duration::from_secs(1);
        let passed = now - self.second;
        if passed >= second {
            self.before = if passed < 2 * second { self.count } else { 0 };
            (self.second, self.count) = (now, 0);
        }
        self.count += 1;
        self.busy = self.count.max(self.before) > pacing.busy_events;
        !std::mem::replace(&mut self.dirty, true)
    }

    /// When the events that came may go out. Events come during a pass too, so it is not known before
    /// that is over.
    pub(super) fn due(&self, pacing: &Pacing) -> Instant {
        let step = if self.busy { pacing.busy_step } else { Duration::ZERO };
        let rest = self.took.mul_f64((1.0 - pacing.duty) / pacing.duty).min(pacing.longest_rest);
        self.written + step.max(rest)
    }

    /// A pass over the members begins.
    pub(super) fn begins(&mut self) {
        self.dirty = false;
        self.took = Duration::ZERO;
    }

    /// A part of it took so long.
    pub(super) fn took(&mut self, now: Instant, time: Duration) {
        self.written = now;
        self.took += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn pacing() -> Pacing {
        Pacing {
            duty: 0.5,
            longest_rest: 250 * MS,
            busy_events: 20,
            busy_step: 50 * MS,
            ring_events: 1,
            ring_bytes: 1,
            compress_rooms: 0,
            compress_answers: 0,
        }
    }

    #[test]
    fn a_lone_event_goes_out_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(pace.came(start + 10 * MS, &pacing()));
        assert!(pace.due(&pacing()) <= start + 10 * MS);
    }

    #[test]
    fn what_comes_during_a_pass_waits_for_the_rest_after_it() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.came(start, &pacing());
        pace.begins();
        pace.took(start + 10 * MS, 10 * MS);
        assert!(pace.came(start + 11 * MS, &pacing()));
        pace.took(start + 90 * MS, 60 * MS);
        assert_eq!(pace.due(&pacing()), start + 160 * MS, "as long as it was written, 70 ms");
    }

    #[test]
    fn busy_rooms_go_out_in_steps() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for number in 0..=20 {
            pace.came(start + number * MS, &pacing());
        }
        assert_eq!(pace.due(&pacing()), start + 50 * MS);
        pace.begins();
        pace.took(start + 52 * MS, 2 * MS);
        pace.came(start + 1500 * MS, &pacing());
        assert_eq!(pace.due(&pacing()), start + 102 * MS, "as in the second before");
        pace.came(start + 5000 * MS, &pacing());
        assert_eq!(pace.due(&pacing()), start + 54 * MS, "quiet again: only the rest");
    }
}
