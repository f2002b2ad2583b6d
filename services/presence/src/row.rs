//! The table of sessions, and how its rows are written.
//!
//! One row a session that has rooms or subscriptions, or that was kicked; one row, with instance 0,
//! for the user as such. Written behind: a row says what was, its loss costs a membership or the
//! memory of a kick.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use throng_proto::v1::RoomMode;
use throng_store::{ColumnType, Compaction, Key, Order, Table};

use crate::core::{Memory, Room, Stored, StoredState};

/// Sessions of a user. A user has few: the device limit and a bounded number of remembered ones.
pub(crate) const PRESENCE_ROOMS: Table = Table {
    name: "presence_rooms",
    partition: &[("app", ColumnType::U32), ("user", ColumnType::Text)],
    clustering: &[("inst_id", ColumnType::U32, Order::Ascending)],
    ttl: Some(Duration::from_secs(6 * 3600)),
    compaction: Compaction::SizeTiered,
};

/// Clustering key of the row about the user as such; no session has it.
pub(crate) const USER_ROW: u32 = 0;

/// More rows than one user can have.
pub(crate) const MAX_ROWS: usize = 512;

#[derive(Clone, PartialEq, Message)]
struct SessionRow {
    /// 0 live, 1 lapsed, 2 kicked.
    #[prost(uint32, tag = "1")]
    state: u32,
    #[prost(uint32, tag = "2")]
    kick_type: u32,
    #[prost(string, tag = "3")]
    gateway: String,
    #[prost(string, tag = "4")]
    instance: String,
    #[prost(uint32, tag = "5")]
    platform: u32,
    #[prost(int64, tag = "6")]
    issued_at: i64,
    #[prost(int64, tag = "7")]
    at: i64,
    #[prost(message, repeated, tag = "8")]
    rooms: Vec<RoomRow>,
    #[prost(string, repeated, tag = "9")]
    watching: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct RoomRow {
    #[prost(string, tag = "1")]
    group_id: String,
    #[prost(enumeration = "RoomMode", tag = "2")]
    mode: i32,
    #[prost(uint32, tag = "3")]
    last_seq: u32,
}

#[derive(Clone, PartialEq, Message)]
struct UserRow {
    #[prost(int64, tag = "1")]
    not_before: i64,
    #[prost(string, tag = "2")]
    custom_status: String,
}

pub(crate) fn encode_session(stored: &Stored) -> Bytes {
    let (state, kick_type) = match stored.state {
        StoredState::Live => (0, 0),
        StoredState::Lapsed => (1, 0),
        StoredState::Kicked(kick_type) => (2, kick_type),
    };
    let rooms = stored.rooms.iter().map(|room| RoomRow {
        group_id: room.group_id.to_string(),
        mode: room.mode.into(),
        last_seq: room.last_seq,
    });
    let row = SessionRow {
        state,
        kick_type,
        gateway: stored.gateway.to_string(),
        instance: stored.instance.to_string(),
        platform: stored.platform,
        issued_at: stored.issued_at,
        at: stored.at,
        rooms: rooms.collect(),
        watching: stored.watching.iter().map(ToString::to_string).collect(),
    };
    row.encode_to_vec().into()
}

pub(crate) fn encode_user(not_before: i64, custom_status: &str) -> Bytes {
    UserRow { not_before, custom_status: custom_status.to_owned() }.encode_to_vec().into()
}

/// Reads a user's rows. A row that cannot be read is left out: nothing is known of that session.
pub(crate) fn decode(rows: impl IntoIterator<Item = (u32, Bytes)>) -> Memory {
    let mut memory = Memory::default();
    for (inst_id, value) in rows {
        if inst_id == USER_ROW {
            if let Ok(row) = UserRow::decode(value) {
                memory.not_before = row.not_before;
                memory.custom_status =
                    (!row.custom_status.is_empty()).then(|| Arc::from(row.custom_status));
            }
        } else if let Ok(row) = SessionRow::decode(value) {
            memory.sessions.push((inst_id, row.into()));
        }
    }
    memory
}

impl From<SessionRow> for Stored {
    fn from(row: SessionRow) -> Self {
        let rooms = row.rooms.into_iter().map(|room| Room {
            mode: room.mode(),
            group_id: Arc::from(room.group_id),
            last_seq: room.last_seq,
        });
        Self {
            state: match row.state {
                0 => StoredState::Live,
                1 => StoredState::Lapsed,
                _ => StoredState::Kicked(row.kick_type),
            },
            gateway: Arc::from(row.gateway),
            instance: row.instance.into(),
            platform: row.platform,
            issued_at: row.issued_at,
            at: row.at,
            rooms: rooms.collect(),
            watching: row.watching.into_iter().map(Arc::from).collect(),
        }
    }
}

/// The partition of a user.
pub(crate) fn partition(app: u32, user: &str) -> Key {
    Key::new().u32(app).text(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_as_it_was_written() {
        for state in [StoredState::Live, StoredState::Lapsed, StoredState::Kicked(3)] {
            let stored = Stored {
                state,
                gateway: Arc::from("g1"),
                instance: "i".into(),
                platform: 7,
                issued_at: 1_700_000_000,
                at: 1_700_000_001,
                rooms: vec![Room { group_id: Arc::from("r"), mode: RoomMode::Push, last_seq: 9 }],
                watching: vec![Arc::from("bob")],
            };
            let memory = decode([
                (4, encode_session(&stored)),
                (USER_ROW, encode_user(17, "aGk=")),
                (5, Bytes::from_static(b"\xff\xff")),
            ]);
            assert_eq!(memory.sessions, vec![(4, stored)]);
            assert_eq!(memory.not_before, 17);
            assert_eq!(memory.custom_status.as_deref(), Some("aGk="));
        }
    }
}
