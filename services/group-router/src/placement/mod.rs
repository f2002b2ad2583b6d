//! Which groups this node owns. A node that runs alone owns every shard; in a cluster the placement
//! decides, and what is here is the part of it that a node needs to know.

pub mod core;

use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use throng_protocol::ids::{AppId, shard_of};

/// Shards and their epochs as this node sees them.
#[derive(Debug, Clone)]
pub struct Placement {
    shards: u32,
    epoch: u64,
}

impl Placement {
    /// A node that owns everything, in the given epoch. The epoch must rise with every start, so
    /// that nobody mistakes events of this life for those of the last one.
    #[must_use]
    pub fn alone(shards: u32, epoch: u64) -> Self {
        Self { shards: shards.max(1), epoch }
    }

    /// The epoch in which this node owns the group, or `None` if it does not.
    #[must_use]
    pub fn epoch_of(&self, app: AppId, group_id: &str) -> Option<u64> {
        let _shard = shard_of(app, group_id, self.shards);
        Some(self.epoch)
    }
}

/// Bits of a stream's epoch below the epoch of ownership.
const LIFE_BITS: u32 = 40;

/// Gives each life of a room an epoch of its own. Event numbers begin anew whenever a room is read
/// or made, so positions of two lives must never be taken for each other: gateways would drop the
/// new life's events as old ones.
#[derive(Debug)]
pub(crate) struct Lives {
    next: AtomicU64,
}

impl Lives {
    /// Begins anywhere: the lowest bits alone stand for the epoch in a polling client's cursor, and
    /// two processes that count alike would give the same room the same ones.
    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(rand::rng().random_range(1..1 << (LIFE_BITS - 1))) }
    }

    /// An epoch that was never used, above all of earlier ownership epochs and all that came before
    /// in this one.
    pub(crate) fn next(&self, ownership: u64) -> u64 {
        let life = self.next.fetch_add(1, Ordering::Relaxed) & ((1 << LIFE_BITS) - 1);
        (ownership << LIFE_BITS) | life
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_of_streams_rise_with_every_life_and_every_ownership() {
        let lives = Lives::new();
        let (first, second) = (lives.next(7), lives.next(7));
        assert!(first < second);
        assert!(second < Lives::new().next(8), "whatever the next process begins with");
    }
}
