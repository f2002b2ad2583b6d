//! The receiving end of a subscription, whatever bus it is of.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::select_all;

/// What a subscriber receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// One message.
    Message(Bytes),
    /// Messages may have been lost: so many because this subscriber was too slow, or, with 0,
    /// nobody knows how many (maybe none) because the bus was out of reach for a while. The latter
    /// is told once the subscription is in force again: whoever asks the source now misses nothing
    /// from here on. The first messages after the loss may have come before it.
    Lagged(u64),
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

    /// Makes one of several, for who takes them all in one task. Each keeps its own order, and none
    /// waits for ever behind a busier one; it ends when all have ended.
    #[must_use]
    pub fn joined(subscriptions: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Joined { parts: subscriptions.into_iter().collect() })
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

struct Joined {
    parts: Vec<Subscription>,
}

#[async_trait]
impl Source for Joined {
    async fn recv(&mut self) -> Option<Delivery> {
        while !self.parts.is_empty() {
            let all = self.parts.iter_mut().map(|part| part.source.recv());
            let (delivery, part, _) = select_all(all).await;
            match delivery {
                Some(delivery) => {
                    // The first one that is ready is taken: whose turn it was goes last.
                    self.parts[part..].rotate_left(1);
                    return Some(delivery);
                }
                None => drop(self.parts.swap_remove(part)),
            }
        }
        None
    }
}
