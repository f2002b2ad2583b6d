//! A batch checked and encoded: what both the embedded store and the map in memory carry out.

use std::time::Duration;

use bytes::Bytes;

use crate::{Batch, StoreError, Table, WriteTime, codec};

const MAX_TTL: Duration = Duration::from_secs(20 * 365 * 24 * 3600);

/// One write, ready to be applied.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) table: &'static Table,
    pub(crate) row: Vec<u8>,
    /// None deletes the row.
    pub(crate) put: Option<Put>,
}

/// What a row is to hold.
#[derive(Debug, Clone)]
pub(crate) struct Put {
    pub(crate) value: Bytes,
    pub(crate) ttl: Option<Duration>,
}

impl Put {
    /// A value with the TTL that was asked for, or else the table's.
    pub(crate) fn new(table: &'static Table, value: Bytes, ttl: Option<Duration>) -> Self {
        Self { value, ttl: ttl.or(table.ttl) }
    }

    /// When the row expires, milliseconds since 1970; 0 for never.
    pub(crate) fn expires_at(&self, now_millis: i64) -> i64 {
        self.ttl.map_or(0, |ttl| now_millis.saturating_add(i64::from(ttl_seconds(ttl)) * 1000))
    }
}

/// A TTL as CQL takes it: whole seconds, at least one.
pub(crate) fn ttl_seconds(ttl: Duration) -> i32 {
    let ttl = ttl.min(MAX_TTL);
    let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
    i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)
}

/// Whether a row that expires at that time is gone.
pub(crate) fn is_expired(expires_at: i64, now_millis: i64) -> bool {
    expires_at != 0 && expires_at <= now_millis
}

/// Checks and encodes a batch. Also tells how many bytes it holds.
pub(crate) fn plan(batch: &Batch) -> Result<(Vec<Write>, usize), StoreError> {
    if batch.ops.len() > Batch::MAX_OPS {
        return Err(StoreError::TooLarge {
            what: "batch (writes)",
            size: batch.ops.len(),
            limit: Batch::MAX_OPS,
        });
    }
    check_time(batch.time)?;
    let mut writes: Vec<Write> = Vec::with_capacity(batch.ops.len());
    let mut partition: Option<(&'static Table, Vec<u8>)> = None;
    let mut size = 0;
    for op in &batch.ops {
        // Tables of one batch share the columns of the partition key, but each checks them.
        let encoded = match partition.take() {
            Some((table, encoded)) if std::ptr::eq(table, op.table) => encoded,
            _ => codec::partition(op.table, &batch.partition)?,
        };
        let row = codec::row(op.table, &encoded, &op.clustering)?;
        partition = Some((op.table, encoded));
        size += row.len() + op.value.as_ref().map_or(0, Bytes::len);
        let put = op.value.clone().map(|value| Put::new(op.table, value, op.ttl));
        writes.push(Write { table: op.table, row, put });
    }
    check_size(size)?;
    let limit = Batch::MAX_BYTES_ACROSS_TABLES;
    if size > limit && writes.iter().any(|write| write.table.name != writes[0].table.name) {
        return Err(StoreError::TooLarge {
            what: "batch over several tables (bytes)",
            size,
            limit,
        });
    }
    refuse_duplicates(&writes)?;
    Ok((writes, size))
}

/// Refuses more bytes than one batch may hold.
pub(crate) fn check_size(size: usize) -> Result<(), StoreError> {
    let limit = Batch::MAX_BYTES;
    if size <= limit {
        Ok(())
    } else {
        Err(StoreError::TooLarge { what: "batch (bytes)", size, limit })
    }
}

/// Refuses a time that CQL would not take.
pub(crate) fn check_time(time: Option<WriteTime>) -> Result<(), StoreError> {
    match time {
        Some(WriteTime(micros)) if micros <= 0 => Err(StoreError::BadWriteTime { micros }),
        _ => Ok(()),
    }
}

fn refuse_duplicates(writes: &[Write]) -> Result<(), StoreError> {
    // What one loop pushes comes in order already, and needs no sorting.
    if writes.is_sorted_by(|a, b| (a.table.name, &a.row) < (b.table.name, &b.row)) {
        return Ok(());
    }
    let mut rows: Vec<_> = writes.iter().map(|write| (write.table.name, &write.row)).collect();
    rows.sort_unstable();
    match rows.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(StoreError::DuplicateRow { table: pair[0].0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnType, Compaction, Op, Order, key};

    const TABLE: Table = Table {
        name: "table",
        partition: &[("app", ColumnType::U32)],
        clustering: &[("seq", ColumnType::U32, Order::Ascending)],
        ttl: Some(Duration::from_secs(60)),
        compaction: Compaction::SizeTiered,
    };

    fn expires_at(ttl: Option<Duration>) -> i64 {
        Put::new(&TABLE, Bytes::new(), ttl).expires_at(1_000)
    }

    #[test]
    fn a_ttl_is_whole_seconds_within_limits() {
        assert_eq!(expires_at(None), 61_000);
        assert_eq!(expires_at(Some(Duration::from_millis(1))), 2_000);
        assert_eq!(expires_at(Some(Duration::from_millis(1_001))), 3_000);
        assert_eq!(expires_at(Some(Duration::ZERO)), 2_000);
        assert_eq!(expires_at(Some(Duration::MAX)), 1_000 + 20 * 365 * 24 * 3_600_000);
    }

    #[test]
    fn a_row_is_gone_when_its_time_has_come() {
        assert!(!is_expired(0, i64::MAX), "0 is never");
        assert!(!is_expired(10, 9));
        assert!(is_expired(10, 10));
    }

    #[test]
    fn several_tables_share_a_smaller_limit() {
        const OTHER: Table = Table { name: "other", ..TABLE };
        let half = vec![0; Batch::MAX_BYTES_ACROSS_TABLES / 2];
        let batch = |table| {
            let batch = Batch::durable(key![1u32]).put(&TABLE, key![1u32], half.clone());
            plan(&batch.put(table, key![2u32], half.clone()))
        };
        assert!(batch(&TABLE).is_ok());
        assert!(matches!(batch(&OTHER), Err(StoreError::TooLarge { .. })));
    }

    #[test]
    fn a_write_time_is_positive() {
        let at = |micros| plan(&Batch::durable(key![1u32]).at(WriteTime(micros)));
        assert!(at(1).is_ok() && at(i64::MAX).is_ok());
        for micros in [0, -1, i64::MIN] {
            assert!(matches!(at(micros), Err(StoreError::BadWriteTime { .. })));
        }
    }

    #[test]
    fn a_row_twice_is_found_in_any_order() {
        let plan_of = |seqs: &[u32]| {
            let mut batch = Batch::durable(key![1u32]);
            seqs.iter().for_each(|&seq| batch.push(Op::put(&TABLE, key![seq], "")));
            plan(&batch).map(|(writes, _)| writes.len())
        };
        assert!(matches!(plan_of(&[1, 2, 3]), Ok(3)));
        assert!(matches!(plan_of(&[3, 1, 2]), Ok(3)));
        for twice in [&[1, 1][..], &[1, 2, 1], &[2, 3, 1, 3]] {
            assert!(matches!(plan_of(twice), Err(StoreError::DuplicateRow { table: "table" })));
        }
    }
}
