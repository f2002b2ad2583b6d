//! What a write leaves in the database.

use anyhow::ensure;
use throng_store::{Batch, Key, Op, Store, WriteTime, key};

use crate::model::{ROWS, SINGLE};
use crate::setup::Setup;

pub(crate) fn a_write_has_the_time_that_it_brings(setup: &Setup) -> anyhow::Result<()> {
    let write_time = async |table: &str| {
        let text = format!(
            "SELECT writetime(value) FROM {}.{table} WHERE app = 1 AND owner = 'timed'",
            setup.config.keyspace
        );
        let rows = setup.session.query_unpaged(text, ()).await?.into_rows_result()?;
        anyhow::Ok(rows.single_row::<(i64,)>()?.0)
    };
    setup.runtime.block_on(async {
        let partition = key![1u32, "timed"];
        let one = Batch::durable(partition.clone()).put(&SINGLE, Key::new(), "one");
        setup.store.write(one.at(WriteTime(1_000))).await?;
        ensure!(write_time(SINGLE.name).await? == 1_000);

        let several = Batch::durable(partition.clone())
            .with(Op::put(&SINGLE, Key::new(), "two").ttl(std::time::Duration::from_secs(60)))
            .put(&ROWS, key![1u32, 1i64, "c"], "two");
        setup.store.write(several.at(WriteTime(2_000))).await?;
        ensure!(write_time(SINGLE.name).await? == 2_000);
        ensure!(write_time(ROWS.name).await? == 2_000);

        let mut last = 0;
        for _ in 0..20 {
            setup.store.put(&SINGLE, &partition, Key::new(), "now".into()).await?;
            let time = write_time(SINGLE.name).await?;
            ensure!(time > last.max(1_700_000_000_000_000), "{time} after {last}");
            last = time;
        }
        Ok(())
    })
}
