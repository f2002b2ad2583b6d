//! Publish/subscribe between processes: one small trait, with a backend inside the process
//! ([`LocalBus`]) and one over NATS servers (`NatsBus`, feature `nats`). Any of them may lose
//! messages and says so; whoever needs all of them numbers them and fetches the holes.

#[cfg(feature = "testing")]
pub mod conformance;
mod local;
mod losses;
#[cfg(feature = "nats")]
mod nats;
pub mod subjects;
mod subscription;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

pub use local::LocalBus;
pub use losses::Losses;
#[cfg(feature = "nats")]
pub use nats::{Hidden, NatsBus, NatsConfig, NatsConfigError, NatsError};
pub use subscription::{Delivery, Source, Subscription};

/// Messages that wait for one subscriber before the oldest are lost to it.
pub const SUBSCRIPTION_CAPACITY: usize = 4096;

/// Bytes of the largest message, as a NATS server takes it by default.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// What can go wrong with a bus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus is not reachable, or was shut down.
    #[error("bus is not reachable: {0}")]
    Unreachable(String),
    /// More was published than the bus takes; this message is lost.
    #[error("bus is not keeping up: too much waits to be sent")]
    Full,
    /// The message is larger than the bus takes.
    #[error("message of {size} bytes is too large for the bus, which takes {limit}")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The most bytes.
        limit: usize,
    },
    /// That is not a subject.
    #[error("not a subject")]
    Subject,
}

/// A bus. Subjects are made by [`subjects`].
#[async_trait]
pub trait Bus: fmt::Debug + Send + Sync {
    /// Hands a message to all present subscribers of a subject, those of the publisher too. Never
    /// waits for them. Messages that one task publishes on one subject arrive in that order.
    ///
    /// `Ok` is no promise: see [`losses`](Bus::losses).
    ///
    /// # Errors
    /// [`BusError`] when the message certainly reached nobody.
    fn publish(&self, subject: &str, payload: Bytes) -> Result<(), BusError>;

    /// Receives what is published on a subject from now on, until the subscription is dropped.
    /// "Now" is before this returns: who asks somebody for the present state afterwards misses
    /// nothing in between.
    ///
    /// # Errors
    /// [`BusError`] when the subscription could not be made in time.
    async fn subscribe(&self, subject: &str) -> Result<Subscription, BusError>;

    /// Waits until everything that was published before has left this process.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] when that cannot be said: some of it may be lost.
    async fn flush(&self) -> Result<(), BusError> {
        Ok(())
    }

    /// Tells from now on when published messages may have been lost although subscribers were not
    /// told, because the publisher's way to the bus was broken or overfull. It tells once that way
    /// is good again. Who numbers its messages then says how far it is.
    fn losses(&self) -> Losses {
        Losses::never()
    }
}

/// What a payload's size comes to.
fn check_size(size: usize, limit: usize) -> Result<(), BusError> {
    if size > limit { Err(BusError::TooLarge { size, limit }) } else { Ok(()) }
}
