//! The placement as a process sees it that has no say in it: followed over a stream from any group
//! router. It may be old for moments; whoever is asked wrongly says so.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rand::RngExt;
use throng_proto::v1;
use throng_proto::v1::placement_client::PlacementClient;
use throng_protocol::ids::shard_of_hash;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::channels::Channels;
use super::discovery::Discovery;
use super::rendezvous;
use crate::drain::Drain;

/// Pause before another group router is asked, on average.
const PAUSE: Duration = Duration::from_millis(150);
/// Time for a group router to begin its answer.
const FIRST_UPDATE: Duration = Duration::from_secs(3);

/// A node of the placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Stable over restarts.
    pub name: Arc<str>,
    /// `host:port` of its gRPC server.
    pub address: Arc<str>,
    /// A number of its present start.
    pub incarnation: u64,
}

/// The owner of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `host:port` of its gRPC server.
    pub address: Arc<str>,
    /// The epoch in which it owns the shard.
    pub epoch: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shard {
    owner: Option<Arc<str>>,
    epoch: u64,
}

/// The placement at one moment.
#[derive(Debug, Clone, Default)]
pub struct Placements {
    version: u64,
    shards: Vec<Shard>,
    routers: Vec<Node>,
    presence: Vec<Node>,
}

impl Placements {
    /// Number of this placement; 0 before the first.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Who owns groups of this hash; `None` while nobody does.
    #[must_use]
    pub fn owner(&self, group_hash: u64) -> Option<Owner> {
        let shard = self.shard(group_hash)?;
        let name = shard.owner.as_ref()?;
        let node = self.routers.iter().find(|node| node.name == *name)?;
        Some(Owner { address: Arc::clone(&node.address), epoch: shard.epoch })
    }

    /// The epoch of the shard of this hash, whoever owns it; 0 before the first.
    #[must_use]
    pub fn epoch(&self, group_hash: u64) -> u64 {
        self.shard(group_hash).map_or(0, |shard| shard.epoch)
    }

    fn shard(&self, group_hash: u64) -> Option<&Shard> {
        let count = u32::try_from(self.shards.len()).ok().filter(|count| *count > 0)?;
        self.shards.get(shard_of_hash(group_hash, count) as usize)
    }

    /// The presence node that users of this hash are at home on.
    #[must_use]
    pub fn home(&self, user_hash: u64) -> Option<&Node> {
        let names = self.presence.iter().map(|node| &*node.name);
        rendezvous(user_hash, names).map(|place| &self.presence[place])
    }

    /// All presence nodes.
    #[must_use]
    pub fn presence(&self) -> &[Node] {
        &self.presence
    }

    /// All group routers.
    #[must_use]
    pub fn routers(&self) -> &[Node] {
        &self.routers
    }

    /// Takes an update in. Of a shard the greater epoch counts: another router may be behind.
    fn apply(&mut self, update: v1::PlacementUpdate) {
        let count = update.shards as usize;
        if self.shards.len() != count {
            self.shards = vec![Shard::default(); count];
        }
        for changed in update.changed {
            let Some(shard) = self.shards.get_mut(changed.shard as usize) else { continue };
            if changed.epoch >= shard.epoch {
                shard.owner = (!changed.owner.is_empty()).then(|| changed.owner.into());
                shard.epoch = changed.epoch;
            }
        }
        if update.version < self.version {
            return;
        }
        self.version = update.version;
        let (mut routers, mut presence) = (Vec::new(), Vec::new());
        for node in update.nodes {
            let role = node.role();
            let leaving = node.leaving;
            let node = Node {
                name: node.name.into(),
                address: node.address.into(),
                incarnation: node.incarnation,
            };
            match role {
                v1::NodeRole::RoleGroupRouter => routers.push(node),
                v1::NodeRole::RolePresence if !leaving => presence.push(node),
                v1::NodeRole::RolePresence | v1::NodeRole::Unspecified => {}
            }
        }
        self.routers = routers;
        self.presence = presence;
    }
}

/// Follows the placement. Clones share it.
#[derive(Debug, Clone)]
pub struct PlacementView {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    now: ArcSwap<Placements>,
    version: watch::Sender<u64>,
}

impl PlacementView {
    /// Follows it until the process has drained. Needs a runtime.
    #[must_use]
    pub fn follow(routers: Discovery, channels: Channels, drain: &Drain) -> Self {
        let view = Self::still(Placements::default());
        let (follower, drain) = (view.clone(), drain.clone());
        // Until the very end: what drains still has to find others.
        tokio::spawn(async move {
            tokio::select! {
                () = follower.run(&routers, &channels) => {}
                () = drain.finished() => {}
            }
        });
        view
    }

