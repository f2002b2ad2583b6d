//! The index itself: apps → users → sessions, and the desk at which one user's affairs are decided.

use std::collections::HashMap;
use std::sync::Arc;

use super::Now;
use super::audience::Audiences;
use super::session::{Effect, Link, Session, SessionId, Stored, StoredState};
use super::timers::Timers;
use super::user::{Lapsed, MAX_PARKED, Parked, User, Why};

/// Periods in milliseconds, and limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How long a session without a connection keeps its place.
    pub(crate) grace: u64,
    /// A row of a live session is written again when it is this old.
    pub(crate) refresh: u64,
    /// How long kicks are remembered.
    pub(crate) kick_memory: u64,
    /// Rooms that are tracked of one session.
    pub(crate) max_rooms: usize,
    /// Users whose status one session may watch; the oldest subscription makes room.
    pub(crate) max_watched: usize,
}

/// Sessions of some users. A user's sessions are all in one index.
#[derive(Debug)]
pub(crate) struct Index {
    pub(super) settings: Settings,
    pub(super) apps: HashMap<u32, HashMap<Arc<str>, User>>,
    pub(super) timers: Timers,
    pub(super) tally: Tally,
    pub(super) audiences: Audiences,
}

/// How many sessions there are and were.
#[derive(Debug, Default)]
pub(super) struct Tally {
    present: usize,
    ever: u64,
}

/// One user's affairs, opened for one decision.
pub(super) struct Desk<'a> {
    pub(super) now: Now,
    pub(super) app: u32,
    pub(super) name: Arc<str>,
    pub(super) user: &'a mut User,
    pub(super) timers: &'a mut Timers,
    pub(super) tally: &'a mut Tally,
    pub(super) settings: &'a Settings,
    pub(super) out: &'a mut Vec<Effect>,
}

/// Whether those who watch a user are told that it came online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coming {
    /// It was offline before.
    Told,
    /// It was online all the time, this index did not know.
    Silent,
}

impl Index {
    pub(crate) fn new(settings: Settings) -> Self {
        let (apps, timers, tally, audiences) = Default::default();
        Self { settings, apps, timers, tally, audiences }
    }

    /// Sessions, online or within their grace period.
    pub(crate) fn len(&self) -> usize {
        self.tally.present
    }

    /// Sessions with a connection.
    pub(crate) fn connected(&self) -> usize {
        self.tally.present - self.timers.len()
    }

    /// Whether the user is in memory, so that the store has nothing to add.
    pub(crate) fn knows(&self, app: u32, user: &str) -> bool {
        self.user(app, user).is_some()
    }

    pub(super) fn user(&self, app: u32, user: &str) -> Option<&User> {
        self.apps.get(&app)?.get(user)
    }

