//! The time of a write, by which the last writer wins.

use std::fmt;

/// When a write counts as done: microseconds since 1970, greater than 0.
///
/// A write or deletion of a row at one time loses against every write or deletion of that row, or of
/// its partition, at a greater one, whichever reaches the store first. A write that loses is answered
/// like one that wins. So the late write of somebody who no longer owns the data never wins over
/// the new owner's (CQL: `USING TIMESTAMP`), as long as
///
/// - times rise strictly within one owner's tenure, and above all of earlier tenures;
/// - nobody uses one time twice for the same row: backends settle a tie by what the rows hold, a
///   deletion before a value and the larger value before the smaller. A batch has one time for all
///   its rows, so the next batch needs another;
/// - all writes of the row have one, deletions of its partition too;
/// - the row is never written by [`put_if_absent`](crate::Store::put_if_absent) or
///   [`compare_and_set`](crate::Store::compare_and_set): their times are wall-clock times of the
///   database's nodes, which may lie on either side;
/// - a late write is at most the table's grace for tombstones behind (`gc_grace_seconds`: never less
///   than three hours). After that the database may have forgotten a deletion that it would have lost
///   against.
///
/// It fences rows, not owners: a late write of a row that the new owner has not written is taken. What
/// a new owner relies on, it writes or deletes itself when it begins.
///
/// It should follow real time: ScyllaDB refuses times more than three days ahead, and tables with
/// [`Compaction::TimeWindow`](crate::Compaction::TimeWindow) sort rows into windows by it. A new owner
/// takes the greater of the wall clock and the last time before its tenure, and goes up from there.
///
/// The TTL of a row is counted from when the store gets it, not from this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteTime(pub i64);

impl fmt::Display for WriteTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} µs", self.0)
    }
}