    /// One that does not change, or only when a test says so.
    #[must_use]
    pub fn still(placements: Placements) -> Self {
        let version = placements.version;
        let inner =
            Inner { now: ArcSwap::from_pointee(placements), version: watch::Sender::new(version) };
        Self { inner: Arc::new(inner) }
    }

    /// The placement as it is known now.
    #[must_use]
    pub fn now(&self) -> Arc<Placements> {
        self.inner.now.load_full()
    }

    /// Tells of every change, with a number that only says that there was one.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }

    /// Takes an update in, as from the stream.
    pub fn update(&self, update: v1::PlacementUpdate) {
        let mut next = Placements::clone(&self.inner.now.load());
        next.apply(update);
        self.inner.now.store(Arc::new(next));
        self.inner.version.send_modify(|version| *version += 1);
    }

    async fn run(&self, routers: &Discovery, channels: &Channels) {
        let mut next: usize = rand::rng().random_range(0..64);
        loop {
            let addresses = routers.addresses();
            if let Some(address) = addresses.get(next % addresses.len().max(1)) {
                if let Err(status) = self.listen(address, channels).await {
                    tracing::debug!(address = &**address, %status, "placement is not followed here");
                }
                routers.doubt();
            }
            next = next.wrapping_add(1);
            let pause = PAUSE.mul_f64(rand::rng().random_range(0.3..1.7));
            sleep(pause).await;
        }
    }

    /// Listens to one group router until its stream ends.
    async fn listen(&self, address: &Arc<str>, channels: &Channels) -> Result<(), tonic::Status> {
        let channel =
            channels.get(address).map_err(|error| tonic::Status::internal(error.to_string()))?;
        let mut client = PlacementClient::new(channel);
        let began = async {
            let mut updates = client.watch(v1::WatchPlacementRequest {}).await?.into_inner();
            let first = updates.message().await?;
            Ok::<_, tonic::Status>((updates, first))
        };
        let (mut updates, mut update) = timeout(FIRST_UPDATE, began)
            .await
            .map_err(|_| tonic::Status::deadline_exceeded("no placement in time"))??;
        metrics::counter!("throng_placement_streams_total").increment(1);
        while let Some(next) = update {
            self.update(next);
            update = updates.message().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, role: v1::NodeRole) -> v1::ClusterNode {
        v1::ClusterNode {
            name: name.to_owned(),
            role: role.into(),
            address: format!("{name}:1"),
            incarnation: 1,
            leaving: false,
        }
    }

    fn update(version: u64, changed: &[(u32, &str, u64)], nodes: &[&str]) -> v1::PlacementUpdate {
        let changed = changed.iter().map(|&(shard, owner, epoch)| v1::ShardPlacement {
            shard,
            owner: owner.to_owned(),
            epoch,
        });
        let nodes = nodes.iter().map(|name| node(name, v1::NodeRole::RoleGroupRouter));
        v1::PlacementUpdate {
            version,
            shards: 2,
            nodes: nodes.collect(),
            changed: changed.collect(),
        }
    }

    #[test]
    fn a_router_that_is_behind_takes_nothing_back() {
        let view = PlacementView::still(Placements::default());
        assert!(view.now().owner(0).is_none());
        view.update(update(5, &[(0, "a", 3), (1, "b", 1)], &["a", "b"]));
        view.update(update(4, &[(0, "b", 2), (1, "a", 2)], &["b"]));
        let now = view.now();
        assert_eq!(now.owner(0).unwrap(), Owner { address: "a:1".into(), epoch: 3 });
        assert_eq!(now.owner(1).unwrap(), Owner { address: "a:1".into(), epoch: 2 });
        assert_eq!(now.version(), 5);
    }

    #[test]
    fn a_shard_without_owner_keeps_its_epoch() {
        let view = PlacementView::still(Placements::default());
        view.update(update(1, &[(0, "a", 3)], &["a"]));
        view.update(update(2, &[(0, "", 4)], &["a"]));
        assert!(view.now().owner(0).is_none());
        assert_eq!(view.now().epoch(0), 4);
    }

    #[test]
    fn a_presence_node_that_leaves_is_nobodys_home() {
        let view = PlacementView::still(Placements::default());
        let mut leaving = node("p1", v1::NodeRole::RolePresence);
        leaving.leaving = true;
        let nodes = vec![node("p0", v1::NodeRole::RolePresence), leaving];
        view.update(v1::PlacementUpdate { nodes, ..update(1, &[], &[]) });
        for hash in 0..20 {
            assert_eq!(&*view.now().home(hash).unwrap().name, "p0");
        }
    }
}
