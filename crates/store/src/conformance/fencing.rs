//! Late writes of somebody who no longer owns the data.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{LIST, Outcome, PassTime, SINGLE, until};
use crate::{Batch, Key, Op, Page, Store, StoreError, WriteTime, key};

fn at(time: i64, partition: &Key) -> Batch {
    Batch::durable(partition.clone()).at(WriteTime(time))
}

async fn sequences(store: &Arc<dyn Store>, partition: &Key) -> Result<Vec<u32>, StoreError> {
    let rows = store.page(&LIST, partition, Page::forward(100)).await?;
    Ok(rows.iter().filter_map(|row| row.clustering.get_u32(0)).collect())
}

/// Of the writes and deletions of a row the one with the greatest time stays.
pub async fn a_late_write_loses(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    if !store.is_fenced() {
        return Ok(());
    }
    let partition = key![1u32, "late"];
    for (table, row) in [(&LIST, key![1u32]), (&SINGLE, Key::new())] {
        let put = |time, value: &'static str| {
            store.write(at(time, &partition).put(table, row.clone(), value))
        };
        let delete = |time| store.write(at(time, &partition).delete(table, row.clone()));
        let found = async || store.get(table, &partition, &row).await;

        put(20, "new").await?;
        put(10, "old").await?;
        delete(15).await?;
        assert_eq!(found().await?, Some("new".into()));
        delete(30).await?;
        put(25, "between").await?;
        assert_eq!(found().await?, None);
        put(31, "newest").await?;
        assert_eq!(found().await?, Some("newest".into()));
        // A write without a time has that of a clock, which is far later.
        store.put(table, &partition, row.clone(), "now".into()).await?;
        put(32, "then").await?;
        assert_eq!(found().await?, Some("now".into()));
    }
    Ok(())
}

/// Each row of a late batch is decided by itself; so a batch that loses does no harm.
pub async fn a_late_batch_loses_row_by_row(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    if !store.is_fenced() {
        return Ok(());
    }
    let partition = key![1u32, "late batch"];
    let new = at(200, &partition).put(&LIST, key![1u32], "new").put(&SINGLE, Key::new(), "new");
    store.write(new.delete(&LIST, key![2u32])).await?;
    let mut old = at(100, &partition).put(&SINGLE, Key::new(), "old");
    (1..=3u32).for_each(|seq| old.push(Op::put(&LIST, key![seq], "old")));
    store.write(old).await?;
    let rows = store.page(&LIST, &partition, Page::forward(9)).await?;
    let rows: Vec<_> = rows.into_iter().map(|row| (row.clustering, row.value)).collect();
    assert_eq!(rows, [(key![1u32], Bytes::from("new")), (key![3u32], Bytes::from("old"))]);
    assert_eq!(store.get(&SINGLE, &partition, &Key::new()).await?, Some("new".into()));
    Ok(())
}

/// A partition's deletion takes what is older, also what comes later, and leaves what is newer.
pub async fn a_deleted_partition_stays_deleted(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    if !store.is_fenced() {
        return Ok(());
    }
    let partition = key![1u32, "late deletion"];
    for (time, seq) in [(10, 1u32), (30, 3)] {
        store.write(at(time, &partition).put(&LIST, key![seq], "")).await?;
    }
    store.delete_partition(&LIST, &partition, Some(WriteTime(20))).await?;
    assert_eq!(sequences(&store, &partition).await?, [3]);
    for (time, seq) in [(19, 4u32), (21, 5)] {
        store.write(at(time, &partition).put(&LIST, key![seq], "")).await?;
    }
    assert_eq!(sequences(&store, &partition).await?, [3, 5]);
    // A late deletion does not make up for the one that came before.
    store.delete_partition(&LIST, &partition, Some(WriteTime(5))).await?;
    store.write(at(18, &partition).put(&LIST, key![6u32], "")).await?;
    assert_eq!(sequences(&store, &partition).await?, [3, 5]);
    store.delete_partition(&LIST, &partition, None).await?;
    assert!(sequences(&store, &partition).await?.is_empty());
    Ok(())
}

/// A row that has expired is still later than what comes late.
pub async fn an_expired_row_wins_over_a_late_write(
    store: Arc<dyn Store>,
    time: &dyn PassTime,
) -> Outcome {
    if !store.is_fenced() {
        return Ok(());
    }
    let (partition, row) = (key![1u32, "late expiry"], key![1u32]);
    let short = Op::put(&LIST, row.clone(), "short").ttl(Duration::from_secs(1));
    store.write(at(20, &partition).with(short)).await?;
    until(time, async || Ok(store.get(&LIST, &partition, &row).await?.is_none())).await?;
    store.write(at(10, &partition).put(&LIST, row.clone(), "old")).await?;
    assert_eq!(store.get(&LIST, &partition, &row).await?, None);
    Ok(())
}

/// Times that are not positive are refused, by every store.
pub async fn a_write_time_is_positive(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let partition = key![1u32, "bad time"];
    let written = store.write(at(0, &partition).put(&LIST, key![1u32], "")).await;
    assert!(matches!(written, Err(StoreError::BadWriteTime { micros: 0 })));
    let deleted = store.delete_partition(&LIST, &partition, Some(WriteTime(-1))).await;
    assert!(matches!(deleted, Err(StoreError::BadWriteTime { micros: -1 })));
    Ok(())
}
