//! The rows of one table, of which the last writer's stay: as CQL decides, whatever order the writes
//! come in.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use bytes::Bytes;

use crate::codec::{self, KeyRange};
use crate::{StoreError, Table, plan};

/// What was last written to a row. Deletions stay, so that what comes late finds them.
#[derive(Debug)]
pub(super) struct Version {
    /// Microseconds, as in [`WriteTime`](crate::WriteTime).
    pub(super) time: i64,
    /// None: it was deleted.
    pub(super) value: Option<Bytes>,
    /// Milliseconds since 1970; 0 for never.
    pub(super) expires_at: i64,
}

impl Version {
    /// At equal times a deletion wins, then the larger value.
    fn beats(&self, other: &Self) -> bool {
        let rank = |version: &Self| (version.time, version.value.is_none());
        (rank(self), &self.value) > (rank(other), &other.value)
    }

    fn live(&self, now: i64) -> Option<&Bytes> {
        self.value.as_ref().filter(|_| !plan::is_expired(self.expires_at, now))
    }
}

#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: BTreeMap<Vec<u8>, Version>,
    /// When partitions were deleted, by their bytes.
    deleted: HashMap<Vec<u8>, i64>,
}

impl Rows {
    /// Writes a row, unless there is something later.
    pub(super) fn write(
        &mut self,
        table: &'static Table,
        row: Vec<u8>,
        version: Version,
    ) -> Result<(), StoreError> {
        let (_, length) = codec::decode_partition(table, &row)?;
        let too_late = self.deleted.get(&row[..length]).is_some_and(|&at| at >= version.time);
        if !too_late && self.rows.get(&row).is_none_or(|found| version.beats(found)) {
            self.rows.insert(row, version);
        }
        Ok(())
    }

    /// Deletes the rows of a partition that are not later.
    pub(super) fn delete_partition(&mut self, partition: Vec<u8>, time: i64) {
        let range = KeyRange::of_partition(partition.clone());
        let end = range.end.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows
            .extract_if((Bound::Included(range.start), end), |_, version| version.time <= time)
            .for_each(drop);
        let at = self.deleted.entry(partition).or_insert(time);
        *at = time.max(*at);
    }

    /// The value of a row.
    pub(super) fn get(&self, row: &[u8], now: i64) -> Option<&Bytes> {
        self.rows.get(row)?.live(now)
    }

    /// The live rows of a range, which must not be empty.
    pub(super) fn range(
        &self,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        now: i64,
    ) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Bytes)> {
        let rows = self.rows.range::<[u8], _>(bounds);
        rows.filter_map(move |(row, version)| Some((row, version.live(now)?)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::*;
    use crate::{ColumnType, Compaction, Order, key};

    const TABLE: Table = Table {
        name: "table",
        partition: &[("app", ColumnType::U32)],
        clustering: &[("seq", ColumnType::U32, Order::Ascending)],
        ttl: None,
        compaction: Compaction::SizeTiered,
    };

    /// A write (with a value), a deletion of a row or, where no row is named, of the partition.
    type Change = (Option<u32>, Option<u8>);

    fn apply(rows: &mut Rows, time: i64, (row, value): Change) {
        let partition = codec::partition(&TABLE, &key![1u32]).unwrap();
        let Some(row) = row else {
            return rows.delete_partition(partition, time);
        };
        let row = codec::row(&TABLE, &partition, &key![row]).unwrap();
        let value = value.map(|value| Bytes::from(vec![value]));
        rows.write(&TABLE, row, Version { time, value, expires_at: 0 }).unwrap();
    }

    fn visible(rows: &Rows) -> Vec<(Vec<u8>, Bytes)> {
        let all = rows.range((Bound::Unbounded, Bound::Unbounded), 0);
        all.map(|(row, value)| (row.clone(), value.clone())).collect()
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(
            changes in prop::collection::vec((prop::option::weighted(0.9, 0..3u32), any::<Option<u8>>()), 0..12),
            repeated in subsequence((0..12usize).collect::<Vec<_>>(), 0..12),
            order in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let at = |index: usize| (i64::try_from(index).unwrap() + 1, changes.get(index));
            let (mut in_order, mut shuffled) = (Rows::default(), Rows::default());
            let arrivals = order.iter().chain(&repeated);
            for (rows, arrivals) in [
                (&mut in_order, &mut (0..12usize) as &mut dyn Iterator<Item = usize>),
                (&mut shuffled, &mut arrivals.copied()),
            ] {
                for index in arrivals {
                    if let (time, Some(&change)) = at(index) {
                        apply(rows, time, change);
                    }
                }
            }
            prop_assert_eq!(visible(&in_order), visible(&shuffled));
        }
    }

    #[test]
    fn ties_are_settled_by_what_is_written() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut rows = Rows::default();
            for index in order.into_iter().filter(|&index| index < 2) {
                apply(&mut rows, 5, [(Some(1), Some(3)), (Some(1), Some(4))][index]);
            }
            assert_eq!(visible(&rows)[0].1.as_ref(), [4]);
            for index in order {
                let deletion = [(Some(1), Some(9)), (Some(1), None), (Some(1), Some(2))][index];
                apply(&mut rows, 5, deletion);
            }
            assert_eq!(visible(&rows), []);
        }
        let mut rows = Rows::default();
        apply(&mut rows, 5, (None, None));
        apply(&mut rows, 5, (Some(1), Some(1)));
        assert_eq!(visible(&rows), []);
        apply(&mut rows, 6, (Some(1), Some(1)));
        assert_eq!(visible(&rows).len(), 1);
    }
}
