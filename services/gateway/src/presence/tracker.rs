//! Which of the numbered messages of one stream and partition came. Plain code.

use std::collections::BTreeSet;

/// Messages after a gap that are remembered; with more the gap is given up.
const MOST_AHEAD: usize = 8192;

/// The messages that came.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// All up to this number came, or were given up.
    complete: u64,
    /// Those after a gap.
    ahead: BTreeSet<u64>,
    given_up: u64,
}

impl Tracker {
    /// A message came. False: it had come before.
    pub(crate) fn arrived(&mut self, number: u64) -> bool {
        if number <= self.complete || !self.ahead.insert(number) {
            return false;
        }
        self.close_up();
        if self.ahead.len() > MOST_AHEAD
            && let Some(&first) = self.ahead.first()
        {
            self.give_up(first - 1);
        }
        true
    }

    /// All up to this number came, or were given up.
    pub(crate) fn complete(&self) -> u64 {
        self.complete
    }

    /// Numbers up to `last` that did not come, at most so many.
    pub(crate) fn missing(&self, last: u64, most: usize) -> Vec<u64> {
        let numbers = self.complete + 1..=last;
        numbers.filter(|number| !self.ahead.contains(number)).take(most).collect()
    }

    /// What did not come up to this number never will.
    pub(crate) fn give_up(&mut self, last: u64) {
        if last <= self.complete {
            return;
        }
        let came = self.ahead.range(..=last).count() as u64;
        self.given_up += last - self.complete - came;
        self.ahead = self.ahead.split_off(&(last + 1));
        self.complete = last;
        self.close_up();
    }

    /// Messages that were given up since the last call.
    pub(crate) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    fn close_up(&mut self) {
        while self.ahead.first() == Some(&(self.complete + 1)) {
            self.ahead.pop_first();
            self.complete += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_are_known_until_they_are_filled_or_given_up() {
        let mut tracker = Tracker::default();
        for number in [1, 2, 5, 6, 9] {
            assert!(tracker.arrived(number));
        }
        assert!(!tracker.arrived(2) && !tracker.arrived(5));
        assert_eq!((tracker.complete(), tracker.missing(9, 10)), (2, vec![3, 4, 7, 8]));
        assert_eq!(tracker.missing(9, 2), [3, 4]);
        assert!(tracker.arrived(4) && tracker.arrived(3));
        assert_eq!((tracker.complete(), tracker.missing(11, 10)), (6, vec![7, 8, 10, 11]));
        tracker.give_up(8);
        tracker.give_up(1);
        assert_eq!(
            (tracker.complete(), tracker.take_given_up(), tracker.take_given_up()),
            (9, 2, 0)
        );
        assert!(!tracker.arrived(7), "too late");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut tracker = Tracker::default();
        for number in 0..MOST_AHEAD as u64 {
            tracker.arrived(10 + number);
        }
        assert_eq!(tracker.complete(), 0);
        tracker.arrived(20_000);
        assert_eq!((tracker.complete(), tracker.take_given_up()), (9 + MOST_AHEAD as u64, 9));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set(
            steps in prop::collection::vec((any::<bool>(), 1u64..40), 1..80),
        ) {
            let mut tracker = Tracker::default();
            let (mut came, mut lost) = (BTreeSet::new(), BTreeSet::new());
            for (arrives, number) in steps {
                if arrives {
                    let new = !lost.contains(&number) && came.insert(number);
                    prop_assert_eq!(tracker.arrived(number), new);
                } else {
                    lost.extend((1..=number).filter(|number| !came.contains(number)));
                    tracker.give_up(number);
                }
                let open = |number: &u64| !came.contains(number) && !lost.contains(number);
                let expected: Vec<u64> = (1..=40).filter(open).collect();
                prop_assert_eq!(tracker.missing(40, 100), expected);
            }
            prop_assert_eq!(tracker.take_given_up(), lost.len() as u64);
        }
    }
}
