//! What every backend must do, as tests to be run against it (feature `testing`).
//!
//! A backend's test file calls [`conformance_tests!`](crate::conformance_tests) with a function that
//! opens an empty store.

mod expiry;
mod fencing;
mod pages;
mod races;
mod rows;

use std::time::Duration;

use async_trait::async_trait;

pub use expiry::*;
pub use fencing::*;
pub use pages::*;
pub use races::*;
pub use rows::*;

use crate::{ColumnType, Compaction, ManualClock, Order, StoreError, Table};

/// Makes the store under test think that time passes: by its clock, or by waiting.
#[async_trait]
pub trait PassTime: Send + Sync {
    /// Returns when so much time has passed.
    async fn pass(&self, time: Duration);
}

#[async_trait]
impl PassTime for ManualClock {
    async fn pass(&self, time: Duration) {
        self.advance(time);
    }
}

/// How a case ends; what a store must not do panics.
pub type Outcome = Result<(), StoreError>;

/// Lets time pass until something is so; panics if it is not after twenty seconds.
async fn until(
    time: &impl PassTime,
    mut done: impl AsyncFnMut() -> Result<bool, StoreError>,
) -> Outcome {
    for _ in 0..200 {
        if done().await? {
            return Ok(());
        }
        time.pass(Duration::from_millis(100)).await;
    }
    panic!("it did not come true");
}

/// One test a case. The argument is an async function that returns a store, its [`PassTime`] and
/// anything that must live as long as the store.
#[macro_export]
macro_rules! conformance_tests {
    ($open:path) => {
        $crate::conformance_tests! { $open:
            rows_are_put_read_overwritten_and_deleted
            a_batch_writes_all_its_rows
            a_refused_batch_writes_nothing
            a_write_behind_is_visible_when_answered
            odd_keys_and_large_values_come_back
            pages_are_ordered_and_bounded
            pages_continue_where_the_last_one_ended
            partitions_do_not_mix
            a_partition_is_deleted_whole
            partitions_are_listed
            put_if_absent_has_one_winner
            compare_and_set_loses_no_update
            rows_expire_with_the_table
            a_put_may_set_its_own_ttl
            an_expired_row_is_absent_for_conditions
            a_write_time_is_positive
            a_late_write_loses
            a_late_batch_loses_row_by_row
            a_deleted_partition_stays_deleted
            an_expired_row_wins_over_a_late_write
        }
    };
    ($open:path: $($case:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (store, time, _keep) = $open().await;
            $crate::conformance::$case(store, &time).await.expect("the store does not fail");
        })+
    };
}

const PARTITION: &[(&str, ColumnType)] = &[("app", ColumnType::U32), ("owner", ColumnType::Text)];

/// One row a partition.
const SINGLE: Table = Table {
    name: "conformance_single",
    partition: PARTITION,
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
};
/// A list in order of a number.
const LIST: Table = Table {
    name: "conformance_list",
    clustering: &[("seq", ColumnType::U32, Order::Ascending)],
    ..SINGLE
};
/// Each type once, in mixed order.
const MIXED: Table = Table {
    name: "conformance_mixed",
    clustering: &[
        ("name", ColumnType::Text, Order::Ascending),
        ("time", ColumnType::I64, Order::Descending),
        ("id", ColumnType::U64, Order::Ascending),
        ("raw", ColumnType::Bytes, Order::Ascending),
    ],
    ..SINGLE
};
/// Like [`LIST`], kept for two seconds.
const SHORT: Table = Table {
    name: "conformance_short",
    ttl: Some(Duration::from_secs(2)),
    compaction: Compaction::TimeWindow { hours: 1 },
    ..LIST
};
