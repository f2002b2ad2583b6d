//! The store as a map in memory: for unit tests of services, and for simulations.

mod rows;

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use self::rows::{Rows, Version};
use crate::codec::{self, KeyRange};
use crate::plan::{self, Put};
use crate::{
    Batch, Clock, Direction, Key, Page, Row, Store, StoreError, SystemClock, Table, WriteTime,
};

/// Keeps everything in memory and loses it when dropped. Every write is answered at once.
///
/// It is fenced as CQL is: a [`WriteTime`] decides which write stays. A write without one has the
/// clock's time, and so has a conditional one, which may lose against a later time without telling.
///
/// Expired rows are invisible, but their memory is freed only when they are overwritten or their
/// partition is deleted; deletions are remembered for ever.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tables: HashMap<&'static str, Rows>,
    /// The last time given to a write that brought none.
    last_time: i64,
}

impl State {
    /// The time of a write: what it brought, or else the clock's, always rising.
    fn time(&mut self, given: Option<WriteTime>, now_millis: i64) -> i64 {
        given.map_or_else(
            || {
                self.last_time = now_millis.saturating_mul(1000).max(self.last_time + 1);
                self.last_time
            },
            |WriteTime(micros)| micros,
        )
    }
}

impl Version {
    fn new(put: Option<Put>, time: i64, now: i64) -> Self {
        let expires_at = put.as_ref().map_or(0, |put| put.expires_at(now));
        Self { time, value: put.map(|put| put.value), expires_at }
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
        Self { clock, state: Mutex::default() }
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn is_fenced(&self) -> bool {
        true
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let given = batch.write_time();
        let (writes, _) = plan::plan(&batch)?;
        let now = self.clock.now_millis();
        let mut state = self.state.lock();
        let time = state.time(given, now);
        for write in writes {
            let rows = state.tables.entry(write.table.name).or_default();
            rows.write(write.table, write.row, Version::new(write.put, time, now))?;
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
        let mut state = self.state.lock();
        let time = state.time(None, now);
        let rows = state.tables.entry(table.name).or_default();
        if rows.get(&row, now).map(Bytes::as_ref) != expected {
            return Ok(false);
        }
        rows.write(table, row, Version::new(Some(Put::new(table, new, None)), time, now))?;
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
        let state = self.state.lock();
        Ok(state.tables.get(table.name).and_then(|rows| rows.get(&row, now)).cloned())
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
        let state = self.state.lock();
        let Some(rows) = state.tables.get(table.name).filter(|_| !range.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut walk = rows.range(range.bounds(), now);
        let walk: &mut dyn Iterator<Item = _> = match page.order {
            Direction::Forward => &mut walk,
            Direction::Backward => &mut walk.rev(),
        };
        walk.take(page.limit.min(Page::MAX_LIMIT))
            .map(|(row, value)| {
                let clustering = codec::decode_clustering(table, &row[partition.len()..])?;
                Ok(Row { clustering, value: value.clone() })
            })
            .collect()
    }

    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        plan::check_time(at)?;
        let partition = codec::partition(table, partition)?;
        let mut state = self.state.lock();
        let time = state.time(at, self.clock.now_millis());
        state.tables.entry(table.name).or_default().delete_partition(partition, time);
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
        let state = self.state.lock();
        let Some(rows) = state.tables.get(table.name) else {
            return Ok(found);
        };
        while let Some(start) = from.take().filter(|_| found.len() < limit.min(Page::MAX_LIMIT)) {
            let bounds = (Bound::Included(start.as_slice()), Bound::Unbounded);
            let Some((row, _)) = rows.range(bounds, now).next() else {
                break;
            };
            let (key, length) = codec::decode_partition(table, row)?;
            found.push(key);
            from = codec::behind(&row[..length]);
        }
        Ok(found)
    }
}
