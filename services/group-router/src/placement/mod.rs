//! Which groups this node owns. A node that runs alone owns every shard; in a cluster the placement
//! decides (`core`, `raft`, `cluster`), and tells `tenure` what this node may serve.

mod cluster;
pub mod core;
pub mod describe;
mod raft;
mod tenure;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use throng_protocol::ids::AppId;

pub use cluster::{
    ClusterPlacement, PlacementConfig, PlacementConfigError, PlacementDeps, StartError,
};
pub use raft::OpenError;
pub use tenure::Ownership;
pub(crate) use tenure::Tenure;

/// Shards and their epochs as this node sees them. Clones share them.
#[derive(Debug, Clone)]
pub struct Placement {
    ownership: Arc<Ownership>,
    alone: bool,
}

impl Placement {
    /// A node that owns everything, in the given epoch, until it ends. The epoch must rise with
    /// every start, so that nobody mistakes events of this life for those of the last one.
    #[must_use]
    pub fn alone(shards: u32, epoch: u64) -> Self {
        let ownership = Ownership::new();
        ownership.found(shards);
        for shard in 0..shards.max(1) {
            ownership.grant(shard, epoch, 0);
        }
        ownership.set_lease(u64::MAX, i64::MAX);
        Self { ownership: Arc::new(ownership), alone: true }
    }

    /// A node of a cluster: it owns what whoever follows the placement says.
    #[must_use]
    pub fn of(ownership: Arc<Ownership>) -> Self {
        Self { ownership, alone: false }
    }

    /// The right to serve a group. `None`: it is not ours now.
    pub(crate) fn tenure_of(&self, app: AppId, group_id: &str) -> Option<Tenure> {
        self.ownership.tenure_of(app, group_id)
    }

    /// Whether nobody could serve the groups after this node.
    pub(crate) fn is_alone(&self) -> bool {
        self.alone
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
