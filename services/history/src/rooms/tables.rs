//! The tables of live rooms, and the arithmetic of their buckets.

use std::time::Duration;

use prost::Message;
use throng_store::{ColumnType, Compaction, Key, Order, Table};

use super::RoomId;

const DAY: Duration = Duration::from_secs(24 * 3600);
const WINDOW: Compaction = Compaction::TimeWindow { hours: 1 };

/// Messages. At the default of 40 a second a bucket has at most 36,000 rows.
pub(crate) const ROOM_MESSAGES: Table = Table {
    name: "room_messages",
    partition: &[
        ("app", ColumnType::U32),
        ("group_id", ColumnType::Text),
        ("bucket", ColumnType::U32),
    ],
    clustering: &[("msg_seq", ColumnType::U32, Order::Descending)],
    ttl: Some(DAY),
    compaction: WINDOW,
};

/// Recalls, each in the bucket of its message.
pub(crate) const ROOM_RECALLS: Table = Table {
    name: "room_recalls",
    partition: ROOM_MESSAGES.partition,
    clustering: ROOM_MESSAGES.clustering,
    ttl: Some(DAY),
    compaction: WINDOW,
};

/// Which buckets a room has.
pub(crate) const ROOM_BUCKETS: Table = Table {
    name: "room_buckets",
    partition: &[("app", ColumnType::U32), ("group_id", ColumnType::Text)],
    clustering: &[("bucket", ColumnType::U32, Order::Descending)],
    ttl: Some(DAY),
    compaction: WINDOW,
};

/// What is kept of a recall.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RecallRow {
    #[prost(string, tag = "1")]
    pub(super) revoker: String,
    /// Time of the recalled message: a room that was made anew begins its numbers anew.
    #[prost(int64, tag = "2")]
    pub(super) msg_time: i64,
}

/// The length of a bucket in seconds.
pub(super) const BUCKET_SECONDS: i64 = 15 * 60;

/// How much longer than the messages of a bucket its index entry lives: the entry may be older than
/// the last of them by a bucket and the time for which it is remembered as written.
pub(super) const INDEX_SPARE: Duration = Duration::from_secs(3600);

/// The bucket of a time in seconds since 1970.
pub(super) fn bucket_of(msg_time: i64) -> u32 {
    u32::try_from(msg_time.max(0) / BUCKET_SECONDS).unwrap_or(u32::MAX)
}

/// The first second that is too late for a bucket.
pub(super) fn bucket_end(bucket: u32) -> i64 {
    (i64::from(bucket) + 1) * BUCKET_SECONDS
}

pub(super) fn room_key(room: RoomId<'_>) -> Key {
    Key::new().u32(room.app).text(room.group_id)
}

pub(super) fn bucket_key(room: RoomId<'_>, bucket: u32) -> Key {
    room_key(room).u32(bucket)
}
