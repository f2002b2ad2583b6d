//! Walking through rows, on a thread that may wait for the disk.

use fjall::{Keyspace, Readable, Snapshot};

use super::{backend, row};
use crate::codec::{self, KeyRange};
use crate::{Direction, Key, Page, Row, StoreError, Table};

/// The live rows of a range. The partition takes the first `skip` bytes of their keys.
pub(crate) fn page(
    table: &'static Table,
    keyspace: &Keyspace,
    snapshot: &Snapshot,
    skip: usize,
    range: &KeyRange,
    page: &Page,
    now: i64,
) -> Result<Vec<Row>, StoreError> {
    let limit = page.limit.min(Page::MAX_LIMIT);
    let mut walk = snapshot.range::<&[u8], _>(keyspace, range.bounds());
    let mut rows = Vec::with_capacity(limit.min(64));
    while rows.len() < limit {
        let next = match page.order {
            Direction::Forward => walk.next(),
            Direction::Backward => walk.next_back(),
        };
        let Some(next) = next else { break };
        let (row, stored) = next.into_inner().map_err(backend)?;
        if let Some(value) = row::live(stored, now)? {
            let clustering = codec::decode_clustering(table, &row[skip..])?;
            rows.push(Row { clustering, value });
        }
    }
    Ok(rows)
}

/// The partitions that have a live row, from some key on.
pub(crate) fn scan(
    table: &'static Table,
    keyspace: &Keyspace,
    snapshot: &Snapshot,
    mut from: Option<Vec<u8>>,
    limit: usize,
    now: i64,
) -> Result<Vec<Key>, StoreError> {
    let mut found = Vec::new();
    // One seek a partition: the rows of a large one are not walked through.
    'partitions: while let Some(start) = from.take().filter(|_| found.len() < limit) {
        for entry in snapshot.range(keyspace, start..) {
            let (row, stored) = entry.into_inner().map_err(backend)?;
            if row::live(stored, now)?.is_some() {
                let (key, length) = codec::decode_partition(table, &row)?;
                found.push(key);
                from = codec::behind(&row[..length]);
                continue 'partitions;
            }
        }
    }
    Ok(found)
}
