//! The store on a disk of this machine, for `throng standalone`.
//!
//! Built on fjall (a log-structured merge tree; why: `docs/adr/0001-embedded-store.md`). A table is a
//! keyspace of it; a row is the encoded key and, in front of the value, the time it expires.
//!
//! - **Writes** go through one thread, the committer: it takes what waits in a bounded queue, applies
//!   each batch atomically, syncs the journal once and answers all. So compare-and-set is serial
//!   without locks, and the cost of a sync is shared.
//! - **Reads** see what is applied, never wait for a sync, and run on the runtime's blocking threads.
//!   The way there and back costs about 10 µs, as much as a read that memory serves; but one that has
//!   to wait for the disk holds up no connection (figures: the same record).
//! - **Expired rows** are invisible at once. Merging files drops them; the sweeper samples the tables
//!   and starts a merge where they prevail.

mod committer;
mod directory;
mod options;
mod read;
mod reclaim;
mod row;
mod sweeper;
mod tables;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fjall::{Database, Keyspace};
use tokio::task::spawn_blocking;

use self::committer::{Committer, Limits};
use self::directory::Directory;
pub use self::options::EmbeddedOptions;
use self::sweeper::Sweeper;
use self::tables::Tables;
use self::worker::Job;
use crate::codec::{self, KeyRange};
use crate::plan::{self, Put};
use crate::{Batch, Clock, Durability, Key, Page, Row, Store, StoreError, Table, WriteTime};

/// A [`Store`] in a directory of this machine. One process at a time may have it open.
///
/// A write answered as durable survives the loss of power; one answered as behind survives it some
/// 50 ms later. Values that are read may share memory with the cache: copy what is kept for long.
///
/// A [`WriteTime`] is checked and otherwise ignored: one process writes, so the order in which writes
/// come is the order in which they count.
///
/// Dropping it closes it, and waits for what is queued: prefer [`close`](Self::close) in async code.
#[derive(Debug)]
pub struct EmbeddedStore {
    // Fields are dropped in this order: the directory is given up last.
    committer: Committer,
    sweeper: Sweeper,
    tables: Arc<Tables>,
    clock: Arc<dyn Clock>,
    directory: PathBuf,
}

/// An error of the engine as ours.
pub(crate) fn backend(error: fjall::Error) -> StoreError {
    StoreError::Backend { source: Arc::new(error) }
}

impl EmbeddedStore {
    /// Opens the store in a directory, which is made if it does not exist. Blocks: for start-up.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it open, [`StoreError::Format`] if what lies
    /// there was not written by this version of the format, [`StoreError::Backend`] if the disk fails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, EmbeddedOptions::default())
    }

    /// [`open`](Self::open) with other options than the default ones.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with(path: impl AsRef<Path>, options: EmbeddedOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let directory = Directory::claim(path)?;
        let builder = |engine: &Path| {
            Database::builder(engine)
                .cache_size(options.cache_bytes)
                .max_journaling_size(256 << 20)
                .manual_journal_persist(true)
                .with_compaction_filter_factories(reclaim::filters(&options.clock))
        };
        let database = directory.open_engine(builder)?;
        let tables = Arc::new(Tables::new(database, options.write_buffer_bytes, directory));
        let limits = Limits {
            queue_bytes: options.queue_bytes,
            queue_timeout: options.queue_timeout,
            behind_delay: options.behind_delay,
        };
        Ok(Self {
            committer: Committer::start(tables.database.clone(), limits)?,
            sweeper: Sweeper::start(tables.clone(), &options)?,
            tables,
            clock: options.clock,
            directory: path.to_owned(),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Bytes on disk, logs included.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if the disk fails.
    pub fn disk_space(&self) -> Result<u64, StoreError> {
        self.tables.database.disk_space().map_err(backend)
    }

    /// Waits until all that was written before is durable.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Overloaded`], or [`StoreError::Backend`] if it may not be.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.committer.run(Job::Flush, 1, Durability::Durable).await.map(drop)
    }

    /// Refuses further writes and waits until all earlier ones are durable.
    pub async fn close(&self) {
        self.committer.close().await;
        self.sweeper.stop();
    }

    async fn keyspace(&self, table: &'static Table) -> Result<Keyspace, StoreError> {
        if let Some(keyspace) = self.tables.known(table) {
            return Ok(keyspace);
        }
        let tables = self.tables.clone();
        blocking(move || tables.open(table)).await
    }

    async fn compare(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        expected: Option<Bytes>,
        new: Bytes,
    ) -> Result<bool, StoreError> {
        let row = codec::row(table, &codec::partition(table, partition)?, clustering)?;
        plan::check_size(row.len() + new.len())?;
        let now = self.clock.now_millis();
        let size = row.len() + new.len() + expected.as_ref().map_or(0, Bytes::len);
        let new = row::encode(&Put::new(table, new, None), now);
        let keyspace = self.keyspace(table).await?;
        let job = Job::CompareAndSet { keyspace, row, expected, new, now };
        self.committer.run(job, size, Durability::Durable).await
    }
}

