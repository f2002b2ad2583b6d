//! Processes of a cluster: each role alone, wired over the network to the others, with NATS as the bus
//! and a CQL database as the store. The services are the same libraries as in one process.

mod callback;
mod directory;
mod gateway;
mod group_router;
mod history;
mod parts;
mod presence;
mod rpc;

use crate::config::Config;

/// What a process of a cluster does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Gateway,
    GroupRouter,
    History,
    Presence,
    Callback,
    Directory,
}

/// Builds, binds, serves until a signal comes, drains.
pub(crate) async fn run(role: Role, config: Config) -> anyhow::Result<()> {
    match role {
        Role::Gateway => gateway::run(config).await,
        Role::GroupRouter => group_router::run(config).await,
        Role::History => history::run(config).await,
        Role::Presence => presence::run(config).await,
        Role::Callback => callback::run(config).await,
        Role::Directory => directory::run(config).await,
    }
}
