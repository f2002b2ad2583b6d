//! Keys and values on a message (REST notes 01, 3.31 and 3.32). Every change takes the next number of
//! the message's; a key has the number of its last change. Members give the number that they know of a
//! key, and lose against who was faster; administrators always win.
//!
//! A deleted key stays for a while as an empty value with a number, so that who asks for changes since
//! a number hears of it. Clients drop what has a number up to that of the last clearing.

use std::collections::BTreeMap;

use throng_protocol::limits;

/// Deleted keys that are remembered; of more, the oldest are forgotten. A client that slept longer
/// than that keeps a dead key until it changes it.
const MOST_DELETED: usize = limits::EXTENSIONS;
const MINUTE_MS: u64 = 60_000;

/// What is on a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    latest: u64,
    cleared: u64,
    /// An empty value is a deleted one.
    pairs: BTreeMap<String, Versioned>,
    /// Writes in the minute that began then, milliseconds of the group's clock.
    writes: (u64, u32),
}

/// A value and the number of its last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Empty: deleted.
    pub value: String,
    /// The number.
    pub seq: u64,
}

/// One key as it is given or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// Its value; empty when it is deleted.
    pub value: String,
    /// The number that is known of it; 0: none.
    pub seq: u64,
}

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Changed, or deleted although it was not there.
    Done(Pair),
    /// Somebody was faster: this is what is there (23001).
    Conflict(Pair),
    /// There are as many keys as may be.
    Full(Pair),
}

/// Rows that a change writes; `None` deletes one.
pub type Rows = Vec<(String, Option<Versioned>)>;

impl Extensions {
    /// As they were stored.
    #[must_use]
    pub fn restore(latest: u64, cleared: u64, pairs: Vec<(String, Versioned)>) -> Self {
        Self { latest, cleared, pairs: pairs.into_iter().collect(), writes: (0, 0) }
    }

    /// The number of the last change.
    #[must_use]
    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// What has a number up to this was cleared.
    #[must_use]
    pub fn cleared(&self) -> u64 {
        self.cleared
    }

