//! History as the process sees it: built, served, run, drained.

use std::sync::Arc;

use throng_node::drain::Drain;
use throng_proto::Link;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::history_server::HistoryServer;
use throng_store::Store;

use crate::config::{Config, ConfigError};
use crate::groups::Groups;
use crate::rooms::Rooms;
use crate::rpc::Rpc;

/// What history needs of others.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Keeps the messages.
    pub store: Arc<dyn Store>,
    /// To the owners of groups, who know a user's conversations.
    pub group_router: Link,
}

/// The generated server of history; it goes into a [`throng_proto::Link`].
pub type Server = HistoryServer<Rpc>;

/// The service. Clones share it.
#[derive(Debug, Clone)]
pub struct History {
    rooms: Arc<Rooms>,
    groups: Arc<Groups>,
    group_router: GroupRouterClient<Link>,
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
            rooms: Arc::new(Rooms::new(config, deps.store)),
            group_router: GroupRouterClient::new(deps.group_router),
        })
    }

    /// The server for other services.
    #[must_use]
    pub fn server(&self) -> Server {
        let (rooms, groups) = (Arc::clone(&self.rooms), Arc::clone(&self.groups));
        HistoryServer::new(Rpc { rooms, groups, group_router: self.group_router.clone() })
    }

    /// Starts the background work, of which there is none yet: every answer waits for its own write.
    pub fn run(&self, _drain: &Drain) {}
}
