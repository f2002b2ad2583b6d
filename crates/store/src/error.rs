//! What a store can fail with.

use std::path::PathBuf;
use std::sync::Arc;

/// Why the store did not do what it was asked. Cheap to clone: one failed commit answers many.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A key does not fit its table. A mistake of the caller.
    #[error("key does not fit table {table}: {reason}")]
    BadKey {
        /// The table.
        table: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A batch writes one row twice. A mistake of the caller.
    #[error("batch writes a row of table {table} twice")]
    DuplicateRow {
        /// The table.
        table: &'static str,
    },
    /// A [`WriteTime`](crate::WriteTime) is not positive. A mistake of the caller.
    #[error("write time of {micros} is not positive")]
    BadWriteTime {
        /// The time.
        micros: i64,
    },
    /// A key, a value or a batch is over its limit.
    #[error("{what} of {size} is over the limit of {limit}")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Writes wait for longer than they may. The write was not done; trying later may help.
    #[error("store is overloaded")]
    Overloaded,
    /// The store was closed.
    #[error("store is closed")]
    Closed,
    /// Another process has the data directory open.
    #[error("data directory {} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory has a format that this version cannot read.
    #[error("data directory {} has format {found}, this version reads {expected}", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// What its marker says.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// The database's tables are not those that this version declares.
    #[error("schema of the store: {reason}")]
    Schema {
        /// What is wrong and what to do about it.
        reason: String,
    },
    /// A setting that cannot work.
    #[error("store: {option} {reason}")]
    Config {
        /// The setting.
        option: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A stored row or file cannot be read.
    #[error("stored data is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: &'static str,
    },
    /// The backend cannot be reached, has too few nodes up, or did not answer in time. Whether a write
    /// was done is unknown, and it may still be done later; trying again may help.
    #[error("store is unavailable: {source}")]
    Unavailable {
        /// Its own error.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The backend failed. Whether a write was done is unknown.
    #[error("store failed: {source}")]
    Backend {
        /// Its own error.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// A short name of the variant, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadKey { .. } => "bad_key",
            Self::DuplicateRow { .. } => "duplicate_row",
            Self::BadWriteTime { .. } => "bad_write_time",
            Self::TooLarge { .. } => "too_large",
            Self::Overloaded => "overloaded",
            Self::Closed => "closed",
            Self::InUse { .. } => "in_use",
            Self::Format { .. } => "format",
            Self::Schema { .. } => "schema",
            Self::Config { .. } => "config",
            Self::Damaged { .. } => "damaged",
            Self::Unavailable { .. } => "unavailable",
            Self::Backend { .. } => "backend",
        }
    }

    /// The caller may try again later. What was [`Overloaded`](Self::Overloaded) was not done; of what
    /// was [`Unavailable`](Self::Unavailable) that is unknown, so only a write that may be done twice
    /// can be repeated blindly.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Unavailable { .. })
    }
}
