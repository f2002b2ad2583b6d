//! Single rows and batches.

use std::sync::Arc;

use bytes::Bytes;

use super::{LIST, MIXED, Outcome, PassTime, SINGLE};
use crate::{Batch, Key, Op, Page, Store, StoreError, key};

/// The life of a row, and of a row in a table without clustering columns.
pub async fn rows_are_put_read_overwritten_and_deleted(
    store: Arc<dyn Store>,
    _: &dyn PassTime,
) -> Outcome {
    let partition = key![1u32, "rows"];
    for (table, row) in [(&LIST, key![7u32]), (&SINGLE, Key::new())] {
        assert_eq!(store.get(table, &partition, &row).await?, None);
        for value in ["first", "", "second"] {
            store.put(table, &partition, row.clone(), value.into()).await?;
            assert_eq!(
                store.get(table, &partition, &row).await?.as_deref(),
                Some(value.as_bytes())
            );
        }
        store.delete(table, &partition, row.clone()).await?;
        assert_eq!(store.get(table, &partition, &row).await?, None);
        store.delete(table, &partition, row).await?;
    }
    Ok(())
}

/// A batch over two tables, with a deletion; and an empty one.
pub async fn a_batch_writes_all_its_rows(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let partition = key![1u32, "batch"];
    store.write(Batch::durable(partition.clone())).await?;
    store.put(&LIST, &partition, key![0u32], "old".into()).await?;
    let mut batch = Batch::durable(partition.clone()).put(&SINGLE, Key::new(), "head");
    for seq in 1..=100u32 {
        batch.push(Op::put(&LIST, key![seq], seq.to_string()));
    }
    store.write(batch.delete(&LIST, key![0u32])).await?;
    assert_eq!(store.get(&SINGLE, &partition, &Key::new()).await?, Some("head".into()));
    let rows = store.page(&LIST, &partition, Page::forward(1000)).await?;
    let values: Vec<_> = rows.into_iter().map(|row| row.value).collect();
    assert_eq!(values, (1..=100u32).map(|seq| Bytes::from(seq.to_string())).collect::<Vec<_>>());
    Ok(())
}

/// Mistakes are told, and nothing of their batch is written.
pub async fn a_refused_batch_writes_nothing(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let partition = key![1u32, "refused"];
    let batch = || Batch::durable(partition.clone()).put(&LIST, key![1u32], "good");

    let twice = store.write(batch().delete(&LIST, key![1u32])).await;
    assert!(matches!(twice, Err(StoreError::DuplicateRow { table: "conformance_list" })));
    for wrong in [key![], key![1u64], key!["1"], key![1u32, 2u32]] {
        let result = store.write(batch().put(&LIST, wrong, "bad")).await;
        assert!(matches!(result, Err(StoreError::BadKey { table: "conformance_list", .. })));
    }
    let other = store.write(Batch::durable(key!["1"]).put(&LIST, key![1u32], "bad")).await;
    assert!(matches!(other, Err(StoreError::BadKey { .. })));

    let mut many = batch();
    for seq in 2..=u32::try_from(Batch::MAX_OPS + 1).unwrap_or(u32::MAX) {
        many.push(Op::put(&LIST, key![seq], ""));
    }
    assert!(matches!(store.write(many).await, Err(StoreError::TooLarge { .. })));
    let large = batch().put(&LIST, key![2u32], vec![0; Batch::MAX_BYTES]);
    assert!(matches!(store.write(large).await, Err(StoreError::TooLarge { .. })));

    assert_eq!(store.page(&LIST, &partition, Page::forward(10)).await?, []);
    Ok(())
}

/// Whoever is told that a write is done can read it.
pub async fn a_write_behind_is_visible_when_answered(
    store: Arc<dyn Store>,
    _: &dyn PassTime,
) -> Outcome {
    let partition = key![1u32, "behind"];
    for seq in 0..50u32 {
        store.write(Batch::behind(partition.clone()).put(&LIST, key![seq], "soft")).await?;
        assert_eq!(store.get(&LIST, &partition, &key![seq]).await?, Some("soft".into()));
    }
    Ok(())
}

/// Zero bytes, 0xFF bytes, empty text, extreme numbers; a value of a megabyte.
pub async fn odd_keys_and_large_values_come_back(
    store: Arc<dyn Store>,
    _: &dyn PassTime,
) -> Outcome {
    let large = Bytes::from((0..1 << 20).map(|at: u32| at.to_le_bytes()[1]).collect::<Vec<u8>>());
    for owner in ["", "\0", "a\0b", "\u{10FFFF}", "@TGS#_@TGS#c\u{7f}"] {
        let partition = key![u32::MAX, owner];
        for row in [
            key!["", i64::MIN, 0u64, Bytes::new()],
            key!["\0", i64::MAX, u64::MAX, vec![0xFF, 0xFF]],
            key!["群", -1i64, 1u64 << 63, vec![0, 0, 0xFF, 0]],
        ] {
            store.put(&MIXED, &partition, row.clone(), large.clone()).await?;
            assert_eq!(store.get(&MIXED, &partition, &row).await?.as_ref(), Some(&large));
            let page = store.page(&MIXED, &partition, Page::forward(2).within(row.clone())).await?;
            assert_eq!(page.len(), 1);
            assert_eq!(page[0].clustering, row);
        }
    }
    Ok(())
}
