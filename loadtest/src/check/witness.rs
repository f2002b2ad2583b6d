//! What the members of a room know together: which number each message has, and which numbers there are.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// What was seen of one room, by all of its members at one worker.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Witness {
    /// `MsgSeq` of each message, 0 where nobody saw it.
    pub(super) seqs: Vec<u32>,
    /// Numbers of tips.
    pub(super) tips: HashSet<u32>,
    /// Deliveries that had another number than the first one.
    pub(super) disagreeing: u64,
    /// Messages that nobody of this run sent into this room.
    pub(super) invented: u64,
}

impl Witness {
    /// For a room that will have so many messages.
    #[must_use]
    pub fn new(messages: u32) -> Self {
        Self { seqs: vec![0; messages as usize], ..Self::default() }
    }

    /// Somebody got a message under this number.
    #[inline]
    pub fn message(&mut self, place: u32, seq: u32) {
        match self.seqs.get_mut(place as usize) {
            Some(known) if *known == seq => {}
            Some(known @ 0) => *known = seq,
            Some(_) => self.disagreeing += 1,
            None => self.invented += 1,
        }
    }

    /// Somebody got a tip under this number.
    pub fn tip(&mut self, seq: u32) {
        self.tips.insert(seq);
    }

    /// Somebody got a message that is not of this run, or of another room.
    pub fn invented(&mut self) {
        self.invented += 1;
    }

    /// Adds what another worker saw.
    pub fn merge(&mut self, other: Self) {
        self.disagreeing += other.disagreeing;
        self.invented += other.invented;
        self.tips.extend(other.tips);
        for (place, seq) in (0_u32..).zip(other.seqs) {
            if seq != 0 {
                self.message(place, seq);
            }
        }
    }
}
