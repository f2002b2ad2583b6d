//! Whose request is it? Every request says so itself with its token, because requests come again on
//! a new connection before the login does (SDK protocol notes 01, 1.5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use throng_proto::Route;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::user_hash;
use throng_protocol::token::A2;
use tokio::sync::OnceCell;

use super::{Kicked, Session};
use crate::rooms::Attendee;

/// A session as its token names it, on one connection.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The token's text, to know it again.
    pub(super) a2: String,
    pub(crate) token: A2,
    pub(super) attendee: Arc<Attendee>,
    /// What the user is placed by among the presence nodes.
    pub(crate) home: u64,
    /// It has logged in on this connection; presence knows that it is here.
    logged_in: AtomicBool,
    /// A login of it is under way; whatever comes of that settles its case.
    pub(super) logging_in: AtomicBool,
    /// How it was put offline (0: it was not), once that was asked because it has not logged in.
    pub(super) judged: OnceCell<u32>,
    /// The bond of the presence node that was told of it last; 0 for none.
    pub(super) told: AtomicU64,
}

impl Identity {
    pub(super) fn new(a2: String, token: A2, session: &Session) -> Self {
        let attendee =
            Attendee::new(token.app, token.user.clone(), token.inst_id, session.outbox.clone());
        Self {
            a2,
            home: user_hash(token.app, &token.user),
            token,
            attendee: Arc::new(attendee),
            logged_in: AtomicBool::new(false),
            logging_in: AtomicBool::new(false),
            judged: OnceCell::new(),
            told: AtomicU64::new(0),
        }
    }

    pub(super) fn logged_in(&self) -> bool {
        self.logged_in.load(Ordering::Acquire)
    }

    pub(super) fn has_logged_in(&self) {
        self.logged_in.store(true, Ordering::Release);
    }

    pub(super) fn key(&self) -> v1::SessionKey {
        v1::SessionKey {
            app: self.token.app.0,
            user: self.token.user.clone(),
            inst_id: self.token.inst_id,
        }
    }

    /// A call to presence, on its way to where the user is at home.
    pub(super) fn to_home<T>(&self, message: T) -> tonic::Request<T> {
        Route::hash(self.home).request(message)
    }

    /// The same session, maybe with another connection.
    pub(super) fn is(&self, token: &A2) -> bool {
        self.token.user == token.user && self.token.inst_id == token.inst_id
    }
}

/// Why a request is nobody's.
#[derive(Debug)]
pub(super) enum NotAuthentic {
    /// The token is not one of ours, or another app's.
    Token,
    /// The session was kicked; the client is told how.
    Kicked(u32),
    /// The session logged out on this connection.
    LoggedOut,
    /// Another session has logged in on this connection.
    Other,
}

impl NotAuthentic {
    pub(super) fn error(&self) -> CommandError {
        match self {
            NotAuthentic::Token => Code::SIG_EXPIRED.with("a2: not valid, log in again"),
            NotAuthentic::Other => {
                Code::BAD_IDENTIFIER_OR_SIG.with("a2: another session is logged in here")
            }
            // What an SDK asked for just before would make it think that it was kicked.
            NotAuthentic::LoggedOut => Code::BAD_IDENTIFIER_OR_SIG.with("a2: logged out"),
            NotAuthentic::Kicked(kick_type) => {
                Code::KICKED.with(format!("this session was ended (KickType {kick_type})"))
            }
        }
    }
}

impl Session {
    /// The session that a token stands for; cheap for the one that was seen last.
    ///
    /// One that has not logged in on this connection has yet to be vouched for.
    pub(super) fn authenticate(self: &Arc<Self>, a2: &str) -> Result<Arc<Identity>, NotAuthentic> {
        let mut state = self.state.lock();
        if let Some(identity) = &state.identity
            && identity.a2 == a2
        {
            return Ok(Arc::clone(identity));
        }
        let token = A2::open(a2, self.context.forwarder.secret().token_key())
            .filter(|token| token.app == self.peer.app)
            .ok_or(NotAuthentic::Token)?;
        if let Some(Kicked { inst_id, kick_type }) = state.kicked
            && inst_id == token.inst_id
        {
            return Err(kick_type.map_or(NotAuthentic::LoggedOut, NotAuthentic::Kicked));
        }
        if state.identity.as_ref().is_some_and(|current| current.logged_in()) {
            return Err(NotAuthentic::Other);
        }
        let identity = Arc::new(Identity::new(a2.to_owned(), token, self));
        // The first one to prove who it is has the connection, until it logs out. A request in
        // another's name is answered until somebody has logged in, but joins nothing.
        if state.identity.is_none() && !state.ended {
            state.identity = Some(Arc::clone(&identity));
            self.begin_catch_up();
            if !state.on_probation {
                state.on_probation = true;
                self.context.probation.begin(self);
            }
        }
        Ok(identity)
    }

    /// Whether the connection is this identity's.
    pub(super) fn is_current(&self, identity: &Arc<Identity>) -> bool {
        let state = self.state.lock();
        state.identity.as_ref().is_some_and(|current| Arc::ptr_eq(current, identity))
    }
}
