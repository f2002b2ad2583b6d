//! Repeated sends: the same sender with the same `Random` gets the first answer again.
//!
//! Clients send a request again, byte for byte, when its answer was lost with the connection
//! (SDK protocol notes 02, 2.3), and apps repeat calls over REST (REST notes 01, 4.5). One of these per
//! group, inside its actor. The first request may not be answered yet when the second comes: the
//! second then waits for the same answer.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use throng_protocol::limits;

#[cfg(test)]
mod tests;

/// How long an answer is kept, milliseconds (REST notes 01, 4.5).
pub const KEEP_MS: u64 = limits::DUPLICATE_SECONDS * 1_000;

/// Requests kept by default. The oldest give way to new ones.
pub const DEFAULT_CAPACITY: usize = 65_536;

/// Names a request that was seen first. Never used twice by one [`Dedupe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What is known of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<A> {
    /// Not seen before. Carry it out, then [`settle`](Dedupe::settle) or
    /// [`abandon`](Dedupe::abandon) it.
    New(Ticket),
    /// The first one is being carried out: answer this one as that one will be.
    InFlight(Ticket),
    /// Carried out before, with this answer.
    Done(A),
}

/// What became of the first request.
#[derive(Debug)]
enum State<A> {
    InFlight,
    Done(A),
    /// It failed and may be tried anew.
    Abandoned,
}

#[derive(Debug)]
struct Entry<S, A> {
    key: (S, u32),
    expires: u64,
    state: State<A>,
}

/// The requests of the last five minutes. `S` is a sender, `A` an answer, both cheap to clone.
#[derive(Debug)]
pub struct Dedupe<S, A> {
    capacity: usize,
    /// In order of tickets and of expiry.
    entries: VecDeque<Entry<S, A>>,
    /// Ticket of the first entry.
    first: u64,
    tickets: HashMap<(S, u32), u64>,
}

impl<S: Clone + Eq + Hash, A: Clone> Dedupe<S, A> {
    /// Keeps at most `capacity` requests. It allocates when first used.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: VecDeque::new(),
            first: 0,
            tickets: HashMap::new(),
        }
    }

    /// A request came. `now` is in milliseconds of a monotonic clock.
    pub fn begin(&mut self, now: u64, sender: S, random: u32) -> Lookup<A> {
        self.expire(now);
        let key = (sender, random);
        if let Some(ticket) = self.tickets.get(&key).copied() {
            match self.entry(ticket).map(|entry| &entry.state) {
                Some(State::Done(answer)) => return Lookup::Done(answer.clone()),
                Some(State::InFlight) => return Lookup::InFlight(Ticket(ticket)),
                Some(State::Abandoned) | None => {}
            }
        }
        let expires = now.saturating_add(KEEP_MS);
        Lookup::New(self.insert(key, expires, State::InFlight))
    }

    /// The request was carried out. False if it is not in flight, or was crowded out meanwhile;
    /// those that wait for it are to be answered all the same.
    pub fn settle(&mut self, ticket: Ticket, answer: A) -> bool {
        match self.entry_in_flight(ticket) {
            Some(entry) => {
                entry.state = State::Done(answer);
                true
            }
            None => false,
        }
    }

    /// The request failed without effect: the next one like it is new again.
    pub fn abandon(&mut self, ticket: Ticket) {
        let Some(entry) = self.entry_in_flight(ticket) else {
            return;
        };
        entry.state = State::Abandoned;
        let key = entry.key.clone();
        self.tickets.remove(&key);
    }

    /// Takes over a request that a former owner answered `age` milliseconds ago. Call it before the
    /// first [`begin`](Self::begin), the oldest first: of two that are alike the later one counts.
    /// The first of them was never answered. It came to the store late, after its sender had tried
    /// again with another owner.
    pub fn preload(&mut self, now: u64, age: u64, sender: S, random: u32, answer: A) {
        let Some(left) = KEEP_MS.checked_sub(age).filter(|left| *left > 0) else {
            return;
        };
        let key = (sender, random);
        if let Some(ticket) = self.tickets.get(&key).copied()
            && let Some(entry) = self.entry_mut(ticket)
        {
            entry.state = State::Done(answer);
            return;
        }
        // Entries expire in their order, so a disorderly one lives as long as the one before it.
        let before = self.entries.back().map_or(0, |entry| entry.expires);
        let expires = now.saturating_add(left).max(before);
        self.insert(key, expires, State::Done(answer));
    }

    /// Forgets what is over. [`begin`](Self::begin) does it too.
    pub fn expire(&mut self, now: u64) {
        while self.entries.front().is_some_and(|entry| entry.expires <= now) {
            self.pop_first();
        }
    }

    /// How many requests are held in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn insert(&mut self, key: (S, u32), expires: u64, state: State<A>) -> Ticket {
        while self.entries.len() >= self.capacity {
            self.pop_first();
        }
        let ticket = self.first + self.entries.len() as u64;
        self.tickets.insert(key.clone(), ticket);
        self.entries.push_back(Entry { key, expires, state });
        Ticket(ticket)
    }

    fn pop_first(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        // An abandoned one may have a successor under the same key.
        if self.tickets.get(&entry.key) == Some(&self.first) {
            self.tickets.remove(&entry.key);
        }
        self.first += 1;
    }

    fn entry(&self, ticket: u64) -> Option<&Entry<S, A>> {
        let place = ticket.checked_sub(self.first)?;
        self.entries.get(usize::try_from(place).ok()?)
    }

    fn entry_mut(&mut self, ticket: u64) -> Option<&mut Entry<S, A>> {
        let place = ticket.checked_sub(self.first)?;
        self.entries.get_mut(usize::try_from(place).ok()?)
    }

    fn entry_in_flight(&mut self, ticket: Ticket) -> Option<&mut Entry<S, A>> {
        self.entry_mut(ticket.0).filter(|entry| matches!(entry.state, State::InFlight))
    }
}
