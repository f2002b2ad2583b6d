//! One row for each user, kept in memory for a while. All that the directory knows of a user is read
//! and changed through this.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use throng_protocol::ids::AppId;
use throng_store::{Key, Store, StoreError, Table, key};
use tokio::sync::{Mutex, MutexGuard};

/// Rows kept in memory.
const MOST_CACHED: u64 = 200_000;
/// A row that another directory changed is seen at the latest after this, should its notice on the
/// bus be lost.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Users that share a lock with others.
const STRIPES: usize = 256;
/// Tries of an update that other directories keep getting ahead of.
const MOST_TRIES: usize = 16;

/// Why a row could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored bytes are no such record.
    #[error("a stored row cannot be read: {0}")]
    Damaged(#[from] prost::DecodeError),
    /// Others changed the row again and again.
    #[error("a row is changed by too many at once")]
    Contended,
}

/// The rows of one table whose partition key is app and user. A missing row reads as the default.
#[derive(Debug)]
pub(crate) struct UserRows<R: Send + Sync + 'static> {
    table: &'static Table,
    store: Arc<dyn Store>,
    cache: Cache<(AppId, Box<str>), Arc<R>>,
    /// Held by whoever fills the cache, so that a slow reader never puts back what a writer replaced.
    stripes: Box<[Mutex<()>]>,
    hasher: std::hash::RandomState,
}

impl<R> UserRows<R>
where
    R: prost::Message + Default + Clone + PartialEq + 'static,
{
    pub(crate) fn new(table: &'static Table, store: Arc<dyn Store>) -> Self {
        Self {
            table,
            store,
            cache: Cache::builder().max_capacity(MOST_CACHED).time_to_live(KEPT_FOR).build(),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            hasher: std::hash::RandomState::new(),
        }
    }

    /// A user's row.
    pub(crate) async fn get(&self, app: AppId, user: &str) -> Result<Arc<R>, RowError> {
        let cache_key = (app, Box::from(user));
        if let Some(row) = self.cache.get(&cache_key).await {
            return Ok(row);
        }
        let _guard = self.lock(app, user).await;
        if let Some(row) = self.cache.get(&cache_key).await {
            return Ok(row);
        }
        let (_, row) = self.read(app, user).await?;
        let row = Arc::new(row);
        self.cache.insert(cache_key, Arc::clone(&row)).await;
        Ok(row)
    }

    /// Changes a user's row, durably; `change` may be called several times and returns None to leave
    /// the row alone. Answers the row before and after.
    pub(crate) async fn update(
        &self,
        app: AppId,
        user: &str,
        mut change: impl FnMut(&R) -> Option<R>,
    ) -> Result<(R, Arc<R>), RowError> {
        let _guard = self.lock(app, user).await;
        for _ in 0..MOST_TRIES {
            let (stored, before) = self.read(app, user).await?;
            let after = match change(&before) {
                None => before.clone(),
                Some(after) => {
                    let bytes = after.encode_to_vec().into();
                    let (partition, row) = (partition(app, user), Key::new());
                    let expected = stored.as_deref();
                    let swap =
                        self.store.compare_and_set(self.table, &partition, &row, expected, bytes);
                    if !swap.await? {
                        continue;
                    }
                    after
                }
            };
            let after = Arc::new(after);
            self.cache.insert((app, Box::from(user)), Arc::clone(&after)).await;
            return Ok((before, after));
        }
        Err(RowError::Contended)
    }

    /// Drops the copy of a row that another directory changed.
    pub(crate) async fn forget(&self, app: AppId, user: &str) {
        let _guard = self.lock(app, user).await;
        self.cache.invalidate(&(app, Box::from(user))).await;
    }

    /// Drops all copies: notices of changes were missed.
    pub(crate) fn forget_all(&self) {
        self.cache.invalidate_all();
    }

    async fn read(&self, app: AppId, user: &str) -> Result<(Option<bytes::Bytes>, R), RowError> {
        let stored = self.store.get(self.table, &partition(app, user), &Key::new()).await?;
        let row = stored.clone().map(R::decode).transpose()?.unwrap_or_default();
        Ok((stored, row))
    }

    async fn lock(&self, app: AppId, user: &str) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((app, user));
        let stripe = usize::try_from(hash % STRIPES as u64).unwrap_or_default();
        self.stripes[stripe].lock().await
    }
}

fn partition(app: AppId, user: &str) -> Key {
    key![app.0, user]
}

#[cfg(test)]
mod tests {
    use throng_store::MemoryStore;

    use super::*;
    use crate::records::AccountRecord;
    use crate::tables::ACCOUNTS;

    const APP: AppId = AppId(7);

    fn rows(store: &Arc<dyn Store>) -> UserRows<AccountRecord> {
        UserRows::new(&ACCOUNTS, Arc::clone(store))
    }

    #[tokio::test]
    async fn a_missing_row_is_the_default_and_an_update_is_seen_at_once() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let rows = rows(&store);
        assert_eq!(*rows.get(APP, "ann").await.unwrap(), AccountRecord::default());
        let made = AccountRecord { created_at: 5, not_before: 0 };
        let (before, after) = rows.update(APP, "ann", |_| Some(made.clone())).await.unwrap();
        assert_eq!((before, &*after), (AccountRecord::default(), &made));
        assert_eq!(*rows.get(APP, "ann").await.unwrap(), made);
        assert_eq!(*rows.get(AppId(8), "ann").await.unwrap(), AccountRecord::default());
    }

    /// Two directories count in one row; neither may lose a step of the other.
    #[tokio::test]
    async fn updates_of_two_directories_do_not_overwrite_each_other() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (one, two) = (rows(&store), rows(&store));
        let count = async |rows: &UserRows<AccountRecord>| {
            for _ in 0..50 {
                let step = |row: &AccountRecord| {
                    Some(AccountRecord { created_at: row.created_at + 1, ..*row })
                };
                rows.update(APP, "ann", step).await.unwrap();
            }
        };
        tokio::join!(count(&one), count(&two));
        one.forget(APP, "ann").await;
        assert_eq!(one.get(APP, "ann").await.unwrap().created_at, 100);
    }

    #[tokio::test]
    async fn a_forgotten_row_is_read_again() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (one, two) = (rows(&store), rows(&store));
        one.get(APP, "ann").await.unwrap();
        let kicked = |row: &AccountRecord| Some(AccountRecord { not_before: 9, ..*row });
        two.update(APP, "ann", kicked).await.unwrap();
        assert_eq!(one.get(APP, "ann").await.unwrap().not_before, 0, "cached");
        one.forget(APP, "ann").await;
        assert_eq!(one.get(APP, "ann").await.unwrap().not_before, 9);
    }
}
