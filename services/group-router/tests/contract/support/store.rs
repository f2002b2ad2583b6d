//! A store that fails, and stalls, when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use throng_store::{Batch, Key, MemoryStore, Page, Row, Store, StoreError, Table, WriteTime};
use tokio::sync::watch;

#[derive(Debug)]
pub struct FaultyStore {
    store: Arc<MemoryStore>,
    /// Writes wait, as of a process that stands still behind its clock; and how many do.
    stalled: watch::Sender<bool>,
    waiting: AtomicUsize,
    /// So many of the next writes fail, after so many that do not.
    failing_writes: AtomicU32,
    passing_writes: AtomicU32,
    failing_reads: AtomicU32,
    /// Partitions that were deleted.
    deleted: watch::Sender<usize>,
    /// Pages that were read of groups.
    pub reads: AtomicUsize,
}

impl Default for FaultyStore {
    fn default() -> Self {
        Self::over(Arc::default())
    }
}

impl FaultyStore {
    fn over(store: Arc<MemoryStore>) -> Self {
        Self {
            store,
            stalled: watch::Sender::new(false),
            waiting: AtomicUsize::default(),
            failing_writes: AtomicU32::default(),
            passing_writes: AtomicU32::default(),
            failing_reads: AtomicU32::default(),
            deleted: watch::Sender::new(0),
            reads: AtomicUsize::default(),
        }
    }

    /// The same data as another process sees it.
    pub fn beside(&self) -> Self {
        Self::over(Arc::clone(&self.store))
    }

    /// Holds writes back from now on.
    pub fn stall(&self) {
        self.stalled.send_replace(true);
    }

    /// Lets them through.
    pub fn go_on(&self) {
        self.stalled.send_replace(false);
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Whether a table holds nothing.
    pub async fn is_empty(&self, table: &str) -> bool {
        let mut tables = throng_group_router::tables().iter();
        let table = tables.find(|one| one.name == table).unwrap();
        self.store.scan_partitions(table, None, 1).await.unwrap().is_empty()
    }

    /// Waits until a table holds nothing any more.
    pub async fn empties(&self, table: &str) {
        let mut deleted = self.deleted.subscribe();
        while !self.is_empty(table).await {
            deleted.changed().await.unwrap();
        }
    }

    async fn turn(&self) {
        // Others run meanwhile, as with a real disk.
        tokio::task::yield_now().await;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        _ = self.stalled.subscribe().wait_for(|stalled| !stalled).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn fail_writes(&self, number: u32) {
        self.failing_writes.store(number, Ordering::SeqCst);
    }

    /// All writes fail after the next ones.
    pub fn fail_writes_after(&self, passing: u32) {
        self.passing_writes.store(passing, Ordering::SeqCst);
        self.fail_writes(u32::MAX);
    }

    fn write_gate(&self) -> Result<(), StoreError> {
        match Self::gate(&self.passing_writes) {
            Err(_) => Ok(()),
            Ok(()) => Self::gate(&self.failing_writes),
        }
    }

    pub fn fail_reads(&self, number: u32) {
        self.failing_reads.store(number, Ordering::SeqCst);
    }

    fn gate(left: &AtomicU32) -> Result<(), StoreError> {
        let less = |left: u32| left.checked_sub(1);
        match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Err(StoreError::Backend { source: Arc::new(std::io::Error::other("full")) }),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn is_fenced(&self) -> bool {
        self.store.is_fenced()
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.turn().await;
        self.write_gate()?;
        self.store.write(batch).await
    }

    async fn put_if_absent(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        value: Bytes,
    ) -> Result<bool, StoreError> {
        self.store.put_if_absent(table, partition, clustering, value).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        expected: Option<&[u8]>,
        new: Bytes,
    ) -> Result<bool, StoreError> {
        self.store.compare_and_set(table, partition, clustering, expected, new).await
    }

    async fn get(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
    ) -> Result<Option<Bytes>, StoreError> {
        self.store.get(table, partition, clustering).await
    }

    async fn page(
        &self,
        table: &'static Table,
        partition: &Key,
        page: Page,
    ) -> Result<Vec<Row>, StoreError> {
        tokio::task::yield_now().await;
        Self::gate(&self.failing_reads)?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store.page(table, partition, page).await
    }

    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        self.turn().await;
        self.write_gate()?;
        self.store.delete_partition(table, partition, at).await?;
        self.deleted.send_modify(|number| *number += 1);
        Ok(())
    }

    async fn scan_partitions(
        &self,
        table: &'static Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.store.scan_partitions(table, after, limit).await
    }
}
