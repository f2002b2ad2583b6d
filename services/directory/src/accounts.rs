//! Accounts: which users exist, and since when their signatures count.

use std::sync::Arc;

use throng_protocol::ids::AppId;
use throng_store::Store;

use crate::records::AccountRecord;
use crate::rows::{RowError, UserRows};
use crate::tables::ACCOUNTS;

/// All accounts.
#[derive(Debug)]
pub(crate) struct Accounts {
    rows: UserRows<AccountRecord>,
}

/// What [`Accounts::ensure`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ensured {
    /// It was made by this call.
    pub(crate) created: bool,
    /// Signatures issued before this second do not count; 0: all do.
    pub(crate) not_before: i64,
}

impl Accounts {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { rows: UserRows::new(&ACCOUNTS, store) }
    }

    /// Makes an account unless it exists; durable. A known account costs no read of the store.
    ///
    /// `issued_at` is when what speaks for the user was signed, 0 when nothing was. A signature that
    /// was revoked with the account's deletion does not make the account again.
    pub(crate) async fn ensure(
        &self,
        app: AppId,
        user: &str,
        now: i64,
        issued_at: i64,
    ) -> Result<Ensured, RowError> {
        let known = self.rows.get(app, user).await?;
        if known.exists() || (issued_at != 0 && issued_at < known.not_before) {
            return Ok(Ensured { created: false, not_before: known.not_before });
        }
        let make = |row: &AccountRecord| {
            let revoked = issued_at != 0 && issued_at < row.not_before;
            (!row.exists() && !revoked).then_some(AccountRecord { created_at: now, ..*row })
        };
        let (before, after) = self.rows.update(app, user, make).await?;
        Ok(Ensured { created: !before.exists() && after.exists(), not_before: after.not_before })
    }

    /// Whether an account exists.
    pub(crate) async fn exists(&self, app: AppId, user: &str) -> Result<bool, RowError> {
        Ok(self.rows.get(app, user).await?.exists())
    }

    /// Makes signatures issued before `now` worthless; durable. An administrator's account may not
    /// have been made yet, so the row's existence is the caller's business.
    pub(crate) async fn revoke(&self, app: AppId, user: &str, now: i64) -> Result<(), RowError> {
        let revoke = |row: &AccountRecord| {
            let not_before = row.not_before.max(now);
            Some(AccountRecord { not_before, ..*row })
        };
        self.rows.update(app, user, revoke).await.map(|_| ())
    }

    /// Deletes an account; durable. False: there was none. Its old signatures stay worthless, also
    /// when the account is made anew.
    pub(crate) async fn delete(&self, app: AppId, user: &str, now: i64) -> Result<bool, RowError> {
        let delete = |row: &AccountRecord| {
            let not_before = row.not_before.max(now);
            row.exists().then_some(AccountRecord { created_at: 0, not_before })
        };
        let (before, _) = self.rows.update(app, user, delete).await?;
        Ok(before.exists())
    }

    /// Another directory changed it.
    pub(crate) async fn forget(&self, app: AppId, user: &str) {
        self.rows.forget(app, user).await;
    }

    /// Changes by others were missed.
    pub(crate) fn forget_all(&self) {
        self.rows.forget_all();
    }
}

#[cfg(test)]
mod tests {
    use throng_store::MemoryStore;

    use super::*;

    const APP: AppId = AppId(7);

    #[tokio::test]
    async fn an_account_is_made_once_and_a_deleted_one_stays_revoked() {
        let accounts = Accounts::new(Arc::new(MemoryStore::new()));
        let made = accounts.ensure(APP, "ann", 10, 0).await.unwrap();
        assert_eq!(made, Ensured { created: true, not_before: 0 });
        assert!(!accounts.ensure(APP, "ann", 11, 0).await.unwrap().created);

        assert!(accounts.delete(APP, "ann", 20).await.unwrap());
        assert!(!accounts.delete(APP, "ann", 21).await.unwrap());
        assert!(!accounts.exists(APP, "ann").await.unwrap());
        let again = accounts.ensure(APP, "ann", 30, 0).await.unwrap();
        assert_eq!(again, Ensured { created: true, not_before: 20 });
    }

    /// Whoever held an old signature could make a deleted account again.
    #[tokio::test]
    async fn a_revoked_signature_does_not_make_a_deleted_account_again() {
        let accounts = Accounts::new(Arc::new(MemoryStore::new()));
        accounts.ensure(APP, "ann", 10, 9).await.unwrap();
        accounts.delete(APP, "ann", 20).await.unwrap();
        let late = accounts.ensure(APP, "ann", 30, 19).await.unwrap();
        assert_eq!(late, Ensured { created: false, not_before: 20 });
        assert!(!accounts.exists(APP, "ann").await.unwrap());
        assert!(accounts.ensure(APP, "ann", 31, 20).await.unwrap().created);
    }

    #[tokio::test]
    async fn a_revocation_never_moves_back() {
        let accounts = Accounts::new(Arc::new(MemoryStore::new()));
        accounts.revoke(APP, "ann", 20).await.unwrap();
        accounts.revoke(APP, "ann", 15).await.unwrap();
        assert_eq!(accounts.ensure(APP, "ann", 30, 0).await.unwrap().not_before, 20);
    }
}