    /// Opens a user's affairs. Afterwards a user without sessions is dropped from memory, and a
    /// change between online and offline is told.
    pub(super) fn decide<R>(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        out: &mut Vec<Effect>,
        decision: impl FnOnce(&mut Desk<'_>) -> R,
    ) -> R {
        self.decide_as(Coming::Told, now, app, user, out, decision)
    }

    /// [`decide`](Self::decide), where who comes may have been there before.
    pub(super) fn decide_as<R>(
        &mut self,
        coming: Coming,
        now: Now,
        app: u32,
        user: &str,
        out: &mut Vec<Effect>,
        decision: impl FnOnce(&mut Desk<'_>) -> R,
    ) -> R {
        let result = self.open(coming, now, app, user, out, decision);
        self.settle(app, user);
        result
    }

    /// Drops a user without sessions from memory.
    fn settle(&mut self, app: u32, user: &str) {
        let Some(users) = self.apps.get_mut(&app) else {
            return;
        };
        if users.get(user).is_some_and(|user| user.sessions.is_empty()) {
            users.remove(user);
        }
        if users.is_empty() {
            self.apps.remove(&app);
        }
    }

    pub(super) fn open<R>(
        &mut self,
        coming: Coming,
        now: Now,
        app: u32,
        user: &str,
        out: &mut Vec<Effect>,
        decision: impl FnOnce(&mut Desk<'_>) -> R,
    ) -> R {
        let users = self.apps.entry(app).or_default();
        let (name, mut state) =
            users.remove_entry(user).unwrap_or_else(|| (Arc::from(user), User::default()));
        let was_online = !state.sessions.is_empty();
        let mut desk = Desk {
            now,
            app,
            name: Arc::clone(&name),
            user: &mut state,
            timers: &mut self.timers,
            tally: &mut self.tally,
            settings: &self.settings,
            out: &mut *out,
        };
        let result = decision(&mut desk);
        let online = !state.sessions.is_empty();
        if online != was_online {
            self.audiences.note(app, &name, online);
        }
        if online != was_online && !(online && coming == Coming::Silent) {
            let custom_status = state.custom_status();
            out.push(Effect::Status { app, user: Arc::clone(&name), online, custom_status });
        }
        users.insert(name, state);
        result
    }
}

impl Desk<'_> {
    pub(super) fn id(&self, inst_id: u32) -> SessionId {
        SessionId { app: self.app, user: Arc::clone(&self.name), inst_id }
    }

    pub(super) fn grace_end(&self) -> u64 {
        self.now.mono + self.settings.grace
    }

    /// Takes a session in, without a connection and with a fresh grace period. What it had when it
    /// lapsed comes back with it.
    pub(super) fn take_in(&mut self, mut session: Session, lapsed: Lapsed) -> usize {
        let id = self.id(session.inst_id);
        session.serial = self.tally.ever;
        session.timer = Some(self.timers.start(self.grace_end(), id.clone()));
        session.rooms = lapsed.rooms;
        session.watching = lapsed.watching;
        self.tally.ever += 1;
        self.tally.present += 1;
        if !session.watching.is_empty() {
            let users = session.watching.iter().cloned().collect();
            self.out.push(Effect::Watch { session: id, users });
        }
        // Most users have one session.
        self.user.sessions.reserve_exact(1);
        self.user.sessions.push(session);
        self.user.sessions.len() - 1
    }

    /// The session has a connection, as of now.
    pub(super) fn raise(&mut self, position: usize) {
        let session = &mut self.user.sessions[position];
        session.link = Link::Up { seen: self.now.mono };
        if let Some(timer) = session.timer.take() {
            self.timers.stop(timer);
        }
    }

    /// The session has no connection and this long to come back.
    pub(super) fn lower(&mut self, position: usize, link: Link, deadline: u64) {
        let id = self.id(self.user.sessions[position].inst_id);
        let session = &mut self.user.sessions[position];
        if let Some(timer) = session.timer.take() {
            self.timers.stop(timer);
        }
        session.link = link;
        session.timer = Some(self.timers.start(deadline, id));
    }

    /// Remembers a session that is no more; what is too much is forgotten, in the store as well.
    pub(super) fn park(&mut self, inst_id: u32, at: i64, why: Why) {
        self.user.unpark(inst_id);
        self.user.parked.push(Parked { inst_id, at, why });
        if self.user.parked.len() > MAX_PARKED {
            let oldest = self.user.parked.remove(0);
            self.out.push(Effect::Erase { session: self.id(oldest.inst_id) });
        }
    }

    /// Ends a session's place and its memberships. Its row is the caller's business.
    pub(super) fn remove(&mut self, position: usize) -> Session {
        let session = self.user.sessions.remove(position);
        if let Some(timer) = session.timer {
            self.timers.stop(timer);
        }
        self.tally.present -= 1;
        let id = self.id(session.inst_id);
        for room in &session.rooms {
            self.out.push(Effect::Detach {
                gateway: Arc::clone(&session.gateway),
                session: id.clone(),
                group_id: Arc::clone(&room.group_id),
            });
        }
        if !session.watching.is_empty() {
            let users = session.watching.iter().cloned().collect();
            self.out.push(Effect::Unwatch { session: id, users });
        }
        session
    }

    /// Writes the row of a session that has something to come back to, and deletes that of one that
    /// has nothing.
    pub(super) fn save(&mut self, position: usize) {
        let now = self.now;
        let session = &mut self.user.sessions[position];
        if !session.is_worth_a_row() {
            self.erase(position);
            return;
        }
        session.saved = Some(now.mono);
        let stored = stored(session, StoredState::Live, now.wall);
        let inst_id = session.inst_id;
        self.out.push(Effect::Save { session: self.id(inst_id), stored });
    }

    /// Writes a row again before it runs out.
    pub(super) fn refresh(&mut self, position: usize) {
        let refresh = self.settings.refresh;
        let saved = self.user.sessions[position].saved;
        if saved.is_some_and(|saved| saved + refresh <= self.now.mono) {
            self.save(position);
        }
    }

    fn erase(&mut self, position: usize) {
        let session = &mut self.user.sessions[position];
        if session.saved.take().is_some() {
            let inst_id = session.inst_id;
            self.out.push(Effect::Erase { session: self.id(inst_id) });
        }
    }

    /// Ends a session for good: nothing of it stays.
    pub(super) fn end(&mut self, position: usize) {
        self.erase(position);
        self.remove(position);
    }

    /// Puts a session offline: tells its gateway, remembers it, and lets it come back only to hear
    /// of it.
    pub(super) fn displace(&mut self, position: usize, kick_type: u32) {
        let session = &self.user.sessions[position];
        if session.is_up() {
            let gateway = Arc::clone(&session.gateway);
            let session = self.id(session.inst_id);
            self.out.push(Effect::Kick { gateway, session, kick_type, connection: 0 });
        }
        self.retire(position, kick_type);
    }

    /// Ends a session whose gateway knows, and remembers it: its token is worth nothing any more.
    pub(super) fn retire(&mut self, position: usize, kick_type: u32) {
        let mut session = self.remove(position);
        let id = self.id(session.inst_id);
        session.rooms = Vec::new();
        session.watching.clear();
        self.park(session.inst_id, self.now.wall, Why::Kicked { kick_type });
        let stored = stored(&session, StoredState::Kicked(kick_type), self.now.wall);
        self.out.push(Effect::Save { session: id, stored });
    }

    /// The way in which this session was put offline, while that is remembered.
    pub(super) fn kicked(&self, inst_id: u32) -> Option<u32> {
        let parked = self.user.parked(inst_id)?;
        let Why::Kicked { kick_type } = parked.why else {
            return None;
        };
        let age = u64::try_from(self.now.wall - parked.at).unwrap_or(0) * 1000;
        (age < self.settings.kick_memory).then_some(kick_type)
    }

    /// What a session had that lapsed, once: it is back.
    pub(super) fn take_lapsed(&mut self, inst_id: u32) -> Option<Lapsed> {
        if !self.user.parked(inst_id)?.is_lapsed() {
            return None;
        }
        self.user.unpark(inst_id).map(Parked::into_lapsed)
    }
}

pub(super) fn stored(session: &Session, state: StoredState, wall: i64) -> Stored {
    Stored {
        state,
        gateway: Arc::clone(&session.gateway),
        instance: session.instance.clone(),
        platform: session.platform,
        issued_at: session.issued_at,
        at: wall,
        rooms: session.rooms.clone(),
        watching: session.watching.iter().cloned().collect(),
    }
}
