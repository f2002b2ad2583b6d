//! Random changes and pages on a store and on the store in memory: both must show the same.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use throng_store::{
    Batch, ColumnType, Compaction, Direction, Key, MemoryStore, Op, Order, Page, Store, Table,
    WriteTime, key,
};
use tokio::runtime::Handle;

/// One row a partition.
pub(crate) const SINGLE: Table = Table {
    name: "model_single",
    partition: &[("app", ColumnType::U32), ("owner", ColumnType::Text)],
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
};
/// Columns of several types in mixed order.
pub(crate) const ROWS: Table = Table {
    name: "model_rows",
    clustering: &[
        ("a", ColumnType::U32, Order::Ascending),
        ("b", ColumnType::I64, Order::Descending),
        ("c", ColumnType::Text, Order::Ascending),
    ],
    ..SINGLE
};

/// The time of the first write that brings one: long ago, so that those without one are later.
const EPOCH: i64 = 1_000_000_000_000_000;
const PARTITIONS: usize = 2;

/// A row of [`ROWS`], or that of [`SINGLE`].
type Place = Option<(u32, i64, String)>;

#[derive(Debug, Clone)]
enum Change {
    /// Values to put; None deletes.
    Write(Vec<(Place, Option<u8>)>),
    /// Of [`ROWS`] or of [`SINGLE`].
    DeletePartition { rows: bool },
}

#[derive(Debug, Clone)]
struct Step {
    partition: usize,
    change: Change,
    /// Microseconds after [`EPOCH`], different in all steps.
    time: Option<i64>,
    /// What is read afterwards.
    page: Page,
}

fn place() -> impl Strategy<Value = Place> {
    prop::option::weighted(0.9, (0..3u32, -1..2i64, "[ab]?"))
}

fn change() -> impl Strategy<Value = Change> {
    let write = prop::collection::vec((place(), any::<Option<u8>>()), 1..8).prop_map(|mut ops| {
        let mut seen = BTreeSet::new();
        ops.retain(|(place, _)| seen.insert(place.clone()));
        Change::Write(ops)
    });
    prop_oneof![
        8 => write,
        1 => any::<bool>().prop_map(|rows| Change::DeletePartition { rows }),
    ]
}

fn bound() -> impl Strategy<Value = Bound<Key>> {
    let key = (0..3u32, -1..2i64, "[ab]?", 0..=3usize)
        .prop_map(|(a, b, c, columns)| Key::from(key![a, b, c].components()[..columns].to_vec()));
    prop_oneof![
        1 => Just(Bound::Unbounded),
        2 => key.clone().prop_map(Bound::Included),
        2 => key.prop_map(Bound::Excluded),
    ]
}

fn page() -> impl Strategy<Value = Page> {
    (bound(), bound(), any::<bool>(), 1..12usize).prop_map(|(from, to, backward, limit)| {
        let order = if backward { Direction::Backward } else { Direction::Forward };
        Page { from, to, order, limit }
    })
}

fn steps(timed: bool) -> impl Strategy<Value = Vec<Step>> {
    let timed = if timed { 0.8 } else { 0.0 };
    let step = (0..PARTITIONS, change(), prop::bool::weighted(timed), page());
    // Times in another order than the steps: some writes are late.
    let times = Just((1..=12i64).collect::<Vec<_>>()).prop_shuffle();
    (prop::collection::vec(step, 1..12), times).prop_map(|(steps, times)| {
        let steps = steps.into_iter().zip(times);
        steps
            .map(|((partition, change, timed, page), time)| Step {
                partition,
                change,
                time: timed.then_some(time),
                page,
            })
            .collect()
    })
}

async fn carry_out(store: &dyn Store, partition: &Key, step: &Step) -> anyhow::Result<()> {
    let time = step.time.map(|time| WriteTime(EPOCH + time));
    match &step.change {
        Change::Write(ops) => {
            let mut batch = Batch::durable(partition.clone());
            if let Some(time) = time {
                batch = batch.at(time);
            }
            for (place, value) in ops {
                let (table, row) = match place {
                    None => (&SINGLE, Key::new()),
                    Some((a, b, c)) => (&ROWS, key![*a, *b, c]),
                };
                batch.push(match value {
                    // An empty value is one too.
                    Some(value) => Op::put(table, row, vec![*value; usize::from(value % 3)]),
                    None => Op::delete(table, row),
                });
            }
            store.write(batch).await?;
        }
        Change::DeletePartition { rows } => {
            let table = if *rows { &ROWS } else { &SINGLE };
            store.delete_partition(table, partition, time).await?;
        }
    }
    Ok(())
}

async fn compare(
    store: &dyn Store,
    model: &dyn Store,
    run: u32,
    steps: &[Step],
) -> anyhow::Result<()> {
    let partition = |number: usize| key![run, format!("owner {number}")];
    let same = async |number: usize, page: Page| {
        let partition = partition(number);
        let found = store.page(&ROWS, &partition, page.clone()).await?;
        let expected = model.page(&ROWS, &partition, page.clone()).await?;
        anyhow::ensure!(found == expected, "{page:?}: {found:?} instead of {expected:?}");
        anyhow::Ok(())
    };
    for step in steps {
        let partition = partition(step.partition);
        carry_out(store, &partition, step).await?;
        carry_out(model, &partition, step).await?;
        same(step.partition, step.page.clone()).await?;
    }
    for number in 0..PARTITIONS {
        same(number, Page::forward(100)).await?;
        same(number, Page::backward(100)).await?;
        let (partition, row) = (partition(number), Key::new());
        let found = store.get(&SINGLE, &partition, &row).await?;
        let expected = model.get(&SINGLE, &partition, &row).await?;
        anyhow::ensure!(found == expected, "{found:?} instead of {expected:?}");
    }
    Ok(())
}

/// Runs so many random series on the store, each in partitions of its own. Must not be called from a
/// task of the runtime.
pub(crate) fn it_does_what_the_model_does(
    runtime: &Handle,
    store: &Arc<dyn Store>,
    cases: u32,
) -> anyhow::Result<()> {
    static RUN: AtomicU32 = AtomicU32::new(0);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&steps(store.is_fenced()), |steps| {
        let run = RUN.fetch_add(1, Ordering::Relaxed);
        let compared = runtime.block_on(compare(&**store, &MemoryStore::new(), run, &steps));
        compared.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    run.map_err(|error| anyhow::anyhow!("{error}"))
}
