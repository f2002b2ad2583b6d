//! The way into a connection: anybody may hold it, put frames in, sit the connection down in a room, or
//! ask for the end. A shard of the writers carries it out.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::clock::Coarse;
use super::stream::{Stream, Write};
use super::writer::{Inbox, Order};
use super::{Close, Kind};
use super::{packing, wire};
use crate::rooms::Position;

/// The connection takes nothing more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// The sending side of a connection. Clones share it.
#[derive(Debug)]
pub(crate) struct Outbox<S = Stream> {
    pub(super) shared: Arc<Shared<S>>,
}

impl<S> Clone for Outbox<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// What a connection's holders and its shard share.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(super) shard: Arc<Inbox<S>>,
    pub(super) kind: Kind,
    /// Where the shard has the connection; [`NOWHERE`] before and after.
    pub(super) slot: AtomicU32,
    /// Bytes that wait for this connection alone.
    pub(super) waiting: AtomicUsize,
    budget: usize,
    close: Mutex<Option<Close>>,
    phase: AtomicU8,
    changed: Notify,
    /// The task that reads: the one that waits for as long as there is a connection.
    reader: AtomicWaker,
    /// Second of the last frame in either direction.
    pub(super) active: AtomicU32,
}

/// The shard does not have the connection.
pub(super) const NOWHERE: u32 = u32::MAX;

const CLOSING: u8 = 1;
const WRITTEN: u8 = 2;

