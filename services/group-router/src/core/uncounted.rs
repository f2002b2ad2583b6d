//! Messages of a log that nobody has to have read: those whose sender says so, those for a few, and
//! what was recalled.

use std::collections::BTreeSet;

/// Numbers that are remembered, the latest. Older ones count again for whoever has not read that far.
pub const MOST: usize = 500;

/// The latest numbers that do not count as unread.
#[derive(Debug, Default)]
pub struct Uncounted {
    numbers: BTreeSet<u32>,
}

impl Uncounted {
    /// Takes up what was kept, up to the end of the log.
    #[must_use]
    pub fn restore(numbers: impl IntoIterator<Item = u32>, head: u32) -> Self {
        Self { numbers: numbers.into_iter().filter(|number| *number <= head).collect() }
    }

    /// Adds a number; false if that changes nothing.
    pub fn insert(&mut self, number: u32) -> bool {
        let full = self.numbers.len() >= MOST;
        if full && self.numbers.first().is_some_and(|oldest| number < *oldest) {
            return false;
        }
        let new = self.numbers.insert(number);
        if new && full {
            self.numbers.pop_first();
        }
        new
    }

    /// How many lie behind `read` and not behind `head`.
    #[must_use]
    pub fn between(&self, read: u32, head: u32) -> u32 {
        if read >= head {
            return 0;
        }
        let number = self.numbers.range(read + 1..=head).count();
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// All of them, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.numbers.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_between_read_and_head_are_counted() {
        let mut uncounted = Uncounted::restore([3, 5, 9], 8);
        assert!(uncounted.insert(7) && !uncounted.insert(7));
        assert_eq!(uncounted.iter().collect::<Vec<_>>(), [3, 5, 7], "9 is behind the end");
        assert_eq!(uncounted.between(0, 8), 3);
        assert_eq!(uncounted.between(3, 6), 1);
        assert_eq!((uncounted.between(7, 8), uncounted.between(8, 8)), (0, 0));
    }

    #[test]
    fn the_latest_are_remembered() {
        let mut uncounted = Uncounted::default();
        let most = u32::try_from(MOST).unwrap();
        (1..=most + 3).for_each(|number| _ = uncounted.insert(number));
        assert_eq!(uncounted.iter().count(), MOST);
        assert_eq!(uncounted.iter().next(), Some(4));
        assert!(!uncounted.insert(2), "older than all");
    }
}
