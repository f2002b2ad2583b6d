//! The tables that the directory owns. Their values are the records of `records`.

use throng_store::{ColumnType, Compaction, Table};

/// Apps that were made here rather than configured: [`AppRecord`](crate::records::AppRecord).
pub(crate) const APPS: Table = Table {
    name: "apps",
    partition: &[("app", ColumnType::U32)],
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// Accounts, deleted ones too: [`AccountRecord`](crate::records::AccountRecord).
pub(crate) const ACCOUNTS: Table = Table {
    name: "accounts",
    partition: &[("app", ColumnType::U32), ("user_id", ColumnType::Text)],
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// Profiles, all tags of a user in one row: [`ProfileRecord`](crate::records::ProfileRecord).
pub(crate) const PROFILES: Table = Table {
    name: "profiles",
    partition: &[("app", ColumnType::U32), ("user_id", ColumnType::Text)],
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// All tables of this service.
pub(crate) static TABLES: [&Table; 3] = [&APPS, &ACCOUNTS, &PROFILES];
