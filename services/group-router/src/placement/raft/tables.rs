//! The file in which a node keeps its part of the Raft log. All that is in it is small; every change
//! is one transaction, durable when it returns, made on a thread that may block.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

/// Entries by index. JSON, so that a later version may add fields.
pub(super) const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log");
/// What there is once.
pub(super) const ONCE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("once");

/// Keys of [`ONCE`].
pub(super) const VOTE: &str = "vote";
pub(super) const COMMITTED: &str = "committed";
pub(super) const PURGED: &str = "purged";
/// Whether this node has to be brought up to date before it votes.
pub(super) const CATCHING_UP: &str = "catching_up";
pub(super) const SNAPSHOT_META: &str = "snapshot_meta";
pub(super) const SNAPSHOT: &str = "snapshot";

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("placement log {path}: {reason}")]
pub struct OpenError {
    path: PathBuf,
    reason: DiskError,
}

/// What goes wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(in crate::placement) enum DiskError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Open(#[from] redb::DatabaseError),
    #[error(transparent)]
    Transaction(#[from] Box<redb::TransactionError>),
    #[error(transparent)]
    Table(#[from] redb::TableError),
    #[error(transparent)]
    Storage(#[from] redb::StorageError),
    #[error(transparent)]
    Commit(#[from] redb::CommitError),
    #[error("a value does not read: {0}")]
    Value(#[from] serde_json::Error),
    #[error("the task that wrote ended early")]
    Ended,
}

/// The file. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::placement) struct Disk {
    database: Arc<Database>,
}

impl Disk {
    /// Opens the file, or makes it.
    pub(in crate::placement) async fn open(path: &Path) -> Result<Self, OpenError> {
        let owned = path.to_owned();
        let opened = spawn_blocking(move || -> Result<Database, DiskError> {
            if let Some(folder) = owned.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let database = Database::create(&owned)?;
            let transaction = database.begin_write().map_err(Box::new)?;
            transaction.open_table(LOG)?;
            transaction.open_table(ONCE)?;
            transaction.commit()?;
            Ok(database)
        });
        match opened.await.unwrap_or(Err(DiskError::Ended)) {
            Ok(database) => Ok(Self { database: Arc::new(database) }),
            Err(reason) => Err(OpenError { path: path.to_owned(), reason }),
        }
    }

    /// One value, if it is there.
    pub(super) async fn get<T>(&self, key: &'static str) -> Result<Option<T>, DiskError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let database = Arc::clone(&self.database);
        let read = move || {
            let table = database.begin_read().map_err(Box::new)?.open_table(ONCE)?;
            let value = table.get(key)?;
            Ok(value.map(|value| serde_json::from_slice(value.value())).transpose()?)
        };
        spawn_blocking(read).await.unwrap_or(Err(DiskError::Ended))
    }

    /// The whole log, in order.
    pub(super) async fn log<T>(&self) -> Result<Vec<T>, DiskError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let database = Arc::clone(&self.database);
        let read = move || {
            let table = database.begin_read().map_err(Box::new)?.open_table(LOG)?;
            let mut entries = Vec::new();
            for row in table.iter()? {
                entries.push(serde_json::from_slice(row?.1.value())?);
            }
            Ok(entries)
        };
        spawn_blocking(read).await.unwrap_or(Err(DiskError::Ended))
    }

    /// Makes changes, durable together when this returns.
    pub(super) async fn write<F>(&self, change: F) -> Result<(), DiskError>
    where
        F: FnOnce(&WriteTransaction) -> Result<(), DiskError> + Send + 'static,
    {
        let database = Arc::clone(&self.database);
        let write = move || {
            let transaction = database.begin_write().map_err(Box::new)?;
            change(&transaction)?;
            transaction.commit()?;
            Ok(())
        };
        spawn_blocking(write).await.unwrap_or(Err(DiskError::Ended))
    }
}

/// Sets one value within a transaction.
pub(super) fn set<T: Serialize>(
    transaction: &WriteTransaction,
    key: &'static str,
    value: &T,
) -> Result<(), DiskError> {
    let value = serde_json::to_vec(value)?;
    transaction.open_table(ONCE)?.insert(key, value.as_slice())?;
    Ok(())
}
