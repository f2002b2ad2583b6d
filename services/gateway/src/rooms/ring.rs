//! The recent events of one room: what polling members read, and what a member that comes back is
//! sent again.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use throng_proto::v1::RoomEvent;
use tokio::time::Instant;

use super::position::Position;

/// Frames may have been lost in a connection for so long before its end was noticed: a client waits
/// 10 s to send a heartbeat and 3 s for its answer.
pub(super) const UNCERTAIN: Duration = Duration::from_secs(15);
/// At most so many events are sent again as uncertain. The client drops repeated messages only among
/// its last 200 (SDK protocol notes 02, 1.5).
const UNCERTAIN_EVENTS: usize = 100;
/// Where it is not known what a member has, it gets so many of the newest.
const UNKNOWN_EVENTS: usize = 100;
/// Items of one answer to a poll, and their bytes. The rest comes with the next poll.
const PAGE_ITEMS: usize = 200;
const PAGE_BYTES: usize = 256 * 1024;

/// An event and when it came.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) position: Position,
    pub(crate) event: RoomEvent,
    at: Instant,
}

impl Event {
    /// The item for members that poll, if the event has one.
    fn item(&self) -> Option<Bytes> {
        if !self.event.poll_item.is_empty() {
            return Some(self.event.poll_item.clone());
        }
        let start = self.event.item_start as usize;
        let end = start.checked_add(self.event.item_len as usize)?;
        (end > start && end <= self.event.frame.len()).then(|| self.event.frame.slice(start..end))
    }

    /// Whether the event is for this user.
    pub(crate) fn is_for(&self, user: &str) -> bool {
        self.event.recipients.is_empty() || self.event.recipients.iter().any(|one| one == user)
    }
}

/// Recent events in order, bounded by number and bytes.
#[derive(Debug)]
pub(crate) struct Ring {
    events: VecDeque<Event>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    /// The last event before the first one here.
    floor: Position,
}

/// What a poll is answered with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The items as JSON text, separated by commas.
    pub(crate) items: Bytes,
    /// The place after the last event that was looked at.
    pub(crate) next: Position,
    /// Nobody else would be given anything else.
    pub(crate) for_all: bool,
}

