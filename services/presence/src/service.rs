//! Presence as the process sees it: built, served, run, drained.

use std::sync::Arc;
use std::time::Duration;

use throng_bus::Bus;
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_proto::Link;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_proto::v1::presence_server::PresenceServer;
use throng_store::Store;

use crate::carrier::Carrier;
use crate::config::{Config, ConfigError};
use crate::core::Effect;
use crate::heard::Heard;
use crate::rpc::Rpc;
use crate::shards::Shards;

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(250);
/// The drain waits for gateways to say good-bye to their sessions until nothing has come for so
/// long.
const QUIET: Duration = Duration::from_millis(300);

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
    pub(crate) shards: Arc<Shards>,
    pub(crate) carrier: Carrier,
    pub(crate) heard: Heard,
    pub(crate) apps: Apps,
    pub(crate) directory: DirectoryClient<Link>,
    /// No background writer any more: whoever changes something writes it.
    written_at_once: std::sync::atomic::AtomicBool,
}

impl Presence {
    /// Builds the service; nothing runs yet.
    ///
    /// # Errors
    /// When an option makes no sense.
    pub fn build(config: Config, deps: Deps) -> Result<Self, ConfigError> {
        config.check()?;
        let shards = Arc::new(Shards::new(&config, deps.store));
        let watches = config.watches_per_session as usize;
        let carrier = Carrier::new(deps.bus, deps.group_router, Arc::clone(&shards), watches);
        let inner = Inner {
            config,
            shards,
            carrier,
            heard: Heard::default(),
            apps: deps.apps,
            directory: DirectoryClient::new(deps.directory),
            written_at_once: false.into(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The server for other services.
    #[must_use]
    pub fn server(&self) -> Server {
        PresenceServer::new(Rpc::new(Arc::clone(&self.inner)))
    }

    /// Starts the background work: timers, the writer, the queue to the rooms' owners. It ends with
    /// the drain; what changes after that is written at once.
    pub fn run(&self, drain: &Drain) {
        let (inner, until) = (Arc::clone(&self.inner), drain.clone());
        drain.spawn(async move { inner.keep_time(&until).await });
        let (inner, until) = (Arc::clone(&self.inner), drain.clone());
        drain.spawn(async move { inner.keep_writing(&until).await });
        let (inner, until) = (Arc::clone(&self.inner), drain.clone());
        drain.spawn(async move { inner.carrier.run(&until).await });
    }
}

impl Inner {
    /// Carries out what a request made happen.
    pub(crate) async fn carry(&self, effects: Vec<Effect>) {
        self.carrier.carry(effects);
        if self.written_at_once.load(std::sync::atomic::Ordering::Acquire) {
            self.shards.flush().await;
        }
    }

    async fn keep_time(&self, drain: &Drain) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let lease = u64::try_from(self.config.lease().as_millis()).unwrap_or(u64::MAX);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = drain.draining() => return,
            }
            let earliest = self.shards.now().mono.saturating_sub(lease);
            self.heard.forget_before(earliest);
            let is_alive = |gateway: &str| self.heard.since(gateway, earliest);
            self.shards.expire(
                is_alive,
                || self.carrier.has_room(),
                |effects| self.carrier.carry(effects),
            );
            metrics::gauge!("throng_presence_sessions").set(self.shards.len() as f64);
        }
    }

    async fn keep_writing(&self, drain: &Drain) {
        let pause = self.config.write_behind();
        while !drain.is_draining() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = drain.draining() => break,
            }
            if !self.shards.flush().await {
                // The store does not take it now; asking more often does not help.
                tokio::time::sleep(pause * 4).await;
            }
        }
        let mut quiet = Duration::ZERO;
        while quiet < QUIET {
            quiet = if self.shards.is_clean() { quiet + pause } else { Duration::ZERO };
            if !self.shards.flush().await {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        self.written_at_once.store(true, std::sync::atomic::Ordering::Release);
        self.shards.flush().await;
    }
}
