//! What every backend must do, as tests to be run against it (feature `testing`).
//!
//! A backend's test file calls [`conformance_tests!`](crate::conformance_tests) with a function that
//! opens an empty store.

mod expiry;
mod fencing;
mod pages;
mod races;
mod rows;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use expiry::*;
pub use fencing::*;
pub use pages::*;
pub use races::*;
pub use rows::*;

use crate::{ColumnType, Compaction, ManualClock, Order, Store, StoreError, Table};

/// Makes the store under test think that time passes: by its clock, or by waiting.
#[async_trait]
pub trait PassTime: Send + Sync {
    /// Returns when so much time has passed.
    async fn pass(&self, time: Duration);

    /// Whether no more time passes than is asked for. Cases that count seconds need that.
    fn is_exact(&self) -> bool;
}

#[async_trait]
impl PassTime for ManualClock {
    async fn pass(&self, time: Duration) {
        self.advance(time);
    }

    fn is_exact(&self) -> bool {
        true
    }
}

/// For a store whose clock cannot be moved.
#[derive(Debug, Clone, Copy)]
pub struct RealTime;

#[async_trait]
impl PassTime for RealTime {
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn is_exact(&self) -> bool {
        false
    }
}

/// How a case ends; what a store must not do panics.
pub type Outcome = Result<(), StoreError>;

/// Lets time pass until something is so; panics if it is not after twenty seconds.
async fn until(
    time: &dyn PassTime,
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

/// A case, to be called by another test harness than the usual one.
pub type Case =
    for<'a> fn(Arc<dyn Store>, &'a dyn PassTime) -> Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// All cases with their names.
pub fn cases() -> Vec<(&'static str, Case)> {
    crate::conformance_list!(conformance_cases)
}

/// One test a case. The argument is an async function that returns a store, its [`PassTime`] and
/// anything that must live as long as the store.
#[macro_export]
macro_rules! conformance_tests {
    ($open:path) => {
        $crate::conformance_list! { conformance_tests $open }
    };
    ($open:path: $($case:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (store, time, _keep) = $open().await;
            $crate::conformance::$case(store, &time).await.expect("the store does not fail");
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    (: $($case:ident)+) => {
        vec![$((stringify!($case), |store, time| Box::pin($case(store, time)))),+]
    };
}

/// Hands the names of all cases to a macro of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_list {
    ($then:ident $($first:tt)*) => {
        $crate::$then! { $($first)*:
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
            expired_rows_are_seen_by_nobody
            each_row_has_its_own_ttl
            what_has_expired_can_be_made_again
            a_write_time_is_positive
            a_late_write_loses
            a_late_batch_loses_row_by_row
            a_deleted_partition_stays_deleted
            an_expired_row_wins_over_a_late_write
        }
    };
}

/// The tables that the cases use. Each case has partitions of its own, and tables whose partitions are
/// listed belong to one case, so that all cases may run on one store at the same time.
pub const TABLES: &[&Table] =
    &[&SINGLE, &LIST, &LISTED, &MIXED, &SHORT, &SHORT_LISTED, &SHORT_SCANNED];

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
/// Like [`LIST`], for the case that lists partitions.
const LISTED: Table = Table { name: "conformance_listed", ..LIST };
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
/// Like [`SHORT`], for a case that lists partitions.
const SHORT_LISTED: Table = Table { name: "conformance_short_listed", ..SHORT };
/// Likewise for another.
const SHORT_SCANNED: Table = Table { name: "conformance_short_scanned", ..SHORT };
