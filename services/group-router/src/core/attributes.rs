//! Group attributes: a small map that clients of a room share and change under an optimistic lock
//! (REST notes 01, 3.36 to 3.40; SDK protocol notes 02, 2.5).
//!
//! # Sequences
//!
//! The group has one main sequence, one more with each write. A client names the one it last saw
//! and is refused if it is not the current one; a REST call names none. Clients apply a push in
//! place only if it is exactly one ahead of them and fetch everything otherwise, so the main
//! sequence has no holes. The sequence of a key is the main sequence of the write that last set
//! it: it rises with every change of that key, even over deletion and return, and needs no memory
//! of deleted keys. Clients send key sequences back, but only the main sequence decides: it covers
//! all keys.
//!
//! A write either succeeds as a whole or changes nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use throng_protocol::limits;

#[cfg(test)]
mod tests;

/// Keys in one group.
pub const MAX_KEYS: usize = limits::ATTRIBUTES;
/// Length of a key, bytes.
pub const MAX_KEY_BYTES: usize = limits::ATTRIBUTE_KEY_BYTES;
/// Length of a value, bytes.
pub const MAX_VALUE_BYTES: usize = limits::ATTRIBUTE_VALUE_BYTES;
/// Length of all values of a group together, bytes.
pub const MAX_TOTAL_BYTES: usize = limits::ATTRIBUTES_TOTAL_BYTES;
/// Writes to one group in any second, whoever they come from.
pub const WRITES_PER_SECOND: usize = limits::ATTRIBUTE_WRITES_PER_SECOND as usize;

const SECOND_MS: u64 = 1_000;

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its key.
    pub key: Arc<str>,
    /// Its value. Empty in a [`Change`] that deletes it.
    pub value: Arc<str>,
    /// The main sequence of the write that last changed it.
    pub seq: u64,
}

/// Kinds of write, numbered as in the change push (`GroupAttrOption.OpType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// All attributes replaced by the given ones.
    Replace = 1,
    /// The given ones added or changed.
    Merge = 2,
    /// All deleted.
    Clear = 3,
    /// The given ones deleted.
    Delete = 4,
}

impl Operation {
    /// The number in the change push.
    #[must_use]
    pub fn wire(self) -> u32 {
        self as u32
    }
}

/// What a write did: material of the answer and of the push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The kind of write.
    pub operation: Operation,
    /// The main sequence after it.
    pub main_seq: u64,
    /// The attributes set or deleted, in the order given. None for [`Operation::Clear`].
    pub changed: Vec<Attribute>,
}

/// Why a write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No attribute was given (10004).
    NothingGiven,
    /// A key is empty (10004).
    EmptyKey,
    /// A key is over [`MAX_KEY_BYTES`] (10045).
    KeyTooLong,
    /// A value is over [`MAX_VALUE_BYTES`] (10046).
    ValueTooLong,
    /// There would be more than [`MAX_KEYS`] (10047).
    TooManyKeys,
    /// The values would be over [`MAX_TOTAL_BYTES`] (10048).
    TotalTooLong,
    /// Over [`WRITES_PER_SECOND`] (10049).
    TooOften,
    /// A key to delete does not exist (10050).
    KeyNotFound,
    /// The client had seen another main sequence than the current one (10056).
    Conflict,
}

/// The attributes of one group.
#[derive(Debug, Default)]
pub struct Attributes {
    main_seq: u64,
    entries: Vec<Attribute>,
    /// Times of the latest writes, milliseconds, the oldest first.
    writes: VecDeque<u64>,
}

impl Attributes {
    /// From the store. The main sequence must be at least that of every key.
    #[must_use]
    pub fn restore(main_seq: u64, entries: Vec<Attribute>) -> Self {
        Self { main_seq, entries, writes: VecDeque::new() }
    }

    /// The main sequence; 0 before the first write.
    #[must_use]
    pub fn main_seq(&self) -> u64 {
        self.main_seq
    }

    /// All attributes, the oldest key first.
    #[must_use]
    pub fn entries(&self) -> &[Attribute] {
        &self.entries
    }

    /// Replaces all attributes by the given ones; of a key given twice the last value counts.
    ///
    /// `expected` is the main sequence that a client saw, `now` milliseconds of a monotonic clock,
    /// in all writes.
    ///
    /// # Errors
    /// All but [`Refusal::KeyNotFound`].
    pub fn set(
        &mut self,
        now: u64,
        expected: Option<u64>,
        given: &[(&str, &str)],
    ) -> Result<Change, Refusal> {
        self.put(now, expected, given, Operation::Replace)
    }

