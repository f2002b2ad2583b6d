//! A cluster of group routers in this process: each on a runtime of its own, so that it can be killed
//! without a word, with real gRPC on loopback and its log on disk.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tempfile::TempDir;
use throng_node::cluster::{Channels, serve};
use throng_protocol::ids::{AppId, shard_of};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, timeout};
use tonic::service::RoutesBuilder;

use super::super::super::core::state::PlacementState;
use super::super::{ClusterPlacement, Node, PlacementConfig, PlacementDeps};
use super::proxy::Proxy;
use super::witness::Witness;

pub(super) const APP: AppId = AppId(1);
pub(super) const SHARDS: u32 = 24;
/// Nothing takes that long, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(90);

pub(super) struct World {
    folder: TempDir,
    config: PlacementConfig,
    voters: Vec<String>,
    network: [u8; 2],
    hosts: u8,
    listen: BTreeMap<String, SocketAddr>,
    /// From one voter to another.
    proxies: BTreeMap<(String, String), Proxy>,
    running: BTreeMap<String, Running>,
    witness: Witness,
}

struct Running {
    placement: ClusterPlacement,
    runtime: Runtime,
}

/// Short enough for tests, long enough for a busy machine.
pub(super) fn config() -> PlacementConfig {
    PlacementConfig {
        lease_ms: 1_000,
        margin_ms: 100,
        renew_ms: 200,
        heartbeat_ms: 100,
        election_ms: 300,
        ..PlacementConfig::default()
    }
}

/// A group of each shard.
pub(super) fn groups() -> Vec<String> {
    let mut groups = vec![None; SHARDS as usize];
    for number in 0.. {
        let group = format!("group-{number}");
        let place = &mut groups[shard_of(APP, &group, SHARDS) as usize];
        *place = place.take().or(Some(group));
        if groups.iter().all(Option::is_some) {
            break;
        }
    }
    groups.into_iter().flatten().collect()
}

