//! Presence as the process sees it: built, served, run, drained.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use throng_bus::Bus;
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_proto::Link;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_proto::v1::presence_server::PresenceServer;
use throng_store::Store;
use tokio::sync::Notify;

use crate::audiences::Audiences;
use crate::carrier::Carrier;
use crate::config::{Config, ConfigError};
use crate::core::Effect;
use crate::home::Home;
use crate::roll::Roll;
use crate::rpc::Rpc;
use crate::shards::Shards;

/// What presence needs of others.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Keeps the rooms of sessions.
    pub store: Arc<dyn Store>,
    /// Reaches the gateways.
    pub bus: Arc<dyn Bus>,
    /// Learns of memberships that ended.
    pub group_router: Link,
    /// Knows which accounts exist.
    pub directory: Link,
    /// Know the device policies.
    pub apps: Apps,
    /// Which users this node decides about.
    pub home: Home,
}

/// The generated server of presence; it goes into a [`Link`].
pub type Server = PresenceServer<Rpc>;

/// The service. Clones share it.
#[derive(Debug, Clone)]
pub struct Presence {
    inner: Arc<Inner>,
}

/// What requests and background work share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) home: Home,
    pub(crate) shards: Arc<Shards>,
    pub(crate) roll: Arc<Roll>,
    pub(crate) carrier: Carrier,
    pub(crate) audiences: Audiences,
    pub(crate) apps: Apps,
    pub(crate) directory: DirectoryClient<Link>,
    pub(crate) store: Arc<dyn Store>,
    /// Sessions that only the store remembers are to be looked for.
    pub(crate) search: Notify,
    /// No background writer any more: whoever changes something writes it.
    pub(crate) written_at_once: AtomicBool,
}

impl Presence {
    /// Builds the service; nothing runs yet.
    ///
    /// # Errors
    /// When an option makes no sense.
    pub fn build(config: Config, deps: Deps) -> Result<Self, ConfigError> {
        config.check()?;
        let shards = Arc::new(Shards::new(&config, Arc::clone(&deps.store)));
        let roll = Arc::new(Roll::new(config.gateway_lease()));
        let carrier = Carrier::new(
            deps.bus,
            deps.group_router,
            Arc::clone(&shards),
            Arc::clone(&roll),
            deps.home.is_alone(),
        );
        let audiences = Audiences::new(Arc::clone(&shards), config.audience_names);
        let inner = Inner {
            config,
            home: deps.home,
            shards,
            roll,
            carrier,
            audiences,
            apps: deps.apps,
            directory: DirectoryClient::new(deps.directory),
            store: deps.store,
            search: Notify::new(),
            written_at_once: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The server for other services.
    #[must_use]
    pub fn server(&self) -> Server {
        PresenceServer::new(Rpc::new(Arc::clone(&self.inner)))
    }

    /// Starts the background work. It ends with the drain; what changes after that is written at
    /// once.
    pub fn run(&self, drain: &Drain) {
        macro_rules! keep {
            ($($work:ident),*) => {
                $(
                    let (inner, until) = (Arc::clone(&self.inner), drain.clone());
                    drain.spawn(async move { inner.$work(&until).await });
                )*
            };
        }
        keep!(keep_time, keep_writing, keep_home, keep_statuses, keep_searching, keep_telling);
    }
}

impl Inner {
    /// Carries out what a request made happen.
    pub(crate) async fn carry(&self, effects: Vec<Effect>) {
        self.carrier.carry(effects);
        if self.written_at_once.load(Ordering::Acquire) {
            self.shards.flush().await;
        }
    }

    /// Tells the owners of rooms of memberships that ended.
    async fn keep_telling(&self, drain: &Drain) {
        self.carrier.run(drain).await;
    }
}
