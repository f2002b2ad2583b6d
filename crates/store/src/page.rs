//! Reading a stretch of one partition in order.

use std::ops::Bound;

use bytes::Bytes;

use crate::Key;

/// Which way a page walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// In the table's clustering order.
    Forward,
    /// Against it.
    Backward,
}

/// Which rows of a partition to read.
///
/// The walk begins at `from` and ends at `to`, whichever way it goes: a backward page over an
/// ascending column has the larger key in `from`. So the next page is always
/// `.after(last.clustering)`. A bound may name only the leading columns; it then stands for all rows
/// that begin so: `Included` takes them all, `Excluded` none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where the walk begins.
    pub from: Bound<Key>,
    /// Where the walk ends.
    pub to: Bound<Key>,
    /// Which way it goes.
    pub order: Direction,
    /// The most rows to return. Above [`Page::MAX_LIMIT`] it is taken as that.
    pub limit: usize,
}

impl Page {
    /// The most rows that one page returns.
    pub const MAX_LIMIT: usize = 10_000;

    /// The first rows of the partition.
    pub fn forward(limit: usize) -> Self {
        Self { from: Bound::Unbounded, to: Bound::Unbounded, order: Direction::Forward, limit }
    }

    /// The last rows of the partition, the last one first.
    pub fn backward(limit: usize) -> Self {
        Self { order: Direction::Backward, ..Self::forward(limit) }
    }

    /// Begins at this key.
    #[must_use]
    pub fn starting_at(self, key: Key) -> Self {
        Self { from: Bound::Included(key), ..self }
    }

    /// Begins behind this key: the next page after the one that ended with it.
    #[must_use]
    pub fn after(self, key: Key) -> Self {
        Self { from: Bound::Excluded(key), ..self }
    }

    /// Ends with this key.
    #[must_use]
    pub fn through(self, key: Key) -> Self {
        Self { to: Bound::Included(key), ..self }
    }

    /// Ends before this key.
    #[must_use]
    pub fn until(self, key: Key) -> Self {
        Self { to: Bound::Excluded(key), ..self }
    }

    /// Only rows that begin with these columns.
    #[must_use]
    pub fn within(self, prefix: Key) -> Self {
        Self { from: Bound::Included(prefix.clone()), to: Bound::Included(prefix), ..self }
    }
}

/// One row of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The values of the clustering columns.
    pub clustering: Key,
    /// The value.
    pub value: Bytes,
}
