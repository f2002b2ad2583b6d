//! What lies between a connection and one receiver. A task of each subscription takes messages off
//! the client at once, because what the client itself has to drop it does not say exactly.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::metrics::Metrics;
use super::ring::Ring;
use crate::{Delivery, Source};

/// Payloads up to this size are copied. They come as parts of the client's read buffer, and one
/// short message that somebody keeps would keep the whole buffer (64 KiB).
const COPIED_BYTES: usize = 32 * 1024;

/// All mailboxes of one connection.
#[derive(Debug)]
pub(super) struct Mailboxes {
    open: Mutex<Open>,
    max_messages: usize,
    max_bytes: usize,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    boxes: HashMap<u64, (Arc<Mailbox>, AbortHandle)>,
}

impl Mailboxes {
    pub(super) fn new(max_messages: usize, max_bytes: usize, metrics: Arc<Metrics>) -> Self {
        Self { open: Mutex::default(), max_messages, max_bytes, metrics }
    }

    /// Opens a mailbox for a subscription, which ends with the receiver that is returned.
    pub(super) fn open(self: &Arc<Self>, subscriber: async_nats::Subscriber) -> Receiver {
        let mailbox = Arc::new(Mailbox {
            state: Mutex::new(State {
                ring: Ring::new(self.max_messages, self.max_bytes),
                ended: false,
            }),
            news: Notify::new(),
        });
        let metrics = Arc::clone(&self.metrics);
        let pump = tokio::spawn(pump(subscriber, Arc::clone(&mailbox), metrics)).abort_handle();
        let mut open = self.open.lock();
        let id = open.next;
        open.next += 1;
        open.boxes.insert(id, (Arc::clone(&mailbox), pump));
        self.metrics.subscriptions.increment(1);
        Receiver { id, mailbox, home: Arc::clone(self) }
    }

    /// Tells all receivers that messages may be missing.
    pub(super) fn mark_gaps(&self) {
        let open = self.open.lock();
        for (mailbox, _) in open.boxes.values() {
            mailbox.change(|state| state.ring.mark_gap());
        }
        self.metrics.gaps.increment(open.boxes.len() as u64);
    }

    /// Ends all subscriptions.
    pub(super) fn end(&self) {
        for (mailbox, pump) in self.open.lock().boxes.values() {
            pump.abort();
            mailbox.change(|state| state.ended = true);
        }
    }

    fn close(&self, id: u64) {
        if let Some((_, pump)) = self.open.lock().boxes.remove(&id) {
            // The task owns the client's end of the subscription; dropping that unsubscribes.
            pump.abort();
            self.metrics.subscriptions.decrement(1);
        }
    }
}

#[derive(Debug)]
struct Mailbox {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    ended: bool,
}

impl Mailbox {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.state.lock());
        self.news.notify_one();
        outcome
    }
}

async fn pump(
    mut subscriber: async_nats::Subscriber,
    mailbox: Arc<Mailbox>,
    metrics: Arc<Metrics>,
) {
    while let Some(message) = subscriber.next().await {
        metrics.received.increment(1);
        metrics.received_bytes.increment(message.payload.len() as u64);
        let lost = mailbox.change(|state| state.ring.push(compact(message.payload)));
        if lost > 0 {
            metrics.dropped_slow.increment(lost);
        }
    }
    mailbox.change(|state| state.ended = true);
}

fn compact(payload: Bytes) -> Bytes {
    if payload.len() > COPIED_BYTES { payload } else { Bytes::copy_from_slice(&payload) }
}

/// The receiving end of one mailbox.
pub(super) struct Receiver {
    id: u64,
    mailbox: Arc<Mailbox>,
    home: Arc<Mailboxes>,
}

#[async_trait]
impl Source for Receiver {
    async fn recv(&mut self) -> Option<Delivery> {
        loop {
            {
                let mut state = self.mailbox.state.lock();
                if let Some(delivery) = state.ring.take() {
                    return Some(delivery);
                }
                if state.ended {
                    return None;
                }
            }
            self.mailbox.news.notified().await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.home.close(self.id);
    }
}
