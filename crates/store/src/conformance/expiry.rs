//! Rows that live for a time.
//!
//! The first cases count seconds, by a clock that moves only when told. The others say what holds where
//! the time is real and a TTL may be up to a second shorter, because CQL counts whole seconds.

use std::sync::Arc;
use std::time::Duration;

use super::{LIST, Outcome, PassTime, SHORT, SHORT_LISTED, SHORT_SCANNED, until};
use crate::{Batch, Op, Page, Store, key};

const SECOND: Duration = Duration::from_secs(1);

/// The table's TTL (two seconds) hides rows from every way of reading; an overwrite begins anew.
pub async fn rows_expire_with_the_table(store: Arc<dyn Store>, time: &dyn PassTime) -> Outcome {
    if !time.is_exact() {
        return Ok(());
    }
    let partition = key![1u32, "expiring"];
    for seq in 0..3u32 {
        store.put(&SHORT_LISTED, &partition, key![seq], "x".into()).await?;
    }
    assert_eq!(store.page(&SHORT_LISTED, &partition, Page::forward(9)).await?.len(), 3);
    time.pass(SECOND).await;
    store.put(&SHORT_LISTED, &partition, key![1u32], "again".into()).await?;
    time.pass(SECOND + SECOND / 4).await;
    assert_eq!(store.get(&SHORT_LISTED, &partition, &key![0u32]).await?, None);
    assert_eq!(store.get(&SHORT_LISTED, &partition, &key![1u32]).await?, Some("again".into()));
    for page in [Page::forward(9), Page::backward(1)] {
        let rows = store.page(&SHORT_LISTED, &partition, page).await?;
        assert_eq!(rows.len(), 1, "expired rows do not count into the limit");
        assert_eq!(rows[0].clustering, key![1u32]);
    }
    assert_eq!(store.scan_partitions(&SHORT_LISTED, None, 9).await?, vec![partition.clone()]);
    time.pass(SECOND).await;
    assert_eq!(store.page(&SHORT_LISTED, &partition, Page::forward(9)).await?, []);
    assert_eq!(store.scan_partitions(&SHORT_LISTED, None, 9).await?, []);
    Ok(())
}

/// Longer and shorter than the table's, and in a table without one; parts of a second count as one.
pub async fn a_put_may_set_its_own_ttl(store: Arc<dyn Store>, time: &dyn PassTime) -> Outcome {
    if !time.is_exact() {
        return Ok(());
    }
    let partition = key![1u32, "own"];
    let batch = Batch::durable(partition.clone())
        .with(Op::put(&SHORT, key![1u32], "longer").ttl(4 * SECOND))
        .with(Op::put(&SHORT, key![2u32], "as the table"))
        .with(Op::put(&LIST, key![1u32], "shorter").ttl(SECOND))
        .with(Op::put(&LIST, key![2u32], "rounded up").ttl(SECOND + SECOND / 1000))
        .with(Op::put(&LIST, key![3u32], "at least a second").ttl(Duration::ZERO))
        .with(Op::put(&LIST, key![4u32], "for ever"));
    store.write(batch).await?;
    let list =
        async || store.page(&LIST, &partition, Page::forward(9)).await.map(|rows| rows.len());
    let short =
        async || store.page(&SHORT, &partition, Page::forward(9)).await.map(|rows| rows.len());
    assert_eq!((list().await?, short().await?), (4, 2));
    time.pass(SECOND + SECOND / 4).await;
    assert_eq!((list().await?, short().await?), (2, 2));
    time.pass(SECOND).await;
    assert_eq!((list().await?, short().await?), (1, 1));
    time.pass(2 * SECOND).await;
    assert_eq!((list().await?, short().await?), (1, 0));

    // Written again without one, a row stays.
    store
        .write(Batch::durable(partition.clone()).with(Op::put(&LIST, key![5u32], "x").ttl(SECOND)))
        .await?;
    store.put(&LIST, &partition, key![5u32], "y".into()).await?;
    time.pass(2 * SECOND).await;
    assert_eq!(list().await?, 2);
    Ok(())
}

