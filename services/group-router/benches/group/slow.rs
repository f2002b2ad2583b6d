//! The embedded store as on a slower disk: a durable write is answered so much later.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throng_store::{
    Batch, Durability, EmbeddedStore, Key, Page, Row, Store, StoreError, Table, WriteTime,
};

#[derive(Debug)]
pub(crate) struct SlowDisk {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) by: Duration,
}

#[async_trait::async_trait]
impl Store for SlowDisk {
    fn is_fenced(&self) -> bool {
        self.store.is_fenced()
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let durable = batch.durability() == Durability::Durable;
        self.store.write(batch).await?;
        if durable && !self.by.is_zero() {
            tokio::time::sleep(self.by).await;
        }
        Ok(())
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
        self.store.page(table, partition, page).await
    }

    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        self.store.delete_partition(table, partition, at).await
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
