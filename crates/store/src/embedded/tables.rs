//! The engine's keyspaces, one a table, opened when a table is first used.

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use parking_lot::RwLock;

use super::backend;
use super::directory::Directory;
use crate::{StoreError, Table};

/// The engine and its keyspaces, by the tables' names.
pub(crate) struct Tables {
    pub(crate) keyspaces: RwLock<Vec<(&'static str, Keyspace)>>,
    pub(crate) database: Database,
    write_buffer_bytes: u64,
    /// Held as long as a file in it may be in use.
    _directory: Directory,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Tables {
    pub(crate) fn new(database: Database, write_buffer_bytes: u64, directory: Directory) -> Self {
        let keyspaces = RwLock::default();
        Self { keyspaces, database, write_buffer_bytes, _directory: directory }
    }

    /// A table that was opened before.
    pub(crate) fn known(&self, table: &'static Table) -> Option<Keyspace> {
        let keyspaces = self.keyspaces.read();
        keyspaces.iter().find(|(name, _)| *name == table.name).map(|(_, found)| found.clone())
    }

    /// Opens a table, or makes it. Waits for the disk.
    pub(crate) fn open(&self, table: &'static Table) -> Result<Keyspace, StoreError> {
        let good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if !(1..=48).contains(&table.name.len()) || !table.name.bytes().all(good) {
            return Err(StoreError::BadKey { table: table.name, reason: "bad name of a table" });
        }
        let mut keyspaces = self.keyspaces.write();
        if let Some((_, found)) = keyspaces.iter().find(|(name, _)| *name == table.name) {
            return Ok(found.clone());
        }
        let buffer = self.write_buffer_bytes;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(buffer);
        let keyspace = self.database.keyspace(table.name, options).map_err(backend)?;
        keyspaces.push((table.name, keyspace.clone()));
        Ok(keyspace)
    }
}
