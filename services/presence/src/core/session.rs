//! One session as the index knows it, what is stored of it, and what a decision makes happen.

use std::sync::Arc;

use throng_proto::v1::RoomMode;

use super::timers::TimerKey;

/// Names one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionId {
    pub(crate) app: u32,
    pub(crate) user: Arc<str>,
    pub(crate) inst_id: u32,
}

/// A live room that a session is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) group_id: Arc<str>,
    pub(crate) mode: RoomMode,
    /// MsgSeq that the session had been sent when its connection ended; 0 when unknown.
    pub(crate) last_seq: u32,
}

/// Whether the session has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// It has one; a sign of life came at this time.
    Up { seen: u64 },
    /// It has none and its grace period runs.
    Down,
}

/// A session that is online or waits out its grace period.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) inst_id: u32,
    /// The gateway that has, or had, its connection.
    pub(super) gateway: Arc<str>,
    /// Number of that connection at the gateway; 0 when unknown.
    pub(super) connection: u64,
    /// One per SDK object; empty when unknown.
    pub(super) instance: Box<str>,
    pub(super) platform: u32,
    /// When its token was made, seconds since 1970.
    pub(super) issued_at: i64,
    pub(super) link: Link,
    pub(super) timer: TimerKey,
    pub(super) rooms: Vec<Room>,
    /// When its row was last written, on the monotonic clock; none while it has no row.
    pub(super) saved: Option<u64>,
}

impl Session {
    pub(super) fn is_up(&self) -> bool {
        matches!(self.link, Link::Up { .. })
    }

    pub(super) fn room(&mut self, group_id: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| &*room.group_id == group_id)
    }
}

/// What the store keeps of a session that has rooms, that lapsed with rooms, or that was kicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) state: StoredState,
    pub(crate) gateway: Arc<str>,
    pub(crate) instance: Box<str>,
    pub(crate) platform: u32,
    pub(crate) issued_at: i64,
    /// When this was written, seconds since 1970.
    pub(crate) at: i64,
    pub(crate) rooms: Vec<Room>,
}

/// In which state a session was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredState {
    /// Online, or within its grace period.
    Live,
    /// Its grace period ended. Its rooms are kept for when it comes back all the same.
    Lapsed,
    /// It was put offline in this way and is told so when it comes back.
    Kicked(u32),
}

/// What a decision makes happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Tell the gateway that this session of it was put offline.
    Kick { gateway: Arc<str>, session: SessionId, kick_type: u32 },
    /// Tell the room's owner that the membership ended.
    Detach { gateway: Arc<str>, session: SessionId, group_id: Arc<str> },
    /// Store the session's row, behind.
    Save { session: SessionId, stored: Stored },
    /// Delete the session's row, behind.
    Erase { session: SessionId },
    /// Store what is known of the user as such, behind.
    SaveUser { app: u32, user: Arc<str>, not_before: i64, custom_status: Arc<str> },
    /// The session is over: what hangs on it may go.
    Ended { session: SessionId },
    /// The user came online or went offline.
    Status { app: u32, user: Arc<str>, online: bool, custom_status: Arc<str> },
}