impl Ring {
    pub(crate) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            max_events,
            max_bytes,
            floor: Position::default(),
        }
    }

    /// Adds the newest event.
    pub(crate) fn push(&mut self, position: Position, event: RoomEvent, at: Instant) -> &Event {
        self.bytes += event.frame.len() + event.poll_item.len();
        self.events.push_back(Event { position, event, at });
        while self.events.len() > self.max_events.max(1)
            || (self.bytes > self.max_bytes && self.events.len() > 1)
        {
            if let Some(old) = self.events.pop_front() {
                self.bytes -= old.event.frame.len() + old.event.poll_item.len();
                self.floor = old.position;
            }
        }
        self.events.back().expect("one was just added")
    }

    /// The events after a place.
    pub(crate) fn after(&self, place: Position) -> impl Iterator<Item = &Event> {
        let from = self.events.partition_point(|event| event.position <= place);
        self.events.range(from..)
    }

    /// The place after which a member is to be sent everything that was sent `last_seq` before it
    /// went; 0 when that is not known.
    pub(crate) fn place_of_seq(&self, last_seq: u32) -> Position {
        let from = if last_seq == 0 {
            self.events.len().saturating_sub(UNKNOWN_EVENTS)
        } else {
            let had = |event: &Event| (1..=last_seq).contains(&event.event.msg_seq);
            self.events.iter().rposition(had).map_or(0, |at| at + 1)
        };
        match from.checked_sub(1) {
            Some(before) => self.events[before].position,
            None => self.floor,
        }
    }

    /// The last `MsgSeq` that a member has for certain which was sent everything after `since` until
    /// now and whose connection has just ended; 0 if that cannot be said.
    pub(crate) fn certain_seq(&self, since: Position, now: Instant) -> u32 {
        let uncertain_from = self.events.len().saturating_sub(UNCERTAIN_EVENTS);
        let mut seq = 0;
        for (at, event) in self.events.iter().enumerate() {
            let certain = event.position <= since
                || at < uncertain_from
                || now.saturating_duration_since(event.at) > UNCERTAIN;
            match (certain, event.event.msg_seq) {
                (_, 0) => {}
                (true, known) => seq = known,
                (false, next) if seq == 0 => return next - 1,
                (false, _) => break,
            }
        }
        seq
    }

    /// The last `MsgSeq` up to a place; 0 if that cannot be said.
    pub(crate) fn seq_at(&self, place: Position) -> u32 {
        let split = self.events.partition_point(|event| event.position <= place);
        let seq = |event: &Event| Some(event.event.msg_seq).filter(|&seq| seq > 0);
        let before = self.events.range(..split).rev().find_map(seq);
        before
            .or_else(|| self.events.range(split..).find_map(seq).map(|next| next - 1))
            .unwrap_or(0)
    }

    /// Whether everything is here that came after this `MsgSeq`.
    pub(crate) fn reaches(&self, last_seq: u32) -> bool {
        self.events.iter().any(|event| (1..=last_seq).contains(&event.event.msg_seq))
    }

    /// The items after a place that `user` may see.
    pub(crate) fn page(&self, place: Position, user: &str) -> Page {
        let mut items = Vec::new();
        let mut page = Page { items: Bytes::new(), next: place, for_all: true };
        let mut number = 0;
        for event in self.after(place) {
            if number == PAGE_ITEMS || items.len() >= PAGE_BYTES {
                break;
            }
            page.next = event.position;
            page.for_all &= event.event.recipients.is_empty();
            let Some(item) = event.item().filter(|_| event.is_for(user)) else {
                continue;
            };
            if number > 0 {
                items.push(b',');
            }
            items.extend_from_slice(&item);
            number += 1;
        }
        page.items = items.into();
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(event_no: u64) -> Position {
        Position { epoch: 1, event_no }
    }

    fn event(msg_seq: u32) -> RoomEvent {
        let frame = format!("<{msg_seq}>");
        let item_len = frame.len() as u32 - 2;
        RoomEvent { msg_seq, frame: frame.into(), item_start: 1, item_len, ..RoomEvent::default() }
    }

    /// Events 1, 2, … with these sequence numbers, each a second after the other.
    fn ring(max: usize, seqs: &[u32]) -> (Ring, Instant) {
        let start = Instant::now();
        let mut ring = Ring::new(max, 1 << 20);
        let mut now = start;
        for (number, &seq) in (1..).zip(seqs) {
            now = start + Duration::from_secs(number);
            ring.push(at(number), event(seq), now);
        }
        (ring, now)
    }

    #[tokio::test]
    async fn a_page_holds_what_came_after() {
        let (ring, _) = ring(3, &[1, 2, 0, 3]);
        let page = ring.page(at(2), "");
        assert_eq!(page, Page { items: "0,3".into(), next: at(4), for_all: true });
        assert_eq!(ring.page(at(4), "").items, "");
        assert_eq!(ring.page(Position::default(), "").items, "2,0,3", "the first one is gone");
    }

    #[tokio::test]
    async fn what_is_for_one_is_for_no_other() {
        let mut ring = Ring::new(8, 1 << 20);
        let mut directed = event(1);
        directed.recipients.push("ann".to_owned());
        ring.push(at(1), directed, Instant::now());
        assert_eq!(ring.page(at(0), "ann").items, "1");
        let other = ring.page(at(0), "");
        assert_eq!((&other.items[..], other.next, other.for_all), (&b""[..], at(1), false));
    }

    #[tokio::test]
    async fn an_item_outside_its_frame_is_no_item() {
        let mut ring = Ring::new(8, 1 << 20);
        let broken = RoomEvent { item_start: 2, item_len: u32::MAX, ..event(1) };
        ring.push(at(1), broken, Instant::now());
        assert_eq!(ring.page(at(0), "").items, "");
    }

    #[tokio::test]
    async fn who_comes_back_goes_on_after_its_last_seq() {
        let (ring, _) = ring(100, &[1, 2, 0, 3, 0]);
        assert_eq!(ring.place_of_seq(2), at(2), "the event without a number is sent again");
        assert_eq!(ring.place_of_seq(3), at(4));
        assert_eq!(ring.place_of_seq(9), at(4));
        assert_eq!(ring.place_of_seq(0), Position::default());
        assert!(ring.reaches(1) && ring.reaches(9) && !ring.reaches(0));
        let (ring, _) = self::ring(100, &[5, 0, 6]);
        assert!(!ring.reaches(4), "what came between is not known");
        assert_eq!([0, 1, 2, 3].map(|number| ring.seq_at(at(number))), [4, 5, 5, 6]);
    }

    #[tokio::test]
    async fn what_came_in_the_last_seconds_is_not_certain() {
        let seqs: Vec<u32> = (1..=40).collect();
        let (ring, now) = ring(100, &seqs);
        assert_eq!(ring.certain_seq(at(0), now), 24);
        assert_eq!(ring.certain_seq(at(30), now), 30, "never before it came");
        assert_eq!(ring.certain_seq(at(0), now + Duration::from_secs(60)), 40);
        let seqs: Vec<u32> = (5..=8).collect();
        let (ring, now) = self::ring(100, &seqs);
        assert_eq!(ring.certain_seq(at(0), now), 4);
    }

    #[tokio::test]
    async fn the_ring_is_bounded_by_bytes() {
        let mut ring = Ring::new(100, 10);
        for number in 1..=9 {
            ring.push(at(number), event(1), Instant::now());
        }
        assert_eq!(ring.after(at(0)).count(), 3);
        assert_eq!(ring.floor, at(6));
    }
}
