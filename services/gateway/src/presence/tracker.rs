//! Which of the numbered messages of one stream and partition came, and those that wait until the
//! ones before them came too. Plain code.

use std::collections::BTreeMap;

/// Messages after a gap that wait; with more the gap is given up.
const MOST_AHEAD: usize = 8192;
/// Bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The messages that came.
#[derive(Debug)]
pub(super) struct Tracker<T> {
    /// All up to this number came, or were given up.
    complete: u64,
    /// Those after a gap; without content where it did not wait any longer.
    ahead: BTreeMap<u64, Option<(T, usize)>>,
    /// Bytes that wait.
    bytes: usize,
    given_up: u64,
}

/// A message came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It had come before, or was given up.
    Known,
    /// It is the next one, and those that waited for it are next too.
    InOrder,
    /// It waits for others that are missing.
    Early,
}

impl<T> Default for Tracker<T> {
    fn default() -> Self {
        Self { complete: 0, ahead: BTreeMap::new(), bytes: 0, given_up: 0 }
    }
}

impl<T> Tracker<T> {
    /// A message of `size` bytes came. `next` gets all whose turn it is, in order.
    pub(super) fn arrived(
        &mut self,
        number: u64,
        (message, size): (T, usize),
        mut next: impl FnMut(T),
    ) -> Arrival {
        if number <= self.complete || self.ahead.contains_key(&number) {
            return Arrival::Known;
        }
        if number == self.complete + 1 {
            self.complete = number;
            next(message);
            self.close_up(next);
            return Arrival::InOrder;
        }
        self.bytes += size;
        self.ahead.insert(number, Some((message, size)));
        if (self.ahead.len() > MOST_AHEAD || self.bytes > MOST_BYTES)
            && let Some((&first, _)) = self.ahead.first_key_value()
        {
            self.give_up(first - 1, next);
        }
        Arrival::Early
    }

    /// All up to this number came, or were given up.
    pub(super) fn complete(&self) -> u64 {
        self.complete
    }

    /// Numbers that did not come and should have: up to `last`, and those before one that came, for
    /// the bus keeps the order. At most so many.
    pub(super) fn missing(&self, last: u64, most: usize) -> Vec<u64> {
        let last = self.ahead.last_key_value().map_or(last, |(&ahead, _)| last.max(ahead));
        let numbers = self.complete + 1..=last;
        numbers.filter(|number| !self.ahead.contains_key(number)).take(most).collect()
    }

    /// What did not come up to this number never will.
    pub(super) fn give_up(&mut self, last: u64, mut next: impl FnMut(T)) {
        if last <= self.complete {
            return;
        }
        let later = self.ahead.split_off(&(last + 1));
        let came = std::mem::replace(&mut self.ahead, later);
        self.given_up += last - self.complete - came.len() as u64;
        self.complete = last;
        for (message, size) in came.into_values().flatten() {
            self.bytes -= size;
            next(message);
        }
        self.close_up(next);
    }

    /// Nothing waits any longer; what is missing may still come.
    pub(super) fn release(&mut self, mut next: impl FnMut(T)) {
        for (message, _) in self.ahead.values_mut().filter_map(Option::take) {
            next(message);
        }
        self.bytes = 0;
    }

