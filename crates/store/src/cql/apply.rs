//! The declared tables made in the database, or compared with what is there.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use scylla::client::session::Session;
use scylla::statement::unprepared::Statement;
use tokio::time::timeout;

use super::config::CqlConfig;
use super::errors;
use super::schema::{self, VALUE};
use super::session::{self, Profiles};
use super::values::Value;
use crate::{Order, StoreError, Table};

/// How long one change of the schema may take, agreement of all nodes included.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a question about the schema may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes the keyspace and those tables that are missing, and sets the TTLs of the others to what is
/// declared. Returns the statements that were needed: none when nothing was to do.
///
/// # Errors
/// [`StoreError::Schema`] if a table is there with other columns; nothing is changed then.
/// [`StoreError::Config`]; [`StoreError::Unavailable`] if the database is not there in time.
pub async fn apply_schema(
    config: &CqlConfig,
    tables: &[&'static Table],
) -> Result<Vec<String>, StoreError> {
    config.check()?;
    let session = session::connect(config, &Profiles::new(config)).await?;
    change(&session, config, tables).await
}

/// [`apply_schema`] over a connection that is there.
pub(super) async fn change(
    session: &Session,
    config: &CqlConfig,
    tables: &[&'static Table],
) -> Result<Vec<String>, StoreError> {
    let mut statements = Vec::new();
    if !has_keyspace(session, &config.keyspace).await? {
        statements.push(schema::create_keyspace(config));
    }
    for difference in differences(session, config, tables).await? {
        statements.push(match difference {
            Difference::Missing(table) => schema::create_table(&config.keyspace, table)?,
            Difference::Lifetimes(table) => format!(
                "ALTER TABLE \"{}\".\"{}\"\n  WITH {}",
                config.keyspace,
                table.name,
                schema::lifetimes(table)
            ),
        });
    }
    for text in &statements {
        let mut statement = Statement::new(text.as_str());
        statement.set_request_timeout(Some(CHANGE_TIMEOUT));
        // The driver waits until all nodes agree on it.
        session.query_unpaged(statement, ()).await.map_err(errors::execution)?;
        tracing::info!(statement = text.as_str(), "schema changed");
    }
    if !statements.is_empty() {
        session.await_schema_agreement().await.map_err(errors::agreement)?;
        // So that requests know at once which nodes have which partition.
        session.refresh_metadata().await.map_err(errors::metadata)?;
    }
    Ok(statements)
}

/// Fails if [`change`] would have to do something.
pub(super) async fn check(
    session: &Session,
    config: &CqlConfig,
    tables: &[&'static Table],
) -> Result<(), StoreError> {
    let remedy = "run `throng schema apply`, or set create_schema";
    let reason = match differences(session, config, tables).await?.first() {
        None => return Ok(()),
        Some(Difference::Missing(table)) => {
            format!("there is no table {}.{}: {remedy}", config.keyspace, table.name)
        }
        Some(Difference::Lifetimes(table)) => format!(
            "the TTL of table {}.{} is not the declared one: {remedy}",
            config.keyspace, table.name
        ),
    };
    Err(StoreError::Schema { reason })
}

#[derive(Debug)]
enum Difference {
    Missing(&'static Table),
    Lifetimes(&'static Table),
}

async fn differences(
    session: &Session,
    config: &CqlConfig,
    tables: &[&'static Table],
) -> Result<Vec<Difference>, StoreError> {
    let columns = stored_columns(session, &config.keyspace).await?;
    let lifetimes = stored_lifetimes(session, &config.keyspace).await?;
    let mut differences = Vec::new();
    for &table in tables {
        let Some(stored) = columns.get(table.name) else {
            differences.push(Difference::Missing(table));
            continue;
        };
        let declared = declared_columns(table);
        if *stored != declared {
            return Err(StoreError::Schema {
                reason: format!(
                    "table {}.{} has other columns than this version declares: {} instead of {}",
                    config.keyspace,
                    table.name,
                    describe(stored),
                    describe(&declared)
                ),
            });
        }
        let declared = (schema::time_to_live(table), schema::gc_grace(table));
        if lifetimes.get(table.name) != Some(&declared) {
            differences.push(Difference::Lifetimes(table));
        }
    }
    Ok(differences)
}

/// What `system_schema` tells about a column: type, kind, position in the key, order.
type Column = (String, String, i32, String);
type Columns = BTreeMap<String, Column>;

fn declared_columns(table: &Table) -> Columns {
    let column = |kind, role: &str, position: usize, order: &str| {
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        (schema::type_name(kind).to_owned(), role.to_owned(), position, order.to_owned())
    };
    let mut columns = Columns::new();
    for (position, &(name, kind)) in table.partition.iter().enumerate() {
        columns.insert(name.to_owned(), column(kind, "partition_key", position, "none"));
    }
    for (position, &(name, kind, order)) in table.clustering.iter().enumerate() {
        let order = if order == Order::Ascending { "asc" } else { "desc" };
        columns.insert(name.to_owned(), column(kind, "clustering", position, order));
    }
    let value = ("blob".to_owned(), "regular".to_owned(), -1, "none".to_owned());
    columns.insert(VALUE.to_owned(), value);
    columns
}

/// `(a text, b bigint, seq bigint desc, value blob)`, the key's columns first.
fn describe(columns: &Columns) -> String {
    let mut sorted: Vec<_> = columns.iter().collect();
    sorted.sort_by_key(|(_, (_, role, position, _))| {
        (role != "partition_key", *position < 0, *position)
    });
    let texts: Vec<_> =
        sorted
            .into_iter()
            .map(|(name, (kind, _, _, order))| {
                if order == "desc" {
                    format!("{name} {kind} desc")
                } else {
                    format!("{name} {kind}")
                }
            })
            .collect();
    format!("({})", texts.join(", "))
}

async fn has_keyspace(session: &Session, keyspace: &str) -> Result<bool, StoreError> {
    let text = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let rows: Vec<(String,)> = ask(session, text, keyspace).await?;
    Ok(!rows.is_empty())
}

async fn stored_columns(
    session: &Session,
    keyspace: &str,
) -> Result<HashMap<String, Columns>, StoreError> {
    let text = "SELECT table_name, column_name, type, kind, position, clustering_order \
                FROM system_schema.columns WHERE keyspace_name = ?";
    let mut tables: HashMap<String, Columns> = HashMap::new();
    let rows: Vec<(String, String, String, String, i32, String)> =
        ask(session, text, keyspace).await?;
    for (table, name, kind, role, position, order) in rows {
        let column = (kind, role, position, order.to_lowercase());
        tables.entry(table).or_default().insert(name, column);
    }
    Ok(tables)
}

async fn stored_lifetimes(
    session: &Session,
    keyspace: &str,
) -> Result<HashMap<String, (i32, i32)>, StoreError> {
    let text = "SELECT table_name, default_time_to_live, gc_grace_seconds \
                FROM system_schema.tables WHERE keyspace_name = ?";
    let rows: Vec<(String, i32, i32)> = ask(session, text, keyspace).await?;
    Ok(rows.into_iter().map(|(name, ttl, grace)| (name, (ttl, grace))).collect())
}

async fn ask<R>(session: &Session, text: &str, keyspace: &str) -> Result<Vec<R>, StoreError>
where
    R: for<'f, 'm> scylla::deserialize::row::DeserializeRow<'f, 'm>,
{
    let values = vec![Value::Text(keyspace)];
    let answer = timeout(QUESTION_TIMEOUT, session.query_unpaged(text, values)).await;
    let answer = answer.map_err(errors::elapsed)?.map_err(errors::execution)?;
    let rows = answer.into_rows_result().map_err(errors::backend)?;
    let rows = rows.rows::<R>().map_err(errors::backend)?;
    rows.collect::<Result<_, _>>().map_err(errors::backend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnType, Compaction};

    #[test]
    fn columns_are_described_in_the_order_of_the_key() {
        const TABLE: Table = Table {
            name: "t",
            partition: &[("b", ColumnType::U32), ("a", ColumnType::Text)],
            clustering: &[
                ("z", ColumnType::U64, Order::Descending),
                ("y", ColumnType::I64, Order::Ascending),
            ],
            ttl: None,
            compaction: Compaction::SizeTiered,
        };
        let text = describe(&declared_columns(&TABLE));
        assert_eq!(text, "(b bigint, a text, z blob desc, y bigint, value blob)");
    }
}
