//! Bringing a user in from the store.

use std::sync::Arc;

use super::Now;
use super::index::{Coming, Desk, Index};
use super::session::{Effect, Link, Session, Stored, StoredState};
use super::user::{Lapsed, Why};

/// What the store has of a user.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) not_before: i64,
    pub(crate) custom_status: Option<Arc<str>>,
    pub(crate) sessions: Vec<(u32, Stored)>,
}

impl Index {
    /// Takes in what the store has of a user who is not in memory; a decision has to follow, which
    /// drops a user without sessions again. Sessions that were live get a fresh grace period to
    /// come back in, or for their gateway to say that they never went.
    pub(crate) fn restore(
        &mut self,
        now: Now,
        app: u32,
        user: &str,
        memory: Memory,
        out: &mut Vec<Effect>,
    ) {
        if self.knows(app, user) {
            return;
        }
        self.open(Coming::Silent, now, app, user, out, |desk| desk.restore(memory));
    }
}

impl Desk<'_> {
    fn restore(&mut self, memory: Memory) {
        self.user.not_before = memory.not_before;
        self.user.custom_status = memory.custom_status;
        let mut sessions = memory.sessions;
        sessions.sort_by_key(|(_, stored)| stored.at);
        for (inst_id, stored) in sessions {
            let had = Lapsed { rooms: stored.rooms, watching: stored.watching.into() };
            match stored.state {
                StoredState::Kicked(kick_type) => {
                    self.park(inst_id, stored.at, Why::Kicked { kick_type });
                }
                StoredState::Lapsed => self.park(inst_id, stored.at, Why::Lapsed(had)),
                StoredState::Live => {
                    if !stored.gateway.is_empty() {
                        self.out.push(Effect::Mention { gateway: Arc::clone(&stored.gateway) });
                    }
                    let session = Session {
                        instance: stored.instance,
                        platform: stored.platform,
                        issued_at: stored.issued_at,
                        link: Link::Unheard,
                        saved: Some(self.now.mono),
                        ..Session::unknown(inst_id, stored.gateway)
                    };
                    self.take_in(session, had);
                }
            }
        }
    }
}
