//! Owns groups. A command of a group comes in by `service`, is read and prepared by its handler in
//! `commands/`, changes the group in a job on the group's actor (`actor/`, `room/`, with the pure
//! decisions in `core`), and leaves as rows (`storage/`), client frames (`wire/`) and answers.

mod actor;
mod clients;
mod commands;
mod config;
pub mod core;
mod group;
pub mod message;
mod metrics;
mod order;
pub mod placement;
mod room;
mod searches;
mod service;
mod storage;
pub mod wire;

use std::sync::Arc;

use throng_bus::Bus;
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1::group_router_server::GroupRouterServer;
use throng_store::{Store, Table};

use actor::Rooms;
use clients::Clients;
pub use config::Config;
pub use placement::Placement;
pub use service::Service;

/// What the group router stands on.
#[derive(Debug)]
pub struct Deps {
    /// Keeps groups.
    pub store: Arc<dyn Store>,
    /// Carries room events to gateways.
    pub bus: Arc<dyn Bus>,
    /// To the history service.
    pub history: Link,
    /// To the presence service.
    pub presence: Link,
    /// To the directory.
    pub directory: Link,
    /// To the owners of groups, this node among them.
    pub group_router: Link,
    /// Settings of apps.
    pub apps: Apps,
    /// The cluster's secret.
    pub secret: Secret,
    /// Which groups this node owns.
    pub placement: Placement,
}

/// The group router of a process.
#[derive(Debug)]
pub struct GroupRouter {
    service: Service,
}

impl GroupRouter {
    /// Builds it; groups are read when they are first asked for, and end with the drain.
    #[must_use]
    pub fn build(config: Config, deps: Deps, drain: Drain) -> Self {
        let placement = deps.placement.clone();
        let clients = Clients::new(deps);
        let rooms = Rooms::new(config, placement, clients.clone(), drain);
        Self { service: Service { rooms, clients, order: order::Order::default() } }
    }

    /// The server to reach it by.
    #[must_use]
    pub fn server(&self) -> GroupRouterServer<Service> {
        GroupRouterServer::new(self.service.clone())
    }
}

/// The tables that it keeps.
#[must_use]
pub fn tables() -> &'static [&'static Table] {
    &storage::TABLES
}
