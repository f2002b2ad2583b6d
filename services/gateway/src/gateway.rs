//! A gateway's life: build, serve, drain.

use std::sync::Arc;
use std::time::Duration;

use throng_bus::{Bus, subjects};
use throng_node::apps::Apps;
use throng_node::cluster::{Homes, PlacementView};
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::admission::Admission;
use crate::capture::{Capture, CaptureError};
use crate::config::{Config, ConfigError};
use crate::connection::Coarse;
use crate::context::Context;
use crate::forward::{Forwarder, Links};
use crate::http::{self, Tls};
use crate::metrics::Metrics;
use crate::presence::{self, Presence};
use crate::rooms::Hub;

/// How often empty rooms and connections without a login are looked for.
const LOOK: Duration = Duration::from_secs(5);

/// What a gateway needs of the rest of the cluster.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The other services.
    pub links: Links,
    /// Settings of apps.
    pub apps: Apps,
    /// The cluster's keys.
    pub secret: Secret,
    /// Events of rooms, and what is for this gateway.
    pub bus: Arc<dyn Bus>,
    /// Names this gateway; no two that run may have the same.
    pub gateway_id: String,
    /// In a cluster: who owns what.
    pub placement: Option<PlacementView>,
    /// The presence nodes.
    pub homes: Homes,
}

/// Serves clients: WebSocket, REST, the demo page.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    tls: Option<Tls>,
    deps: Deps,
    capture: Option<Arc<Capture>>,
}

/// Why a gateway cannot be.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Traffic cannot be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

impl Gateway {
    /// A gateway that does not serve yet.
    ///
    /// # Errors
    /// [`BuildError`] when a setting cannot work, or the file of a capture cannot be written.
    pub fn build(config: Config, deps: Deps) -> Result<Self, BuildError> {
        config.check()?;
        let tls = config.tls.as_ref().map(Tls::load).transpose();
        let tls = tls.map_err(|error| ConfigError::new("tls", error.to_string()))?;
        let capture = Capture::start(&config.capture)?;
        Ok(Self { config, tls, deps, capture })
    }

    /// Serves on the listener until the process drains, then closes all connections over the
    /// configured window and returns.
    pub async fn serve(self, listener: TcpListener, drain: Drain) {
        let Deps { links, apps, secret, bus, gateway_id, placement, homes } = self.deps;
        let (config, capture) = (self.config, self.capture);
        let metrics = Arc::new(Metrics::new());
        let forwarder = Forwarder::new(links, apps, secret, placement);
        let hub = Arc::new(Hub::new(
            &config,
            gateway_id.clone(),
            Arc::clone(&bus),
            forwarder.clone(),
            Arc::clone(&metrics),
            drain.clone(),
        ));
        let admission = Arc::new(Admission::new(
            config.max_connections,
            config.max_connections_per_address,
            config.idle_seconds(),
        ));
        let context = Context::new(
            config,
            gateway_id,
            forwarder,
            hub,
            Presence::new(homes),
            Arc::clone(&admission),
            metrics,
        );
        let context = Arc::new(context.captured_by(capture));
        let mut inboxes = JoinSet::new();
        for partition in 0..subjects::GATEWAY_PARTITIONS {
            let (bus, drain) = (Arc::clone(&bus), drain.clone());
            inboxes.spawn(Arc::clone(&context).receive(bus, partition, drain));
        }
        let owners = tokio::spawn(Arc::clone(&context.hub).follow_owners());
        let in_touch = tokio::spawn(presence::keep_in_touch(Arc::clone(&context)));
        let upkeep = tokio::spawn(upkeep(Arc::clone(&context)));

        let router = http::router(&context, &drain);
        let acceptor = self.tls.as_ref().map(Tls::acceptor);
        let certificates = self.tls.map(|tls| tokio::spawn(async move { tls.follow().await }));
        http::serve(listener, router, acceptor, Arc::clone(&context), drain).await;
        if let Some(certificates) = certificates {
            certificates.abort();
        }

        http::close_connections(&admission, context.config.drain_window).await;
        if let Some(capture) = &context.capture {
            capture.finish().await;
        }
        in_touch.abort();
        presence::say_farewell(&context).await;
        inboxes.abort_all();
        owners.abort();
        upkeep.abort();
    }
}

/// What has to be done from time to time, for as long as there are connections.
async fn upkeep(context: Arc<Context>) {
    let config = &context.config;
    let acks = (config.ack_timeout / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let look = LOOK.min(config.login_timeout / 4).max(Duration::from_millis(10));
    let [mut acks, mut look] = [acks, look].map(|period| {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    });
    loop {
        tokio::select! {
            _ = acks.tick() => context.acks.run(Instant::now()),
            () = sleep_until(Coarse::next()) => {
                context.admission.close_idle(Coarse::now());
                context.hub.expire_guests(Coarse::now());
            }
            _ = look.tick() => {
                context.hub.drop_empty_rooms();
                context.probation.run(Instant::now());
            }
        }
    }
}
