//! Join and quit tips of a room: one each in a small room, few and bundled in a big one.
//!
//! A tip goes to all members, so tips for each arrival cost the square of the room's size. In a
//! room over a threshold one join tip and one quit tip go out per interval; each names the first
//! who came (or went) since the last one and counts the others.

use std::mem;

#[cfg(test)]
mod tests;

/// How tips are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Up to so many members online, each join and quit gets a tip at once.
    pub threshold: u32,
    /// Above: the time between two tips of a kind, milliseconds.
    pub interval: u64,
    /// Above: how many one tip names.
    pub names: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { threshold: 100, interval: 1_000, names: 20 }
    }
}

/// What a tip is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Users came.
    Join,
    /// Users went.
    Quit,
}

/// A tip that goes out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip<U> {
    /// What it is about.
    pub kind: Kind,
    /// Whom it names, in the order of events. Never empty unless [`Pace::names`] is 0.
    pub users: Vec<U>,
    /// How many more it stands for without naming them: the tips that were suppressed for good.
    pub unnamed: u64,
}

/// One kind of tip.
#[derive(Debug)]
struct Lane<U> {
    kind: Kind,
    held: Vec<U>,
    unnamed: u64,
    /// No tip before this time.
    next: u64,
}

impl<U> Lane<U> {
    fn new(kind: Kind) -> Self {
        Self { kind, held: Vec::new(), unnamed: 0, next: 0 }
    }

    fn waits(&self) -> bool {
        !self.held.is_empty() || self.unnamed > 0
    }

    fn flush(&mut self, now: u64, interval: u64, out: &mut impl FnMut(Tip<U>)) {
        self.next = now.saturating_add(interval);
        out(Tip {
            kind: self.kind,
            users: mem::take(&mut self.held),
            unnamed: mem::take(&mut self.unnamed),
        });
    }
}

/// The tips of one room. `U` stands for a user. Times are milliseconds of a monotonic clock.
#[derive(Debug)]
pub struct TipPacer<U> {
    pace: Pace,
    /// No tip at all before this time.
    held_until: u64,
    joins: Lane<U>,
    quits: Lane<U>,
}

impl<U> TipPacer<U> {
    /// No tips yet.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace, held_until: 0, joins: Lane::new(Kind::Join), quits: Lane::new(Kind::Quit) }
    }

    /// Changes the pace from the next event on.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Lets no tip out before a time, however small the room is.
    pub fn hold(&mut self, until: u64) {
        self.held_until = self.held_until.max(until);
        for lane in [&mut self.joins, &mut self.quits] {
            lane.next = lane.next.max(until);
        }
    }

    /// A user came or went; `online` are inside now. After it, call [`poll`](Self::poll) again at
    /// [`next_deadline`](Self::next_deadline).
    pub fn event(
        &mut self,
        now: u64,
        kind: Kind,
        online: u32,
        user: U,
        out: &mut impl FnMut(Tip<U>),
    ) {
        let Pace { threshold, interval, names } = self.pace;
        let held = now < self.held_until;
        let small = online <= threshold;
        let lane = match kind {
            Kind::Join => &mut self.joins,
            Kind::Quit => &mut self.quits,
        };
        // In a room that became small again the newcomer is named, after those held back so far.
        if small || lane.held.len() < names {
            lane.held.push(user);
        } else {
            lane.unnamed += 1;
        }
        if !held && (small || lane.next <= now) {
            lane.flush(now, interval, out);
        }
    }

    /// Lets out the tips whose time has come.
    pub fn poll(&mut self, now: u64, out: &mut impl FnMut(Tip<U>)) {
        for lane in [&mut self.joins, &mut self.quits] {
            if lane.waits() && lane.next <= now {
                lane.flush(now, self.pace.interval, out);
            }
        }
    }

    /// When to call [`poll`](Self::poll) again; `None` while nothing is held back.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        let lanes = [&self.joins, &self.quits].into_iter();
        lanes.filter(|lane| lane.waits()).map(|lane| lane.next).min()
    }
}
