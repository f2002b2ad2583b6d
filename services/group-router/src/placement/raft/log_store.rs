//! The Raft log. It is short (snapshots cut it), so all of it is in memory too; the disk is read once.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{AnyError, RaftLogReader, StorageIOError};
use parking_lot::RwLock;
use redb::WriteTransaction;

use super::tables::{COMMITTED, Disk, DiskError, LOG, PURGED, VOTE, set};
use super::{Entry, LogId, StorageError, Types, Vote};

/// The log of this node. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::placement) struct LogStore {
    disk: Disk,
    kept: Arc<RwLock<Kept>>,
}

#[derive(Debug)]
struct Kept {
    vote: Option<Vote>,
    /// On disk with the next change: after a crash, an older one only means that entries are applied
    /// later.
    committed: Option<LogId>,
    purged: Option<LogId>,
    entries: BTreeMap<u64, Entry>,
}

impl LogStore {
    /// Reads the log.
    pub(in crate::placement) async fn read(disk: Disk) -> Result<Self, StorageError> {
        let read = async {
            let entries: Vec<Entry> = disk.log().await?;
            Ok::<_, DiskError>(Kept {
                vote: disk.get(VOTE).await?,
                committed: disk.get(COMMITTED).await?,
                purged: disk.get(PURGED).await?,
                entries: entries.into_iter().map(|entry| (entry.log_id.index, entry)).collect(),
            })
        };
        let kept = read.await.map_err(|error| StorageIOError::read_logs(any(&error)))?;
        Ok(Self { disk, kept: Arc::new(RwLock::new(kept)) })
    }

    /// Whether this node never took part in anything, or lost all that it knew.
    pub(in crate::placement) fn is_blank(&self) -> bool {
        let kept = self.kept.read();
        kept.vote.is_none() && kept.purged.is_none() && kept.entries.is_empty()
    }
}

impl LogStore {
    /// Makes changes on disk, and brings along what was committed since.
    async fn write<F>(&self, change: F) -> Result<(), DiskError>
    where
        F: FnOnce(&WriteTransaction) -> Result<(), DiskError> + Send + 'static,
    {
        let committed = self.kept.read().committed;
        let write = move |transaction: &WriteTransaction| {
            change(transaction)?;
            committed.map_or(Ok(()), |committed| set(transaction, COMMITTED, &committed))
        };
        self.disk.write(write).await
    }

    async fn remove(
        &self,
        range: (Bound<u64>, Bound<u64>),
        purged: Option<LogId>,
    ) -> Result<(), StorageError> {
        let removed: Vec<u64> =
            self.kept.read().entries.range(range).map(|(index, _)| *index).collect();
        let gone = removed.clone();
        let write = move |transaction: &WriteTransaction| {
            let mut log = transaction.open_table(LOG)?;
            for index in &gone {
                log.remove(index)?;
            }
            purged.map_or(Ok(()), |purged| set(transaction, PURGED, &purged))
        };
        self.write(write).await.map_err(|error| StorageIOError::write_logs(any(&error)))?;
        let mut kept = self.kept.write();
        for index in &removed {
            kept.entries.remove(index);
        }
        kept.purged = purged.or(kept.purged);
        Ok(())
    }
}

fn any(error: &DiskError) -> AnyError {
    AnyError::new(error)
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, StorageError>
    where
        R: RangeBounds<u64> + Clone + Debug + Send,
    {
        let kept = self.kept.read();
        Ok(kept.entries.range(range).map(|(_, entry)| entry.clone()).collect())
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let kept = self.kept.read();
        let last = kept.entries.last_key_value().map(|(_, entry)| entry.log_id);
        Ok(LogState { last_purged_log_id: kept.purged, last_log_id: last.or(kept.purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote = *vote;
        self.write(move |transaction| set(transaction, VOTE, &vote))
            .await
            .map_err(|error| StorageIOError::write_vote(any(&error)))?;
        self.kept.write().vote = Some(vote);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.kept.read().vote)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        self.kept.write().committed = committed;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.kept.read().committed)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let encoded: Result<Vec<_>, _> = entries
            .iter()
            .map(|entry| serde_json::to_vec(entry).map(|encoded| (entry.log_id.index, encoded)))
            .collect();
        let encoded = encoded.map_err(|error| StorageIOError::write_logs(AnyError::new(&error)))?;
        let written = self.write(move |transaction| {
            let mut log = transaction.open_table(LOG)?;
            for (index, entry) in &encoded {
                log.insert(index, entry.as_slice())?;
            }
            Ok(())
        });
        match written.await {
            Ok(()) => {
                let mut kept = self.kept.write();
                kept.entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
                drop(kept);
                callback.log_io_completed(Ok(()));
                Ok(())
            }
            Err(error) => Err(StorageIOError::write_logs(any(&error)).into()),
        }
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.remove((Bound::Included(log_id.index), Bound::Unbounded), None).await
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.remove((Bound::Unbounded, Bound::Included(log_id.index)), Some(log_id)).await
    }
}
