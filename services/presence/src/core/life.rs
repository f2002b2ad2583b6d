//! Signs of life, ends of connections, logouts, and kicks by an administrator.

use std::sync::Arc;

use super::index::{Desk, Index};
use super::session::{Effect, Link, Room, Session};
use super::{Now, kick};

/// The end of a session, by a logout or because its gateway was told so.
#[derive(Debug, Clone)]
pub(crate) struct Over {
    pub(crate) inst_id: u32,
    /// 0 for a logout.
    pub(crate) kick_type: u32,
    /// The connection on which it happened.
    pub(crate) gateway: Arc<str>,
    pub(crate) connection: u64,
}

/// The end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Gone {
    pub(crate) inst_id: u32,
    pub(crate) gateway: Arc<str>,
    pub(crate) connection: u64,
    /// The client closed for good.
    pub(crate) last: bool,
    /// Where it stood in its rooms.
    pub(crate) rooms: Vec<Room>,
}

impl Index {
    /// A session says hello. Returns the way in which it had been put offline, if it had.
    ///
    /// One that nothing is known of is taken in: this index was lost, the gateway has the session.
    pub(crate) fn hello(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        inst_id: u32,
        gateway: Arc<str>,
        out: &mut Vec<Effect>,
    ) -> Option<u32> {
        self.decide(now, app, user, out, |desk| desk.hello(inst_id, gateway))
    }

    /// Whether a session may go on without a login: the way in which it was put offline, if it was.
    /// `issued_at` is its token's, in seconds since 1970. Nothing changes by it.
    pub(crate) fn refused(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        (inst_id, issued_at): (u32, i64),
        out: &mut Vec<Effect>,
    ) -> Option<u32> {
        self.decide(now, app, user, out, |desk| desk.refused(inst_id, issued_at))
    }

    /// A session logs out, or was put offline by its gateway: its place and its memberships end now,
    /// and its token is worth nothing any more.
    pub(crate) fn unregister(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        over: &Over,
        out: &mut Vec<Effect>,
    ) {
        self.decide(now, app, user, out, |desk| desk.unregister(over));
    }

    /// A connection is gone: the grace period begins, or the session ends if it was the last one.
    pub(crate) fn disconnect(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        gone: Gone,
        out: &mut Vec<Effect>,
    ) {
        self.decide(now, app, user, out, |desk| desk.disconnect(gone));
    }

    /// Puts all sessions of a user offline, and lets no token that was issued before come back.
    pub(crate) fn kick_user(&mut self, now: Now, app: u32, user: &str, out: &mut Vec<Effect>) {
        self.decide(now, app, user, out, |desk| {
            desk.kick_user();
        });
    }

    /// Sets the user's custom status (base64 of UTF-8).
    pub(crate) fn set_custom_status(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        status: Arc<str>,
        out: &mut Vec<Effect>,
    ) {
        self.decide(now, app, user, out, |desk| {
            desk.user.custom_status = Some(status);
            desk.save_user();
        });
    }
}

impl Desk<'_> {
    fn hello(&mut self, inst_id: u32, gateway: Arc<str>) -> Option<u32> {
        if let Some(kick_type) = self.kicked(inst_id) {
            return Some(kick_type);
        }
        let position = self.find_or_adopt(inst_id, &gateway);
        let session = &mut self.user.sessions[position];
        if !session.is_up() {
            session.gateway = gateway;
            session.connection = 0;
        }
        self.raise(position);
        self.refresh(position);
        None
    }

    fn unregister(&mut self, over: &Over) {
        if self.kicked(over.inst_id).is_some() {
            return;
        }
        // One that nothing is known of, after a restart, must not come back either.
        let position = self.find_or_adopt(over.inst_id, &over.gateway);
        let session = &self.user.sessions[position];
        let kick_type = if over.kick_type == 0 { kick::LOGGED_OUT } else { over.kick_type };
        // The one that it has elsewhere would go on.
        if session.is_elsewhere(&over.gateway, over.connection) {
            self.displace(position, kick_type);
        } else {
            self.retire(position, kick_type);
        }
    }

    fn disconnect(&mut self, gone: Gone) {
        if self.kicked(gone.inst_id).is_some() {
            return;
        }
        let known = self.user.position(gone.inst_id);
        if known.is_none() && gone.rooms.is_empty() {
            return;
        }
        let position = self.find_or_adopt(gone.inst_id, &gone.gateway);
        if self.user.sessions[position].is_elsewhere(&gone.gateway, gone.connection) {
            return;
        }
        self.merge_rooms(position, gone.rooms);
        if gone.last {
            self.end(position);
            return;
        }
        if self.user.sessions[position].link != Link::Down {
            self.lower(position, Link::Down, self.grace_end());
        }
        self.save(position);
    }

    fn kick_user(&mut self) {
        self.user.not_before = self.now.wall;
        self.save_user();
        while !self.user.sessions.is_empty() {
            self.displace(0, kick::BY_REST);
        }
        let lapsed: Vec<u32> = self.user.parked.iter().map(|parked| parked.inst_id).collect();
        for inst_id in lapsed {
            if self.take_lapsed(inst_id).is_some() {
                self.out.push(Effect::Erase { session: self.id(inst_id) });
            }
        }
    }

    fn save_user(&mut self) {
        self.out.push(Effect::SaveUser {
            app: self.app,
            user: Arc::clone(&self.name),
            not_before: self.user.not_before,
            custom_status: self.user.custom_status(),
        });
    }

    /// The session's place; one that is not there, or lapsed, gets one without a connection.
    pub(super) fn find_or_adopt(&mut self, inst_id: u32, gateway: &Arc<str>) -> usize {
        if let Some(position) = self.user.position(inst_id) {
            return position;
        }
        let lapsed = self.take_lapsed(inst_id);
        let returned = lapsed.is_some();
        let mut session = Session::unknown(inst_id, Arc::clone(gateway));
        session.issued_at = self.now.wall;
        session.saved = returned.then_some(self.now.mono);
        let position = self.take_in(session, lapsed.unwrap_or_default());
        if returned {
            self.save(position);
        }
        position
    }
}
