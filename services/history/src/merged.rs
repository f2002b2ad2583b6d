//! Lists of merged messages that are too long to travel inside a message (SDK protocol notes 3, 16).
//! The message names the list by a key, and whoever has the key may read it: keys are not to be
//! guessed, and nothing is ever written twice. Lists stay for ever, so a user leaves few at a time.

use std::sync::Arc;

use bytes::Bytes;
use rand::RngExt;
use throng_node::pace::UserPaces;
use throng_protocol::error::CommandError;
use throng_protocol::ids::AppId;
use throng_protocol::limits;
use throng_store::{Batch, ColumnType, Compaction, Key, Op, Store, StoreError, Table, key};

/// Lists as JSON arrays, for as long as the messages that name them: for ever.
pub(crate) static MERGED_LISTS: Table = Table {
    name: "merged_lists",
    partition: &[("app", ColumnType::U32), ("list_key", ColumnType::Text)],
    clustering: &[],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// Lists of one user at once, before the rate counts.
const BURST: u32 = 10;

/// The lists of all apps.
#[derive(Debug)]
pub(crate) struct MergedLists {
    store: Arc<dyn Store>,
    paces: UserPaces,
}

impl MergedLists {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let paces = UserPaces::new("long merged messages", BURST, limits::MERGED_LISTS_PER_SECOND);
        Self { store, paces }
    }

    /// A user wants to leave a list.
    ///
    /// # Errors
    /// 60018 where that is too much.
    pub(crate) fn admit(&self, app: AppId, user: &str) -> Result<(), CommandError> {
        self.paces.take(app, user)
    }

    /// Keeps a list; returns its key. Durable when it returns.
    pub(crate) async fn keep(&self, app: AppId, list: Bytes) -> Result<String, StoreError> {
        let key = format!("{:032x}", rand::rng().random::<u128>());
        let mut batch = Batch::durable(key![app.0, key.as_str()]);
        batch.push(Op::put(&MERGED_LISTS, Key::new(), list));
        self.store.write(batch).await?;
        Ok(key)
    }

    /// The list of this key, if there is one.
    pub(crate) async fn find(&self, app: AppId, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.store.get(&MERGED_LISTS, &key![app.0, key], &Key::new()).await
    }
}