impl<S: Write> Outbox<S> {
    /// For a new connection that may have `budget` bytes waiting, and is written by that shard.
    pub(crate) fn new(shard: &Arc<Inbox<S>>, kind: Kind, budget: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                shard: Arc::clone(shard),
                kind,
                slot: AtomicU32::new(NOWHERE),
                waiting: AtomicUsize::new(0),
                budget,
                close: Mutex::new(None),
                phase: AtomicU8::new(0),
                changed: Notify::new(),
                reader: AtomicWaker::new(),
                active: AtomicU32::new(Coarse::now()),
            }),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.shared.kind
    }

    /// From now on something is written.
    pub(super) fn open(&self, stream: Arc<S>) {
        self.order(Order::Open { line: Arc::clone(&self.shared), stream });
    }

    /// Queues an answer or a notice. A connection that has no room for it is closed.
    ///
    /// # Errors
    /// [`Closed`] when the connection is ending.
    pub(crate) fn control(&self, frame: &[u8]) -> Result<(), Closed> {
        let frame = self.packed(frame);
        self.queue(frame, |line, frame| Order::Control { line, frame })
    }

    /// Queues a control frame of the WebSocket protocol.
    pub(super) fn protocol(&self, opcode: u8, payload: &[u8]) {
        let frame = wire::frame(opcode, &[payload]);
        let _ = self.queue(frame, |line, frame| Order::Control { line, frame });
    }

    /// Queues what a room has for this connection alone, behind what it has for all by now.
    ///
    /// # Errors
    /// [`Closed`] when the connection is ending.
    pub(crate) fn in_order(&self, frame: &[u8]) -> Result<(), Closed> {
        let frame = self.packed(frame);
        self.queue(frame, |line, frame| Order::AfterRooms { line, frame })
    }

    fn packed(&self, frame: &[u8]) -> Bytes {
        packing::frame(self.shared.kind, self.shared.shard.compress_answers, &[frame])
    }

    fn queue(
        &self,
        frame: Bytes,
        order: impl FnOnce(Arc<Shared<S>>, Bytes) -> Order<S>,
    ) -> Result<(), Closed> {
        if self.is_closing() {
            return Err(Closed);
        }
        if !self.shared.hold(frame.len()) {
            return Err(Closed);
        }
        self.order(order(Arc::clone(&self.shared), frame));
        Ok(())
    }

    /// From now on the connection gets what a room has for all, but for events up to `after`.
    pub(crate) fn join(&self, room: u64, after: Position) {
        self.order(Order::Join { line: Arc::clone(&self.shared), room, after });
    }

    /// It gets nothing more of it.
    pub(crate) fn part(&self, room: u64) {
        self.order(Order::Part { line: Arc::clone(&self.shared), room });
    }

    /// The shard that writes it: what a room has for all is handed to each shard once.
    pub(crate) fn shard(&self) -> &Arc<Inbox<S>> {
        &self.shared.shard
    }

    /// Ends the connection. What waits still goes out, unless the client is too slow for it. The
    /// first reason stays.
    pub(crate) fn close(&self, close: Close) {
        self.shared.close(close);
    }

    fn order(&self, order: Order<S>) {
        self.shared.shard.push(order);
    }

    fn is_closing(&self) -> bool {
        self.shared.phase.load(Ordering::Acquire) >= CLOSING
    }

    /// Resolves once the connection is ending.
    pub(crate) async fn closing(&self) {
        self.shared.reached(CLOSING).await;
    }

    /// [`closing`](Self::closing), for the task that reads.
    pub(super) fn closing_for_reader(&self) -> impl Future<Output = ()> {
        self.shared.reached_for_reader(CLOSING)
    }

    /// Resolves once everything is written, or nothing can be. For the task that reads.
    pub(super) fn written_for_reader(&self) -> impl Future<Output = ()> {
        self.shared.reached_for_reader(WRITTEN)
    }

    /// Why it ends, once it does.
    pub(crate) fn close_reason(&self) -> Option<Close> {
        self.shared.close_reason()
    }

    /// Notes that a frame came.
    pub(crate) fn touch(&self) {
        self.shared.active.store(Coarse::now(), Ordering::Relaxed);
    }

    /// The second of the last frame.
    pub(crate) fn active(&self) -> u32 {
        self.shared.active.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Outbox {
    /// One that nobody writes.
    pub(crate) fn unwritten(budget: usize) -> Self {
        Self::new(&Arc::new(Inbox::new(0)), Kind::Binary, budget)
    }

    /// A frame came at that second.
    pub(crate) fn touch_at(&self, second: u32) {
        self.shared.active.store(second, Ordering::Relaxed);
    }

    /// Everything that this connection would have been sent so far, event by event.
    pub(crate) fn replay(&self) -> Vec<Bytes> {
        self.shared.shard.replay(&self.shared)
    }
}

impl<S: Write> Shared<S> {
    /// So many bytes more wait for this connection alone. False: that is over its budget, and it ends.
    pub(super) fn hold(self: &Arc<Self>, size: usize) -> bool {
        let fits = self.waiting.fetch_add(size, Ordering::Relaxed) + size <= self.budget;
        if !fits {
            self.close(Close::SLOW);
        }
        fits
    }

    fn close(self: &Arc<Self>, close: Close) {
        let mut reason = self.close.lock();
        if reason.is_some() {
            return;
        }
        *reason = Some(close);
        drop(reason);
        self.reach(CLOSING);
        self.shard.push(Order::Close { line: Arc::clone(self) });
    }
}

impl<S> Shared<S> {
    pub(super) fn close_reason(&self) -> Option<Close> {
        *self.close.lock()
    }

    /// The socket is broken.
    pub(super) fn break_off(&self) {
        self.close.lock().get_or_insert(Close::PEER);
        self.reach(CLOSING);
    }

    /// Nothing more will be written.
    pub(super) fn is_written(&self) {
        self.slot.store(NOWHERE, Ordering::Relaxed);
        self.reach(WRITTEN);
    }

    fn reach(&self, phase: u8) {
        self.phase.fetch_max(phase, Ordering::AcqRel);
        self.changed.notify_waiters();
        self.reader.wake();
    }

    fn reached_for_reader(&self, phase: u8) -> impl Future<Output = ()> {
        poll_fn(move |context| {
            self.reader.register(context.waker());
            let reached = self.phase.load(Ordering::Acquire) >= phase;
            if reached { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    async fn reached(&self, phase: u8) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.phase.load(Ordering::Acquire) >= phase {
                return;
            }
            changed.await;
        }
    }
}
