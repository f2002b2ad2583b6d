//! `wslogin`: a first login with a signature, or a session that comes back with its token (SDK
//! protocol notes 01, 2.2 and 3.2).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::RngExt;
use serde::Serialize;
use throng_node::time;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids;
use throng_protocol::limits;
use throng_protocol::token::{self, A2};
use throng_protocol::usersig;
use tokio::time::{Instant, timeout};

use super::Session;
use super::auth::{Identity, NotAuthentic};
use super::dispatch::{Answer, Credentials, Request};
use super::kick::BY_REST;
use super::local::ALL_FEATURES;
use crate::connection::Close;
use crate::context::INST_IDS;

/// Logins of one connection that may be refused; then it is closed.
const REFUSED_LOGINS: u32 = 20;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginAnswer<'a> {
    #[serde(rename = "A2Key")]
    a2_key: &'a str,
    /// A string, because JavaScript cannot hold it.
    tiny_id: String,
    inst_id: u32,
    hello_interval: u64,
    time_stamp: i64,
    custom_status: &'a str,
    purchase_bits: &'static str,
    rich_msg_auth_key: &'static str,
}

/// Why somebody is not logged in.
enum Refused {
    Error(CommandError),
    Kicked(u32),
    /// A failure of ours: a client that comes back later may be lucky.
    Failed(CommandError),
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        Refused::Error(error)
    }
}

impl From<NotAuthentic> for Refused {
    fn from(why: NotAuthentic) -> Self {
        match why {
            NotAuthentic::Kicked(kick_type) => Refused::Kicked(kick_type),
            NotAuthentic::LoggedOut => Refused::Kicked(BY_REST),
            NotAuthentic::Token | NotAuthentic::Other => Refused::Error(why.error()),
        }
    }
}

/// A login that succeeded.
struct LoggedIn {
    identity: Arc<Identity>,
    custom_status: String,
    rooms: Vec<v1::TrackedRoom>,
}

impl Session {
    /// Answers a login, then brings back the rooms of a session that had some.
    pub(super) async fn login(self: &Arc<Self>, request: Request) {
        let began = Instant::now();
        let Some(credentials) = &request.credentials else {
            return;
        };
        let comes_back = !credentials.a2.is_empty();
        match self.log_in(credentials).await {
            Ok(logged_in) => {
                let identity = &logged_in.identity;
                self.respond(&request, &self.welcome(identity, &logged_in.custom_status));
                self.context.metrics.login(began.elapsed());
                return self.bring_back(identity, logged_in.rooms).await;
            }
            Err(Refused::Error(error)) => self.respond(&request, &Answer::fail(&error)),
            Err(Refused::Kicked(kick_type)) => self.respond(&request, &Answer::kicked(kick_type)),
            Err(Refused::Failed(error)) => {
                self.respond(&request, &Answer::fail(&error));
                // A client that comes back does not try again by itself on this connection.
                if comes_back {
                    self.outbox.close(Close::OVERLOADED);
                }
            }
        }
        self.count_refused_login();
    }

    fn welcome(&self, identity: &Identity, custom_status: &str) -> Answer {
        Answer::ok(&LoginAnswer {
            a2_key: &identity.a2,
            tiny_id: identity.token.tiny_id.to_string(),
            inst_id: identity.token.inst_id,
            hello_interval: self.context.config.hello_interval.as_secs(),
            time_stamp: time::now_seconds(),
            custom_status,
            purchase_bits: ALL_FEATURES,
            rich_msg_auth_key: "",
        })
    }

    /// Whoever guesses has to connect again now and then.
    fn count_refused_login(&self) {
        let mut state = self.state.lock();
        state.refused_logins += 1;
        let too_many = state.refused_logins >= REFUSED_LOGINS;
        drop(state);
        if too_many {
            self.outbox.close(Close::TOO_MANY_LOGINS);
        }
    }

    async fn log_in(self: &Arc<Self>, credentials: &Credentials) -> Result<LoggedIn, Refused> {
        // What can be said at once does not wait for its turn.
        let returning = match &credentials.a2 {
            a2 if a2.is_empty() => {
                ids::user_id(&credentials.identifier)?;
                if credentials.usersig.len() > limits::USERSIG_BYTES {
                    return Err(Code::SIG_INVALID.with("usersig: too long").into());
                }
                None
            }
            a2 => {
                let identity = self.authenticate(a2)?;
                identity.logging_in.store(true, Ordering::Relaxed);
                Some(identity)
            }
        };
        let config = &self.context.config;
        let turns = async { (self.turn.lock().await, self.context.logins.acquire().await) };
        let Ok((_own, Ok(_turn))) = timeout(config.login_wait, turns).await else {
            self.context.metrics.refused("logins");
            return Err(Refused::Failed(Code::OVERLOADED.with("too many logins: try again")));
        };
        let work = async {
            match returning {
                None => self.register(self.by_signature(credentials).await?, true).await,
                Some(identity) => {
                    if self.is_revoked(&identity).await.map_err(|status| failed(&status))? {
                        self.expel(&identity, BY_REST);
                        return Err(Refused::Kicked(BY_REST));
                    }
                    self.register(identity, false).await
                }
            }
        };
        match timeout(config.command_timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(Refused::Failed(Code::TIMEOUT.with("the login took too long"))),
        }
    }

