//! The statements of a table: their text, and the prepared ones.
//!
//! There is a fixed number of them for each table (a page has a shape for every combination of
//! bounds); each is prepared when it is first needed and then kept.
//!
//! Rows are written by `UPDATE`, never by `INSERT`: an `INSERT` also leaves a mark that the row exists,
//! with a TTL of its own, and once the value has expired sooner than the mark there would be a row
//! without a value.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use scylla::client::execution_profile::ExecutionProfileHandle;
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::config::CqlConfig;
use super::errors;
use super::schema::VALUE;
use super::session::Profiles;
use super::slices::Slice;
use crate::{Direction, Order, StoreError, Table};

/// Rows of a page that one answer of the database carries; a page may take several. It bounds the
/// memory of an answer, here and there.
const ANSWER_ROWS: i32 = 500;

/// One of a table's statements. Its marks are bound in the order of the comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Value, partition key, clustering key.
    Put,
    /// TTL, then as `Put`.
    PutTtl,
    /// Partition key, clustering key.
    Delete,
    /// Partition key.
    DeletePartition,
    /// As `Put`.
    PutIfAbsent,
    /// As `Put`, then the expected value.
    CompareAndSet,
    /// Partition key, clustering key.
    Get,
    /// Partition key, the slice's columns, limit.
    Page(Shape),
    /// Limit.
    ScanFirst,
    /// The last partition key, limit.
    ScanAfter,
}

/// What tells the queries of slices apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Leading clustering columns that are compared by equality.
    equal: usize,
    /// Whether there is a bound towards the first row, and whether it is included.
    after: Option<bool>,
    /// Likewise towards the last row.
    before: Option<bool>,
    backward: bool,
}

impl Shape {
    pub(super) fn of(slice: &Slice<'_>, direction: Direction) -> Self {
        Self {
            equal: slice.equal.len(),
            after: slice.after.map(|edge| edge.included),
            before: slice.before.map(|edge| edge.included),
            backward: direction == Direction::Backward,
        }
    }
}

/// The text of a statement.
fn text(keyspace: &str, table: &Table, kind: Kind) -> String {
    let name = format!("\"{keyspace}\".\"{}\"", table.name);
    let partition = || table.partition.iter().map(|column| column.0);
    let clustering = || table.clustering.iter().map(|column| column.0);
    let row = || equal(partition().chain(clustering()));
    match kind {
        Kind::Put => format!("UPDATE {name} SET \"{VALUE}\" = ? WHERE {}", row()),
        Kind::PutTtl => format!("UPDATE {name} USING TTL ? SET \"{VALUE}\" = ? WHERE {}", row()),
        Kind::Delete => format!("DELETE FROM {name} WHERE {}", row()),
        Kind::DeletePartition => format!("DELETE FROM {name} WHERE {}", equal(partition())),
        // A row without a value does not exist.
        Kind::PutIfAbsent => {
            format!("UPDATE {name} SET \"{VALUE}\" = ? WHERE {} IF \"{VALUE}\" = NULL", row())
        }
        Kind::CompareAndSet => {
            format!("UPDATE {name} SET \"{VALUE}\" = ? WHERE {} IF \"{VALUE}\" = ?", row())
        }
        Kind::Get => format!("SELECT \"{VALUE}\" FROM {name} WHERE {}", row()),
        Kind::Page(shape) => page(&name, table, shape),
        Kind::ScanFirst => format!("SELECT DISTINCT {} FROM {name} LIMIT ?", list(partition())),
        Kind::ScanAfter => {
            let marks = vec!["?"; table.partition.len()].join(", ");
            let columns = list(partition());
            format!(
                "SELECT DISTINCT {columns} FROM {name} \
                 WHERE token({columns}) > token({marks}) LIMIT ?"
            )
        }
    }
}

fn page(name: &str, table: &Table, shape: Shape) -> String {
    let columns = list(table.clustering.iter().map(|column| column.0).chain([VALUE]));
    let partition = table.partition.iter().map(|column| column.0);
    let leading = table.clustering[..shape.equal].iter().map(|column| column.0);
    let mut text =
        format!("SELECT {columns} FROM {name} WHERE {}", equal(partition.chain(leading)));
    let edges = [(shape.after, true), (shape.before, false)];
    for (included, after) in edges.into_iter().filter_map(|(edge, after)| Some((edge?, after))) {
        let (column, _, order) = table.clustering[shape.equal];
        // What comes later in a descending column is smaller.
        let sign = if after == (order == Order::Ascending) { '>' } else { '<' };
        let _ = write!(text, " AND \"{column}\" {sign}{} ?", if included { "=" } else { "" });
    }
    if shape.backward && !table.clustering.is_empty() {
        let against = |&(name, _, order): &(&str, _, Order)| {
            format!("\"{name}\" {}", if order == Order::Ascending { "DESC" } else { "ASC" })
        };
        let orders: Vec<_> = table.clustering.iter().map(against).collect();
        let _ = write!(text, " ORDER BY {}", orders.join(", "));
    }
    text.push_str(" LIMIT ?");
    text
}

fn equal<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.map(|name| format!("\"{name}\" = ?")).collect::<Vec<_>>().join(" AND ")
}

fn list<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// A statement that is prepared once, however many need it first.
type Prepared = Arc<OnceCell<PreparedStatement>>;

/// The prepared statements of one store.
#[derive(Debug)]
pub(super) struct Statements {
    keyspace: String,
    profiles: Profiles,
    /// How long preparing may take.
    patience: Duration,
    prepared: RwLock<HashMap<(&'static str, Kind), Prepared>>,
}

impl Statements {
    pub(super) fn new(config: &CqlConfig, profiles: Profiles) -> Self {
        let (keyspace, patience) = (config.keyspace.clone(), config.request_timeout);
        Self { keyspace, profiles, patience, prepared: RwLock::default() }
    }

