//! Sessions on connections that they have not logged in on. Their requests are answered, because a
//! client repeats what was pending before it logs in again (SDK protocol notes 01, 1.5); but only
//! after presence and the directory were asked once, and only for as long as a login takes.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use throng_proto::v1;
use tokio::time::Instant;

use super::auth::{Identity, NotAuthentic};
use super::kick::BY_REST;
use super::{Kicked, Session};
use crate::connection::Close;

/// Connections that have to log in, by the time until which they have to: it is the same period for
/// all, so the first to come is the first that is due.
#[derive(Debug, Default)]
pub(crate) struct Probation {
    connections: Mutex<VecDeque<(Instant, Weak<Session>)>>,
}

impl Probation {
    pub(super) fn begin(&self, session: &Arc<Session>) {
        let due = Instant::now() + session.context.config.login_timeout;
        self.connections.lock().push_back((due, Arc::downgrade(session)));
    }

    /// Closes the connections that have not logged in in time.
    pub(crate) fn run(&self, now: Instant) {
        loop {
            let session = {
                let mut connections = self.connections.lock();
                match connections.front() {
                    Some((due, _)) if *due <= now => connections.pop_front(),
                    _ => return,
                }
            };
            if let Some(session) = session.and_then(|(_, session)| session.upgrade()) {
                session.end_probation();
            }
        }
    }
}

impl Session {
    fn end_probation(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.on_probation = false;
        let Some(identity) = &state.identity else { return };
        if identity.logged_in() {
            return;
        }
        if identity.logging_in.load(Ordering::Relaxed) {
            state.on_probation = true;
            drop(state);
            return self.context.probation.begin(self);
        }
        drop(state);
        self.end_catch_up();
        self.outbox.close(Close::NOT_LOGGED_IN);
    }

    /// Whether a session may act here: it has logged in, or nothing is held against its token. That
    /// is asked once for each connection; where nobody answers, the time is short.
    pub(super) async fn vouch(&self, identity: &Arc<Identity>) -> Result<(), NotAuthentic> {
        if identity.logged_in() {
            return Ok(());
        }
        // Requests that wait here go on in the order they came.
        let kick_type = identity.judged.get_or_try_init(|| self.judge(identity)).await;
        match kick_type {
            Ok(&0) | Err(_) => Ok(()),
            Ok(&kick_type) => {
                self.expel(identity, kick_type);
                Err(NotAuthentic::Kicked(kick_type))
            }
        }
    }

    async fn judge(&self, identity: &Identity) -> Result<u32, tonic::Status> {
        let hello = v1::HelloRequest {
            session: Some(identity.key()),
            gateway: self.context.gateway_id.clone(),
            only_ask: true,
            issued_at: identity.token.issued_at,
        };
        let mut presence = self.context.forwarder.presence();
        let asked =
            self.in_time(presence.hello(identity.to_home(hello))).await.inspect_err(|status| {
                tracing::debug!(%status, "presence does not say whether a session may go on");
            })?;
        match asked.into_inner().kick_type {
            0 if self.is_revoked(identity).await? => Ok(BY_REST),
            kick_type => Ok(kick_type),
        }
    }

    /// Whether an administrator revoked the token, however long ago: presence forgets, accounts do
    /// not.
    pub(super) async fn is_revoked(&self, identity: &Identity) -> Result<bool, tonic::Status> {
        let token = &identity.token;
        let request = v1::EnsureAccountRequest {
            app: token.app.0,
            user: token.user.clone(),
            issued_at: token.issued_at,
        };
        let mut directory = self.context.forwarder.directory();
        let account = self.in_time(directory.ensure_account(request)).await?;
        Ok(token.issued_at < account.into_inner().not_before)
    }

    /// Ends a session that presence says is over.
    pub(super) fn expel(&self, identity: &Identity, kick_type: u32) {
        let kicked = Kicked { inst_id: identity.token.inst_id, kick_type: Some(kick_type) };
        self.end_identity(&identity.token.user, kicked);
    }

    /// A question to another service, within the time that commands have.
    pub(super) async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, tonic::Status>>,
    ) -> Result<T, tonic::Status> {
        let limit: Duration = self.context.config.command_timeout;
        tokio::time::timeout(limit, call)
            .await
            .unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("no answer in time")))
    }
}
