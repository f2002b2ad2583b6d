//! Who of a connection's numbered messages may enter. Plain decisions, without clock or waiting.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Streams that one place remembers; of more, those that were longest unused are forgotten. A message
/// of a forgotten one waits once for nothing.
const MOST_STREAMS: usize = 16;
/// Messages of one stream between the settled ones and the last. A gateway lets a connection have far
/// fewer under way; what is further back is not waited for.
const WINDOW: u32 = 512;

/// The streams of one place, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: VecDeque<(u64, Stream)>,
}

impl Streams {
    /// A message has come. All of its stream up to `settled` have entered.
    pub(super) fn arrive(&mut self, stream: u64, number: u32, settled: u32) {
        let found = self.streams.iter().position(|(name, _)| *name == stream);
        let mut known = found
            .and_then(|place| self.streams.remove(place))
            .map_or_else(Stream::default, |(_, known)| known);
        known.arrive(number, settled);
        self.streams.push_back((stream, known));
        while self.streams.len() > MOST_STREAMS {
            // One with messages under way would forget that they are.
            let idle = self.streams.iter().position(|(_, stream)| stream.here.is_empty());
            let Some(idle) = idle else { break };
            self.streams.remove(idle);
        }
    }

    /// Whether a message that has come may enter now. One that is not `patient` any more waits only
    /// for those before it that have come.
    pub(super) fn may_enter(&self, stream: u64, number: u32, patient: bool) -> bool {
        self.find(stream).is_none_or(|stream| stream.may_enter(number, patient))
    }

    /// A message is taken in, or refused for good.
    pub(super) fn pass(&mut self, stream: u64, number: u32) {
        if let Some(stream) = self.find_mut(stream) {
            stream.entered.insert(number);
        }
    }

    /// A message that had passed will come again.
    pub(super) fn revoke(&mut self, stream: u64, number: u32) {
        if let Some(stream) = self.find_mut(stream) {
            stream.entered.remove(&number);
        }
    }

    /// A message is answered, or was given up: if it has not passed, it is as if it had never come.
    pub(super) fn leave(&mut self, stream: u64, number: u32) {
        if let Some(stream) = self.find_mut(stream) {
            stream.leave(number);
        }
    }

    fn find_mut(&mut self, stream: u64) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|(name, _)| *name == stream).map(|(_, stream)| stream)
    }

    fn find(&self, stream: u64) -> Option<&Stream> {
        self.streams.iter().find(|(name, _)| *name == stream).map(|(_, stream)| stream)
    }
}

#[derive(Debug, Default)]
struct Stream {
    /// Nobody waits for those up to here.
    settled: u32,
    /// Others that have passed.
    entered: BTreeSet<u32>,
    /// Those that have come and not left, and how often each did.
    here: BTreeMap<u32, u32>,
}

impl Stream {
    fn arrive(&mut self, number: u32, settled: u32) {
        *self.here.entry(number).or_default() += 1;
        let settled = settled.min(number.saturating_sub(1)).max(number.saturating_sub(WINDOW));
        self.settle(settled);
    }

    fn settle(&mut self, settled: u32) {
        if settled > self.settled {
            self.settled = settled;
            self.entered = self.entered.split_off(&(settled + 1));
        }
    }

    fn may_enter(&self, number: u32, patient: bool) -> bool {
        // A repetition, or so late that others have gone before.
        if number <= self.settled || self.entered.last().is_some_and(|last| *last >= number) {
            return true;
        }
        let is_ahead = |before: u32| {
            !self.entered.contains(&before) && (patient || self.here.contains_key(&before))
        };
        !(self.settled + 1..number).any(is_ahead)
    }

