//! What is to be written, on its way to the shard that writes it. All orders about one connection, and
//! about one room, go through the same queue and keep their order.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::connection::outbox::Shared;
use crate::connection::stream::Write;
use crate::rooms::Position;

/// One order.
#[derive(Debug)]
pub(crate) enum Order<S> {
    /// A connection begins.
    Open { line: Arc<Shared<S>>, stream: Arc<S> },
    /// A finished WebSocket frame for one connection, before whatever rooms have for it.
    Control { line: Arc<Shared<S>>, frame: Bytes },
    /// A finished frame for one connection, after what its rooms have for it by now.
    AfterRooms { line: Arc<Shared<S>>, frame: Bytes },
    /// From now on the connection gets what comes in a room, but for events up to `after`.
    Join { line: Arc<Shared<S>>, room: u64, after: Position },
    /// The connection gets nothing more of a room than what came by now.
    Part { line: Arc<Shared<S>>, room: u64 },
    /// Something came in a room.
    Event { room: u64, event: RoomFrame },
    /// The connection ends; its outbox says why.
    Close { line: Arc<Shared<S>> },
    /// Something fits into a socket again that took nothing.
    Writable { line: Arc<Shared<S>> },
}

/// What everybody in a room gets.
#[derive(Debug, Clone)]
pub(crate) struct RoomFrame {
    pub(crate) position: Position,
    /// The whole frame as JSON text.
    pub(crate) frame: Bytes,
    /// 0 is never dropped, then 1 High to 4 Lowest.
    pub(crate) priority: u32,
}

/// The orders that a shard has not looked at.
#[derive(Debug)]
pub(crate) struct Inbox<S> {
    orders: Mutex<Vec<Order<S>>>,
    wake: Notify,
    /// Bytes from which on what is for one connection is compressed; 0: never.
    pub(in crate::connection) compress_answers: usize,
}

impl<S: Write> Inbox<S> {
    pub(in crate::connection) fn new(compress_answers: usize) -> Self {
        Self { orders: Mutex::default(), wake: Notify::new(), compress_answers }
    }

    pub(in crate::connection) fn push(&self, order: Order<S>) {
        let mut orders = self.orders.lock();
        let was_empty = orders.is_empty();
        orders.push(order);
        drop(orders);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Hands over what came in a room, for all of its members that this shard writes to.
    pub(crate) fn publish(&self, room: u64, position: Position, frame: &Bytes, priority: u32) {
        let event = RoomFrame { position, frame: frame.clone(), priority };
        self.push(Order::Event { room, event });
    }

    /// What the orders so far would send a connection, event by event.
    #[cfg(test)]
    pub(in crate::connection) fn replay(&self, line: &Arc<Shared<S>>) -> Vec<Bytes> {
        let (mut sent, mut rooms) = (Vec::new(), Vec::new());
        for order in &*self.orders.lock() {
            match order {
                Order::Control { line: to, frame } | Order::AfterRooms { line: to, frame }
                    if Arc::ptr_eq(to, line) =>
                {
                    sent.push(crate::connection::wire::payload(frame));
                }
                Order::Join { line: to, room, after } if Arc::ptr_eq(to, line) => {
                    rooms.push((*room, *after));
                }
                Order::Part { line: to, room } if Arc::ptr_eq(to, line) => {
                    rooms.retain(|(joined, _)| joined != room);
                }
                Order::Event { room, event }
                    if rooms.iter().any(|(of, after)| of == room && *after < event.position) =>
                {
                    sent.push(event.frame.clone());
                }
                _ => {}
            }
        }
        sent
    }

    /// Moves all orders into `into`, which is empty.
    pub(super) fn take(&self, into: &mut Vec<Order<S>>) {
        std::mem::swap(&mut *self.orders.lock(), into);
    }

    /// Resolves when there are orders.
    pub(super) async fn filled(&self) {
        loop {
            if !self.orders.lock().is_empty() {
                return;
            }
            self.wake.notified().await;
        }
    }
}
