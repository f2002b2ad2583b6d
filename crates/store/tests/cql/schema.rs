//! Tables made and compared.

use anyhow::ensure;
use throng_store::cql::apply_schema;
use throng_store::{
    ColumnType, Compaction, CqlConfig, CqlStore, Order, StoreError, Table, conformance,
};

use crate::setup::Setup;

const TABLE: Table = Table {
    name: "schema_table",
    partition: &[("app", ColumnType::U32), ("owner", ColumnType::Text)],
    clustering: &[
        ("at", ColumnType::I64, Order::Descending),
        ("hash", ColumnType::U64, Order::Ascending),
        ("token", ColumnType::Bytes, Order::Ascending),
    ],
    ttl: Some(std::time::Duration::from_secs(24 * 3600)),
    compaction: Compaction::TimeWindow { hours: 1 },
};

/// The reason of a schema error.
fn refused<T>(result: Result<T, StoreError>) -> anyhow::Result<String> {
    match result {
        Err(StoreError::Schema { reason }) => Ok(reason),
        Err(error) => Err(error.into()),
        Ok(_) => anyhow::bail!("it was not refused"),
    }
}

fn strict(setup: &Setup) -> CqlConfig {
    CqlConfig { create_schema: false, ..setup.config.clone() }
}

pub(crate) fn applying_again_changes_nothing(setup: &Setup) -> anyhow::Result<()> {
    let apply = || setup.runtime.block_on(apply_schema(&setup.config, conformance::TABLES));
    ensure!(apply()?.is_empty());
    setup.runtime.block_on(CqlStore::connect(&strict(setup), conformance::TABLES))?;
    Ok(())
}

pub(crate) fn missing_tables_are_told_or_made(setup: &Setup) -> anyhow::Result<()> {
    const NEW: Table = Table { name: "schema_new", ..TABLE };
    let strict = strict(setup);
    let told = refused(setup.runtime.block_on(CqlStore::connect(&strict, &[&NEW])))?;
    ensure!(told.contains("schema_new") && told.contains("schema apply"), "{told}");
    let made = setup.runtime.block_on(apply_schema(&strict, &[&NEW]))?;
    ensure!(made.len() == 1 && made[0].contains("CREATE TABLE"), "{made:?}");
    setup.runtime.block_on(CqlStore::connect(&strict, &[&NEW]))?;
    Ok(())
}

pub(crate) fn a_table_of_other_columns_is_refused(setup: &Setup) -> anyhow::Result<()> {
    const FIRST: Table = Table { name: "schema_first", ..TABLE };
    setup.runtime.block_on(apply_schema(&setup.config, &[&FIRST]))?;
    let renamed = &[("app", ColumnType::U32), ("name", ColumnType::Text)];
    let retyped = &[("app", ColumnType::Text), ("owner", ColumnType::Text)];
    let ascending = &[
        ("at", ColumnType::I64, Order::Ascending),
        ("hash", ColumnType::U64, Order::Ascending),
        ("token", ColumnType::Bytes, Order::Ascending),
    ];
    for other in [
        Table { partition: renamed, ..FIRST },
        Table { partition: retyped, ..FIRST },
        Table { clustering: ascending, ..FIRST },
        Table { clustering: &[], compaction: Compaction::SizeTiered, ..FIRST },
    ] {
        let other: &'static Table = Box::leak(Box::new(other));
        let told = refused(setup.runtime.block_on(apply_schema(&setup.config, &[other])))?;
        ensure!(told.contains("schema_first has other columns"), "{told}");
        ensure!(told.contains("at bigint desc, hash blob, token blob, value blob"), "{told}");
    }
    Ok(())
}

pub(crate) fn a_changed_ttl_is_applied(setup: &Setup) -> anyhow::Result<()> {
    const OLD: Table = Table { name: "schema_ttl", ..TABLE };
    const NEW: Table = Table { ttl: Some(std::time::Duration::from_secs(3600)), ..OLD };
    let strict = strict(setup);
    let apply = |table| setup.runtime.block_on(apply_schema(&strict, &[table]));
    apply(&OLD)?;
    let told = refused(setup.runtime.block_on(CqlStore::connect(&strict, &[&NEW])))?;
    ensure!(told.contains("TTL of table"), "{told}");
    let made = apply(&NEW)?;
    ensure!(made.len() == 1 && made[0].contains("default_time_to_live = 3600"), "{made:?}");
    ensure!(apply(&NEW)?.is_empty());
    setup.runtime.block_on(CqlStore::connect(&strict, &[&NEW]))?;
    Ok(())
}
