//! State of single messages that is in use. It lies in the store, which an actor cannot wait for: who
//! asks reads it there and brings it along, with a stamp from before it read. The stamp tells whether
//! what was read may be old by now: then it is read again.
//!
//! While a state is at hand, that one counts, whatever was read. It is let go only together with all
//! stamps given out until then, so nothing that was read before a change is ever taken for news. The
//! same goes for the state of a message that is gone: who read it before does not bring it back.

use std::collections::HashMap;

/// When something was read: before or after states were let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64);

/// States of messages by number, of a bounded weight together.
#[derive(Debug)]
pub struct Hot<V> {
    entries: HashMap<u32, Entry<V>>,
    weight: usize,
    most: usize,
    generation: u64,
    clock: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<V> Hot<V> {
    /// An empty one that keeps about `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { entries: HashMap::new(), weight: 0, most, generation: 0, clock: 0 }
    }

    /// For somebody who is about to read.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp(self.generation)
    }

    /// Whether what was read after the stamp still counts, where nothing newer is at hand.
    #[must_use]
    pub fn is_fresh(&self, stamp: Stamp) -> bool {
        stamp == self.stamp()
    }

    /// Whether a message's state is at hand.
    #[must_use]
    pub fn has(&self, msg_seq: u32) -> bool {
        self.entries.contains_key(&msg_seq)
    }

    /// The state at hand.
    pub fn get(&mut self, msg_seq: u32) -> Option<&mut V> {
        self.clock += 1;
        let entry = self.entries.get_mut(&msg_seq)?;
        entry.used = self.clock;
        Some(&mut entry.value)
    }

    /// Takes in what was read under a fresh stamp, unless there is a state already.
    pub fn put(&mut self, msg_seq: u32, value: V, weight: usize) {
        self.clock += 1;
        if self.has(msg_seq) {
            return;
        }
        self.entries.insert(msg_seq, Entry { value, weight, used: self.clock });
        self.weight += weight;
    }

    /// Lets a message's state go, at hand or on its way here.
    pub fn remove(&mut self, msg_seq: u32) {
        self.generation += 1;
        if let Some(gone) = self.entries.remove(&msg_seq) {
            self.weight -= gone.weight;
        }
    }

    /// Notes what a state weighs now. [`Hot::trim`] has to follow when the turn is over.
    pub fn weigh(&mut self, msg_seq: u32, weight: usize) {
        if let Some(entry) = self.entries.get_mut(&msg_seq) {
            self.weight = self.weight - entry.weight + weight;
            entry.weight = weight;
        }
    }

    /// Lets the states go that were not used for longest, down to a half, when it got too much. What was
    /// used last stays, unless it weighs more than that half.
    pub fn trim(&mut self) {
        if self.weight <= self.most {
            return;
        }
        self.generation += 1;
        let mut by_age: Vec<(u64, u32)> =
            self.entries.iter().map(|(seq, entry)| (entry.used, *seq)).collect();
        by_age.sort_unstable();
        for (_, seq) in by_age {
            if self.weight <= self.most / 2 {
                break;
            }
            if let Some(gone) = self.entries.remove(&seq) {
                self.weight -= gone.weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_at_hand_counts_before_what_was_read() {
        let mut hot = Hot::new(100);
        hot.put(7, "first", 10);
        hot.put(7, "read late", 10);
        assert_eq!(hot.get(7), Some(&mut "first"));
        assert!(hot.has(7) && !hot.has(8));
    }

    #[test]
    fn what_was_used_last_stays() {
        let mut hot = Hot::new(30);
        for seq in 1..=3 {
            hot.put(seq, seq, 10);
        }
        hot.trim();
        hot.get(1);
        hot.put(4, 4, 10);
        let stamp = hot.stamp();
        hot.trim();
        assert!(hot.has(4) && !hot.has(1) && !hot.has(2) && !hot.has(3), "down to a half");
        assert!(!hot.is_fresh(stamp));
    }

    #[test]
    fn what_is_removed_is_not_brought_back_by_who_read_it_before() {
        let mut hot = Hot::new(20);
        let stamp = hot.stamp();
        hot.remove(1);
        assert!(!hot.is_fresh(stamp), "nothing was at hand, something on its way");
        hot.put(1, "one", 10);
        hot.put(2, "two", 10);
        let stamp = hot.stamp();
        hot.remove(1);
        assert!(!hot.has(1) && !hot.is_fresh(stamp));
        hot.put(3, "three", 10);
        hot.trim();
        assert!(hot.has(2) && hot.has(3), "it weighs nothing any more");
    }

    /// Somebody who reads the store, in two steps.
    #[derive(Debug, Clone)]
    enum Step {
        Read(u32),
        Change(usize),
    }

    proptest! {
        /// Counters that are read, then raised by one later, through a cache that holds two of them:
        /// no raise is lost and none is counted upon an old value.
        #[test]
        fn no_change_is_lost(steps in prop::collection::vec(prop_oneof![
            (0..6u32).prop_map(Step::Read),
            (0..8usize).prop_map(Step::Change),
        ], 0..200)) {
            let mut hot: Hot<u64> = Hot::new(25);
            let mut store = [0u64; 6];
            let mut raised = [0u64; 6];
            let mut read: Vec<(u32, Stamp, u64)> = Vec::new();
            for step in steps {
                match step {
                    Step::Read(seq) => read.push((seq, hot.stamp(), store[seq as usize])),
                    Step::Change(place) if !read.is_empty() => {
                        let (seq, stamp, value) = read.remove(place % read.len());
                        if !hot.has(seq) && !hot.is_fresh(stamp) {
                            continue;
                        }
                        hot.put(seq, value, 10);
                        let count = hot.get(seq).expect("just put");
                        *count += 1;
                        store[seq as usize] = *count;
                        raised[seq as usize] += 1;
                        hot.trim();
                    }
                    Step::Change(_) => {}
                }
            }
            prop_assert_eq!(store, raised);
        }
    }
}
