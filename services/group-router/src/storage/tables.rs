//! Declarations of the group router's tables.

use throng_protocol::ids::AppId;
use throng_store::{ColumnType, Compaction, Key, Order, Table, key};

use super::annotations::GROUP_ANNOTATIONS;

/// Everything durable of one group but its messages: profile, attributes, counters, mutes, bans,
/// admins, members, applications, pins. One partition a group; its size is bounded by the limits of
/// those.
pub(crate) static GROUP_STATE: Table = Table {
    name: "group_state",
    partition: &[("app", ColumnType::U32), ("group_id", ColumnType::Text)],
    clustering: &[
        ("kind", ColumnType::U32, Order::Ascending),
        ("name", ColumnType::Text, Order::Ascending),
    ],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// The groups of an app, spread over buckets by the hash that also orders them.
pub(crate) static APP_GROUPS: Table = Table {
    name: "app_groups",
    partition: &[("app", ColumnType::U32), ("bucket", ColumnType::U32)],
    clustering: &[
        ("hash", ColumnType::U64, Order::Ascending),
        ("group_id", ColumnType::Text, Order::Ascending),
    ],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// The groups that store a user as a member. An entry may be there for a group that does not: its
/// owner knows.
pub(crate) static USER_GROUPS: Table = Table {
    name: "user_groups",
    partition: &[("app", ColumnType::U32), ("user", ColumnType::Text)],
    clustering: &[("group_id", ColumnType::Text, Order::Ascending)],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// The applications that a user may decide about, in all groups, the newest first.
pub(crate) static USER_PENDENCIES: Table = Table {
    name: "user_pendencies",
    partition: &[("app", ColumnType::U32), ("user", ColumnType::Text)],
    clustering: &[
        ("added", ColumnType::U64, Order::Descending),
        ("group_id", ColumnType::Text, Order::Ascending),
        ("applicant", ColumnType::Text, Order::Ascending),
    ],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// All tables of this service.
pub(crate) static TABLES: [&Table; 5] =
    [&GROUP_STATE, &APP_GROUPS, &USER_GROUPS, &USER_PENDENCIES, &GROUP_ANNOTATIONS];

/// The partition of a group's state.
pub(crate) fn state_partition(app: AppId, group_id: &str) -> Key {
    key![app.0, group_id]
}
