//! Rows that live for a time.

use std::sync::Arc;
use std::time::Duration;

use super::{LIST, Outcome, PassTime, SHORT};
use crate::{Batch, Op, Page, Store, key};

const SECOND: Duration = Duration::from_secs(1);

/// The table's TTL (two seconds) hides rows from every way of reading; an overwrite begins anew.
pub async fn rows_expire_with_the_table(store: Arc<dyn Store>, time: &impl PassTime) -> Outcome {
    let partition = key![1u32, "expiring"];
    for seq in 0..3u32 {
        store.put(&SHORT, &partition, key![seq], "x".into()).await?;
    }
    assert_eq!(store.page(&SHORT, &partition, Page::forward(9)).await?.len(), 3);
    time.pass(SECOND).await;
    store.put(&SHORT, &partition, key![1u32], "again".into()).await?;
    time.pass(SECOND + SECOND / 4).await;
    assert_eq!(store.get(&SHORT, &partition, &key![0u32]).await?, None);
    assert_eq!(store.get(&SHORT, &partition, &key![1u32]).await?, Some("again".into()));
    for page in [Page::forward(9), Page::backward(1)] {
        let rows = store.page(&SHORT, &partition, page).await?;
        assert_eq!(rows.len(), 1, "expired rows do not count into the limit");
        assert_eq!(rows[0].clustering, key![1u32]);
    }
    assert_eq!(store.scan_partitions(&SHORT, None, 9).await?, vec![partition.clone()]);
    time.pass(SECOND).await;
    assert_eq!(store.page(&SHORT, &partition, Page::forward(9)).await?, []);
    assert_eq!(store.scan_partitions(&SHORT, None, 9).await?, []);
    Ok(())
}

/// Longer and shorter than the table's, and in a table without one; parts of a second count as one.
pub async fn a_put_may_set_its_own_ttl(store: Arc<dyn Store>, time: &impl PassTime) -> Outcome {
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
    time: &impl PassTime,
) -> Outcome {
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
