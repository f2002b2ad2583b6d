//! The gate of the signature: whose request it is. What was verified is remembered for seconds, so
//! that an app server's stream of requests costs one verification now and then.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use throng_node::time::now_seconds;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use throng_protocol::usersig;

use super::WindowCounter;

/// How long a verified signature is believed: keys change and users are kicked within this time.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// Signatures remembered. Only good ones are.
const MOST: u64 = 10_000;

/// Verifies signatures of callers and remembers what it found.
#[derive(Debug)]
pub(super) struct Signatures {
    directory: DirectoryClient<Link>,
    /// App, identifier and signature → the second after which it no longer counts.
    verified: Cache<(AppId, Arc<str>, Arc<str>), i64>,
    failures: WindowCounter<(AppId, Arc<str>, IpAddr)>,
}

/// Who says to call, from where, and by what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) app: AppId,
    pub(super) identifier: &'a str,
    pub(super) usersig: &'a str,
    pub(super) from: IpAddr,
}

impl Signatures {
    pub(super) fn new(directory: DirectoryClient<Link>, failures_per_minute: u32) -> Self {
        Self {
            directory,
            verified: Cache::builder().max_capacity(MOST).time_to_live(KEPT_FOR).build(),
            failures: WindowCounter::new(failures_per_minute),
        }
    }

    /// Passes a claim of an administrator whose signature is good. The count of failures is kept by
    /// address, too: nobody can lock an app's server out from elsewhere.
    ///
    /// # Errors
    /// The code of what is wrong with the signature, 70050 after too many such, 60010 when the
    /// identifier is no administrator, 60008 when the directory does not answer.
    pub(super) async fn check(
        &self,
        claim: Claim<'_>,
        settings: &v1::AppSettings,
    ) -> Result<(), CommandError> {
        let identifier: Arc<str> = claim.identifier.into();
        let now = now_seconds();
        let remembered = (claim.app, Arc::clone(&identifier), Arc::from(claim.usersig));
        if self.verified.get(&remembered).is_some_and(|expires_at| now <= expires_at) {
            return Ok(());
        }
        let failing = (claim.app, identifier, claim.from);
        if self.failures.is_full(&failing) {
            return Err(Code::ACCOUNT_LOCKED.into());
        }
        let Claim { app, identifier, usersig, .. } = claim;
        let verified = usersig::verify(usersig, app, &settings.keys, identifier, now);
        let verified = verified.inspect_err(|error| {
            // A server that forgot to sign anew is told so; it is not guessing.
            if error.code != Code::SIG_EXPIRED {
                self.failures.count(failing);
            }
        })?;
        if !settings.admins.iter().any(|admin| admin == identifier) {
            let info = format!("identifier: {identifier} is not an administrator of the app");
            return Err(Code::NOT_ADMIN.with(info));
        }
        let issued_at = verified.issued_at;
        if issued_at < self.not_before(app, identifier, issued_at).await? {
            return Err(Code::SIG_REVOKED.into());
        }
        self.verified.insert(remembered, verified.expires_at);
        Ok(())
    }

    async fn not_before(
        &self,
        app: AppId,
        user: &str,
        issued_at: i64,
    ) -> Result<i64, CommandError> {
        let request = v1::EnsureAccountRequest { app: app.0, user: user.to_owned(), issued_at };
        let reply = self.directory.clone().ensure_account(request).await.map_err(|status| {
            tracing::warn!(%status, "an administrator's account could not be checked");
            Code::TIMEOUT.with("the account could not be checked: try again")
        })?;
        Ok(reply.into_inner().not_before)
    }
}
