//! The way into a connection: anybody may hold it, put frames in, or ask for the end. One task takes
//! them out and writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::clock::Coarse;
use super::queue::{NEVER_DROPPED, Queue};
use crate::metrics::Metrics;

/// Bytes that are taken out at once, to be written with one flush.
const BATCH_BYTES: usize = 64 * 1024;

/// Why a connection ends from this side: a WebSocket close code, a text for the client and a word
/// for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    /// Close code of RFC 6455.
    pub(crate) code: u16,
    /// At most 123 bytes.
    pub(crate) text: &'static str,
    /// Label of the counter.
    pub(crate) reason: &'static str,
}

impl Close {
    /// Cannot take an answer or a notice any more.
    pub(crate) const SLOW: Close = Close { code: 1008, text: "reads too slowly", reason: "slow" };
    /// No frame in either direction.
    pub(crate) const IDLE: Close = Close { code: 1001, text: "idle", reason: "idle" };
    /// The process ends.
    pub(crate) const DRAIN: Close = Close { code: 1001, text: "going away", reason: "drain" };
    /// The client closed, or its socket broke; nothing is sent.
    pub(crate) const PEER: Close = Close { code: 1000, text: "", reason: "peer" };
    /// The same session is on another connection now.
    pub(crate) const REPLACED: Close =
        Close { code: 1000, text: "replaced by a new connection", reason: "replaced" };
    /// Acted for a session that never logged in here.
    pub(crate) const NOT_LOGGED_IN: Close =
        Close { code: 1008, text: "log in first", reason: "not_logged_in" };
    /// Tried to log in again and again.
    pub(crate) const TOO_MANY_LOGINS: Close =
        Close { code: 1008, text: "too many failed logins", reason: "failed_logins" };
    /// Logins are refused; a client that comes back later finds room.
    pub(crate) const OVERLOADED: Close =
        Close { code: 1013, text: "overloaded", reason: "overloaded" };
}

/// The connection takes nothing more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// The sending side of a connection. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
    closing: CancellationToken,
    /// Second of the last frame in either direction.
    active: AtomicU32,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    close: Option<Close>,
}

impl Outbox {
    /// For a new connection that may have `budget` bytes waiting.
    pub(crate) fn new(budget: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State { queue: Queue::new(budget), close: None }),
                wake: Notify::new(),
                closing: CancellationToken::new(),
                active: AtomicU32::new(Coarse::now()),
                metrics,
            }),
        }
    }

    /// Queues an answer or a notice. A connection that has no room for it is closed.
    ///
    /// # Errors
    /// [`Closed`] when the connection is ending.
    pub(crate) fn control(&self, frame: Bytes) -> Result<(), Closed> {
        self.push(frame, NEVER_DROPPED)
    }

    /// Queues a frame that many connections share; what does not fit is dropped and counted.
    ///
    /// # Errors
    /// [`Closed`] when the connection is ending.
    pub(crate) fn room(&self, frame: &Bytes, priority: u32) -> Result<(), Closed> {
        self.push(frame.clone(), priority)
    }

    fn push(&self, frame: Bytes, priority: u32) -> Result<(), Closed> {
        let mut state = self.shared.state.lock();
        if state.close.is_some() {
            return Err(Closed);
        }
        let pushed = state.queue.push(frame, priority);
        drop(state);
        match pushed {
            Ok(dropped) => {
                self.shared.wake.notify_one();
                self.shared.metrics.dropped_slow(&dropped);
                Ok(())
            }
            Err(_) => {
                self.close(Close::SLOW);
                Err(Closed)
            }
        }
    }

    /// Ends the connection. What waits still goes out, unless the client is too slow for it. The
    /// first reason stays.
    pub(crate) fn close(&self, close: Close) {
        let mut state = self.shared.state.lock();
        if state.close.is_none() {
            state.close = Some(close);
            if close == Close::SLOW || close == Close::PEER {
                state.queue.clear();
            }
        }
        drop(state);
        self.shared.closing.cancel();
        self.shared.wake.notify_one();
    }

    /// Resolves once the connection is ending.
    pub(crate) async fn closing(&self) {
        self.shared.closing.cancelled().await;
    }

    /// Why it ends, once it does.
    pub(crate) fn close_reason(&self) -> Option<Close> {
        self.shared.state.lock().close
    }

    /// Notes that a frame passed.
    pub(crate) fn touch(&self) {
        self.shared.active.store(Coarse::now(), Ordering::Relaxed);
    }

    /// Seconds since the last frame.
    pub(crate) fn idle_seconds(&self) -> u32 {
        Coarse::now().saturating_sub(self.shared.active.load(Ordering::Relaxed))
    }

    /// What waits now.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<Bytes> {
        let mut state = self.shared.state.lock();
        std::iter::from_fn(|| state.queue.pop()).collect()
    }

    /// Waits for frames and moves a batch of them into `batch`, or says that the end has come and
    /// everything is out.
    pub(super) async fn take(&self, batch: &mut Vec<Bytes>) -> Option<Close> {
        loop {
            {
                let mut state = self.shared.state.lock();
                let mut bytes = 0;
                while bytes < BATCH_BYTES {
                    let Some(frame) = state.queue.pop() else {
                        break;
                    };
                    bytes += frame.len();
                    batch.push(frame);
                }
                if !batch.is_empty() {
                    return None;
                }
                if state.close.is_some() {
                    return state.close;
                }
            }
            self.shared.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(budget: usize) -> Outbox {
        Outbox::new(budget, Arc::new(Metrics::new()))
    }

    #[tokio::test]
    async fn what_waits_goes_out_before_the_end() {
        let outbox = outbox(100);
        outbox.control(Bytes::from_static(b"answer")).unwrap();
        outbox.close(Close::DRAIN);
        outbox.close(Close::IDLE);
        assert_eq!(outbox.control(Bytes::from_static(b"late")), Err(Closed));
        let mut batch = Vec::new();
        assert_eq!(outbox.take(&mut batch).await, None);
        assert_eq!(batch, [Bytes::from_static(b"answer")]);
        batch.clear();
        assert_eq!(outbox.take(&mut batch).await, Some(Close::DRAIN), "the first reason stays");
    }

    #[tokio::test]
    async fn a_connection_that_cannot_take_an_answer_is_closed() {
        let outbox = outbox(10);
        outbox.room(&Bytes::from_static(b"0123456789"), 3).unwrap();
        outbox.control(Bytes::from_static(b"0123456789")).unwrap();
        assert_eq!(outbox.control(Bytes::from_static(b"x")), Err(Closed));
        outbox.closing().await;
        let mut batch = Vec::new();
        assert_eq!(outbox.take(&mut batch).await, Some(Close::SLOW));
        assert!(batch.is_empty());
    }
}