    /// Adds or changes the given attributes; of a key given twice the last value counts.
    ///
    /// # Errors
    /// All but [`Refusal::KeyNotFound`].
    pub fn modify(
        &mut self,
        now: u64,
        expected: Option<u64>,
        given: &[(&str, &str)],
    ) -> Result<Change, Refusal> {
        self.put(now, expected, given, Operation::Merge)
    }

    /// Deletes the given keys.
    ///
    /// # Errors
    /// [`Refusal::KeyNotFound`] if one of them does not exist; [`Refusal::NothingGiven`],
    /// [`Refusal::TooOften`], [`Refusal::Conflict`].
    pub fn delete(
        &mut self,
        now: u64,
        expected: Option<u64>,
        keys: &[&str],
    ) -> Result<Change, Refusal> {
        if keys.is_empty() {
            return Err(Refusal::NothingGiven);
        }
        self.admit(now, expected)?;
        let seq = self.main_seq + 1;
        let mut left = self.entries.clone();
        let mut changed: Vec<Attribute> = Vec::with_capacity(keys.len().min(MAX_KEYS));
        for key in keys {
            if changed.iter().any(|deleted| *deleted.key == **key) {
                continue;
            }
            let place =
                left.iter().position(|entry| *entry.key == **key).ok_or(Refusal::KeyNotFound)?;
            changed.push(Attribute { key: left.remove(place).key, value: Arc::from(""), seq });
        }
        Ok(self.commit(now, Operation::Delete, left, changed))
    }

    /// Deletes all attributes. Counts as a write even if there were none.
    ///
    /// # Errors
    /// [`Refusal::TooOften`], [`Refusal::Conflict`].
    pub fn clear(&mut self, now: u64, expected: Option<u64>) -> Result<Change, Refusal> {
        self.admit(now, expected)?;
        Ok(self.commit(now, Operation::Clear, Vec::new(), Vec::new()))
    }

    fn put(
        &mut self,
        now: u64,
        expected: Option<u64>,
        given: &[(&str, &str)],
        operation: Operation,
    ) -> Result<Change, Refusal> {
        let seq = self.main_seq + 1;
        let changed = checked(given, seq)?;
        self.admit(now, expected)?;
        let mut entries = match operation {
            Operation::Merge => self.entries.clone(),
            Operation::Replace | Operation::Clear | Operation::Delete => Vec::new(),
        };
        for attribute in &changed {
            put_in(&mut entries, attribute.clone());
        }
        if entries.len() > MAX_KEYS {
            return Err(Refusal::TooManyKeys);
        }
        if entries.iter().map(|entry| entry.value.len()).sum::<usize>() > MAX_TOTAL_BYTES {
            return Err(Refusal::TotalTooLong);
        }
        Ok(self.commit(now, operation, entries, changed))
    }

    /// Whether a write may happen now. Only writes that succeed count for the rate.
    fn admit(&self, now: u64, expected: Option<u64>) -> Result<(), Refusal> {
        let recent = |time: &&u64| time.saturating_add(SECOND_MS) > now;
        if self.writes.iter().filter(recent).count() >= WRITES_PER_SECOND {
            return Err(Refusal::TooOften);
        }
        if expected.is_some_and(|expected| expected != self.main_seq) {
            return Err(Refusal::Conflict);
        }
        Ok(())
    }

    fn commit(
        &mut self,
        now: u64,
        operation: Operation,
        entries: Vec<Attribute>,
        changed: Vec<Attribute>,
    ) -> Change {
        if self.writes.len() == WRITES_PER_SECOND {
            self.writes.pop_front();
        }
        self.writes.push_back(now);
        self.entries = entries;
        self.main_seq += 1;
        Change { operation, main_seq: self.main_seq, changed }
    }
}

/// The given pairs as attributes, within the limits that each has by itself.
fn checked(given: &[(&str, &str)], seq: u64) -> Result<Vec<Attribute>, Refusal> {
    if given.is_empty() {
        return Err(Refusal::NothingGiven);
    }
    let mut attributes = Vec::with_capacity(given.len().min(MAX_KEYS));
    for (key, value) in given {
        if key.is_empty() {
            return Err(Refusal::EmptyKey);
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(Refusal::KeyTooLong);
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(Refusal::ValueTooLong);
        }
        put_in(&mut attributes, Attribute { key: Arc::from(*key), value: Arc::from(*value), seq });
        if attributes.len() > MAX_KEYS {
            return Err(Refusal::TooManyKeys);
        }
    }
    Ok(attributes)
}

fn put_in(entries: &mut Vec<Attribute>, attribute: Attribute) {
    match entries.iter_mut().find(|entry| entry.key == attribute.key) {
        Some(entry) => *entry = attribute,
        None => entries.push(attribute),
    }
}
