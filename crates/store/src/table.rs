//! How a table is declared: once, as a constant, for every backend.

use std::time::Duration;

/// The type of a key column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// UTF-8 text, ordered by its bytes.
    Text,
    /// Unsigned 32 bits.
    U32,
    /// Unsigned 64 bits.
    U64,
    /// Signed 64 bits.
    I64,
    /// Bytes, ordered as such.
    Bytes,
}

/// The order in which a clustering column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// How a backend should lay out and merge a table's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compaction {
    /// Rows that live long or are overwritten.
    SizeTiered,
    /// Rows that are written once, in order of time, and all expire: old windows go as a whole.
    TimeWindow {
        /// The length of one window.
        hours: u32,
    },
}

/// A table. Declare it as a constant and pass `&TABLE`.
///
/// A partition is the unit of placement and of atomic writes, and must stay bounded: put a bucket (of
/// a sequence or of time) into its key if it could grow for ever. The value column has no name of its
/// own; CQL calls it `value blob`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Unique in the store; lower-case letters, digits and underscores, 1 to 48 of them, a letter
    /// first. Names of columns likewise.
    pub name: &'static str,
    /// The partition key's columns: names and types. At least one; a single one cannot be empty text
    /// or bytes.
    pub partition: &'static [(&'static str, ColumnType)],
    /// The clustering columns: names, types and orders. May be empty: one row a partition.
    pub clustering: &'static [(&'static str, ColumnType, Order)],
    /// How long a row lives when the put does not say. None: for ever.
    pub ttl: Option<Duration>,
    /// The layout of its files.
    pub compaction: Compaction,
}
