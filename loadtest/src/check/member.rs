//! What one member got.

use serde::{Deserialize, Serialize};

use crate::plan::Nanos;

/// What a delivery was to its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// New, and its number is above all before it.
    New,
    /// New, but its number is not above all before it: the SDK drops it.
    Reordered,
    /// Known, and got before the present connection was opened.
    Again,
    /// Known, and got on the present connection.
    Double,
}

/// One member of a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// A bit for each message of the room.
    pub(super) seen: Box<[u64]>,
    /// The highest `MsgSeq` so far.
    last_seq: u32,
    /// The highest `MsgSeq` when the present connection was opened.
    line_seq: u32,
    /// When it was in the room.
    spans: Vec<Span>,
    pub(super) delivered: u32,
    pub(super) doubled: u32,
    pub(super) heard_again: u32,
    pub(super) reordered: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Span {
    from: Nanos,
    to: Nanos,
}

impl Member {
    /// Somebody who is not in the room yet; it will have so many messages.
    #[must_use]
    pub fn new(messages: u32) -> Self {
        let words = messages.div_ceil(64) as usize;
        Self {
            seen: vec![0; words].into(),
            last_seq: 0,
            line_seq: 0,
            spans: Vec::new(),
            delivered: 0,
            doubled: 0,
            heard_again: 0,
            reordered: 0,
        }
    }

    /// The answer to a join came.
    pub fn joined(&mut self, now: Nanos) {
        if !self.is_in() {
            self.spans.push(Span { from: now, to: Nanos::MAX });
        }
    }

    /// It asks to leave, or is lost for good.
    pub fn left(&mut self, now: Nanos) {
        if let Some(last) = self.spans.last_mut() {
            last.to = last.to.min(now);
        }
    }

    /// Whether it is in the room now.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.spans.last().is_some_and(|last| last.to == Nanos::MAX)
    }

    /// How many messages it got, if it was in the room ever since it joined.
    #[must_use]
    pub fn delivered_throughout(&self) -> Option<u32> {
        (self.spans.len() == 1 && self.is_in()).then_some(self.delivered)
    }

    /// It has a new connection.
    pub fn line_opened(&mut self) {
        self.line_seq = self.last_seq;
    }

    /// A message came. `place` is its place in its room.
    #[inline]
    pub fn take(&mut self, place: u32, seq: u32) -> Delivery {
        let (word, bit) = (place as usize / 64, 1 << (place % 64));
        let rises = seq > self.last_seq;
        let Some(word) = self.seen.get_mut(word) else {
            return Delivery::Double;
        };
        if *word & bit != 0 {
            return if seq <= self.line_seq {
                self.heard_again += 1;
                Delivery::Again
            } else {
                self.doubled += 1;
                Delivery::Double
            };
        }
        *word |= bit;
        self.delivered += 1;
        self.last_seq = self.last_seq.max(seq);
        if rises {
            Delivery::New
        } else {
            self.reordered += 1;
            Delivery::Reordered
        }
    }

    /// Whether it was in the room all the time between two moments.
    pub(super) fn was_in(&self, from: Nanos, to: Nanos) -> bool {
        self.spans.iter().any(|span| span.from <= from && to <= span.to)
    }

    pub(super) fn has(&self, place: usize) -> bool {
        self.seen.get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }
}
