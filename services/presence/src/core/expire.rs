//! What the passing of time does: grace periods and leases end.

use super::Now;
use super::index::{Desk, Index, stored};
use super::session::{Effect, Link, StoredState};
use super::user::Why;

/// So many leases without a sign of life end a session even if its gateway is alive: the gateway
/// must have forgotten it.
const PATIENCE: u64 = 8;

impl Index {
    /// Ends what is due, at most `limit` sessions. Returns how many it looked at, so that the caller
    /// goes on while it is the limit. `is_alive` tells whether a gateway was heard of lately.
    pub(crate) fn expire(
        &mut self,
        now: Now,
        limit: usize,
        is_alive: impl Fn(&str) -> bool,
        out: &mut Vec<Effect>,
    ) -> usize {
        for done in 0..limit {
            let Some(session) = self.timers.due(now.mono) else {
                return done;
            };
            self.decide(now, session.app, &session.user, out, |desk| {
                desk.due(session.inst_id, &is_alive);
            });
        }
        limit
    }
}

impl Desk<'_> {
    fn due(&mut self, inst_id: u32, is_alive: impl Fn(&str) -> bool) {
        let Some(position) = self.user.position(inst_id) else {
            return;
        };
        let lease = self.settings.lease;
        let now = self.now.mono;
        let session = &mut self.user.sessions[position];
        if let Link::Up { seen } = session.link {
            let fresh = seen + lease > now;
            let trusted = seen + lease * PATIENCE > now && is_alive(&session.gateway);
            if fresh || trusted {
                let deadline = if fresh { seen + lease } else { now + lease };
                session.timer = self.timers.restart(session.timer, deadline);
                return;
            }
        }
        self.lapse(position);
    }

    /// The session is offline and out of its rooms. Its rooms are remembered for a while, for a
    /// client may come back later than it should, and it never joins its rooms again by itself.
    fn lapse(&mut self, position: usize) {
        let session = self.remove(position);
        if session.rooms.is_empty() {
            return;
        }
        let id = self.id(session.inst_id);
        let stored = stored(&session, StoredState::Lapsed, self.now.wall);
        self.park(session.inst_id, self.now.wall, Why::Lapsed { rooms: session.rooms });
        self.out.push(Effect::Save { session: id, stored });
    }
}
