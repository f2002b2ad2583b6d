//! Group counters: a few named numbers that clients of a room watch (REST notes 01, 3.41 to 3.43;
//! SDK protocol notes 02, 2.6).
//!
//! Each write that changes something raises the sequence of the group's counters by one; clients
//! keep the values of the highest sequence they saw. A write either succeeds as a whole or changes
//! nothing.

use std::sync::Arc;

use throng_protocol::limits;

#[cfg(test)]
mod tests;

/// Counters in one group.
pub const MAX_KEYS: usize = limits::COUNTERS;
/// Length of a key, bytes.
pub const MAX_KEY_BYTES: usize = limits::COUNTER_KEY_BYTES;

/// How an update changes a counter (`Mode`). A missing counter starts at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To the given value.
    Set,
    /// Up by the given value.
    Increase,
    /// Down by the given value.
    Decrease,
}

impl Mode {
    /// From its name in requests.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Set" => Some(Self::Set),
            "Increase" => Some(Self::Increase),
            "Decrease" => Some(Self::Decrease),
            _ => None,
        }
    }

    fn apply(self, old: i64, given: i64) -> Option<i64> {
        match self {
            Self::Set => Some(given),
            Self::Increase => old.checked_add(given),
            Self::Decrease => old.checked_sub(given),
        }
    }
}

/// Why a write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No counter was given (10004).
    NothingGiven,
    /// A key is empty (10004).
    EmptyKey,
    /// A key is over [`MAX_KEY_BYTES`] (10004).
    KeyTooLong,
    /// There would be more than [`MAX_KEYS`] (10063).
    TooManyKeys,
    /// A value would leave the range of signed 64-bit numbers (10004).
    OutOfRange,
}

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Its key.
    pub key: Arc<str>,
    /// Its value.
    pub value: i64,
}

/// What a write did: material of the answer and of the push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The sequence after it.
    pub seq: u64,
    /// The counters concerned, each once: with their new values, or those that were deleted with
    /// their last ones.
    pub counters: Vec<Counter>,
}

/// The counters of one group.
#[derive(Debug, Default)]
pub struct Counters {
    seq: u64,
    entries: Vec<Counter>,
}

impl Counters {
    /// From the store.
    #[must_use]
    pub fn restore(seq: u64, entries: Vec<Counter>) -> Self {
        Self { seq, entries }
    }

    /// The sequence; 0 before the first write.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// All counters, the oldest key first.
    #[must_use]
    pub fn entries(&self) -> &[Counter] {
        &self.entries
    }

    /// The counters of the given keys that exist; all of them if no key is given.
    pub fn get<'a>(&'a self, keys: &'a [&str]) -> impl Iterator<Item = &'a Counter> {
        let asked = |counter: &&Counter| keys.is_empty() || keys.contains(&&*counter.key);
        self.entries.iter().filter(asked)
    }

    /// Changes counters one after the other; a key given twice changes twice.
    ///
    /// # Errors
    /// A [`Refusal`]; then nothing changed.
    pub fn update(&mut self, mode: Mode, given: &[(&str, i64)]) -> Result<Change, Refusal> {
        if given.is_empty() {
            return Err(Refusal::NothingGiven);
        }
        let mut entries = self.entries.clone();
        let mut places: Vec<usize> = Vec::with_capacity(given.len().min(MAX_KEYS));
        for (key, value) in given {
            if key.is_empty() {
                return Err(Refusal::EmptyKey);
            }
            if key.len() > MAX_KEY_BYTES {
                return Err(Refusal::KeyTooLong);
            }
            let found = entries.iter().position(|counter| *counter.key == **key);
            let old = found.map_or(0, |place| entries[place].value);
            let new = mode.apply(old, *value).ok_or(Refusal::OutOfRange)?;
            let place = match found {
                Some(place) => {
                    entries[place].value = new;
                    place
                }
                None if entries.len() == MAX_KEYS => return Err(Refusal::TooManyKeys),
                None => {
                    entries.push(Counter { key: Arc::from(*key), value: new });
                    entries.len() - 1
                }
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        self.entries = entries;
        self.seq += 1;
        let counters = places.iter().map(|place| self.entries[*place].clone());
        Ok(Change { seq: self.seq, counters: counters.collect() })
    }

    /// Deletes the given counters, or all if no key is given. Keys without a counter are passed
    /// over. `None` if there was nothing to delete.
    pub fn delete(&mut self, keys: &[&str]) -> Option<Change> {
        let goes = |counter: &mut Counter| keys.is_empty() || keys.contains(&&*counter.key);
        let deleted: Vec<Counter> = self.entries.extract_if(.., goes).collect();
        if deleted.is_empty() {
            return None;
        }
        self.seq += 1;
        Some(Change { seq: self.seq, counters: deleted })
    }
}