/// Runs something that may wait for the disk where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // It is cancelled only when the runtime shuts down.
    spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}

#[async_trait]
impl Store for EmbeddedStore {
    fn is_fenced(&self) -> bool {
        false
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let durability = batch.durability();
        let (writes, size) = plan::plan(&batch)?;
        let now = self.clock.now_millis();
        let mut rows = Vec::with_capacity(writes.len());
        for write in writes {
            let value = write.put.map(|put| row::encode(&put, now));
            rows.push((self.keyspace(write.table).await?, write.row, value));
        }
        self.committer.run(Job::Write(rows), size, durability).await.map(drop)
    }

    async fn put_if_absent(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        value: Bytes,
    ) -> Result<bool, StoreError> {
        self.compare(table, partition, clustering, None, value).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        expected: Option<&[u8]>,
        new: Bytes,
    ) -> Result<bool, StoreError> {
        let expected = expected.map(Bytes::copy_from_slice);
        self.compare(table, partition, clustering, expected, new).await
    }

    async fn get(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
    ) -> Result<Option<Bytes>, StoreError> {
        let row = codec::row(table, &codec::partition(table, partition)?, clustering)?;
        let keyspace = self.keyspace(table).await?;
        let now = self.clock.now_millis();
        blocking(move || {
            let stored = keyspace.get(row).map_err(backend)?;
            stored.map_or(Ok(None), |stored| row::live(stored, now))
        })
        .await
    }

    async fn page(
        &self,
        table: &'static Table,
        partition: &Key,
        page: Page,
    ) -> Result<Vec<Row>, StoreError> {
        let partition = codec::partition(table, partition)?;
        let range = KeyRange::of_page(table, &partition, &page)?;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let keyspace = self.keyspace(table).await?;
        let tables = self.tables.clone();
        let now = self.clock.now_millis();
        blocking(move || {
            // A snapshot, so that a batch is seen whole or not at all.
            let snapshot = tables.database.snapshot();
            read::page(table, &keyspace, &snapshot, partition.len(), &range, &page, now)
        })
        .await
    }

    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        plan::check_time(at)?;
        let range = KeyRange::of_partition(codec::partition(table, partition)?);
        let size = range.start.len();
        let job = Job::DeleteRange { keyspace: self.keyspace(table).await?, range };
        self.committer.run(job, size, Durability::Durable).await.map(drop)
    }

    async fn scan_partitions(
        &self,
        table: &'static Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let from = match after {
            None => Some(Vec::new()),
            Some(key) => codec::behind(&codec::partition(table, key)?),
        };
        let keyspace = self.keyspace(table).await?;
        let snapshot = self.tables.database.snapshot();
        let now = self.clock.now_millis();
        let limit = limit.min(Page::MAX_LIMIT);
        blocking(move || read::scan(table, &keyspace, &snapshot, from, limit, now)).await
    }
}
