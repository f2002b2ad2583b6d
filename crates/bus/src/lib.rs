//! Publish/subscribe between processes: one small trait, with a backend inside the process
//! ([`LocalBus`]). Like the network buses that stand behind the same trait, it may lose messages to
//! a slow subscriber and says so; whoever needs all of them numbers them and fetches the holes.

mod local;
pub mod subjects;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

pub use local::LocalBus;

/// Messages that wait for one subscriber before the oldest are lost to it.
pub const SUBSCRIPTION_CAPACITY: usize = 4096;

/// What a subscriber receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// One message.
    Message(Bytes),
    /// So many messages were lost because this subscriber was too slow.
    Lagged(u64),
}

/// What can go wrong with a bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The bus is not reachable, or was shut down.
    #[error("bus is not reachable: {0}")]
    Unreachable(String),
}

/// A bus. Subjects are made by [`subjects`].
#[async_trait]
pub trait Bus: fmt::Debug + Send + Sync {
    /// Hands a message to all present subscribers of a subject. Never waits for them.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] when the message certainly reached nobody else.
    fn publish(&self, subject: &str, payload: Bytes) -> Result<(), BusError>;

    /// Receives what is published on a subject from now on, until the subscription is dropped.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] when the subscription could not be made.
    async fn subscribe(&self, subject: &str) -> Result<Subscription, BusError>;
}

/// The receiving end of one subscription; dropping it ends it.
pub struct Subscription {
    source: Box<dyn Source>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Subscription {
    /// Wraps a backend's receiving end.
    #[must_use]
    pub fn new(source: impl Source + 'static) -> Self {
        Self { source: Box::new(source) }
    }

    /// The next message, or `None` when the bus is gone. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Delivery> {
        self.source.recv().await
    }
}

/// What a backend provides behind a [`Subscription`].
#[async_trait]
pub trait Source: Send {
    /// See [`Subscription::recv`].
    async fn recv(&mut self) -> Option<Delivery>;
}