    /// Bytes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        let one = |(key, value): (&String, &Versioned)| key.len() + value.value.len() + 80;
        512 + self.pairs.iter().map(one).sum::<usize>()
    }

    /// Counts a write; false when there were too many in the last minute (23003).
    pub fn may_write(&mut self, now_ms: u64) -> bool {
        let (began, writes) = self.writes;
        if writes == 0 || now_ms.saturating_sub(began) >= MINUTE_MS {
            self.writes = (now_ms, 1);
            return true;
        }
        self.writes.1 = writes.saturating_add(1);
        writes < limits::EXTENSION_WRITES_PER_MINUTE
    }

    /// Sets keys. `locked`: only those of which the caller knows the last number.
    pub fn set(&mut self, given: Vec<Pair>, locked: bool) -> (Vec<Outcome>, Rows) {
        let mut rows = Rows::new();
        let outcomes = given
            .into_iter()
            .map(|pair| {
                if let Some(found) = self.conflict(&pair, locked) {
                    return Outcome::Conflict(found);
                }
                if !self.is_live(&pair.key) && self.live() >= limits::EXTENSIONS {
                    return Outcome::Full(pair);
                }
                Outcome::Done(self.write(pair.key, pair.value, &mut rows))
            })
            .collect();
        (outcomes, rows)
    }

    /// Deletes keys, likewise. What is not there is deleted already.
    pub fn delete(&mut self, given: Vec<Pair>, locked: bool) -> (Vec<Outcome>, Rows) {
        let mut rows = Rows::new();
        let outcomes = given
            .into_iter()
            .map(|pair| {
                if !self.is_live(&pair.key) {
                    let seq = self.pairs.get(&pair.key).map_or(0, |found| found.seq);
                    return Outcome::Done(Pair { value: String::new(), seq, ..pair });
                }
                match self.conflict(&pair, locked) {
                    Some(found) => Outcome::Conflict(found),
                    None => Outcome::Done(self.write(pair.key, String::new(), &mut rows)),
                }
            })
            .collect();
        self.forget_deleted(&mut rows);
        (outcomes, rows)
    }

    /// Deletes all.
    pub fn clear(&mut self) -> Rows {
        self.latest += 1;
        self.cleared = self.latest;
        std::mem::take(&mut self.pairs).into_keys().map(|key| (key, None)).collect()
    }

    /// Keys by the number of their last change, from one number on, at most `most`; and whether that
    /// is all.
    #[must_use]
    pub fn page(&self, from: u64, most: usize) -> (Vec<Pair>, bool) {
        let mut all: Vec<Pair> = self
            .pairs
            .iter()
            .filter(|(_, found)| found.seq >= from)
            .map(|(key, found)| pair(key, found))
            .collect();
        all.sort_unstable_by_key(|pair| pair.seq);
        let complete = all.len() <= most;
        all.truncate(most);
        (all, complete)
    }

    fn write(&mut self, key: String, value: String, rows: &mut Rows) -> Pair {
        self.latest += 1;
        let written = Versioned { value, seq: self.latest };
        self.pairs.insert(key.clone(), written.clone());
        let answer = pair(&key, &written);
        rows.push((key, Some(written)));
        answer
    }

    /// What is there, if the caller does not know it.
    fn conflict(&self, given: &Pair, locked: bool) -> Option<Pair> {
        if !locked {
            return None;
        }
        match self.pairs.get(&given.key) {
            None => None,
            Some(found) if found.seq == given.seq => None,
            // Who never saw the key, or saw it go with a clearing, knows no number.
            Some(found) if found.value.is_empty() && given.seq == 0 => None,
            Some(found) => Some(pair(&given.key, found)),
        }
    }

    fn is_live(&self, key: &str) -> bool {
        self.pairs.get(key).is_some_and(|found| !found.value.is_empty())
    }

    fn live(&self) -> usize {
        self.pairs.values().filter(|found| !found.value.is_empty()).count()
    }

    fn forget_deleted(&mut self, rows: &mut Rows) {
        let deleted = self.pairs.len() - self.live();
        if deleted <= MOST_DELETED {
            return;
        }
        let mut dead: Vec<(u64, String)> = self
            .pairs
            .iter()
            .filter(|(_, found)| found.value.is_empty())
            .map(|(key, found)| (found.seq, key.clone()))
            .collect();
        dead.sort_unstable();
        for (_, key) in dead.into_iter().take(deleted - MOST_DELETED) {
            self.pairs.remove(&key);
            rows.push((key, None));
        }
    }
}

