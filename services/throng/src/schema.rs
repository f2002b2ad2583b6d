//! `throng schema`: the tables of all services in the CQL database.

use std::process::ExitCode;

use anyhow::Context as _;
use throng_store::{CqlStore, Table};

use crate::cli::SchemaCommand;
use crate::config::Config;
use crate::with_config;

/// Every table that some service keeps.
pub(crate) fn tables() -> Vec<&'static Table> {
    let services = [
        throng_directory::tables(),
        throng_group_router::tables(),
        throng_history::tables(),
        throng_presence::tables(),
    ];
    services.into_iter().flatten().copied().collect()
}

pub(crate) fn run(command: SchemaCommand) -> ExitCode {
    match command {
        SchemaCommand::Apply(flags) => with_config(flags, apply),
        SchemaCommand::Print(flags) => with_config(flags, |config| async move { print(&config) }),
    }
}

async fn apply(mut config: Config) -> anyhow::Result<()> {
    config.cql.create_schema = true;
    CqlStore::connect(&config.cql, &tables()).await.context("store")?;
    println!("keyspace {} has all tables", config.cql.keyspace);
    Ok(())
}

fn print(config: &Config) -> anyhow::Result<()> {
    print!("{}", throng_store::schema_cql(&config.cql, &tables())?);
    Ok(())
}