impl World {
    /// Voters `router-0`…, not started yet.
    pub(super) async fn new(voters: usize, config: PlacementConfig) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(format!(
                "openraft=off,{}",
                std::env::var("RUST_LOG").unwrap_or_default()
            ))
            .with_test_writer()
            .try_init();
        let names: Vec<_> = (0..voters).map(|number| format!("router-{number}")).collect();
        let mut world = Self {
            voters: names.clone(),
            network: [rand::rng().random_range(1..=255), rand::rng().random()],
            hosts: 0,
            folder: tempfile::tempdir().unwrap(),
            config,
            listen: BTreeMap::new(),
            proxies: BTreeMap::new(),
            running: BTreeMap::new(),
            witness: Witness::start(),
        };
        for name in &names {
            world.choose_address(name);
        }
        for from in &names {
            for to in names.iter().filter(|to| *to != from) {
                let proxy = Proxy::start(world.listen[to]).await;
                world.proxies.insert((from.clone(), to.clone()), proxy);
            }
        }
        world
    }

    /// The same, started.
    pub(super) async fn started(voters: usize, config: PlacementConfig) -> Self {
        let mut world = Self::new(voters, config).await;
        for name in world.voters.clone() {
            world.start(&name).await;
        }
        world
    }

    /// One that nothing else on this machine uses, also while the node does not run.
    fn choose_address(&mut self, name: &str) {
        self.hosts += 1;
        let [a, b] = self.network;
        self.listen.insert(name.to_owned(), SocketAddr::from(([127, a, b, self.hosts], 7082)));
    }

    /// The next start of a node that is no voter is somewhere else.
    pub(super) fn move_to_another_address(&mut self, name: &str) {
        self.listen.remove(name);
    }

    /// Starts a node, for the first time or again; one that is no voter becomes a learner.
    pub(super) async fn start(&mut self, name: &str) {
        if !self.listen.contains_key(name) {
            self.choose_address(name);
        }
        let address = self.listen[name];
        let voters = self.voters.iter().map(|voter| {
            let way = self.proxies.get(&(name.to_owned(), voter.clone()));
            let address = way.map_or(self.listen[voter], |proxy| proxy.address);
            format!("{voter}={address}")
        });
        let config = PlacementConfig { voters: voters.collect(), ..self.config.clone() };
        let deps = PlacementDeps {
            cluster_mark: 1,
            node: name.to_owned(),
            address: address.to_string(),
            data_dir: self.folder.path().join(name),
            shards: SHARDS,
            channels: Channels::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let starting = runtime.spawn(async move {
            // The file is free once the last task of an earlier start is gone.
            let placement = loop {
                match ClusterPlacement::start(config.clone(), deps.clone()).await {
                    Ok(placement) => break placement,
                    Err(error) => tracing::info!(%error, "not yet"),
                }
                sleep(Duration::from_millis(20)).await;
            };
            let listener = loop {
                match TcpListener::bind(address).await {
                    Ok(listener) => break listener,
                    Err(error) => tracing::info!(%error, "not yet"),
                }
                sleep(Duration::from_millis(20)).await;
            };
            let mut services = RoutesBuilder::default();
            placement.add_to(&mut services);
            tokio::spawn(async move {
                serve(listener, services, 1_000, std::future::pending()).await.unwrap();
            });
            placement
        });
        let placement = timeout(LIMIT, starting).await.expect("starts").unwrap();
        self.witness.add(name, placement.placement());
        self.running.insert(name.to_owned(), Running { placement, runtime });
    }

    /// Ends a node between two instructions. Its right to serve runs on in what it had handed out.
    pub(super) fn kill(&mut self, name: &str) {
        let Running { placement, runtime } = self.running.remove(name).unwrap();
        runtime.shutdown_background();
        drop(placement);
    }

    /// A node gives everything away and ends.
    pub(super) async fn leave(&mut self, name: &str) {
        let placement = self.running[name].placement.clone();
        timeout(LIMIT, placement.leave()).await.expect("leaves");
        placement.stop().await;
        drop(placement);
        self.kill(name);
    }

    /// Loses what a node that does not run has on disk.
    pub(super) fn wipe(&self, name: &str) {
        std::fs::remove_dir_all(self.folder.path().join(name)).unwrap();
    }

    /// Cuts a voter off from all others, or lets it back.
    pub(super) fn cut(&self, name: &str, cut: bool) {
        for ((from, to), proxy) in &self.proxies {
            if from == name || to == name {
                proxy.cut(cut);
            }
        }
    }

    pub(super) fn node(&self, name: &str) -> &Node {
        &self.running[name].placement.node
    }

    pub(super) fn placement(&self, name: &str) -> &ClusterPlacement {
        &self.running[name].placement
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }

    pub(super) fn state(&self, name: &str) -> Arc<PlacementState> {
        Arc::clone(&self.node(name).applied.borrow())
    }

    /// The node that leads in the highest term, if there is one.
    pub(super) fn leader(&self) -> Option<String> {
        let leading = self.running.iter().filter_map(|(name, running)| {
            let term = super::super::lead::leading_term(&running.placement.node)?;
            Some((term, name.clone()))
        });
        leading.max().map(|(_, name)| name)
    }

    /// The same, as soon as there is one.
    pub(super) async fn some_leader(&self) -> String {
        loop {
            self.wait_for("a leader", |world| world.leader().is_some()).await;
            if let Some(leader) = self.leader() {
                return leader;
            }
        }
    }

    /// A node that runs and does not lead.
    pub(super) async fn follower(&self) -> String {
        let leader = self.some_leader().await;
        self.names().into_iter().find(|name| *name != leader).expect("more than one runs")
    }

    /// Whether every running node serves shards, all of them are served, and all nodes agree on
    /// whose they are, within `spread` of equal.
    pub(super) fn is_balanced(&self, spread: usize) -> bool {
        let names = self.names();
        let states: Vec<_> = names.iter().map(|name| self.state(name)).collect();
        let (first, rest) = states.split_first().unwrap();
        let counts: Vec<_> = names.iter().map(|name| first.owned_by(name)).collect();
        let (most, least) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
        rest.iter().all(|state| state == first)
            && counts.iter().sum::<usize>() == SHARDS as usize
            && most - least <= spread
            && first.moving() == 0
            && self.served_by().iter().all(Option::is_some)
    }

    /// Who says of itself that it serves each shard now.
    pub(super) fn served_by(&self) -> Vec<Option<String>> {
        let serves = |group: &String| {
            let mut all = self.running.iter();
            all.find(|(_, running)| running.placement.placement().tenure_of(APP, group).is_some())
                .map(|(name, _)| name.clone())
        };
        groups().iter().map(serves).collect()
    }

    /// Waits for a condition.
    pub(super) async fn wait_for(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !condition(self) {
            assert!(began.elapsed() < LIMIT, "never: {what}\n{}", self.described());
            sleep(Duration::from_millis(10)).await;
        }
        tracing::info!(what, after = ?began.elapsed(), "so it is");
    }

    fn described(&self) -> String {
        let all = self.running.values();
        all.map(|running| {
            format!("{:#?}\n", super::super::observe::describe(&running.placement.node))
        })
        .collect()
    }

    /// What was seen of write times and tenures all the while (OWN-1).
    pub(super) async fn end(mut self) {
        for name in self.names() {
            self.kill(&name);
        }
        self.witness.end().await;
    }
}