    /// Messages that were given up since the last call.
    pub(super) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    fn close_up(&mut self, mut next: impl FnMut(T)) {
        while let Some(entry) = self.ahead.first_entry() {
            if *entry.key() != self.complete + 1 {
                return;
            }
            self.complete += 1;
            if let Some((message, size)) = entry.remove() {
                self.bytes -= size;
                next(message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A tracker of messages that are their own numbers, and what came out of it.
    #[derive(Default)]
    struct Bench {
        tracker: Tracker<u64>,
        out: Vec<u64>,
    }

    impl Bench {
        fn arrived(&mut self, number: u64) -> Arrival {
            self.tracker.arrived(number, (number, 1), |message| self.out.push(message))
        }

        fn give_up(&mut self, last: u64) {
            self.tracker.give_up(last, |message| self.out.push(message));
        }

        fn release(&mut self) {
            self.tracker.release(|message| self.out.push(message));
        }
    }

    #[test]
    fn gaps_are_known_until_they_are_filled_or_given_up() {
        let mut bench = Bench::default();
        for number in [1, 2, 5, 6, 9] {
            assert_ne!(bench.arrived(number), Arrival::Known);
        }
        assert_eq!(bench.out, [1, 2]);
        assert_eq!((bench.arrived(2), bench.arrived(5)), (Arrival::Known, Arrival::Known));
        let tracker = &bench.tracker;
        assert_eq!((tracker.complete(), tracker.missing(6, 10)), (2, vec![3, 4, 7, 8]));
        assert_eq!(tracker.missing(9, 2), [3, 4]);
        assert_eq!((bench.arrived(4), bench.arrived(3)), (Arrival::Early, Arrival::InOrder));
        assert_eq!(bench.out, [1, 2, 3, 4, 5, 6]);
        let tracker = &bench.tracker;
        assert_eq!((tracker.complete(), tracker.missing(11, 10)), (6, vec![7, 8, 10, 11]));
        bench.give_up(8);
        bench.give_up(1);
        let tracker = &mut bench.tracker;
        assert_eq!(
            (tracker.complete(), tracker.take_given_up(), tracker.take_given_up()),
            (9, 2, 0)
        );
        assert_eq!(bench.arrived(7), Arrival::Known, "too late");
        assert_eq!(bench.out, [1, 2, 3, 4, 5, 6, 9]);
    }

    #[test]
    fn who_waits_no_longer_comes_once() {
        let mut bench = Bench::default();
        for number in [2, 3, 5] {
            bench.arrived(number);
        }
        bench.release();
        bench.release();
        assert_eq!((&bench.out[..], bench.tracker.bytes), (&[2, 3, 5][..], 0));
        assert_eq!(bench.tracker.missing(0, 10), [1, 4]);
        assert_eq!((bench.arrived(6), bench.arrived(1)), (Arrival::Early, Arrival::InOrder));
        assert_eq!(bench.arrived(4), Arrival::InOrder);
        assert_eq!((&bench.out[..], bench.tracker.complete()), (&[2, 3, 5, 1, 4, 6][..], 6));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut bench = Bench::default();
        for number in 0..MOST_AHEAD as u64 {
            bench.arrived(10 + number);
        }
        assert_eq!(bench.tracker.complete(), 0);
        bench.arrived(20_000);
        let tracker = &mut bench.tracker;
        assert_eq!((tracker.complete(), tracker.take_given_up()), (9 + MOST_AHEAD as u64, 9));
        assert_eq!((bench.out.len(), tracker.bytes), (MOST_AHEAD, 1));
        tracker.arrived(30_000, (30_000, MOST_BYTES), |_| {});
        assert_eq!(tracker.complete(), 20_000, "bytes count too");
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set(
            steps in prop::collection::vec((0u8..8, 1u64..40), 1..80),
        ) {
            let mut bench = Bench::default();
            let (mut came, mut lost) = (BTreeSet::new(), BTreeSet::new());
            let mut released = false;
            for (kind, number) in steps {
                match kind {
                    0 => {
                        released = true;
                        bench.release();
                    }
                    1 | 2 => {
                        lost.extend((1..=number).filter(|number| !came.contains(number)));
                        bench.give_up(number);
                    }
                    _ => {
                        let new = !lost.contains(&number) && came.insert(number);
                        prop_assert_eq!(bench.arrived(number) != Arrival::Known, new);
                    }
                }
                let open = |number: &u64| !came.contains(number) && !lost.contains(number);
                let expected: Vec<u64> = (1..=40).filter(open).collect();
                prop_assert_eq!(bench.tracker.missing(40, 100), expected);
            }
            bench.give_up(40);
            let Bench { tracker, out } = &mut bench;
            prop_assert_eq!(tracker.bytes, 0);
            prop_assert!(released || out.is_sorted());
            let once: BTreeSet<u64> = out.iter().copied().collect();
            prop_assert_eq!((once.len(), once), (out.len(), came));
        }
    }
}
