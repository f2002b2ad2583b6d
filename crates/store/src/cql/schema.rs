//! CQL's data definitions from the tables' declarations.
//!
//! Only what ScyllaDB and Cassandra 5 both know. Names are quoted, so that a column may have the name
//! of a keyword.

use std::fmt::Write;
use std::time::Duration;

use super::config::{CqlConfig, Replication};
use crate::{ColumnType, Compaction, Order, StoreError, Table, plan};

/// The column that holds a row's value.
pub(super) const VALUE: &str = "value";

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The statements that make a keyspace and its tables; each does nothing where it was done before.
///
/// # Errors
/// [`StoreError::Schema`] if a declaration cannot be a CQL table.
pub fn create_statements(
    config: &CqlConfig,
    tables: &[&'static Table],
) -> Result<Vec<String>, StoreError> {
    let mut statements = vec![create_keyspace(config)];
    for table in tables {
        statements.push(create_table(&config.keyspace, table)?);
    }
    Ok(statements)
}

/// [`create_statements`] as one text for `cqlsh`.
///
/// # Errors
/// As `create_statements`.
pub fn schema_cql(config: &CqlConfig, tables: &[&'static Table]) -> Result<String, StoreError> {
    let mut text = String::new();
    for statement in create_statements(config, tables)? {
        text.push_str(&statement);
        text.push_str(";\n\n");
    }
    text.truncate(text.trim_end().len() + 1);
    Ok(text)
}

/// Whether it may be the name of a keyspace, a table or a column.
pub(super) fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=48).contains(&name.len())
        && name.bytes().all(good)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The type in CQL. Why these: `docs/store.md`.
pub(super) fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::U32 | ColumnType::I64 => "bigint",
        // No number of CQL's holds 64 bits without a sign and compares fast. Eight bytes, the highest
        // first, are ordered as the number is.
        ColumnType::U64 | ColumnType::Bytes => "blob",
    }
}

/// `default_time_to_live` of a table, seconds; 0 for none.
pub(super) fn time_to_live(table: &Table) -> i32 {
    table.ttl.map_or(0, plan::ttl_seconds)
}

/// How long a tombstone is kept, seconds.
///
/// A node that missed a deletion must hear of it before the others forget it, or the row comes back.
/// In a table whose rows expire, a tombstone kept for as long as a row lives outlasts all rows it
/// could be about, so that nothing comes back even without a repair; longer would only keep expired
/// files on disk. Three hours at least: Cassandra keeps what a node missed for it that long. Without a
/// TTL ten days, the databases' own default: repair within them.
pub(super) fn gc_grace(table: &Table) -> i32 {
    let grace = table.ttl.map_or(10 * DAY, |ttl| ttl.clamp(3 * HOUR, 10 * DAY));
    plan::ttl_seconds(grace)
}

pub(super) fn create_keyspace(config: &CqlConfig) -> String {
    let mut options = String::new();
    match &config.replication {
        Replication::Factor(factor) => {
            let _ = write!(options, ", 'replication_factor': '{factor}'");
        }
        Replication::PerDatacenter(map) => {
            for (name, factor) in map {
                let _ = write!(options, ", '{name}': '{factor}'");
            }
        }
    }
    let tablets = config
        .tablets
        .map_or(String::new(), |enabled| format!("\n  AND tablets = {{'enabled': {enabled}}}"));
    format!(
        "CREATE KEYSPACE IF NOT EXISTS \"{}\"\n  WITH replication = \
         {{'class': 'NetworkTopologyStrategy'{options}}}\n  AND durable_writes = true{tablets}",
        config.keyspace
    )
}

pub(super) fn create_table(keyspace: &str, table: &Table) -> Result<String, StoreError> {
    check(table)?;
    let partition = table.partition.iter().map(|&(name, kind)| (name, kind));
    let clustering = table.clustering.iter().map(|&(name, kind, _)| (name, kind));
    let mut text = format!("CREATE TABLE IF NOT EXISTS \"{keyspace}\".\"{}\" (\n", table.name);
    for (name, kind) in partition.chain(clustering) {
        let _ = writeln!(text, "  \"{name}\" {},", type_name(kind));
    }
    let quoted = |names: Vec<&str>| {
        names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    };
    let partition = quoted(table.partition.iter().map(|column| column.0).collect());
    let mut key = vec![format!("({partition})")];
    key.extend(table.clustering.iter().map(|column| format!("\"{}\"", column.0)));
    let _ = writeln!(text, "  \"{VALUE}\" blob,\n  PRIMARY KEY ({})\n)", key.join(", "));
    let mut options = Vec::new();
    if !table.clustering.is_empty() {
        let order = |&(name, _, order): &(&str, ColumnType, Order)| {
            format!("\"{name}\" {}", if order == Order::Ascending { "ASC" } else { "DESC" })
        };
        let orders: Vec<_> = table.clustering.iter().map(order).collect();
        options.push(format!("CLUSTERING ORDER BY ({})", orders.join(", ")));
    }
    options.push(format!("compaction = {{{}}}", compaction(table.compaction)));
    options.push(lifetimes(table));
    let _ = write!(text, "  WITH {}", options.join("\n  AND "));
    Ok(text)
}

