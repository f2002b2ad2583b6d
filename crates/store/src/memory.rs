//! The store as a map in memory: for unit tests of services.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use crate::codec::{self, KeyRange};
use crate::plan::{self, Put};
use crate::{Batch, Clock, Direction, Key, Page, Row, Store, StoreError, SystemClock, Table};

/// Keeps everything in memory and loses it when dropped. Every write is answered at once.
///
/// Expired rows are invisible, but their memory is freed only when they are overwritten or deleted.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    tables: Mutex<HashMap<&'static str, Rows>>,
}

type Rows = BTreeMap<Vec<u8>, Stored>;

#[derive(Debug)]
struct Stored {
    value: Bytes,
    expires_at: i64,
}

impl Stored {
    fn new(put: Put, now: i64) -> Self {
        Self { expires_at: put.expires_at(now), value: put.value }
    }

    fn live(&self, now: i64) -> bool {
        !plan::is_expired(self.expires_at, now)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store whose TTLs follow this clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tables: Mutex::default() }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let (writes, _) = plan::plan(batch)?;
        let now = self.clock.now_millis();
        let mut tables = self.tables.lock();
        for write in writes {
            let rows = tables.entry(write.table.name).or_default();
            match write.put {
                Some(put) => rows.insert(write.row, Stored::new(put, now)),
                None => rows.remove(&write.row),
            };
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
        self.compare_and_set(table, partition, clustering, None, value).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        expected: Option<&[u8]>,
        new: Bytes,
    ) -> Result<bool, StoreError> {
        let row = codec::row(table, &codec::partition(table, partition)?, clustering)?;
        plan::check_size(row.len() + new.len())?;
        let now = self.clock.now_millis();
        let mut tables = self.tables.lock();
        let rows = tables.entry(table.name).or_default();
        let found = rows.get(&row).filter(|stored| stored.live(now));
        if found.map(|stored| stored.value.as_ref()) != expected {
            return Ok(false);
        }
        rows.insert(row, Stored::new(Put::new(table, new, None), now));
        Ok(true)
    }

    async fn get(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
    ) -> Result<Option<Bytes>, StoreError> {
        let row = codec::row(table, &codec::partition(table, partition)?, clustering)?;
        let now = self.clock.now_millis();
        let tables = self.tables.lock();
        let stored = tables.get(table.name).and_then(|rows| rows.get(&row));
        Ok(stored.filter(|stored| stored.live(now)).map(|stored| stored.value.clone()))
    }

    async fn page(
        &self,
        table: &'static Table,
        partition: &Key,
        page: Page,
    ) -> Result<Vec<Row>, StoreError> {
        let partition = codec::partition(table, partition)?;
        let range = KeyRange::of_page(table, &partition, &page)?;
        let now = self.clock.now_millis();
        let tables = self.tables.lock();
        let Some(rows) = tables.get(table.name).filter(|_| !range.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut walk = rows.range::<[u8], _>(range.bounds());
        let walk: &mut dyn Iterator<Item = _> = match page.order {
            Direction::Forward => &mut walk,
            Direction::Backward => &mut walk.rev(),
        };
        walk.filter(|(_, stored)| stored.live(now))
            .take(page.limit.min(Page::MAX_LIMIT))
            .map(|(row, stored)| {
                let clustering = codec::decode_clustering(table, &row[partition.len()..])?;
                Ok(Row { clustering, value: stored.value.clone() })
            })
            .collect()
    }

    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
    ) -> Result<(), StoreError> {
        let range = KeyRange::of_partition(codec::partition(table, partition)?);
        let mut tables = self.tables.lock();
        if let Some(rows) = tables.get_mut(table.name) {
            let bounds =
                (range.bounds().0.map(<[u8]>::to_vec), range.bounds().1.map(<[u8]>::to_vec));
            rows.extract_if(bounds, |_, _| true).for_each(drop);
        }
        Ok(())
    }

    async fn scan_partitions(
        &self,
        table: &'static Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let now = self.clock.now_millis();
        let mut found = Vec::new();
        let mut from = match after {
            None => Some(Vec::new()),
            Some(key) => codec::behind(&codec::partition(table, key)?),
        };
        let tables = self.tables.lock();
        let Some(rows) = tables.get(table.name) else {
            return Ok(found);
        };
        while let Some(start) = from.take().filter(|_| found.len() < limit.min(Page::MAX_LIMIT)) {
            let Some((row, _)) = rows.range(start..).find(|(_, stored)| stored.live(now)) else {
                break;
            };
            let (key, length) = codec::decode_partition(table, row)?;
            found.push(key);
            from = codec::behind(&row[..length]);
        }
        Ok(found)
    }
}
