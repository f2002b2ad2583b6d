//! Sends pushes again whose acknowledgement is late, for all sessions of the gateway.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Session;

/// The sessions that have pushes waiting.
#[derive(Debug, Default)]
pub(crate) struct AckSweep {
    sessions: Mutex<Vec<Weak<Session>>>,
}

impl AckSweep {
    /// Looks after a session until nothing of it waits any more.
    pub(super) fn watch(&self, session: &Arc<Session>) {
        self.sessions.lock().push(Arc::downgrade(session));
    }

    /// Sends what is due.
    pub(crate) fn run(&self, now: Instant) {
        let sessions = std::mem::take(&mut *self.sessions.lock());
        let mut kept = Vec::with_capacity(sessions.len());
        for weak in sessions {
            let Some(session) = weak.upgrade() else {
                continue;
            };
            let mut acks = session.acks.lock();
            let due = acks.due(now);
            acks.watched = !acks.is_empty();
            if acks.watched {
                kept.push(weak);
            }
            drop(acks);
            session.context.metrics.acks_missed.increment(due.given_up);
            for frame in due.again {
                let _ = session.outbox.control(&frame);
            }
        }
        self.sessions.lock().append(&mut kept);
    }
}
