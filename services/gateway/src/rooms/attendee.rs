//! A session (or a guest) on one connection, as rooms see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;
use throng_proto::v1;
use throng_protocol::ids::AppId;

use super::room::Room;
use crate::connection::Outbox;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Who sits in rooms. A connection that changes its user gets a new one.
#[derive(Debug)]
pub(crate) struct Attendee {
    /// Different for every attendee of this process.
    pub(crate) id: u64,
    pub(crate) app: AppId,
    /// Empty for guests.
    pub(crate) user: String,
    pub(crate) inst_id: u32,
    pub(crate) outbox: Outbox,
    /// Locked after the room's state, never before it.
    pub(super) seats: Mutex<Seats>,
    /// Held while presence is told where it sits, so that what presence hears last is how it is.
    pub(crate) telling: tokio::sync::Mutex<()>,
}

/// Whether an attendee sits in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It does: it is pushed what happens there, or polls.
    Sits(v1::RoomMode),
    /// It does not.
    Out,
    /// Its connection or session is over: that it does not sit here says nothing.
    Over,
}

/// The seats of one attendee.
#[derive(Debug, Default)]
pub(super) struct Seats {
    /// The connection is gone: no more seats.
    pub(super) closed: bool,
    pub(super) list: SmallVec<[(Arc<Room>, Seat); 1]>,
}

/// How an attendee sits in a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Seat {
    /// Frames are pushed.
    Push,
    /// It polls with a key for this place.
    Poll(PollSeat),
}

/// The place that a poll key names. It stays the same when its holder changes the connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PollSeat {
    /// Empty for guests.
    pub(crate) user: String,
    pub(crate) inst_id: u32,
}

impl Attendee {
    pub(crate) fn new(app: AppId, user: String, inst_id: u32, outbox: Outbox) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (seats, telling) = Default::default();
        Self { id, app, user, inst_id, outbox, seats, telling }
    }

    /// The rooms that it sits in, as presence knows them.
    pub(crate) fn rooms(&self) -> Vec<v1::TrackedRoom> {
        let seats = self.seats.lock();
        let mut rooms: Vec<v1::TrackedRoom> = Vec::with_capacity(seats.list.len());
        for (room, seat) in &seats.list {
            let mode = match seat {
                Seat::Push => v1::RoomMode::Push,
                Seat::Poll(_) => v1::RoomMode::Poll,
            };
            if !rooms.iter().any(|known| known.group_id == room.group()) {
                let group_id = room.group().to_owned();
                rooms.push(v1::TrackedRoom { group_id, mode: mode.into(), last_seq: 0 });
            }
        }
        rooms
    }

    /// Whether it sits in this room, and how.
    pub(crate) fn standing(&self, group: &str) -> Standing {
        let seats = self.seats.lock();
        match seats.list.iter().find(|(room, _)| room.group() == group) {
            Some((_, Seat::Push)) => Standing::Sits(v1::RoomMode::Push),
            Some((_, Seat::Poll(_))) => Standing::Sits(v1::RoomMode::Poll),
            None if seats.closed => Standing::Over,
            None => Standing::Out,
        }
    }

    /// Whether it sits in this room.
    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.seats.lock().list.iter().any(|(room, _)| room.group() == group)
    }

    /// Whether it is pushed what happens in this room.
    pub(crate) fn is_pushed(&self, group: &str) -> bool {
        let seats = self.seats.lock();
        seats.list.iter().any(|(room, seat)| *seat == Seat::Push && room.group() == group)
    }

    /// The rooms that make it sit in more than `most`, those it has sat in longest.
    pub(crate) fn surplus(&self, most: usize) -> Vec<String> {
        let seats = self.seats.lock();
        let surplus = seats.list.len().saturating_sub(most);
        seats.list[..surplus].iter().map(|(room, _)| room.group().to_owned()).collect()
    }

    /// Takes a seat off the list.
    pub(super) fn stand_up(&self, room: &Arc<Room>, seat: &Seat) {
        self.seats.lock().list.retain(|(at, taken)| !(Arc::ptr_eq(at, room) && taken == seat));
    }
}
