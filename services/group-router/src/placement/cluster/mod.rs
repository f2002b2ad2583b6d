//! A group router's part in the placement of a cluster. What `core` decides is carried out here:
//!
//! - `form`: how the Raft group begins, and how a voter that lost its disk comes back into it;
//! - `lead`: while this node leads, it grants leases, gives up nodes, and writes the log;
//! - `learners`: group routers beyond the voters come into the Raft group, and go;
//! - `member`: this node's own lease, and what it may serve, told to `tenure`;
//! - `service`, `watch`: what other nodes ask, and how they follow the placement.

mod ask;
mod config;
mod form;
mod lead;
mod learners;
mod member;
mod observe;
mod service;
mod start;
mod watch;

pub use config::{PlacementConfig, PlacementConfigError};
pub use start::{ClusterPlacement, PlacementDeps, StartError};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use throng_node::cluster::{Channels, PlacementLeader};
use tokio::sync::watch as watching;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::raft::{Applied, Gate, Member, NodeId, PlacementRaft};
use super::tenure::Ownership;
use ask::Asks;

/// What the parts of this node share.
#[derive(Clone)]
struct Node {
    cluster_mark: u64,
    name: Arc<str>,
    /// What others dial.
    address: Arc<str>,
    id: NodeId,
    shards: u32,
    config: Arc<PlacementConfig>,
    /// As configured, with addresses as this node dials them.
    voters: Arc<BTreeMap<NodeId, Member>>,
    raft: PlacementRaft,
    gate: Gate,
    applied: watching::Receiver<Applied>,
    ownership: Arc<Ownership>,
    asks: Asks,
    /// The way to the leader while it is somebody else.
    leader: PlacementLeader,
    channels: Channels,
    /// Asks this node to give everything away and leave.
    leaving: CancellationToken,
    /// End of the last lease that this node had, by the clock of `ownership`.
    lease_until: Arc<AtomicU64>,
    /// Whether this node has left the cluster in order.
    left: Arc<watching::Sender<bool>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Node {
    fn lease(&self) -> Duration {
        Duration::from_millis(self.config.lease_ms)
    }

    /// Starts a task that ends with this node.
    fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Who leads, as far as this node knows, and how to reach it from here.
    fn known_leader(&self) -> Option<(NodeId, Member)> {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow();
        let id = metrics.current_leader?;
        let member = match self.voters.get(&id) {
            Some(voter) => voter.clone(),
            None => metrics.membership_config.membership().get_node(&id)?.clone(),
        };
        Some((id, member))
    }
}

#[cfg(test)]
mod tests;
