//! Who changes a kept message reads it first, and meanwhile somebody else may have changed it. This
//! tells: it remembers the latest changes of a group, and forgets the older ones safely.

use std::collections::VecDeque;

/// Changes that are remembered. Who read before more than so many reads again.
const KEPT: usize = 1024;

/// The latest changes of messages, by their numbers.
#[derive(Debug, Default)]
pub struct Amended {
    changes: u64,
    latest: VecDeque<u32>,
}

/// A moment among the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Amended {
    /// The present moment.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.changes)
    }

    /// A message was changed.
    pub fn note(&mut self, msg_seq: u32) {
        self.changes += 1;
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(msg_seq);
    }

    /// Whether a message may have been changed after a moment.
    #[must_use]
    pub fn since(&self, mark: Mark, msg_seq: u32) -> bool {
        let Some(changes) = self.changes.checked_sub(mark.0) else { return true };
        match usize::try_from(changes) {
            Ok(changes) if changes <= self.latest.len() => {
                self.latest.iter().rev().take(changes).any(|changed| *changed == msg_seq)
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_change_is_missed(
            changes in prop::collection::vec(0..20u32, 0..2 * KEPT + 10),
            at in any::<prop::sample::Index>(),
            msg_seq in 0..20u32,
        ) {
            let place = at.index(changes.len() + 1);
            let mut amended = Amended::default();
            changes[..place].iter().for_each(|seq| amended.note(*seq));
            let mark = amended.mark();
            changes[place..].iter().for_each(|seq| amended.note(*seq));
            let changed = changes[place..].contains(&msg_seq);
            let remembered = changes.len() - place <= KEPT.min(changes.len());
            prop_assert!(amended.since(mark, msg_seq) || !changed, "a change is missed");
            prop_assert!(!remembered || amended.since(mark, msg_seq) == changed);
        }
    }

    #[test]
    fn a_moment_of_another_life_says_nothing() {
        let mut before = Amended::default();
        before.note(1);
        assert!(Amended::default().since(before.mark(), 7));
    }
}
