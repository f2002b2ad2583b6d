//! The table of durable groups' messages, and the arithmetic of its buckets.

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

/// The partition of a bucket.
pub(super) fn partition(log: &GroupLog, bucket: u32) -> Key {
    Key::new().u32(log.app).text(&log.group_id).u64(log.incarnation).u32(bucket)
}
