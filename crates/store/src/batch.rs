//! A batch of writes to one partition: atomic, and the unit of acknowledgement.

use std::time::Duration;

use bytes::Bytes;

use crate::{Key, Table, WriteTime};

/// When a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Durability {
    /// Once it would survive the loss of power (CQL: a quorum has it).
    Durable,
    /// Once reads see it; it becomes durable within about 50 ms. What may be lost by a crash, such
    /// as soft state, goes this way.
    Behind,
}

/// One write of a [`Batch`].
#[derive(Debug, Clone)]
pub struct Op {
    pub(crate) table: &'static Table,
    pub(crate) clustering: Key,
    /// None deletes the row.
    pub(crate) value: Option<Bytes>,
    /// None: the table's own.
    pub(crate) ttl: Option<Duration>,
}

impl Op {
    /// Writes a row over whatever is there. It lives as long as the table says.
    pub fn put(table: &'static Table, clustering: Key, value: impl Into<Bytes>) -> Self {
        Self { table, clustering, value: Some(value.into()), ttl: None }
    }

    /// Deletes a row; it need not exist.
    pub fn delete(table: &'static Table, clustering: Key) -> Self {
        Self { table, clustering, value: None, ttl: None }
    }

    /// Names the row within its partition and table.
    pub fn clustering(&self) -> &Key {
        &self.clustering
    }

    /// Lets the row live this long instead of the table's TTL. Rounded up to whole seconds, at least
    /// one, at most twenty years (CQL's limits).
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

/// Writes within one partition, of one table or of several that share the partition key's columns.
///
/// All or nothing, also across a crash. One row may appear only once: the order of writes within a
/// batch has no meaning in CQL.
#[derive(Debug, Clone)]
pub struct Batch {
    pub(crate) partition: Key,
    pub(crate) durability: Durability,
    /// None: the backend's own clock.
    pub(crate) time: Option<WriteTime>,
    pub(crate) ops: Vec<Op>,
}

impl Batch {
    /// The most writes in one batch.
    pub const MAX_OPS: usize = 1024;
    /// The most bytes of keys and values in one batch.
    pub const MAX_BYTES: usize = 8 * 1024 * 1024;
    /// The most bytes of keys and values in a batch over several tables: ScyllaDB keeps such a batch
    /// in a log of its own, and refuses one of more than a mebibyte, its own bookkeeping included.
    pub const MAX_BYTES_ACROSS_TABLES: usize = 512 * 1024;

    /// An empty batch for a partition.
    pub fn new(partition: Key, durability: Durability) -> Self {
        Self { partition, durability, time: None, ops: Vec::new() }
    }

    /// An empty batch that is answered once it is durable.
    pub fn durable(partition: Key) -> Self {
        Self::new(partition, Durability::Durable)
    }

    /// An empty batch that is answered once it is visible.
    pub fn behind(partition: Key) -> Self {
        Self::new(partition, Durability::Behind)
    }

    /// Adds a write.
    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Adds a write, for chains.
    #[must_use]
    pub fn with(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// [`with`](Self::with) of [`Op::put`].
    #[must_use]
    pub fn put(self, table: &'static Table, clustering: Key, value: impl Into<Bytes>) -> Self {
        self.with(Op::put(table, clustering, value))
    }

    /// [`with`](Self::with) of [`Op::delete`].
    #[must_use]
    pub fn delete(self, table: &'static Table, clustering: Key) -> Self {
        self.with(Op::delete(table, clustering))
    }

    /// Gives all its writes this time instead of that of the backend's own clock, so that they lose
    /// against what has a later one: see [`WriteTime`].
    #[must_use]
    pub fn at(mut self, time: WriteTime) -> Self {
        self.time = Some(time);
        self
    }

    /// The time given by [`at`](Self::at).
    pub fn write_time(&self) -> Option<WriteTime> {
        self.time
    }

    /// When it is answered.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// How many writes it holds.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// It holds no write; writing it does nothing.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}
