//! What gateways say of many sessions at once: who has a connection, and that a whole gateway is
//! gone. And users who are at home elsewhere now.

use std::sync::Arc;

use super::Now;
use super::index::{Coming, Desk, Index};
use super::register::{Login, Policy};
use super::session::{Effect, Link, Room, SessionId};

/// What became of a session that its gateway told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retold {
    Online,
    /// Online, but it had lapsed: the owners of its rooms think that it left.
    Returned,
    /// It had been put offline in this way.
    Kicked(u32),
    /// It has a newer connection at another gateway.
    Moved,
}

impl Index {
    /// A gateway says that a session has a connection there and sits in these rooms. It did not
    /// come just now: that is news only where the index was lost, or has changed hands.
    pub(crate) fn retell(
        &mut self,
        now: Now,
        (app, user): (u32, &str),
        login: Login,
        rooms: Vec<Room>,
        policy: Policy,
        out: &mut Vec<Effect>,
    ) -> Retold {
        self.decide_as(Coming::Silent, now, app, user, out, |desk| {
            desk.retell(login, rooms, policy)
        })
    }

    /// Sessions lose their connections: those of a gateway that nobody spoke for since `before`. Their
    /// grace period begins. Returns how many there were.
    pub(crate) fn lower_all(&mut self, now: Now, gateway: &str, before: u64) -> usize {
        let deadline = now.mono + self.settings.grace;
        let mut lowered = 0;
        for (app, users) in &mut self.apps {
            for (name, user) in users {
                for session in &mut user.sessions {
                    let Link::Up { seen } = session.link else { continue };
                    if *session.gateway != *gateway || seen >= before {
                        continue;
                    }
                    let (user, inst_id) = (Arc::clone(name), session.inst_id);
                    let id = SessionId { app: *app, user, inst_id };
                    session.link = Link::Down;
                    session.timer = Some(self.timers.start(deadline, id));
                    lowered += 1;
                }
            }
        }
        lowered
    }

    /// Forgets users without a word to anybody: another node decides about them now. Returns how
    /// many there were.
    pub(crate) fn forget(
        &mut self,
        now: Now,
        is_theirs: impl Fn(u32, &str) -> bool,
        out: &mut Vec<Effect>,
    ) -> usize {
        let mut gone = Vec::new();
        for (app, users) in &self.apps {
            let theirs = users.keys().filter(|user| is_theirs(*app, user));
            gone.extend(theirs.map(|user| (*app, Arc::clone(user))));
        }
        for (app, user) in &gone {
            self.forget_one(now, *app, user, out);
        }
        gone.len()
    }

    /// [`forget`](Self::forget) of one user.
    pub(crate) fn forget_one(&mut self, now: Now, app: u32, user: &str, out: &mut Vec<Effect>) {
        let mut effects = Vec::new();
        self.decide(now, app, user, &mut effects, |desk| {
            while !desk.user.sessions.is_empty() {
                desk.remove(0);
            }
        });
        out.extend(effects.into_iter().filter(|one| matches!(one, Effect::Unwatch { .. })));
    }
}

impl Desk<'_> {
    fn retell(&mut self, login: Login, rooms: Vec<Room>, policy: Policy) -> Retold {
        if let Some(kick_type) = self.refused(login.inst_id, login.issued_at) {
            return Retold::Kicked(kick_type);
        }
        let (inst_id, platform) = (login.inst_id, login.platform);
        let position = self.user.position(inst_id);
        if let Some(position) = position {
            let session = &mut self.user.sessions[position];
            let elsewhere = session.gateway != login.gateway;
            if session.is_up() && elsewhere && session.connection == 0 {
                // That gateway will say which connection it means. Until then both stay.
                return Retold::Online;
            }
            if session.is_up() && session.connection > login.connection && login.connection != 0 {
                if elsewhere {
                    return Retold::Moved;
                }
                // It was told before the newer connection came, and arrives after.
                session.link = Link::Up { seen: self.now.mono };
                return Retold::Online;
            }
        }
        let had_lapsed = self.user.parked(inst_id).is_some_and(super::user::Parked::is_lapsed);
        self.take_at_its_word(login, rooms);
        self.make_way(None, platform, policy);
        match self.kicked(inst_id) {
            Some(kick_type) => Retold::Kicked(kick_type),
            None if position.is_none() && had_lapsed => Retold::Returned,
            None => Retold::Online,
        }
    }

    /// Writes the row only where something changed: many come at once.
    fn take_at_its_word(&mut self, login: Login, rooms: Vec<Room>) {
        let known = self.user.position(login.inst_id);
        let before = known.map(|position| {
            let session = &self.user.sessions[position];
            (Arc::clone(&session.gateway), session.rooms.clone())
        });
        let position = self.connect(login);
        for room in &mut self.user.sessions[position].rooms {
            room.last_seq = 0;
        }
        self.merge_rooms(position, rooms);
        let session = &self.user.sessions[position];
        let same = before
            .is_some_and(|(gateway, rooms)| gateway == session.gateway && rooms == session.rooms);
        if same {
            self.refresh(position);
        } else {
            self.save(position);
        }
    }
}
