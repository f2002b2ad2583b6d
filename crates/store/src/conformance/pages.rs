//! Stretches of a partition, whole partitions, and the list of partitions.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

use super::{LIST, LISTED, MIXED, Outcome, PassTime};
use crate::{Batch, Direction, Key, Op, Page, Store, key};

/// The columns of the rows that the page cases use, in the order of [`MIXED`].
fn ordered() -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for name in ["a", "b", "ba", "c"] {
        rows.extend([9, 1, 0, -1, -9].map(|time| (name, time)));
    }
    rows
}

fn row_key((name, time): (&'static str, i64)) -> Key {
    key![name, time, 5u64, vec![1]]
}

/// The bounds that a case tries: none, one column, two columns.
fn bounds() -> Vec<Bound<(&'static str, Option<i64>)>> {
    let mut bounds = vec![Bound::Unbounded];
    for at in
        [("a", None), ("b", None), ("bb", None), ("b", Some(0)), ("b", Some(5)), ("c", Some(-9))]
    {
        bounds.extend([Bound::Included(at), Bound::Excluded(at)]);
    }
    bounds
}

fn bound_key(bound: Bound<(&'static str, Option<i64>)>) -> Bound<Key> {
    bound.map(|(name, time)| time.map_or(key![name], |time| key![name, time]))
}

/// Whether a row lies on the side of a bound where the lower (`low`) or higher rows are wanted.
fn admits(bound: Bound<(&'static str, Option<i64>)>, row: (&str, i64), low: bool) -> bool {
    let (at, included) = match bound {
        Bound::Unbounded => return true,
        Bound::Included(at) => (at, true),
        Bound::Excluded(at) => (at, false),
    };
    // The second column descends.
    let order =
        row.0.cmp(at.0).then(at.1.map_or(std::cmp::Ordering::Equal, |time| time.cmp(&row.1)));
    if order.is_eq() { included } else { order.is_gt() == low }
}

/// Every pair of bounds in both directions, against a sorted list.
pub async fn pages_are_ordered_and_bounded(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let partition = key![1u32, "pages"];
    let mut batch = Batch::durable(partition.clone());
    // Written in another order than they are read.
    for row in ordered().into_iter().rev() {
        batch.push(Op::put(&MIXED, row_key(row), row.0));
    }
    store.write(batch).await?;
    for order in [Direction::Forward, Direction::Backward] {
        for from in bounds() {
            for to in bounds() {
                let (low, high) = if order == Direction::Forward { (from, to) } else { (to, from) };
                let inside =
                    |&row: &(&str, i64)| admits(low, row, true) && admits(high, row, false);
                let mut expected: Vec<_> =
                    ordered().into_iter().filter(inside).map(row_key).collect();
                if order == Direction::Backward {
                    expected.reverse();
                }
                let page = Page { from: bound_key(from), to: bound_key(to), order, limit: 100 };
                let rows = store.page(&MIXED, &partition, page.clone()).await?;
                let found: Vec<_> = rows.into_iter().map(|row| row.clustering).collect();
                assert_eq!(found, expected, "{page:?}");
            }
        }
    }
    Ok(())
}

/// Walking in pages gives the same as one page.
pub async fn pages_continue_where_the_last_one_ended(
    store: Arc<dyn Store>,
    _: &dyn PassTime,
) -> Outcome {
    let partition = key![1u32, "walk"];
    let mut batch = Batch::durable(partition.clone());
    for seq in 0..95u32 {
        batch.push(Op::put(&LIST, key![seq], ""));
    }
    store.write(batch).await?;
    assert_eq!(store.page(&LIST, &partition, Page::forward(0)).await?, []);
    for (first, forward) in [(Page::forward(20), true), (Page::backward(20), false)] {
        let mut walked = Vec::new();
        let mut page = first.clone();
        loop {
            let rows = store.page(&LIST, &partition, page).await?;
            walked.extend(rows.iter().filter_map(|row| row.clustering.get_u32(0)));
            match rows.last() {
                Some(last) if rows.len() == 20 => {
                    page = first.clone().after(last.clustering.clone());
                }
                _ => break,
            }
        }
        let ascending = 0..95;
        let expected: Vec<u32> =
            if forward { ascending.collect() } else { ascending.rev().collect() };
        assert_eq!(walked, expected);
    }
    Ok(())
}

/// Partitions whose keys begin alike stay apart, and so do tables.
pub async fn partitions_do_not_mix(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let partitions = ["", "a", "a\0", "ab", "b"].map(|owner| key![1u32, owner]);
    for (number, partition) in (0u32..).zip(&partitions) {
        store.put(&LIST, partition, key![number], "".into()).await?;
    }
    for (number, partition) in (0u32..).zip(&partitions) {
        for page in [Page::forward(10), Page::backward(10)] {
            let rows = store.page(&LIST, partition, page).await?;
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].clustering, key![number]);
        }
        assert_eq!(store.page(&MIXED, partition, Page::forward(10)).await?, []);
    }
    Ok(())
}

/// Also a large one; its neighbours stay, and it can be filled again.
pub async fn a_partition_is_deleted_whole(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let (before, large, behind) = (key![1u32, "d"], key![1u32, "da"], key![1u32, "db"]);
    for neighbour in [&before, &behind] {
        store.put(&LIST, neighbour, key![1u32], "stays".into()).await?;
    }
    for chunk in 0..5u32 {
        let mut batch = Batch::behind(large.clone());
        for seq in chunk * 1000..(chunk + 1) * 1000 {
            batch.push(Op::put(&LIST, key![seq], "goes"));
        }
        store.write(batch).await?;
    }
    assert_eq!(store.page(&LIST, &large, Page::forward(10_000)).await?.len(), 5000);
    store.delete_partition(&LIST, &large, None).await?;
    assert_eq!(store.page(&LIST, &large, Page::forward(10_000)).await?, []);
    for neighbour in [&before, &behind] {
        assert_eq!(store.page(&LIST, neighbour, Page::forward(10)).await?.len(), 1);
    }
    store.put(&LIST, &large, key![9u32], "new".into()).await?;
    assert_eq!(store.page(&LIST, &large, Page::forward(10)).await?.len(), 1);
    store.delete_partition(&LIST, &key![1u32, "never was"], None).await
}

/// Each partition once, however many rows it has, in as many pages as it takes.
pub async fn partitions_are_listed(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    assert_eq!(store.scan_partitions(&LISTED, None, 10).await?, []);
    let mut expected = HashSet::new();
    for number in 0..25u32 {
        let partition = key![number % 3, format!("owner {number}")];
        let mut batch = Batch::behind(partition.clone());
        (0..number % 4 + 1).for_each(|seq| batch.push(Op::put(&LISTED, key![seq], "")));
        store.write(batch).await?;
        expected.insert(partition);
    }
    let emptied = key![1u32, "emptied"];
    store.put(&LISTED, &emptied, key![1u32], "".into()).await?;
    store.delete(&LISTED, &emptied, key![1u32]).await?;

    let mut found: Vec<Key> = Vec::new();
    loop {
        let keys = store.scan_partitions(&LISTED, found.last(), 10).await?;
        let complete = keys.len() < 10;
        found.extend(keys);
        if complete {
            break;
        }
    }
    assert_eq!(found.len(), expected.len());
    assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected);
    Ok(())
}
