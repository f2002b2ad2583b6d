//! Full, absent and large.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use throng_store::{Batch, CqlConfig, CqlStore, Key, Op, Page, Store, StoreError, key};

use crate::model::{ROWS, SINGLE};
use crate::setup::Setup;

/// One request at a time, and no patience: of many at once some are refused, none gets lost.
pub(crate) fn what_has_no_place_in_time_is_refused(setup: &Setup) -> anyhow::Result<()> {
    let config = CqlConfig {
        max_in_flight: 1,
        queue_timeout: Duration::from_millis(1),
        ..setup.config.clone()
    };
    setup.runtime.block_on(async {
        let store = Arc::new(CqlStore::connect(&config, &[&SINGLE]).await?);
        let partition = key![1u32, "crowd"];
        store.put(&SINGLE, &partition, Key::new(), "there".into()).await?;
        let (mut served, mut refused) = (0, 0);
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (store, partition) = (store.clone(), partition.clone());
                tokio::spawn(async move { store.get(&SINGLE, &partition, &Key::new()).await })
            })
            .collect();
        for task in tasks {
            match task.await? {
                Ok(found) => {
                    ensure!(found == Some("there".into()));
                    served += 1;
                }
                Err(StoreError::Overloaded) => refused += 1,
                Err(error) => return Err(error.into()),
            }
        }
        ensure!(served > 0 && refused > 0, "{served} served, {refused} refused");
        Ok(())
    })
}

/// Nobody listens, or somebody who never answers: the start fails when its time is up.
pub(crate) fn nobody_there_is_told_in_time(setup: &Setup) -> anyhow::Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for address in [free, silent.local_addr()?] {
        let config = CqlConfig {
            nodes: vec![address.to_string()],
            connect_timeout: Duration::from_millis(700),
            ..setup.config.clone()
        };
        let began = Instant::now();
        let refused = setup.runtime.block_on(CqlStore::connect(&config, &[&SINGLE]));
        ensure!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        ensure!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    }
    Ok(())
}

/// As large as a batch may be, of one table and of two.
pub(crate) fn the_largest_batches_are_taken(setup: &Setup) -> anyhow::Result<()> {
    setup.runtime.block_on(async {
        let partition = key![1u32, "large"];
        let rows = u32::try_from(Batch::MAX_OPS)? - 1;
        for (limit, second) in [(Batch::MAX_BYTES, false), (Batch::MAX_BYTES_ACROSS_TABLES, true)] {
            let value = vec![7; limit / Batch::MAX_OPS - 100];
            let mut batch = Batch::durable(partition.clone());
            if second {
                batch.push(Op::put(&SINGLE, Key::new(), value.clone()));
            }
            (0..rows).for_each(|a| batch.push(Op::put(&ROWS, key![a, 0i64, "c"], value.clone())));
            setup.store.write(batch).await?;
            let found = setup.store.page(&ROWS, &partition, Page::forward(10_000)).await?;
            ensure!(found.len() == Batch::MAX_OPS - 1);
            ensure!(found.iter().all(|row| row.value == value));
        }
        let one = vec![1; Batch::MAX_BYTES - 100];
        let row = key![0u32, 0i64, "c"];
        setup.store.put(&ROWS, &partition, row.clone(), one.clone().into()).await?;
        ensure!(setup.store.get(&ROWS, &partition, &row).await? == Some(one.into()));
        setup.store.delete_partition(&ROWS, &partition, None).await?;
        Ok(())
    })
}
