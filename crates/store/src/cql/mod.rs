//! The store on ScyllaDB or Cassandra 5, for a cluster (feature `cql`).
//!
//! Built on the `scylla` driver, in the subset of CQL that both databases have. A table of ours is one
//! of theirs ([`schema_cql`]); a row is a row; and a [`WriteTime`] is CQL's write timestamp, which every
//! write brings. How it is meant to be run: `docs/store.md`.
//!
//! A request goes from the trait (here: checks as in the other backends, a place among those under
//! way, metrics) to `write` or `read`, takes a prepared statement from `statements`, and its keys pass
//! through `values`. A page becomes one query or several in `slices`.

mod apply;
mod config;
mod errors;
mod read;
mod schema;
mod session;
mod slices;
mod statements;
mod telemetry;
mod time;
mod values;
mod write;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use scylla::client::session::Session;
use scylla::response::query_result::QueryResult;
use scylla::statement::prepared::PreparedStatement;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

pub use self::apply::apply_schema;
pub use self::config::{CqlConfig, Replication};
pub use self::schema::{create_statements, schema_cql};
use self::session::Profiles;
use self::statements::{Kind, Statements};
use self::telemetry::{Operation, Telemetry};
use self::time::RisingClock;
use self::values::Value;
use crate::codec::{self, KeyRange};
use crate::{Batch, Key, Page, Row, Store, StoreError, Table, WriteTime, plan};

/// A [`Store`] in a CQL database, shared by all nodes of a cluster.
///
/// Every request asks a quorum of the local data centre, [`Behind`](crate::Durability::Behind) writes
/// too: a write that fewer have may be missed by the next read, and reads must see what was answered.
///
/// Values that are read share memory with the answer they came in: copy what is kept for long.
/// Connections that break are made anew by the driver; meanwhile requests fail as
/// [`Unavailable`](StoreError::Unavailable). Dropping the store closes it.
pub struct CqlStore {
    session: Session,
    statements: Statements,
    clock: RisingClock,
    places: Semaphore,
    queue_timeout: Duration,
    telemetry: Telemetry,
}

impl fmt::Debug for CqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqlStore").field("places", &self.places).finish_non_exhaustive()
    }
}

impl CqlStore {
    /// Connects to the database and makes or checks the tables, as the settings say.
    ///
    /// # Errors
    /// [`StoreError::Config`]; [`StoreError::Unavailable`] if the database does not answer within the
    /// connect timeout; [`StoreError::Schema`] if its tables are not those that are declared.
    pub async fn connect(
        config: &CqlConfig,
        tables: &[&'static Table],
    ) -> Result<Self, StoreError> {
        config.check()?;
        let profiles = Profiles::new(config);
        let session = session::connect(config, &profiles).await?;
        if config.create_schema {
            apply::change(&session, config, tables).await?;
        } else {
            apply::check(&session, config, tables).await?;
        }
        Ok(Self {
            session,
            statements: Statements::new(config, profiles),
            clock: RisingClock::default(),
            places: Semaphore::new(config.max_in_flight.min(Semaphore::MAX_PERMITS)),
            queue_timeout: config.queue_timeout,
            telemetry: Telemetry::new(),
        })
    }

    /// Carries out a request when it has a place among those under way.
    async fn request<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let since = Instant::now();
        let answer = match timeout(self.queue_timeout, self.places.acquire()).await {
            Ok(Ok(_place)) => {
                let _under_way = self.telemetry.under_way();
                work.await
            }
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(StoreError::Overloaded),
        };
        self.telemetry.answered(operation, since, &answer);
        answer
    }

    async fn statement(
        &self,
        table: &'static Table,
        kind: Kind,
    ) -> Result<PreparedStatement, StoreError> {
        self.statements.get(&self.session, table, kind).await
    }

    async fn execute(
        &self,
        statement: &PreparedStatement,
        bound: Vec<Value<'_>>,
    ) -> Result<QueryResult, StoreError> {
        self.session.execute_unpaged(statement, bound).await.map_err(errors::execution)
    }
}

#[async_trait]
impl Store for CqlStore {
    fn is_fenced(&self) -> bool {
        true
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        plan::plan(&batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        self.request(Operation::Write, self.write_batch(&batch)).await
    }

    async fn put_if_absent(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        value: Bytes,
    ) -> Result<bool, StoreError> {
        self.compare_and_set(table, partition, clustering, None, value).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
        expected: Option<&[u8]>,
        new: Bytes,
    ) -> Result<bool, StoreError> {
        write::check_condition(table, partition, clustering, &new)?;
        let set = self.set_if(table, (partition, clustering), expected, &new);
        self.request(Operation::Condition, set).await
    }

    async fn get(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
    ) -> Result<Option<Bytes>, StoreError> {
        codec::row(table, &codec::partition(table, partition)?, clustering)?;
        self.request(Operation::Get, self.read_row(table, partition, clustering)).await
    }

    async fn page(
        &self,
        table: &'static Table,
        partition: &Key,
        page: Page,
    ) -> Result<Vec<Row>, StoreError> {
        let encoded = codec::partition(table, partition)?;
        if KeyRange::of_page(table, &encoded, &page)?.is_empty() || page.limit == 0 {
            return Ok(Vec::new());
        }
        self.request(Operation::Page, self.read_page(table, partition, &page)).await
    }

    async fn delete_partition(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        plan::check_time(at)?;
        codec::partition(table, partition)?;
        self.request(Operation::DeletePartition, self.delete_rows(table, partition, at)).await
    }

    async fn scan_partitions(
        &self,
        table: &'static Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        after.map(|key| codec::partition(table, key)).transpose()?;
        let limit = limit.min(Page::MAX_LIMIT);
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.request(Operation::Scan, self.read_partitions(table, after, limit)).await
    }
}
