//! The life of a group router's part in the placement: start, serve, leave, stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use throng_node::cluster::{Channels, Discovery, PlacementLeader};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::RoutesBuilder;

use super::super::raft::{
    Applied, Disk, DiskError, Gate, LogStore, Machine, Network, OpenError, PlacementRaft,
    RaftService, StorageError, node_id,
};
use super::super::tenure::Ownership;
use super::ask::Asks;
use super::service::Service;
use super::{Node, PlacementConfig, PlacementConfigError, form, lead, member, observe};
use crate::placement::Placement;

/// The file of the Raft log within the data folder.
const FILE: &str = "placement.redb";

/// What the placement stands on.
#[derive(Debug, Clone)]
pub struct PlacementDeps {
    /// The same for all nodes of this cluster and no other one; see
    /// [`Secret::cluster_mark`](throng_node::secret::Secret::cluster_mark).
    pub cluster_mark: u64,
    /// Name of this node; the same after a restart.
    pub node: String,
    /// What others dial, `host:port`.
    pub address: String,
    /// The log is kept here. It has to be there after a restart.
    pub data_dir: PathBuf,
    /// Number of shards.
    pub shards: u32,
    /// Connections to other nodes.
    pub channels: Channels,
}

/// Why it cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] PlacementConfigError),
    /// The log.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log's contents, or Raft.
    #[error("placement log: {0}")]
    Log(String),
}

impl From<DiskError> for StartError {
    fn from(error: DiskError) -> Self {
        Self::Log(error.to_string())
    }
}

impl From<StorageError> for StartError {
    fn from(error: StorageError) -> Self {
        Self::Log(error.to_string())
    }
}

/// This group router's part in the placement of the cluster. Clones share it.
#[derive(Clone)]
pub struct ClusterPlacement {
    pub(super) node: Node,
}

impl std::fmt::Debug for ClusterPlacement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterPlacement").field("node", &self.node.name).finish_non_exhaustive()
    }
}

impl ClusterPlacement {
    /// Reads the log and takes part from now on. The services of [`add_to`](Self::add_to) have to be
    /// served soon: nobody leads before the others are reached.
    ///
    /// # Errors
    /// When the settings are wrong, or the log cannot be read.
    pub async fn start(config: PlacementConfig, deps: PlacementDeps) -> Result<Self, StartError> {
        config.check()?;
        let PlacementDeps { cluster_mark, node: name, address, data_dir, shards, channels } = deps;
        let (id, voters) = (node_id(&name), Arc::new(config.members()?));
        let disk = Disk::open(&data_dir.join(FILE)).await?;
        let log = LogStore::read(disk.clone()).await?;
        let gate = Gate::read(disk.clone(), log.is_blank() && voters.contains_key(&id)).await?;
        let (sender, applied) = watch::channel(Applied::default());
        let machine = Machine::read(disk, sender).await?;
        let network = Network::new(cluster_mark, Arc::clone(&voters));
        let settings = openraft::Config { enable_elect: gate.is_open(), ..config.raft() };
        let settings = settings.validate().map_err(|error| StartError::Log(error.to_string()))?;
        let raft = PlacementRaft::new(id, Arc::new(settings), network, log, machine);
        let raft = raft.await.map_err(|error| StartError::Log(error.to_string()))?;
        let addresses: Vec<_> = voters.values().map(|voter| voter.address.clone()).collect();
        let routers = Discovery::start("group-router", &addresses);
        let (asks, asked) = Asks::new();
        let node = Node {
            cluster_mark,
            name: name.into(),
            address: address.into(),
            id,
            shards,
            config: Arc::new(config),
            voters,
            raft,
            gate,
            applied,
            ownership: Arc::new(Ownership::new()),
            asks,
            leader: PlacementLeader::new(routers, channels.clone()),
            channels,
            leaving: CancellationToken::new(),
            lease_until: Arc::default(),
            left: Arc::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        node.spawn(form::form(node.clone()));
        node.spawn(lead::run(node.clone(), asked));
        node.spawn(member::run(node.clone()));
        node.spawn(observe::run(node.clone()));
        Ok(Self { node })
    }

    /// Adds what other nodes call: `Placement` and `Raft`.
    pub fn add_to(&self, services: &mut RoutesBuilder) {
        let Node { cluster_mark, id, raft, gate, .. } = &self.node;
        services.add_service(Service::server(self.node.clone()));
        services.add_service(RaftService::server(*cluster_mark, *id, raft.clone(), gate.clone()));
    }

    /// What this node owns, for those who serve groups.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement::of(Arc::clone(&self.node.ownership))
    }

    /// The same, as it is told.
    #[must_use]
    pub fn ownership(&self) -> Arc<Ownership> {
        Arc::clone(&self.node.ownership)
    }

    /// Whether this node has its lease: it may be said to be ready.
    #[must_use]
    pub fn has_lease(&self) -> bool {
        self.node.ownership.now() < self.node.lease_until.load(Ordering::Relaxed)
    }

    /// Gives all shards to others, and leaves. Resolves once this node owns nothing; there is no
    /// limit to how long that takes. What was begun for the shards is carried out meanwhile, so
    /// everything has to be served until then, Raft still after it.
    pub async fn leave(&self) {
        self.node.leaving.cancel();
        let mut left = self.node.left.subscribe();
        tokio::select! {
            _ = left.wait_for(|left| *left) => {}
            () = self.failed() => {}
        }
    }

    /// Resolves when the log cannot be kept any more, or Raft has stopped: this process is of no use
    /// then, and should end.
    pub async fn failed(&self) {
        let mut raft = self.node.raft.metrics();
        let _ = raft.wait_for(|metrics| metrics.running_state.is_err()).await;
    }

    /// Ends everything, at once. Without [`leave`](Self::leave) before, the others wait until the
    /// lease is over.
    pub async fn stop(&self) {
        self.node.stop.cancel();
        if let Err(error) = self.node.raft.shutdown().await {
            tracing::debug!(%error, "raft");
        }
        self.node.tasks.close();
        self.node.tasks.wait().await;
    }
}
