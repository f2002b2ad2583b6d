//! What the passing of time does: grace periods end.

use std::sync::Arc;

use super::Now;
use super::index::{Desk, Index, stored};
use super::session::{Effect, Link, SessionId, StoredState};
use super::user::{Lapsed, Why};

/// Why a session that is due may stay all the same.
pub(crate) trait Stay {
    /// Whether this node decides about the user.
    fn is_mine(&self, session: &SessionId) -> bool;
    /// Whether this gateway has yet to say which sessions it has.
    fn is_awaited(&self, gateway: &str) -> bool;
}

impl Index {
    /// Ends what is due, at most `limit` sessions. Returns how many it looked at, so that the caller
    /// goes on while it is the limit.
    pub(crate) fn expire(
        &mut self,
        now: Now,
        limit: usize,
        stay: &impl Stay,
        out: &mut Vec<Effect>,
    ) -> usize {
        for done in 0..limit {
            let Some(session) = self.timers.due(now.mono) else {
                return done;
            };
            let mine = stay.is_mine(&session);
            self.decide(now, session.app, &Arc::clone(&session.user), out, |desk| {
                desk.due(session.inst_id, mine, stay);
            });
        }
        limit
    }
}

impl Desk<'_> {
    fn due(&mut self, inst_id: u32, mine: bool, stay: &impl Stay) {
        let Some(position) = self.user.position(inst_id) else {
            return;
        };
        let session = &self.user.sessions[position];
        let link = session.link;
        if !mine || (link == Link::Unheard && stay.is_awaited(&session.gateway)) {
            self.lower(position, link, self.grace_end());
            return;
        }
        self.lapse(position);
    }

    /// The session is offline and out of its rooms. What it had is remembered for a while, for a
    /// client may come back later than it should, and never joins its rooms again by itself.
    fn lapse(&mut self, position: usize) {
        let session = self.remove(position);
        if !session.is_worth_a_row() {
            return;
        }
        let id = self.id(session.inst_id);
        let stored = stored(&session, StoredState::Lapsed, self.now.wall);
        let had = Lapsed { rooms: session.rooms, watching: session.watching };
        self.park(session.inst_id, self.now.wall, Why::Lapsed(had));
        self.out.push(Effect::Save { session: id, stored });
    }
}
