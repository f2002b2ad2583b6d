//! Entries in lists that begin with a user, written by the owner of a group: an entry is there before the
//! group's own row, and gone after it, so that none is ever missing.

use bytes::Bytes;
use throng_protocol::ids::AppId;
use throng_store::{Batch, Key, Op, Table, key};

/// An entry that comes, changes or goes.
#[derive(Debug, Clone)]
pub(crate) struct UserEntry {
    user: String,
    table: &'static Table,
    clustering: Key,
    /// `None`: it goes.
    value: Option<Bytes>,
}

impl UserEntry {
    /// In a table whose partition is an app and a user.
    pub(super) fn new(
        user: &str,
        table: &'static Table,
        clustering: Key,
        value: Option<Vec<u8>>,
    ) -> Self {
        Self { user: user.to_owned(), table, clustering, value: value.map(Bytes::from) }
    }

    /// Whether it is there afterwards.
    pub(crate) fn comes(&self) -> bool {
        self.value.is_some()
    }

    /// What tells it from all others.
    pub(crate) fn place(&self) -> (String, &'static str, Key) {
        (self.user.clone(), self.table.name, self.clustering.clone())
    }

    /// The write of it.
    pub(crate) fn batch(&self, app: AppId) -> Batch {
        let clustering = self.clustering.clone();
        let op = match &self.value {
            Some(value) => Op::put(self.table, clustering, value.clone()),
            None => Op::delete(self.table, clustering),
        };
        Batch::durable(key![app.0, self.user.as_str()]).with(op)
    }
}
