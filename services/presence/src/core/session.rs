//! One session as the index knows it, what is stored of it, and what a decision makes happen.

use std::collections::VecDeque;
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
    /// It has one; it, or its gateway for it, spoke last at this time.
    Up { seen: u64 },
    /// It has none and its grace period runs.
    Down,
    /// Only the store told of it. Its grace period runs, but its gateway may yet say that it has a
    /// connection.
    Unheard,
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
    /// Rises from session to session.
    pub(super) serial: u64,
    /// The end of its grace period; there if and only if it has no connection.
    pub(super) timer: Option<TimerKey>,
    pub(super) rooms: Vec<Room>,
    /// Users whose status it wants to hear of, the oldest subscription first.
    pub(super) watching: VecDeque<Arc<str>>,
    /// When its row was last written, on the monotonic clock; none while it has no row.
    pub(super) saved: Option<u64>,
}

/// Platform of a session that is known only by its sign of life: Web.
const ASSUMED_PLATFORM: u32 = 7;

impl Session {
    /// One of which nothing is known but its number and where it was heard of. It has no connection,
    /// and no place in an index yet.
    pub(super) fn unknown(inst_id: u32, gateway: Arc<str>) -> Self {
        Self {
            inst_id,
            gateway,
            connection: 0,
            instance: Box::default(),
            platform: ASSUMED_PLATFORM,
            issued_at: 0,
            link: Link::Down,
            serial: 0,
            timer: None,
            rooms: Vec::new(),
            watching: VecDeque::new(),
            saved: None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.link, Link::Up { .. })
    }

    /// Whether it has a connection, and not this one. 0: one of which the number is not known.
    pub(super) fn is_elsewhere(&self, gateway: &str, connection: u64) -> bool {
        let other = self.connection != 0 && connection != 0 && self.connection != connection;
        self.is_up() && (*self.gateway != *gateway || other)
    }

    /// Whether there is something to come back to.
    pub(super) fn is_worth_a_row(&self) -> bool {
        !self.rooms.is_empty() || !self.watching.is_empty()
    }

    pub(super) fn room(&mut self, group_id: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| &*room.group_id == group_id)
    }
}

/// What the store keeps of a session that has rooms or subscriptions, that lapsed with some, or that
/// was kicked.
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
    pub(crate) watching: Vec<Arc<str>>,
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
    /// Tell the gateway that this session of it was put offline. `connection` is the one that it is
    /// about, 0 any.
    Kick { gateway: Arc<str>, session: SessionId, kick_type: u32, connection: u64 },
    /// Tell the room's owner that the membership ended.
    Detach { gateway: Arc<str>, session: SessionId, group_id: Arc<str> },
    /// Store the session's row, behind.
    Save { session: SessionId, stored: Stored },
    /// Delete the session's row, behind.
    Erase { session: SessionId },
    /// Store what is known of the user as such, behind.
    SaveUser { app: u32, user: Arc<str>, not_before: i64, custom_status: Arc<str> },
    /// The session wants to hear of these users from now on.
    Watch { session: SessionId, users: Vec<Arc<str>> },
    /// It wants to hear of them no longer, or is over.
    Unwatch { session: SessionId, users: Vec<Arc<str>> },
    /// The user came online or went offline.
    Status { app: u32, user: Arc<str>, online: bool, custom_status: Arc<str> },
    /// The store told of a session with a connection at this gateway.
    Mention { gateway: Arc<str> },
}
