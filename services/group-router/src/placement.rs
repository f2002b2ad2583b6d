//! Which groups this node owns. A node that runs alone owns every shard; in a cluster the placement
//! decides, and what is here is the part of it that a node needs to know.

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
