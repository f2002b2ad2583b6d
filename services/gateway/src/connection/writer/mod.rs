//! Everything that is written to connections. Shards share them out, one for each core; a connection
//! never leaves its shard. A shard is one task that has all sockets of its connections, and for each
//! room one log of what came: a connection is a cursor in it, not a queue. What all members get is
//! made once a shard and goes out as one frame of several events where several wait.
//!
//! [`orders`] lead here; [`shard`] decides; [`mod@line`] is a connection, [`lane`] a room.

mod lane;
mod lanes;
mod line;
mod orders;
mod shard;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

pub(crate) use line::Written;
pub(crate) use orders::{Inbox, Order};

use super::stream::Stream;
use crate::metrics::Metrics;

/// When rooms are written, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pacing {
    /// Of the time, how much one room may be written at most, above 0 and up to 1.
    pub(crate) duty: f64,
    /// The longest rest after a pass.
    pub(crate) longest_rest: Duration,
    /// Events in a second above which a room is busy.
    pub(crate) busy_events: u32,
    /// The time between two passes of a busy room, at least.
    pub(crate) busy_step: Duration,
    /// Events and bytes of a room that are kept for connections whose sockets take nothing.
    pub(crate) ring_events: usize,
    pub(crate) ring_bytes: usize,
    /// Bytes from which on a frame is compressed, of a room and of one connection; 0: never.
    pub(crate) compress_rooms: usize,
    pub(crate) compress_answers: usize,
}

/// All shards of a gateway.
#[derive(Debug)]
pub(crate) struct Writers {
    shards: Vec<Arc<Inbox<Stream>>>,
    next: AtomicUsize,
    _tasks: parking_lot::Mutex<JoinSet<()>>,
}

impl Writers {
    /// Starts so many shards; they end when this is dropped.
    pub(crate) fn start(shards: usize, pacing: Pacing, metrics: &Arc<Metrics>) -> Self {
        let mut tasks = JoinSet::new();
        let shards = (0..shards.max(1))
            .map(|_| {
                let inbox = Arc::new(Inbox::new(pacing.compress_answers));
                tasks.spawn(task::run(Arc::clone(&inbox), pacing, Arc::clone(metrics)));
                inbox
            })
            .collect();
        Self { shards, next: AtomicUsize::new(0), _tasks: parking_lot::Mutex::new(tasks) }
    }

    /// The shard of the next connection.
    pub(crate) fn choose(&self) -> &Arc<Inbox<Stream>> {
        &self.shards[self.next.fetch_add(1, Ordering::Relaxed) % self.shards.len()]
    }
}