    fn leave(&mut self, number: u32) {
        if let Some(times) = self.here.get_mut(&number) {
            *times -= 1;
            if *times == 0 {
                self.here.remove(&number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn streams_that_are_not_used_are_forgotten() {
        let mut streams = Streams::default();
        for stream in 0..100 {
            streams.arrive(stream, 1, 0);
            streams.pass(stream, 1);
            streams.leave(stream, 1);
        }
        assert_eq!(streams.streams.len(), MOST_STREAMS);
        for stream in 100..200 {
            streams.arrive(stream, 1, 0);
        }
        assert_eq!(streams.streams.len(), 100, "all of them are under way");
        assert!(!streams.find(150).unwrap().here.is_empty());
    }

    #[test]
    fn a_stream_remembers_a_bounded_number_of_messages() {
        let mut stream = Stream::default();
        for number in (2..100_000).step_by(2) {
            stream.arrive(number, 0);
            stream.entered.insert(number);
            stream.leave(number);
        }
        assert!(stream.entered.len() <= WINDOW as usize + 1, "{}", stream.entered.len());
        assert!(stream.here.is_empty());
        stream.arrive(u32::MAX, u32::MAX);
        assert!(stream.may_enter(u32::MAX, true));
        stream.leave(u32::MAX);
    }

    /// A message of the test: how far it got.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Stage {
        Away,
        Waits,
        In,
        Done,
    }

    proptest! {
        /// Whatever the arrivals, and however long each takes: with patience, all enter in order.
        #[test]
        fn all_enter_in_order_however_they_arrive(
            arrivals in Just((1..=12u32).collect::<Vec<_>>()).prop_shuffle(),
            choices in prop::collection::vec(any::<prop::sample::Index>(), 200),
            lag in 0..6u32,
        ) {
            let mut streams = Streams::default();
            let mut stages = [Stage::Away; 13];
            let mut entered = Vec::new();
            let (mut arrivals, mut settled) = (arrivals.into_iter(), 0);
            for choice in choices {
                let ready: Vec<u32> = (1..=12)
                    .filter(|n| stages[*n as usize] == Stage::Waits && streams.may_enter(7, *n, true))
                    .collect();
                let busy: Vec<u32> = (1..=12).filter(|n| stages[*n as usize] == Stage::In).collect();
                prop_assert!(ready.len() <= 1, "one by one: {:?}", ready);
                match choice.index(3) {
                    0 => if let Some(number) = arrivals.next() {
                        // What a gateway knows of answers is late.
                        streams.arrive(7, number, settled.min(number - 1));
                        stages[number as usize] = Stage::Waits;
                    },
                    1 => if let Some(number) = ready.first() {
                        stages[*number as usize] = Stage::In;
                        entered.push(*number);
                    },
                    _ => if let Some(number) = busy.first() {
                        stages[*number as usize] = Stage::Done;
                        streams.pass(7, *number);
                        streams.leave(7, *number);
                        settled = number.saturating_sub(lag).max(settled);
                    },
                }
            }
            prop_assert_eq!(&entered, &(1..=entered.len() as u32).collect::<Vec<_>>());
        }

        /// When patience is over, those that have come go in order, whatever is missing.
        #[test]
        fn without_patience_those_that_came_go_in_order(
            came in prop::collection::btree_set(1..40u32, 1..20),
            seed in any::<prop::sample::Index>(),
        ) {
            let mut streams = Streams::default();
            let mut order: Vec<u32> = came.iter().copied().collect();
            let turn = seed.index(order.len());
            order.rotate_left(turn);
            for number in order {
                streams.arrive(7, number, 0);
            }
            for number in &came {
                let ready: Vec<_> =
                    came.range(number..).filter(|n| streams.may_enter(7, **n, false)).collect();
                prop_assert_eq!(ready, [number]);
                streams.pass(7, *number);
                streams.leave(7, *number);
            }
        }
    }

    #[test]
    fn repetitions_and_latecomers_do_not_wait() {
        let mut streams = Streams::default();
        streams.arrive(1, 3, 0);
        assert!(!streams.may_enter(1, 3, true));
        assert!(streams.may_enter(1, 3, false));
        streams.pass(1, 3);
        streams.leave(1, 3);
        streams.arrive(1, 2, 0);
        assert!(streams.may_enter(1, 2, true), "3 has gone before");
        streams.arrive(1, 3, 0);
        assert!(streams.may_enter(1, 3, true), "it was here before");
    }

    #[test]
    fn one_that_was_given_up_is_as_one_that_never_came() {
        let mut streams = Streams::default();
        streams.arrive(1, 1, 0);
        streams.arrive(1, 2, 0);
        streams.leave(1, 1);
        assert!(!streams.may_enter(1, 2, true));
        assert!(streams.may_enter(1, 2, false));
        streams.arrive(1, 1, 0);
        streams.pass(1, 1);
        assert!(streams.may_enter(1, 2, true));
        streams.revoke(1, 1);
        assert!(!streams.may_enter(1, 2, true), "it will come again");
    }
}
