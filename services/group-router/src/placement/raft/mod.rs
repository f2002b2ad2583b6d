//! The Raft group that keeps the placement: its types, its log on disk, its state machine, and its
//! messages between group routers. What the entries mean is in `core`; who proposes them and who acts
//! on them is in `cluster`.

mod gate;
mod log_store;
mod machine;
mod network;
mod server;
mod tables;
#[cfg(test)]
mod tests;

use openraft::{Raft, declare_raft_types};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::core::command::{Proposal, Response};
use super::core::state::PlacementState;

pub(super) use gate::Gate;
pub(super) use log_store::LogStore;
pub(super) use machine::{Applied, Machine};
pub(super) use network::Network;
pub(super) use server::RaftService;
pub use tables::OpenError;
pub(super) use tables::{Disk, DiskError};

declare_raft_types!(
    /// What openraft is told about us.
    pub(super) Types:
        D = Proposal,
        R = Response,
        NodeId = u64,
        Node = Member,
        Entry = openraft::Entry<Types>,
        SnapshotData = PlacementState,
);

/// A member of the Raft group, as its membership lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    /// Name of the node.
    pub(super) name: String,
    /// host:port of its gRPC server.
    pub(super) address: String,
}

pub(super) type NodeId = u64;
pub(super) type PlacementRaft = Raft<Types>;
pub(super) type LogId = openraft::LogId<NodeId>;
pub(super) type Vote = openraft::Vote<NodeId>;
pub(super) type Entry = openraft::Entry<Types>;
pub(super) type SnapshotMeta = openraft::SnapshotMeta<NodeId, Member>;
pub(super) type StoredMembership = openraft::StoredMembership<NodeId, Member>;
pub(super) type StorageError = openraft::StorageError<NodeId>;

/// The number that Raft knows a node by. It never changes for a name, so a log survives restarts.
pub(super) fn node_id(name: &str) -> NodeId {
    xxh3_64(name.as_bytes())
}
