//! What the Raft group replicates: the nodes that hold leases, and who owns which shard.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// The placement. It changes by [`apply`](Self::apply) alone, so all nodes go through the same states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementState {
    /// Rises by one with every change.
    pub version: u64,
    /// All shards; none before the cluster is founded.
    pub shards: Vec<Shard>,
    /// The nodes that the cluster counts on, by name.
    pub nodes: BTreeMap<String, Node>,
    /// Greater than every write time that any node may use now, or was ever allowed to use,
    /// microseconds.
    pub write_time_horizon: i64,
    /// The greatest [`Shard::floor`] that ever was.
    pub highest_floor: i64,
    /// Incarnations that are over, the latest last: a late request of one must not bring it back.
    pub gone: VecDeque<Incarnation>,
}

/// One shard of the groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Name of the node that owns it. It is among [`PlacementState::nodes`], and the ownership is of
    /// the incarnation that is there.
    pub owner: Option<String>,
    /// Rises with every owner, also when the same node gets it again. Zero: never owned.
    pub epoch: u64,
    /// Write times of this epoch (of the next one if nobody owns it) are not below this. Everything
    /// written in earlier epochs is.
    pub floor: i64,
    /// Who gets it once the owner has released it.
    pub next: Option<String>,
}

/// One node with a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it does.
    pub role: Role,
    /// host:port of its gRPC server.
    pub address: String,
    /// Which start of the process it is. Numbers differ, their order means nothing.
    pub incarnation: u64,
    /// It wants to leave: it is given nothing new.
    pub leaving: bool,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Owns shards.
    GroupRouter,
    /// Is a home of users, by rendezvous.
    Presence,
}

/// One start of the process that has this name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// The node.
    pub name: String,
    /// The start.
    pub number: u64,
}

impl PlacementState {
    /// Whether this incarnation is the one that the cluster counts on.
    #[must_use]
    pub fn is_member(&self, node: &Incarnation) -> bool {
        self.nodes.get(&node.name).is_some_and(|known| known.incarnation == node.number)
    }

    /// Whether this incarnation was a member and is no more.
    #[must_use]
    pub fn is_gone(&self, node: &Incarnation) -> bool {
        self.gone.contains(node)
    }

    /// How many shards a node owns.
    #[must_use]
    pub fn owned_by(&self, name: &str) -> usize {
        self.shards.iter().filter(|shard| shard.owner.as_deref() == Some(name)).count()
    }

    /// How many shards are on their way from one node to another.
    #[must_use]
    pub fn moving(&self) -> usize {
        self.shards.iter().filter(|shard| shard.next.is_some()).count()
    }
}
