//! The tables of durable groups' messages, and the arithmetic of their buckets.

use std::time::Duration;

use prost::Message;
use throng_proto::v1::{GroupLog, StoredMessage};
use throng_store::{ColumnType, Compaction, Key, Order, Table};

/// Messages, for as long as their group exists. They are never deleted one by one, and a row is
/// written again only when an owner was lost with an append under way.
pub(crate) static GROUP_MESSAGES: Table = Table {
    name: "group_messages",
    partition: &[
        ("app", ColumnType::U32),
        ("group_id", ColumnType::Text),
        ("incarnation", ColumnType::U64),
        ("bucket", ColumnType::U32),
    ],
    clustering: &[("msg_seq", ColumnType::U32, Order::Descending)],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// What was changed of messages, each in the bucket of its message: the latest change alone. A bucket
/// holds at most as much as one of messages.
pub(crate) static GROUP_AMENDMENTS: Table = Table {
    name: "group_amendments",
    partition: GROUP_MESSAGES.partition,
    clustering: GROUP_MESSAGES.clustering,
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// Messages that users deleted for themselves, each in the bucket of its message: of a user at most
/// one small row a message.
pub(crate) static GROUP_HIDDEN: Table = Table {
    name: "group_hidden",
    partition: GROUP_MESSAGES.partition,
    clustering: &[
        ("user", ColumnType::Text, Order::Ascending),
        ("msg_seq", ColumnType::U32, Order::Ascending),
    ],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// Recalls by time, a partition a day, for clients that come back: who was away for longer reads the
/// history.
pub(crate) static GROUP_RECALLS: Table = Table {
    name: "group_recalls",
    partition: &[
        ("app", ColumnType::U32),
        ("group_id", ColumnType::Text),
        ("incarnation", ColumnType::U64),
        ("day", ColumnType::U32),
    ],
    clustering: &[
        ("recalled_at", ColumnType::I64, Order::Ascending),
        ("msg_seq", ColumnType::U32, Order::Ascending),
    ],
    ttl: Some(Duration::from_secs((RECALLS_DAYS as u64 + 1) * DAY_SECONDS as u64)),
    compaction: Compaction::TimeWindow { hours: 24 },
};

/// Days for which recalls are listed.
pub(super) const RECALLS_DAYS: u32 = 7;
const DAY_SECONDS: i64 = 24 * 3600;

/// The day of a time in microseconds since 1970.
pub(super) fn day_of(micros: i64) -> u32 {
    u32::try_from(micros.max(0) / 1_000_000 / DAY_SECONDS).unwrap_or(u32::MAX)
}

/// Numbers in one bucket: a megabyte or two of usual messages, 50 MB of the largest.
pub(super) const BUCKET: u32 = 4096;

/// What is kept of a message.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GroupRow {
    /// The life of the group that wrote it.
    #[prost(uint64, tag = "1")]
    pub(super) epoch: u64,
    #[prost(message, optional, tag = "2")]
    pub(super) message: Option<StoredMessage>,
}

pub(super) fn bucket_of(msg_seq: u32) -> u32 {
    msg_seq / BUCKET
}

/// The partition of a bucket, or of a day.
pub(super) fn partition(log: &GroupLog, bucket: u32) -> Key {
    Key::new().u32(log.app).text(&log.group_id).u64(log.incarnation).u32(bucket)
}
