//! One connection to NATS: the bounded queue before it, the task that empties the queue, and round
//! trips over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Subject};
use bytes::Bytes;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::config::NatsConfig;
use super::mailbox::Mailboxes;
use super::metrics::Metrics;
use super::rounds::{Rounds, Waiter};
use crate::{BusError, MAX_PAYLOAD_BYTES, Subscription, check_size};

/// What the writing task takes from the queue at once.
const BATCH: usize = 64;

/// Pause before a round trip begins anew: its message may have gone down with a connection.
const REPEAT: Duration = Duration::from_millis(300);

/// What waits to be written.
enum Outgoing {
    Message { subject: Subject, payload: Bytes },
    RoundTrip(Waiter),
}

/// A connection as its users see it. Several tasks share it.
#[derive(Debug)]
pub(super) struct Line {
    /// Says in the log which one it is.
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) metrics: Arc<Metrics>,
    pub(super) mailboxes: Arc<Mailboxes>,
    queue: mpsc::Sender<Outgoing>,
    waiting_bytes: AtomicUsize,
    max_bytes: usize,
    confirm_timeout: Duration,
    /// Something was refused because the queue was full, and publishers were not told of its end.
    overfull: AtomicBool,
    rounds: Mutex<Rounds>,
}

impl Line {
    /// Over a client that is connected. The queue is for [`write()`].
    pub(super) fn new(
        name: String,
        client: Client,
        metrics: Arc<Metrics>,
        config: &NatsConfig,
    ) -> (Arc<Self>, Queue) {
        let (queue, waiting) = mpsc::channel(config.sender_capacity);
        let mailboxes = Mailboxes::new(
            config.subscription_capacity,
            config.subscription_bytes,
            Arc::clone(&metrics),
        );
        let line = Arc::new(Self {
            name,
            client,
            metrics,
            mailboxes: Arc::new(mailboxes),
            queue,
            waiting_bytes: AtomicUsize::new(0),
            max_bytes: config.sender_bytes,
            confirm_timeout: config.confirm_timeout,
            overfull: AtomicBool::new(false),
            rounds: Mutex::default(),
        });
        (line, Queue(waiting))
    }

    pub(super) fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// How often this connection was made so far.
    pub(super) fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    pub(super) fn publish(&self, subject: &str, payload: Bytes) -> Result<(), BusError> {
        let size = payload.len();
        let limit = self.client.max_payload().min(MAX_PAYLOAD_BYTES);
        if let Err(error) = check_size(size, limit) {
            self.metrics.dropped_large.increment(1);
            return Err(error);
        }
        if !self.is_up() {
            self.metrics.dropped_down.increment(1);
            return Err(BusError::Unreachable("the connection is down".to_owned()));
        }
        let before = self.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        let message = Outgoing::Message { subject: subject.into(), payload };
        if before + size > self.max_bytes || self.queue.try_send(message).is_err() {
            self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
            self.metrics.dropped_full.increment(1);
            self.overfull.store(true, Ordering::Relaxed);
            return Err(BusError::Full);
        }
        Ok(())
    }

    pub(super) async fn subscribe(&self, subject: &str) -> Result<Subscription, BusError> {
        let subscribe = async {
            let subscriber = self.client.subscribe(subject.to_owned()).await;
            let subscriber =
                subscriber.map_err(|error| BusError::Unreachable(error.to_string()))?;
            let receiver = self.mailboxes.open(subscriber);
            self.echo().await?;
            Ok(Subscription::new(receiver))
        };
        timeout(self.confirm_timeout, subscribe).await.unwrap_or_else(|_| Err(unconfirmed()))
    }

    /// Waits until the server has taken all that was published before.
    pub(super) async fn flush(&self) -> Result<(), BusError> {
        let connects = self.connects();
        self.round_trip().await?;
        if self.connects() == connects {
            return Ok(());
        }
        Err(BusError::Unreachable("the connection broke meanwhile".to_owned()))
    }

    /// Waits until the server has worked through all that was written before.
    pub(super) async fn round_trip(&self) -> Result<(), BusError> {
        timeout(self.confirm_timeout, self.echo()).await.unwrap_or_else(|_| Err(unconfirmed()))
    }

    async fn echo(&self) -> Result<(), BusError> {
        let started = Instant::now();
        let (waiter, mut back) = mpsc::channel(1);
        loop {
            if self.queue.send(Outgoing::RoundTrip(waiter.clone())).await.is_err() {
                return Err(BusError::Unreachable("the bus was shut down".to_owned()));
            }
            if timeout(REPEAT, back.recv()).await.is_ok() {
                self.metrics.round_trip.record(started.elapsed().as_secs_f64());
                return Ok(());
            }
        }
    }

    /// Whether the queue was full and now has room again; says so once.
    pub(super) fn has_caught_up(&self) -> bool {
        let has_room = self.queue.capacity() > self.queue.max_capacity() / 2
            && self.waiting_bytes.load(Ordering::Relaxed) <= self.max_bytes / 2;
        has_room && self.overfull.swap(false, Ordering::Relaxed)
    }
}

fn unconfirmed() -> BusError {
    BusError::Unreachable("the server did not confirm in time".to_owned())
}

/// The other end of a line's queue.
pub(super) struct Queue(mpsc::Receiver<Outgoing>);

/// Writes what was published. While the connection is down this waits, and goes on afterwards.
pub(super) async fn write(line: Arc<Line>, mut queue: Queue, echo_subject: Subject) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.0.recv_many(&mut batch, BATCH).await > 0 {
        let mut waiting = Vec::new();
        for outgoing in batch.drain(..) {
            match outgoing {
                Outgoing::Message { subject, payload } => {
                    let size = payload.len();
                    match line.client.publish(subject, payload).await {
                        Ok(()) => {
                            line.metrics.published.increment(1);
                            line.metrics.published_bytes.increment(size as u64);
                        }
                        // Another server, with a lower limit.
                        Err(_) => line.metrics.dropped_large.increment(1),
                    }
                    line.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
                }
                Outgoing::RoundTrip(waiter) => waiting.push(waiter),
            }
        }
        if !waiting.is_empty() {
            let number = line.rounds.lock().begin(waiting);
            let number = Bytes::copy_from_slice(&number.to_le_bytes());
            // Where it does not go out, whoever waits repeats it.
            let _ = line.client.publish(echo_subject.clone(), number).await;
        }
    }
}

/// Hears what this connection says to itself.
pub(super) async fn hear(line: Arc<Line>, mut echoes: async_nats::Subscriber) {
    while let Some(message) = echoes.next().await {
        if let Ok(number) = message.payload[..].try_into() {
            line.rounds.lock().came_back(u64::from_le_bytes(number));
        }
    }
}
