//! The backend over NATS servers (core NATS, without JetStream).
//!
//! A process has one connection for control and several that share the rooms' subjects, so that a
//! flood in a room delays no kick. Way out: [`publish`](crate::Bus::publish) → the queue of the
//! [`line`](mod@line) → its writing task → client → server. Way in: client → a task of the
//! subscription → its [`mailbox`] → receiver. Whatever is lost on either way is counted and told: by
//! [`watch`](mod@watch) after an outage, by the [`ring`] of a mailbox where a receiver is too slow.

mod config;
mod connect;
mod line;
mod mailbox;
mod metrics;
mod pause;
mod ring;
mod rounds;
mod throttle;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

pub use config::{Hidden, NatsConfig, NatsConfigError};
pub use connect::NatsError;

use self::connect::Connection;
use self::line::Line;
use self::metrics::Metrics;
use crate::{Bus, BusError, Losses, Subscription, subjects};

/// A bus over NATS servers. Subscriptions end with it; what was published and not flushed may be
/// lost with it.
#[derive(Debug)]
pub struct NatsBus {
    control: Connection,
    /// At least one.
    fanout: Vec<Connection>,
    losses: tokio::sync::watch::Sender<u64>,
}

impl NatsBus {
    /// Makes all connections. `process` names them to the servers, with what each is for.
    ///
    /// # Errors
    /// [`NatsError`] when a setting cannot work, the servers refuse, or none is there in time.
    pub async fn connect(config: &NatsConfig, process: &str) -> Result<Self, NatsError> {
        config.check()?;
        let losses = tokio::sync::watch::Sender::new(0);
        let deadline = Instant::now() + config.startup_timeout;
        let open =
            |name, metrics| Connection::open(config, name, metrics, losses.clone(), deadline);
        let control = open(format!("{process} control"), Arc::new(Metrics::new("control")));
        let metrics = Arc::new(Metrics::new("fanout"));
        let fanout = (0..config.fanout_connections)
            .map(|number| open(format!("{process} fanout {number}"), Arc::clone(&metrics)));
        let (control, fanout) = try_join(control, try_join_all(fanout)).await?;
        Ok(Self { control, fanout, losses })
    }

    /// The connection of a subject. One subject has one, which keeps its order.
    fn line(&self, subject: &str) -> &Line {
        if !subjects::is_room(subject) {
            return &self.control.line;
        }
        let number = xxh3_64(subject.as_bytes()) % self.fanout.len() as u64;
        &self.fanout[number as usize].line
    }
}

#[async_trait]
impl Bus for NatsBus {
    fn publish(&self, subject: &str, payload: Bytes) -> Result<(), BusError> {
        subjects::check(subject)?;
        self.line(subject).publish(subject, payload)
    }

    async fn subscribe(&self, subject: &str) -> Result<Subscription, BusError> {
        subjects::check(subject)?;
        self.line(subject).subscribe(subject).await
    }

    async fn flush(&self) -> Result<(), BusError> {
        let lines = std::iter::once(&self.control).chain(&self.fanout);
        try_join_all(lines.map(|connection| connection.line.flush())).await.map(|_| ())
    }

    fn losses(&self) -> Losses {
        Losses::of(&self.losses)
    }
}
