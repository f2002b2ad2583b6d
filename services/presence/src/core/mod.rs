//! The decisions about sessions: who is online where, who is displaced, who has lapsed; and about
//! gateways: who lives, what has to be sent again. Plain code: time is passed in, [`Effect`]s come
//! out; the shell around it carries them out.

mod audience;
mod expire;
mod gateways;
mod index;
mod life;
mod register;
mod restore;
mod retell;
mod rooms;
mod route;
mod session;
mod stream;
mod timers;
mod user;
mod watch;

#[cfg(test)]
mod agreement_tests;
#[cfg(test)]
mod audience_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

pub(crate) use audience::{Among, AudienceId, Refusal, Standing, Step};
pub(crate) use expire::Stay;
pub(crate) use gateways::{Gateways, Known, Patience};
pub(crate) use index::{Index, Settings};
pub(crate) use life::{Gone, Over};
pub(crate) use register::{Login, Policy, Registered, is_web};
pub(crate) use restore::Memory;
pub(crate) use retell::Retold;
pub(crate) use rooms::Moves;
pub(crate) use route::Routes;
pub(crate) use session::{Effect, Room, SessionId, Stored, StoredState};
pub(crate) use stream::Stream;
pub(crate) use watch::Watch;

/// The kinds of being put offline, as the client knows them (SDK protocol notes 1, 3.4).
pub(crate) mod kick {
    /// Another login of the account.
    pub(crate) const OTHER_LOGIN: u32 = 1;
    /// The same SDK object logged in anew elsewhere.
    pub(crate) const SAME_INSTANCE: u32 = 2;
    /// An administrator, over REST.
    pub(crate) const BY_REST: u32 = 3;
    /// It logged out. Its client does not come back; whoever holds its token is told the same as by
    /// an administrator.
    pub(crate) const LOGGED_OUT: u32 = BY_REST;
    /// Not a kick at all: the session has a connection at another gateway now.
    pub(crate) const MOVED: u32 = 0;
}

/// The time of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// Milliseconds on a clock that only moves forward: for grace periods and leases.
    pub(crate) mono: u64,
    /// Seconds since 1970: for what is compared with tokens or stored.
    pub(crate) wall: i64,
}
