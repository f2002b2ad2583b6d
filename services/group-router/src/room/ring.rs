//! The latest events of a room, for gateways that came late or lost one.

use std::collections::VecDeque;
use std::sync::Arc;

use throng_node::invariant;
use throng_proto::v1;

/// A bounded window of the room's events; their numbers rise by one.
#[derive(Debug)]
pub(crate) struct EventRing {
    events: VecDeque<Arc<v1::RoomEvent>>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    epoch: u64,
    /// Number of the last event.
    head: u64,
    /// MsgSeq of the last event that has one.
    last_seq: u32,
}

impl EventRing {
    pub(crate) fn new(epoch: u64, max_events: usize, max_bytes: usize) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            max_events,
            max_bytes,
            epoch,
            head: 0,
            last_seq: 0,
        }
    }

    /// Where the stream stands.
    pub(crate) fn position(&self) -> v1::RoomPosition {
        v1::RoomPosition { epoch: self.epoch, event_no: self.head }
    }

    /// Numbers an event and keeps it.
    pub(crate) fn push(&mut self, mut event: v1::RoomEvent) -> Arc<v1::RoomEvent> {
        invariant!(
            Ord1,
            event.msg_seq == 0 || event.msg_seq > self.last_seq,
            "MsgSeq {} goes out after {}",
            event.msg_seq,
            self.last_seq,
        );
        self.last_seq = self.last_seq.max(event.msg_seq);
        self.head += 1;
        event.position = Some(self.position());
        self.bytes += size(&event);
        let event = Arc::new(event);
        self.events.push_back(Arc::clone(&event));
        while self.events.len() > self.max_events || self.bytes > self.max_bytes {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= size(&oldest);
        }
        event
    }

    /// Events after the one with this MsgSeq; `None` when it is not known what came after it.
    pub(crate) fn after_seq(&self, msg_seq: u32) -> Option<impl Iterator<Item = &v1::RoomEvent>> {
        let place = self.events.iter().rposition(|event| event.msg_seq == msg_seq)?;
        Some(self.events.iter().skip(place + 1).map(|event| &**event))
    }

    /// Events after a position, the newest `limit` of them, and whether none is missing in between.
    /// A position of another epoch asks for all.
    pub(crate) fn after(
        &self,
        position: v1::RoomPosition,
        limit: usize,
    ) -> (Vec<v1::RoomEvent>, bool) {
        let known = if position.epoch == self.epoch { position.event_no } else { 0 };
        let wanted = usize::try_from(self.head.saturating_sub(known)).unwrap_or(usize::MAX);
        let given = wanted.min(limit).min(self.events.len());
        let events = self.events.iter().skip(self.events.len() - given);
        (events.map(|event| (**event).clone()).collect(), given == wanted)
    }
}

fn size(event: &v1::RoomEvent) -> usize {
    event.frame.len() + event.poll_item.len() + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring_with(events: u64, max: usize) -> EventRing {
        let mut ring = EventRing::new(3, max, 1 << 20);
        for _ in 0..events {
            ring.push(v1::RoomEvent::default());
        }
        ring
    }

    fn numbers(events: &[v1::RoomEvent]) -> Vec<u64> {
        events.iter().map(|event| event.position.unwrap().event_no).collect()
    }

    #[test]
    fn a_hole_is_filled_from_the_ring() {
        let ring = ring_with(10, 8);
        let at = |event_no| v1::RoomPosition { epoch: 3, event_no };
        let (events, complete) = ring.after(at(7), 100);
        assert_eq!((numbers(&events), complete), (vec![8, 9, 10], true));
        let (events, complete) = ring.after(at(10), 100);
        assert_eq!((numbers(&events), complete), (vec![], true));
        let (events, complete) = ring.after(at(0), 100);
        assert_eq!((numbers(&events), complete), ((3..=10).collect(), false), "1 and 2 are gone");
        let (events, complete) = ring.after(at(0), 2);
        assert_eq!((numbers(&events), complete), (vec![9, 10], false));
    }

    #[test]
    fn another_epoch_asks_for_everything() {
        let ring = ring_with(3, 8);
        let (events, complete) = ring.after(v1::RoomPosition { epoch: 2, event_no: 900 }, 100);
        assert_eq!((numbers(&events), complete), (vec![1, 2, 3], true));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut ring = EventRing::new(1, 1000, 1000);
        for _ in 0..50 {
            let frame = vec![0; 100].into();
            ring.push(v1::RoomEvent { frame, ..v1::RoomEvent::default() });
        }
        assert!(ring.bytes <= 1000);
        assert_eq!(ring.position().event_no, 50);
    }
}