/// The options of a table that have to follow its declaration.
pub(super) fn lifetimes(table: &Table) -> String {
    format!(
        "default_time_to_live = {}\n  AND gc_grace_seconds = {}",
        time_to_live(table),
        gc_grace(table)
    )
}

fn compaction(compaction: Compaction) -> String {
    match compaction {
        Compaction::SizeTiered => "'class': 'SizeTieredCompactionStrategy'".to_owned(),
        Compaction::TimeWindow { hours } => format!(
            "'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', \
             'compaction_window_size': '{hours}'"
        ),
    }
}

fn check(table: &Table) -> Result<(), StoreError> {
    let error = |reason: &str| {
        Err(StoreError::Schema { reason: format!("table {}: {reason}", table.name) })
    };
    if !is_name(table.name) {
        return error("bad name of a table");
    }
    let mut names: Vec<_> = table.partition.iter().map(|column| column.0).collect();
    names.extend(table.clustering.iter().map(|column| column.0));
    if names.iter().any(|&name| !is_name(name) || name == VALUE) {
        return error("bad name of a column");
    }
    let columns = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() != columns {
        return error("two columns have one name");
    }
    if table.partition.is_empty() {
        return error("no partition column");
    }
    // More, and ScyllaDB refuses the table: each would have files of its own.
    if let Compaction::TimeWindow { hours } = table.compaction {
        let window = HOUR * hours;
        if hours == 0 || table.ttl.is_none_or(|ttl| ttl > 50 * window) {
            return error("needs a TTL of at most 50 windows");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: Table = Table {
        name: "room_messages",
        partition: &[("app", ColumnType::U32), ("group_id", ColumnType::Text)],
        clustering: &[
            ("seq", ColumnType::U32, Order::Descending),
            ("hash", ColumnType::U64, Order::Ascending),
        ],
        ttl: Some(DAY),
        compaction: Compaction::TimeWindow { hours: 1 },
    };
    const APPS: Table = Table {
        name: "apps",
        partition: &[("app", ColumnType::U32)],
        clustering: &[],
        ttl: None,
        compaction: Compaction::SizeTiered,
    };

    #[test]
    fn the_schema_as_text() {
        let config = CqlConfig { replication: Replication::Factor(1), ..CqlConfig::default() };
        let text = schema_cql(&config, &[&MESSAGES, &APPS]).unwrap();
        let expected = r#"CREATE KEYSPACE IF NOT EXISTS "throng"
  WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': '1'}
  AND durable_writes = true;

CREATE TABLE IF NOT EXISTS "throng"."room_messages" (
  "app" bigint,
  "group_id" text,
  "seq" bigint,
  "hash" blob,
  "value" blob,
  PRIMARY KEY (("app", "group_id"), "seq", "hash")
)
  WITH CLUSTERING ORDER BY ("seq" DESC, "hash" ASC)
  AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': '1'}
  AND default_time_to_live = 86400
  AND gc_grace_seconds = 86400;

CREATE TABLE IF NOT EXISTS "throng"."apps" (
  "app" bigint,
  "value" blob,
  PRIMARY KEY (("app"))
)
  WITH compaction = {'class': 'SizeTieredCompactionStrategy'}
  AND default_time_to_live = 0
  AND gc_grace_seconds = 864000;
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn a_keyspace_over_data_centres_and_without_tablets() {
        let config = CqlConfig {
            replication: Replication::PerDatacenter(
                [("east".to_owned(), 3), ("west".to_owned(), 2)].into(),
            ),
            tablets: Some(false),
            ..CqlConfig::default()
        };
        let text = create_keyspace(&config);
        assert!(text.contains("'NetworkTopologyStrategy', 'east': '3', 'west': '2'}"), "{text}");
        assert!(text.ends_with("AND tablets = {'enabled': false}"), "{text}");
    }

    #[test]
    fn tombstones_outlast_the_rows_of_a_table() {
        let with = |ttl| gc_grace(&Table { ttl, ..APPS });
        assert_eq!(with(None), 864_000);
        assert_eq!(with(Some(DAY)), 86_400);
        assert_eq!(with(Some(HOUR)), 10_800);
        assert_eq!(with(Some(30 * DAY)), 864_000);
    }

    #[test]
    fn what_cannot_be_a_table_is_refused() {
        let refused = [
            Table { name: "Apps", ..APPS },
            Table { name: "", ..APPS },
            Table { name: "7apps", ..APPS },
            Table { partition: &[], ..APPS },
            Table { partition: &[("value", ColumnType::U32)], ..APPS },
            Table { partition: &[("a b", ColumnType::U32)], ..APPS },
            Table { clustering: &[("app", ColumnType::U32, Order::Ascending)], ..APPS },
            Table { compaction: Compaction::TimeWindow { hours: 1 }, ..APPS },
            Table { ttl: Some(51 * HOUR), ..MESSAGES },
        ];
        for table in refused {
            assert!(matches!(create_table("throng", &table), Err(StoreError::Schema { .. })));
        }
        let wide = Table { ttl: Some(100 * HOUR), ..MESSAGES };
        let wide = Table { compaction: Compaction::TimeWindow { hours: 2 }, ..wide };
        assert!(create_table("throng", &wide).is_ok());
    }
}
