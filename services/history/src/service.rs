//! History as the process sees it: built, served, run, drained.

use std::sync::Arc;

use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::history_server::HistoryServer;
use throng_store::Store;

use crate::commands::Commands;
use crate::config::{Config, ConfigError};
use crate::groups::Groups;
use crate::merged::MergedLists;
use crate::rooms::Rooms;
use crate::rpc::Rpc;

/// What history needs of others.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Keeps the messages.
    pub store: Arc<dyn Store>,
    /// To the owners of groups, who know a user's conversations.
    pub group_router: Link,
    /// Numbers users.
    pub secret: Secret,
}

/// The generated server of history; it goes into a [`throng_proto::Link`].
pub type Server = HistoryServer<Rpc>;

/// The service. Clones share it.
#[derive(Debug, Clone)]
pub struct History {
    rooms: Arc<Rooms>,
    groups: Arc<Groups>,
    commands: Commands,
}

impl History {
    /// Builds the service; nothing runs yet.
    ///
    /// # Errors
    /// When an option makes no sense.
    pub fn build(config: &Config, deps: Deps) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            groups: Arc::new(Groups::new(Arc::clone(&deps.store))),
            commands: Commands {
                groups: GroupRouterClient::new(deps.group_router),
                merged: Arc::new(MergedLists::new(Arc::clone(&deps.store))),
                secret: deps.secret,
            },
            rooms: Arc::new(Rooms::new(config, deps.store)),
        })
    }

    /// The server for other services.
    #[must_use]
    pub fn server(&self) -> Server {
        let (rooms, groups) = (Arc::clone(&self.rooms), Arc::clone(&self.groups));
        HistoryServer::new(Rpc { rooms, groups, commands: self.commands.clone() })
    }

    /// Starts the background work, of which there is none yet: every answer waits for its own write.
    pub fn run(&self, _drain: &Drain) {}
}