fn pair(key: &str, found: &Versioned) -> Pair {
    Pair { key: key.to_owned(), value: found.value.clone(), seq: found.seq }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(key: &str, value: &str, seq: u64) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned(), seq }
    }

    fn one(outcomes: (Vec<Outcome>, Rows)) -> Outcome {
        outcomes.0.into_iter().next().unwrap()
    }

    #[test]
    fn who_does_not_know_the_last_number_loses() {
        let mut extensions = Extensions::default();
        assert_eq!(
            one(extensions.set(vec![given("k", "1", 0)], true)),
            Outcome::Done(given("k", "1", 1))
        );
        for seq in [0, 2] {
            let late = extensions.set(vec![given("k", "x", seq)], true);
            assert!(late.1.is_empty());
            assert_eq!(one(late), Outcome::Conflict(given("k", "1", 1)));
        }
        assert_eq!(
            one(extensions.set(vec![given("k", "2", 1)], true)),
            Outcome::Done(given("k", "2", 2))
        );
        assert_eq!(
            one(extensions.set(vec![given("k", "3", 0)], false)),
            Outcome::Done(given("k", "3", 3)),
            "an administrator"
        );
        assert_eq!(
            one(extensions.delete(vec![given("k", "", 1)], true)),
            Outcome::Conflict(given("k", "3", 3))
        );
        assert_eq!(
            one(extensions.delete(vec![given("k", "", 3)], true)),
            Outcome::Done(given("k", "", 4))
        );
        assert_eq!(
            one(extensions.set(vec![given("k", "5", 0)], true)),
            Outcome::Done(given("k", "5", 5)),
            "it was gone"
        );
    }

    #[test]
    fn a_clearing_tells_what_to_drop() {
        let mut extensions = Extensions::default();
        extensions.set(vec![given("a", "1", 0), given("b", "1", 0)], true);
        let rows = extensions.clear();
        assert_eq!(rows, [("a".to_owned(), None), ("b".to_owned(), None)]);
        assert_eq!((extensions.latest(), extensions.cleared()), (3, 3));
        assert_eq!(
            one(extensions.set(vec![given("a", "2", 1)], true)),
            Outcome::Done(given("a", "2", 4))
        );
        assert_eq!(extensions.page(0, 200), (vec![given("a", "2", 4)], true));
    }

    #[test]
    fn keys_are_bounded_and_so_is_the_memory_of_deleted_ones() {
        let mut extensions = Extensions::default();
        let all: Vec<Pair> = (0..301).map(|key| given(&key.to_string(), "v", 0)).collect();
        let (outcomes, rows) = extensions.set(all.clone(), true);
        assert_eq!(rows.len(), 300);
        assert_eq!(outcomes[300], Outcome::Full(given("300", "v", 0)));
        extensions.delete(all.clone(), false);
        extensions.set(
            all[..300].iter().map(|pair| given(&format!("x{}", pair.key), "v", 0)).collect(),
            true,
        );
        let (_, complete) = extensions.page(0, 600);
        assert!(complete);
        let others = (0..300).map(|key| given(&format!("x{key}"), "", 0)).collect();
        let (_, rows) = extensions.delete(others, false);
        assert_eq!(rows.iter().filter(|(_, row)| row.is_none()).count(), 300, "the oldest go");
        assert_eq!(extensions.page(0, 600).0.len(), 300);
    }

    #[test]
    fn two_hundred_writes_a_minute() {
        let mut extensions = Extensions::default();
        let passed = (0..250).filter(|_| extensions.may_write(5)).count();
        assert_eq!(passed, 200);
        assert!(!extensions.may_write(60_004));
        assert!(extensions.may_write(60_005));
    }

    proptest! {
        /// A client that pages from what it knows has the same as the server.
        #[test]
        fn pages_bring_a_client_up_to_date(
            steps in prop::collection::vec((0..4u8, 0..12u8), 0..80),
            every in 1..6usize,
        ) {
            let mut extensions = Extensions::default();
            let mut known: BTreeMap<String, (String, u64)> = BTreeMap::new();
            let mut next = 0;
            for (place, (what, key)) in steps.into_iter().enumerate() {
                let key = format!("k{key}");
                match what {
                    0 | 1 => _ = extensions.set(vec![given(&key, "v", 0)], false),
                    2 => _ = extensions.delete(vec![given(&key, "", 0)], false),
                    _ => _ = extensions.clear(),
                }
                if place % every != 0 {
                    continue;
                }
                loop {
                    let (page, complete) = extensions.page(next, 3);
                    for pair in &page {
                        known.insert(pair.key.clone(), (pair.value.clone(), pair.seq));
                        next = pair.seq + 1;
                    }
                    if complete {
                        break;
                    }
                }
                known.retain(|_, (_, seq)| *seq > extensions.cleared());
                next = extensions.latest();
                let live: BTreeMap<_, _> = known
                    .iter()
                    .filter(|(_, (value, _))| !value.is_empty())
                    .map(|(key, (_, seq))| (key.clone(), *seq))
                    .collect();
                let expected: BTreeMap<_, _> = extensions
                    .pairs
                    .iter()
                    .filter(|(_, found)| !found.value.is_empty())
                    .map(|(key, found)| (key.clone(), found.seq))
                    .collect();
                prop_assert_eq!(live, expected);
            }
        }
    }
}
