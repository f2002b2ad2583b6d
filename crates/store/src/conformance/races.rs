//! Conditional writes under contention.

use std::sync::Arc;

use bytes::Bytes;

use super::{Outcome, PassTime, SINGLE};
use crate::{Key, Store, key};

/// Many try to make the same row; one succeeds, and its value stays.
pub async fn put_if_absent_has_one_winner(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    let partition = key![1u32, "absent"];
    let tries: Vec<_> = (0..32u32)
        .map(|number| {
            let (store, partition) = (store.clone(), partition.clone());
            let value = Bytes::from(number.to_string());
            tokio::spawn(async move {
                let won =
                    store.put_if_absent(&SINGLE, &partition, &Key::new(), value.clone()).await;
                won.map(|won| won.then_some(value))
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tries {
        winners.extend(task.await.expect("no panic")?);
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.get(&SINGLE, &partition, &Key::new()).await?, winners.pop());
    Ok(())
}

/// A counter that several raise by read and compare-and-set reaches the sum.
pub async fn compare_and_set_loses_no_update(store: Arc<dyn Store>, _: &dyn PassTime) -> Outcome {
    const WRITERS: u32 = 4;
    const EACH: u32 = 25;
    let (partition, row) = (key![1u32, "counter"], Key::new());
    let set = store.compare_and_set(&SINGLE, &partition, &row, Some(b"0"), "1".into()).await?;
    assert!(!set, "there is no row to compare with");
    assert!(store.compare_and_set(&SINGLE, &partition, &row, None, "0".into()).await?);
    assert!(!store.compare_and_set(&SINGLE, &partition, &row, None, "9".into()).await?);

    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (store, partition, row) = (store.clone(), partition.clone(), row.clone());
            tokio::spawn(async move {
                let mut raised = 0;
                while raised < EACH {
                    let found = store.get(&SINGLE, &partition, &row).await?.unwrap_or_default();
                    let count: u32 = String::from_utf8_lossy(&found).parse().expect("a number");
                    let next = (count + 1).to_string().into();
                    let set = store.compare_and_set(&SINGLE, &partition, &row, Some(&found), next);
                    raised += u32::from(set.await?);
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic")?;
    }
    let sum = Bytes::from((WRITERS * EACH).to_string());
    assert_eq!(store.get(&SINGLE, &partition, &row).await?, Some(sum));
    Ok(())
}
