//! The chosen engine, behind the store.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use throng_store::{
    Batch, ColumnType, Compaction, EmbeddedStore, Op, Order, Page, Store, StoreError, Table, key,
};

use crate::{READS, ROOMS, Result, value};

/// Reads through the store, which hands them to the runtime's blocking threads.
pub(crate) async fn through_the_store(path: &Path) -> Result<()> {
    const TABLE: Table = Table {
        name: "rows",
        partition: &[("room", ColumnType::U64)],
        clustering: &[("seq", ColumnType::U64, Order::Ascending)],
        ttl: None,
        compaction: Compaction::SizeTiered,
    };
    let store = Arc::new(EmbeddedStore::open(path)?);
    for room in 0..ROOMS {
        let mut batch = Batch::behind(key![room]);
        (0..50u64).for_each(|seq| batch.push(Op::put(&TABLE, key![seq], value(0))));
        store.write(batch).await?;
    }
    for tasks in [1u64, 64] {
        for page in [false, true] {
            let start = Instant::now();
            let readers = (0..tasks).map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for turn in 0..READS / tasks {
                        let room = key![(task * 37 + turn * 7) % ROOMS];
                        let found = if page {
                            store.page(&TABLE, &room, Page::backward(20)).await?.len()
                        } else {
                            store.get(&TABLE, &room, &key![turn % 50]).await?.map_or(0, |_| 1)
                        };
                        assert_eq!(found, if page { 20 } else { 1 });
                    }
                    Ok::<_, StoreError>(())
                })
            });
            for reader in readers.collect::<Vec<_>>() {
                reader.await??;
            }
            let what = if page { "newest 20" } else { "get" };
            println!("store  {what}, {tasks} tasks: {:.1?} each", start.elapsed() / READS as u32);
        }
    }
    Ok(())
}
