//! What a process of a cluster stands on, each part made when a role asks for it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rand::RngExt;
use throng_bus::{Bus, NatsBus};
use throng_gateway::Links;
use throng_node::apps::Apps;
use throng_node::cluster::{Channels, Discovery, PlacementView, Transport};
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_store::{CqlStore, Store};

use crate::config::Config;
use crate::schema;

/// The identity of this process and its way to the others.
pub(crate) struct Parts {
    /// Stable over restarts.
    pub(crate) name: String,
    /// Of this start.
    pub(crate) incarnation: u64,
    pub(crate) secret: Secret,
    pub(crate) routers: Discovery,
    pub(crate) channels: Channels,
    pub(crate) view: PlacementView,
    pub(crate) links: Links,
    pub(crate) apps: Apps,
}

impl Parts {
    pub(crate) fn new(config: &Config, drain: &Drain) -> anyhow::Result<Self> {
        let cluster = &config.cluster;
        let channels = Channels::default();
        let routers = Discovery::start("group-router", &cluster.group_routers);
        let view = PlacementView::follow(routers.clone(), channels.clone(), drain);
        let alike = |service, nodes: &[String]| {
            let nodes = Discovery::start(service, nodes);
            link(Transport::alike(service, nodes, channels.clone()))
        };
        let links = Links {
            group_router: link(Transport::owners(view.clone(), channels.clone())),
            presence: link(Transport::homes(view.clone(), channels.clone())),
            history: alike("history", &cluster.history),
            directory: alike("directory", &cluster.directory),
        };
        Ok(Self {
            name: cluster.node_name()?,
            // Rises from start to start unless the clock jumps, and never repeats.
            incarnation: start_number(),
            secret: cluster.secret()?,
            apps: Apps::new(links.directory.clone()),
            routers,
            channels,
            view,
            links,
        })
    }

    /// A name that no other process ever had: who sends to it means this start of it.
    pub(crate) fn unique_name(&self) -> String {
        format!("{}-{:016x}", self.name, self.incarnation)
    }
}

fn link(transport: Transport) -> Link {
    let link = Link::unconnected();
    link.connect_transport(transport);
    link
}

/// Milliseconds since 1970 above 20 random bits.
fn start_number() -> u64 {
    let millis = u64::try_from(throng_node::time::now_millis()).unwrap_or_default();
    (millis << 20) | u64::from(rand::rng().random::<u32>() >> 12)
}

/// The bus of the cluster.
pub(crate) async fn bus(config: &Config, name: &str) -> anyhow::Result<Arc<dyn Bus>> {
    let bus = NatsBus::connect(&config.nats, name).await.context("bus")?;
    Ok(Arc::new(bus))
}

/// The store of the cluster, with its tables where this process may make them.
pub(crate) async fn store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let store = CqlStore::connect(&config.cql, &schema::tables()).await.context("store")?;
    Ok(Arc::new(store))
}

/// Lets go of the bus: what was published leaves the process first.
pub(crate) async fn flush(bus: &dyn Bus) {
    const TIME: Duration = Duration::from_secs(2);
    if !matches!(tokio::time::timeout(TIME, bus.flush()).await, Ok(Ok(()))) {
        tracing::warn!("the bus did not take everything");
    }
}
