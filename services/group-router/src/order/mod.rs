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
/// How long a message waits for one before it that has not arrived: longer than gateways pause between
/// two tries to find a new owner, and than a former owner takes to find out that it is none.
const PATIENCE: Duration = Duration::from_secs(3);

/// A place in the order of one sender, from the moment when it is the message's turn. Clones share it;
/// the next message's turn comes with [`pass`](Self::pass), or when all are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Turnstile {
    kept: Arc<Kept>,
}

#[derive(Debug)]
enum Kept {
    Arrival(Plain<Option<OwnedMutexGuard<()>>>),
    Number(Entry),
}

impl Turnstile {
    /// The message is taken in, or refused for good.
    pub(crate) fn pass(&self) {
        match &*self.kept {
            Kept::Arrival(guard) => drop(guard.lock().take()),
            Kept::Number(entry) => entry.change(Streams::pass),
        }
    }

    /// Whether all earlier messages are still taken in. If not, one was lost again with the group since
    /// this one entered, and has to come first.
    pub(crate) fn is_still_next(&self) -> bool {
        match &*self.kept {
            Kept::Arrival(_) => true,
            Kept::Number(entry) => entry.is_still_next(),
        }
    }

    /// What was taken in was lost again with the group: the message will be repeated, and later ones
    /// wait for that.
    pub(crate) fn revoke(&self) {
        if let Kept::Number(entry) = &*self.kept {
            entry.change(Streams::revoke);
        }
    }
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
        let kept = match place {
            Some(order) => {
                let stream = xxh3_64_with_seed(&order.stream.to_le_bytes(), group);
                let numbered = Arc::clone(&self.place(stream).numbered);
                Kept::Number(enter_numbered(numbered, stream, order).await)
            }
            None => {
                let sender = xxh3_64_with_seed(user.as_bytes(), group);
                let guard = Arc::clone(&self.place(sender).arrivals).lock_owned().await;
                Kept::Arrival(Plain::new(Some(guard)))
            }
        };
        Turnstile { kept: Arc::new(kept) }
    }

    fn place(&self, hash: u64) -> &Place {
        &self.places[usize::try_from(hash).unwrap_or(usize::MAX) % PLACES]
    }
}

async fn enter_numbered(numbered: Arc<Numbered>, stream: u64, order: SendOrder) -> Entry {
    let SendOrder { number, settled, .. } = order;
    numbered.streams.lock().arrive(stream, number, settled);
    let mut entry = Entry { numbered: Arc::clone(&numbered), stream, number, patient: true };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut changed = std::pin::pin!(numbered.changed.notified());
        changed.as_mut().enable();
        let patient = Instant::now() < deadline;
        if entry.numbered.streams.lock().may_enter(stream, number, patient) {
            entry.patient = patient;
            return entry;
        }
        if patient {
            // Either way it is looked at again.
            let _ = timeout_at(deadline, changed).await;
        } else {
            changed.await;
        }
    }
}

/// A numbered message from its arrival until nobody works on it any more.
#[derive(Debug)]
struct Entry {
    numbered: Arc<Numbered>,
    stream: u64,
    number: u32,
    /// It entered after all that were before it.
    patient: bool,
}

impl Entry {
    fn is_still_next(&self) -> bool {
        let Self { numbered, stream, number, patient } = self;
        !patient || numbered.streams.lock().may_enter(*stream, *number, true)
    }

    fn change(&self, change: fn(&mut Streams, u64, u32)) {
        change(&mut self.numbered.streams.lock(), self.stream, self.number);
        self.numbered.changed.notify_waiters();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.change(Streams::leave);
    }
}

#[cfg(test)]
mod tests;
