//! One keyspace, one store and one runtime for all tests of the process.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use throng_store::cql::Replication;
use throng_store::{CqlConfig, CqlStore, conformance};
use tokio::runtime::{Builder, Runtime};

use crate::model;

/// Where the database is.
pub(crate) const VARIABLE: &str = "THRONG_TEST_CQL";

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) store: Arc<CqlStore>,
    pub(crate) config: CqlConfig,
    /// Beside the store, for what it cannot be asked.
    pub(crate) session: Arc<Session>,
}

impl Setup {
    /// Connects and makes a keyspace of its own with the tables that all tests use.
    pub(crate) fn new(address: &str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let config = CqlConfig {
            nodes: vec![address.to_owned()],
            keyspace: keyspace(),
            replication: Replication::Factor(1),
            create_schema: true,
            ..CqlConfig::default()
        };
        let mut tables = conformance::TABLES.to_vec();
        tables.extend([&model::SINGLE, &model::ROWS]);
        let (store, session) = runtime.block_on(async {
            let store = CqlStore::connect(&config, &tables).await.expect("the database is there");
            let session = SessionBuilder::new().known_node(address).build().await;
            (store, session.expect("the database is there"))
        });
        let (store, session) = (Arc::new(store), Arc::new(session));
        Self { runtime: Arc::new(runtime), store, config, session }
    }

    /// Drops the keyspace.
    pub(crate) fn end(&self) {
        let dropped = self.execute(&format!("DROP KEYSPACE {}", self.config.keyspace));
        if let Err(error) = dropped {
            eprintln!("keyspace {} is left over: {error:#}", self.config.keyspace);
        }
    }

    /// Runs a statement beside the store.
    pub(crate) fn execute(&self, statement: &str) -> anyhow::Result<()> {
        let run = self.session.query_unpaged(statement, ());
        self.runtime.block_on(run).with_context(|| statement.to_owned())?;
        Ok(())
    }
}

/// A name that no other run has at the same time.
fn keyspace() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    format!("throng_test_{}_{}", since.as_secs(), std::process::id())
}