    /// A new session for whoever the signature is of.
    async fn by_signature(&self, credentials: &Credentials) -> Result<Arc<Identity>, Refused> {
        let user = &credentials.identifier;
        let forwarder = &self.context.forwarder;
        let settings = forwarder.apps().get(self.peer.app).await?;
        let now = time::now_seconds();
        let signed =
            usersig::verify(&credentials.usersig, self.peer.app, &settings.keys, user, now)?;
        let request = v1::EnsureAccountRequest {
            app: self.peer.app.0,
            user: user.clone(),
            issued_at: signed.issued_at,
        };
        let account = forwarder
            .directory()
            .ensure_account(request)
            .await
            .map_err(|status| failed(&status))?;
        if account.into_inner().not_before > signed.issued_at {
            return Err(Code::SIG_REVOKED.with("usersig: revoked, make a new one").into());
        }
        let token = A2 {
            app: self.peer.app,
            user: user.clone(),
            tiny_id: ids::tiny_id(forwarder.secret().tiny_key(), self.peer.app, user),
            inst_id: rand::rng().random_range(1..INST_IDS),
            issued_at: now,
            instance: token::instance(&self.peer.instance),
        };
        let a2 = token.seal(forwarder.secret().token_key());
        Ok(Arc::new(Identity::new(a2, token, self)))
    }

    async fn register(
        self: &Arc<Self>,
        identity: Arc<Identity>,
        fresh: bool,
    ) -> Result<LoggedIn, Refused> {
        self.take_over_connection(&identity).await?;
        let token = &identity.token;
        if fresh {
            self.drop_catch_up();
        } else {
            self.begin_catch_up();
        }
        let had_until_now =
            self.context.sessions.enter(token.app, &token.user, token.inst_id, self);
        let request = self.as_registered(&identity, fresh);
        let reply =
            match self.context.forwarder.presence().register(identity.to_home(request)).await {
                Ok(reply) => reply.into_inner(),
                Err(status) => {
                    self.forget(&identity);
                    return Err(failed(&status));
                }
            };
        if reply.outcome() == v1::register_reply::Outcome::Kicked {
            self.expel(&identity, reply.kick_type);
            return Err(Refused::Kicked(reply.kick_type));
        }
        identity.has_logged_in();
        identity.has_told(reply.bond);
        self.context.presence.told(identity.home, reply.bond);
        let mut rooms = reply.rooms;
        if let Some(before) = had_until_now {
            before.hand_over(token, &mut rooms);
        }
        Ok(LoggedIn { identity, custom_status: reply.custom_status, rooms })
    }

    /// From now on the connection is this identity's; another one's session on it is over.
    async fn take_over_connection(&self, identity: &Arc<Identity>) -> Result<(), Refused> {
        let before = {
            let mut state = self.state.lock();
            if state.ended {
                return Err(Refused::Error(Code::TIMEOUT.with("the connection is gone")));
            }
            state.identity.replace(Arc::clone(identity))
        };
        match before {
            Some(before) if before.is(&identity.token) => {}
            Some(before) if before.logged_in() => self.sign_off(&before).await,
            // It only repeated requests here; its session is not this connection's to end.
            Some(before) => drop(self.close_seats(&before)),
            None => {}
        }
        Ok(())
    }

    fn forget(&self, identity: &Arc<Identity>) {
        self.drop_catch_up();
        let token = &identity.token;
        self.context.sessions.remove(token.app, &token.user, token.inst_id, self);
        let mut state = self.state.lock();
        if state.identity.as_ref().is_some_and(|current| Arc::ptr_eq(current, identity)) {
            state.identity = None;
        }
    }
}

fn failed(status: &tonic::Status) -> Refused {
    tracing::warn!(code = ?status.code(), text = status.message(), "a login failed");
    Refused::Failed(Code::ACCOUNT_INTERNAL.with("the login failed: try again"))
}
