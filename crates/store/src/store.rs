//! The trait between the services and the backends.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Batch, Key, Page, Row, StoreError, Table, WriteTime};

/// A wide-column store.
///
/// A row whose TTL has run out is invisible at once, wherever it still lies. A read may see a write
/// that is not durable yet.
///
/// Dropping the future of a write does not undo it: whether it was done is then unknown.
///
/// Where the owner of data may change while a write of the old owner is still on its way, writes and
/// deletions carry a [`WriteTime`] ([`Batch::at`]), by which the store tells who is late.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// Whether it orders writes by their [`WriteTime`]. The embedded store does not: one process has
    /// it, so nobody can be late, and writes count in the order in which they come.
    fn is_fenced(&self) -> bool;

    /// Writes a batch: all of it or nothing. Answers as its durability says.
    async fn write(&self, batch: Batch) -> Result<(), StoreError>;

    /// Puts a row unless there is one; durable. False: there is one, and nothing was written.
    ///
    /// In CQL this is a lightweight transaction, several round trips between the replicas: use it
    /// for what happens rarely (making a group, an app), never for a message. A row that is written
    /// this way must be written in no other way except [`compare_and_set`](Self::compare_and_set)
    /// while writers may race, and never with a [`WriteTime`].
    async fn put_if_absent(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        value: Bytes,
    ) -> Result<bool, StoreError>;

    /// Puts a row if its value is what is expected (None: there is no row); durable. False: it is
    /// something else, and nothing was written. As rare as [`put_if_absent`](Self::put_if_absent).
    async fn compare_and_set(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        expected: Option<&[u8]>,
        new: Bytes,
    ) -> Result<bool, StoreError>;

    /// The value of a row.
    async fn get(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
    ) -> Result<Option<Bytes>, StoreError>;

    /// Rows of one partition in order. Fewer than `limit` rows means that there are no more.
    async fn page(
        &self,
        table: &'static Table,
        partition: &Key,
        page: Page,
    ) -> Result<Vec<Row>, StoreError>;

    /// Deletes all rows that a partition of one table has when it is called; durable. Of rows written
    /// while it runs, any may be deleted. A crash in the middle may leave some: call it again.
    ///
    /// With a time it deletes what is not newer than that, and what arrives later but is older.
    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError>;

    /// Partition keys of a table that have a row, for administration only: in CQL this is a scan over
    /// all nodes. The order means nothing, but does not change: pass the last key of an answer as
    /// `after` for the next ones. Fewer than `limit` keys means that there are no more.
    async fn scan_partitions(
        &self,
        table: &'static Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError>;

    /// [`write`](Self::write) of one row; durable.
    async fn put(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: Key,
        value: Bytes,
    ) -> Result<(), StoreError> {
        self.write(Batch::durable(partition.clone()).put(table, clustering, value)).await
    }

    /// [`write`](Self::write) of one deletion; durable.
    async fn delete(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: Key,
    ) -> Result<(), StoreError> {
        self.write(Batch::durable(partition.clone()).delete(table, clustering)).await
    }
}