/// What has expired can be made again, and does not compare equal.
pub async fn an_expired_row_is_absent_for_conditions(
    store: Arc<dyn Store>,
    time: &dyn PassTime,
) -> Outcome {
    if !time.is_exact() {
        return Ok(());
    }
    let (partition, row) = (key![1u32, "condition"], key![1u32]);
    assert!(store.put_if_absent(&SHORT, &partition, &row, "first".into()).await?);
    assert!(!store.put_if_absent(&SHORT, &partition, &row, "second".into()).await?);
    time.pass(2 * SECOND + SECOND / 4).await;
    let set = store.compare_and_set(&SHORT, &partition, &row, Some(b"first"), "x".into()).await?;
    assert!(!set);
    assert!(store.put_if_absent(&SHORT, &partition, &row, "third".into()).await?);
    assert_eq!(store.get(&SHORT, &partition, &row).await?, Some("third".into()));
    Ok(())
}

/// An expired row is in no page and takes no place in it; nor is its partition listed.
pub async fn expired_rows_are_seen_by_nobody(
    store: Arc<dyn Store>,
    time: &dyn PassTime,
) -> Outcome {
    let table = &SHORT_SCANNED;
    let (partition, gone) = (key![1u32, "stays"], key![1u32, "goes"]);
    let long = Op::put(table, key![5u32], "long").ttl(3600 * SECOND);
    let mut batch = Batch::durable(partition.clone()).with(long);
    (0..9u32).filter(|&seq| seq != 5).for_each(|seq| batch.push(Op::put(table, key![seq], "x")));
    store.write(batch).await?;
    store.put(table, &gone, key![1u32], "x".into()).await?;
    until(time, async || Ok(store.get(table, &gone, &key![1u32]).await?.is_none())).await?;
    for seq in (0..9u32).filter(|&seq| seq != 5) {
        assert_eq!(store.get(table, &partition, &key![seq]).await?, None);
    }
    for page in [Page::forward(9), Page::forward(1), Page::backward(1)] {
        let rows = store.page(table, &partition, page).await?;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].clustering, key![5u32]);
    }
    assert_eq!(store.page(table, &gone, Page::forward(9)).await?, []);
    assert_eq!(store.scan_partitions(table, None, 9).await?, vec![partition]);
    Ok(())
}

/// A put's own TTL counts instead of the table's, longer or shorter; and that of the last put.
pub async fn each_row_has_its_own_ttl(store: Arc<dyn Store>, time: &dyn PassTime) -> Outcome {
    let partition = key![1u32, "each"];
    let put = |table, seq: u32| Op::put(table, key![seq], "x");
    let batch = Batch::durable(partition.clone())
        .with(put(&SHORT, 1).ttl(3600 * SECOND))
        .with(put(&SHORT, 2))
        .with(put(&LIST, 1).ttl(SECOND))
        .with(put(&LIST, 2))
        .with(put(&LIST, 3).ttl(SECOND));
    store.write(batch).await?;
    store.write(Batch::durable(partition.clone()).with(put(&LIST, 3))).await?;
    let left = async |table| {
        let rows = store.page(table, &partition, Page::forward(9)).await?;
        Ok(rows.iter().filter_map(|row| row.clustering.get_u32(0)).collect::<Vec<_>>())
    };
    until(time, async || Ok(left(&SHORT).await? == [1] && left(&LIST).await? == [2, 3])).await?;
    // Nothing else goes when as much time has passed again.
    let later = put(&LIST, 4).ttl(SECOND);
    store.write(Batch::durable(partition.clone()).with(later)).await?;
    until(time, async || Ok(left(&LIST).await?.len() < 3)).await?;
    assert_eq!((left(&SHORT).await?, left(&LIST).await?), (vec![1], vec![2, 3]));
    Ok(())
}

/// Conditions see an expired row as absent.
pub async fn what_has_expired_can_be_made_again(
    store: Arc<dyn Store>,
    time: &dyn PassTime,
) -> Outcome {
    let (partition, row) = (key![1u32, "again"], key![1u32]);
    assert!(store.put_if_absent(&SHORT, &partition, &row, "first".into()).await?);
    let second = || store.put_if_absent(&SHORT, &partition, &row, "second".into());
    until(time, async || second().await).await?;
    assert_eq!(store.get(&SHORT, &partition, &row).await?, Some("second".into()));
    let set = store.compare_and_set(&SHORT, &partition, &row, Some(b"first"), "x".into()).await?;
    assert!(!set);
    Ok(())
}
