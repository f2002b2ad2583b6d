//! The order of one sender's messages to one group. Preparing a message may wait (for a profile, for
//! settings, for presence), and a later one must not overtake it meanwhile. Those of one connection
//! are numbered by its gateway, for they may arrive in any order, or some by way of a former owner;
//! all others go in the order in which they arrive.

mod stream;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex as Plain;
use throng_proto::v1::SendOrder;
use throng_protocol::ids::AppId;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use stream::Streams;

/// Senders share places by hash: one that waits holds up few others, and nothing grows.
const PLACES: usize = 4096;
/// How long a message waits for one before it that has not arrived.
const PATIENCE: Duration = Duration::from_millis(300);

/// A place in the order of one sender; the next message's turn comes when it is dropped.
#[derive(Debug)]
pub(crate) struct Turnstile {
    _kept: Kept,
}

#[derive(Debug)]
#[expect(dead_code, reason = "kept until dropped")]
enum Kept {
    Arrival(OwnedMutexGuard<()>),
    Number(Entry),
}

/// Lets the messages of each sender through one by one.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    places: Arc<[Place]>,
}

#[derive(Debug, Default)]
struct Place {
    arrivals: Arc<Mutex<()>>,
    numbered: Arc<Numbered>,
}

/// The numbered messages of one place.
#[derive(Debug, Default)]
struct Numbered {
    streams: Plain<Streams>,
    changed: Notify,
}

impl Default for Order {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Place::default()).collect() }
    }
}

impl Order {
    /// Waits for all earlier messages of this sender to this group to be taken in. The place in the
    /// order is the one that is given, or else that of the first poll.
    pub(crate) async fn enter(
        &self,
        app: AppId,
        group_id: &str,
        user: &str,
        place: Option<SendOrder>,
    ) -> Turnstile {
        let group = xxh3_64_with_seed(group_id.as_bytes(), u64::from(app.0));
        let _kept = match place {
            Some(order) => {
                let stream = xxh3_64_with_seed(&order.stream.to_le_bytes(), group);
                let numbered = Arc::clone(&self.place(stream).numbered);
                Kept::Number(enter_numbered(numbered, stream, order).await)
            }
            None => {
                let sender = xxh3_64_with_seed(user.as_bytes(), group);
                Kept::Arrival(Arc::clone(&self.place(sender).arrivals).lock_owned().await)
            }
        };
        Turnstile { _kept }
    }

    fn place(&self, hash: u64) -> &Place {
        &self.places[usize::try_from(hash).unwrap_or(usize::MAX) % PLACES]
    }
}

async fn enter_numbered(numbered: Arc<Numbered>, stream: u64, order: SendOrder) -> Entry {
    let SendOrder { number, settled, .. } = order;
    numbered.streams.lock().arrive(stream, number, settled);
    let mut entry = Entry { numbered, stream, number, entered: false };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut changed = std::pin::pin!(entry.numbered.changed.notified());
        changed.as_mut().enable();
        let patient = Instant::now() < deadline;
        if entry.numbered.streams.lock().may_enter(stream, number, patient) {
            break;
        }
        if patient {
            // Either way it is looked at again.
            let _ = timeout_at(deadline, changed).await;
        } else {
            changed.await;
        }
    }
    entry.entered = true;
    entry
}

/// A numbered message from its arrival until it is taken in, or given up.
#[derive(Debug)]
struct Entry {
    numbered: Arc<Numbered>,
    stream: u64,
    number: u32,
    /// It did not only wait for its turn.
    entered: bool,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.numbered.streams.lock().leave(self.stream, self.number, self.entered);
        self.numbered.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
