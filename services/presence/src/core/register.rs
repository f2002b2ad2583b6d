//! Logins and re-logins, and whom a login displaces.

use std::sync::Arc;

use super::index::{Desk, Index};
use super::session::{Effect, Room, Session};
use super::user::Parked;
use super::{Now, kick};

/// Platform numbers of the Web SDK's family (SDK protocol notes 1, 1.1), which count as Web
/// together (CN 38656): browsers, mini-programs, uni-app.
const WEB_FAMILY: [u32; 10] = [7, 8, 9, 10, 11, 12, 15, 19, 20, 21];

/// Whether sessions of this platform share the limit for Web.
pub(crate) fn is_web(platform: u32) -> bool {
    WEB_FAMILY.contains(&platform)
}

/// How many sessions of one user may be online together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) web: usize,
    /// For each other platform.
    pub(crate) other: usize,
}

impl Policy {
    /// No limit, for when an app's settings cannot be had: a login must not hang on them.
    pub(crate) const NONE: Self = Self { web: usize::MAX, other: usize::MAX };

    fn limit(self, platform: u32) -> usize {
        if is_web(platform) { self.web.max(1) } else { self.other.max(1) }
    }
}

/// A login or re-login.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) inst_id: u32,
    pub(crate) gateway: Arc<str>,
    pub(crate) connection: u64,
    pub(crate) instance: Box<str>,
    pub(crate) platform: u32,
    pub(crate) issued_at: i64,
    /// By signature, not by token.
    pub(crate) fresh: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Registered {
    /// It is online, in these rooms.
    Online { rooms: Vec<Room>, custom_status: Arc<str> },
    /// It had been put offline in this way.
    Kicked(u32),
}

impl Index {
    /// Takes a session in. A session that nothing is known of is taken at its word: its token was
    /// checked by the gateway.
    pub(crate) fn register(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        login: Login,
        policy: Policy,
        out: &mut Vec<Effect>,
    ) -> Registered {
        self.decide(now, app, user, out, |desk| desk.register(login, policy))
    }
}

impl Desk<'_> {
    fn register(&mut self, login: Login, policy: Policy) -> Registered {
        if let Some(kick_type) = self.refusal(&login) {
            return Registered::Kicked(kick_type);
        }
        if login.fresh {
            self.replace_same_instance(&login);
        }
        let (inst_id, platform) = (login.inst_id, login.platform);
        let position = self.connect(login);
        let rooms = self.hand_out_rooms(position);
        self.make_way(Some(inst_id), platform, policy);
        Registered::Online { rooms, custom_status: self.user.custom_status() }
    }

    /// A token does not come back from a kick. A signature was judged by the directory.
    fn refusal(&self, login: &Login) -> Option<u32> {
        if login.fresh { None } else { self.refused(login.inst_id, login.issued_at) }
    }

    /// What is held against a token: its session was put offline or has logged out, or an
    /// administrator revoked all that was issued until then.
    pub(super) fn refused(&self, inst_id: u32, issued_at: i64) -> Option<u32> {
        self.kicked(inst_id).or_else(|| (issued_at < self.user.not_before).then_some(kick::BY_REST))
    }

    /// One SDK object is one session: the one it had before goes. Its page learns of it only if that
    /// session has a connection of its own, for on the same connection the new one would hear it.
    fn replace_same_instance(&mut self, login: &Login) {
        if login.instance.is_empty() {
            return;
        }
        let earlier = self.user.sessions.iter().position(|session| {
            session.instance == login.instance && session.inst_id != login.inst_id
        });
        let Some(position) = earlier else { return };
        let old = &self.user.sessions[position];
        let known = old.connection != 0 && login.connection != 0;
        let elsewhere = old.gateway != login.gateway || old.connection != login.connection;
        if old.is_up() && known && elsewhere {
            self.displace(position, kick::SAME_INSTANCE);
        } else {
            self.retire(position, kick::SAME_INSTANCE);
        }
    }

    /// Brings the session online, with the rooms that it had.
    pub(super) fn connect(&mut self, login: Login) -> usize {
        let position = match self.user.position(login.inst_id) {
            Some(position) => {
                self.leave_gateway(position, &login.gateway);
                position
            }
            None => {
                // The number of a kicked session comes again only by chance, with a fresh login.
                let parked = self.user.unpark(login.inst_id);
                let mut session = Session::unknown(login.inst_id, Arc::clone(&login.gateway));
                session.saved = parked.as_ref().map(|_| self.now.mono);
                self.take_in(session, parked.map(Parked::into_lapsed).unwrap_or_default())
            }
        };
        let session = &mut self.user.sessions[position];
        session.gateway = login.gateway;
        session.connection = login.connection;
        session.instance = login.instance;
        session.platform = login.platform;
        session.issued_at = login.issued_at;
        self.raise(position);
        position
    }

    /// The gateway of the session's connection until now would keep it, out of reach of any kick.
    fn leave_gateway(&mut self, position: usize, new: &Arc<str>) {
        let session = &self.user.sessions[position];
        if session.is_up() && session.gateway != *new && !session.gateway.is_empty() {
            // It may come back to that gateway before this arrives there.
            let (gateway, connection) = (Arc::clone(&session.gateway), session.connection);
            let session = self.id(session.inst_id);
            self.out.push(Effect::Kick { gateway, session, kick_type: kick::MOVED, connection });
        }
    }

    /// Where it stands in its rooms is known once: from now on it is sent more.
    fn hand_out_rooms(&mut self, position: usize) -> Vec<Room> {
        let session = &mut self.user.sessions[position];
        let rooms = session.rooms.clone();
        for room in &mut session.rooms {
            room.last_seq = 0;
        }
        self.save(position);
        rooms
    }

    /// Displaces whom the limit for this platform has no place for: first sessions without a
    /// connection, then the oldest logins; never the one that has just come, if one has.
    pub(super) fn make_way(&mut self, newcomer: Option<u32>, platform: u32, policy: Policy) {
        let same_class = |other: u32| {
            is_web(other) == is_web(platform) && (is_web(platform) || other == platform)
        };
        let limit = policy.limit(platform);
        loop {
            let class = || {
                let sessions = self.user.sessions.iter().enumerate();
                sessions.filter(|(_, session)| same_class(session.platform))
            };
            if class().count() <= limit {
                return;
            }
            let victim = class()
                .filter(|(_, session)| Some(session.inst_id) != newcomer)
                .min_by_key(|(_, session)| (session.is_up(), session.issued_at, session.serial))
                .map(|(position, _)| position);
            let Some(position) = victim else { return };
            self.displace(position, kick::OTHER_LOGIN);
        }
    }
}