    /// A statement, prepared when it was not yet. A copy is cheap and may be given a time.
    pub(super) async fn get(
        &self,
        session: &Session,
        table: &'static Table,
        kind: Kind,
    ) -> Result<PreparedStatement, StoreError> {
        let place = (table.name, kind);
        let known = self.prepared.read().get(&place).cloned();
        let cell =
            known.unwrap_or_else(|| Arc::clone(self.prepared.write().entry(place).or_default()));
        let prepare = async || self.prepare(session, table, kind).await;
        cell.get_or_try_init(prepare).await.cloned()
    }

    async fn prepare(
        &self,
        session: &Session,
        table: &'static Table,
        kind: Kind,
    ) -> Result<PreparedStatement, StoreError> {
        let text = text(&self.keyspace, table, kind);
        // The driver would wait for a silent node until it takes the connection for broken.
        let prepared = timeout(self.patience, session.prepare(text)).await;
        let mut statement = prepared.map_err(errors::elapsed)?.map_err(errors::prepare)?;
        let (profile, repeatable) = self.profile(kind);
        statement.set_execution_profile_handle(Some(profile.clone()));
        statement.set_is_idempotent(repeatable);
        statement.set_page_size(ANSWER_ROWS);
        // An answer's columns are those that the statement names. A conditional write's are not: on
        // Cassandra they depend on whether it was done.
        statement.set_use_cached_result_metadata(repeatable);
        Ok(statement)
    }

    /// How a statement is carried out, and whether doing it twice is the same as doing it once. That
    /// is so for writes because each brings its time.
    fn profile(&self, kind: Kind) -> (&ExecutionProfileHandle, bool) {
        match kind {
            Kind::Put | Kind::PutTtl | Kind::Delete | Kind::DeletePartition => {
                (&self.profiles.write, true)
            }
            Kind::PutIfAbsent | Kind::CompareAndSet => (&self.profiles.condition, false),
            Kind::Get | Kind::Page(_) => (&self.profiles.read, true),
            Kind::ScanFirst | Kind::ScanAfter => (&self.profiles.scan, true),
        }
    }

    pub(super) fn profiles(&self) -> &Profiles {
        &self.profiles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnType, Compaction};

    const TABLE: Table = Table {
        name: "t",
        partition: &[("app", ColumnType::U32), ("owner", ColumnType::Text)],
        clustering: &[
            ("up", ColumnType::U32, Order::Ascending),
            ("down", ColumnType::U32, Order::Descending),
        ],
        ttl: None,
        compaction: Compaction::SizeTiered,
    };
    const SINGLE: Table = Table { clustering: &[], ..TABLE };

    fn shape(equal: usize, after: Option<bool>, before: Option<bool>, backward: bool) -> Kind {
        Kind::Page(Shape { equal, after, before, backward })
    }

    #[test]
    fn texts() {
        let row = r#""app" = ? AND "owner" = ? AND "up" = ? AND "down" = ?"#;
        let partition = r#""app" = ? AND "owner" = ?"#;
        let select = r#"SELECT "up", "down", "value" FROM "k"."t" WHERE "app" = ? AND "owner" = ?"#;
        for (kind, expected) in [
            (Kind::Put, format!(r#"UPDATE "k"."t" SET "value" = ? WHERE {row}"#)),
            (Kind::PutTtl, format!(r#"UPDATE "k"."t" USING TTL ? SET "value" = ? WHERE {row}"#)),
            (
                Kind::PutIfAbsent,
                format!(r#"UPDATE "k"."t" SET "value" = ? WHERE {row} IF "value" = NULL"#),
            ),
            (
                Kind::CompareAndSet,
                format!(r#"UPDATE "k"."t" SET "value" = ? WHERE {row} IF "value" = ?"#),
            ),
            (Kind::Delete, format!(r#"DELETE FROM "k"."t" WHERE {row}"#)),
            (Kind::DeletePartition, format!(r#"DELETE FROM "k"."t" WHERE {partition}"#)),
            (Kind::Get, format!(r#"SELECT "value" FROM "k"."t" WHERE {row}"#)),
            (shape(0, None, None, false), format!("{select} LIMIT ?")),
            (
                shape(0, Some(false), Some(true), false),
                format!(r#"{select} AND "up" > ? AND "up" <= ? LIMIT ?"#),
            ),
            (
                shape(1, Some(true), Some(false), true),
                format!(
                    r#"{select} AND "up" = ? AND "down" <= ? AND "down" > ? ORDER BY "up" DESC, "down" ASC LIMIT ?"#
                ),
            ),
            (
                shape(2, None, None, false),
                format!(r#"{select} AND "up" = ? AND "down" = ? LIMIT ?"#),
            ),
            (
                Kind::ScanFirst,
                r#"SELECT DISTINCT "app", "owner" FROM "k"."t" LIMIT ?"#.to_owned(),
            ),
            (
                Kind::ScanAfter,
                r#"SELECT DISTINCT "app", "owner" FROM "k"."t" WHERE token("app", "owner") > token(?, ?) LIMIT ?"#
                    .to_owned(),
            ),
        ] {
            assert_eq!(text("k", &TABLE, kind), expected);
        }
        assert_eq!(
            text("k", &SINGLE, shape(0, None, None, true)),
            format!(r#"SELECT "value" FROM "k"."t" WHERE {partition} LIMIT ?"#)
        );
    }
}
