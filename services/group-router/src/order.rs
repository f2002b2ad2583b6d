//! The order of one sender's messages to one group. Preparing a message may wait (for a profile, for settings,
//! for presence), and a later one must not overtake it meanwhile.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use throng_protocol::ids::AppId;

/// Senders share places by hash: one that waits holds up few others, and nothing grows.
const PLACES: usize = 4096;

/// A place in the order of one sender; the next message's turn comes when it is dropped.
pub(crate) type Turnstile = OwnedMutexGuard<()>;

/// Lets the messages of each sender through one by one, in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    places: Arc<[Arc<Mutex<()>>]>,
}

impl Default for Order {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Arc::default()).collect() }
    }
}

impl Order {
    /// Waits for all earlier messages of this sender to this group to be taken in. The place in the order is that
    /// of the first poll.
    pub(crate) async fn enter(&self, app: AppId, group_id: &str, user: &str) -> Turnstile {
        let group = xxh3_64_with_seed(group_id.as_bytes(), u64::from(app.0));
        let hash = xxh3_64_with_seed(user.as_bytes(), group);
        let place = usize::try_from(hash).unwrap_or(usize::MAX) % PLACES;
        Arc::clone(&self.places[place]).lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex as Plain;

    /// Regression: after a restart the first of several repeated sends fetched the caches, and the
    /// others overtook it.
    #[tokio::test]
    async fn a_message_that_waits_is_not_overtaken_by_the_next_one() {
        let order = Order::default();
        let seen = Arc::new(Plain::new(Vec::new()));
        let one = |number: usize, pauses: usize| {
            let (order, seen) = (order.clone(), Arc::clone(&seen));
            async move {
                let turnstile = order.enter(AppId(1), "room", "ann").await;
                for _ in 0..pauses {
                    tokio::task::yield_now().await;
                }
                seen.lock().push(number);
                drop(turnstile);
            }
        };
        tokio::join!(one(0, 50), one(1, 0), one(2, 20), one(3, 0));
        assert_eq!(*seen.lock(), [0, 1, 2, 3]);
    }
}
