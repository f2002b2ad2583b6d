//! One queue of deadlines for all sessions without a connection: exactly one entry each.

use std::collections::BTreeMap;

use super::session::SessionId;

/// Where a session's entry stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerKey {
    deadline: u64,
    /// Tells entries of one millisecond apart.
    number: u64,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<TimerKey, SessionId>,
    next: u64,
}

impl Timers {
    pub(super) fn start(&mut self, deadline: u64, session: SessionId) -> TimerKey {
        let key = TimerKey { deadline, number: self.next };
        self.next += 1;
        self.queue.insert(key, session);
        key
    }

    pub(super) fn stop(&mut self, key: TimerKey) {
        self.queue.remove(&key);
    }

    /// The first session whose deadline is reached. Its entry stays until it is stopped.
    pub(super) fn due(&self, now: u64) -> Option<SessionId> {
        let (key, session) = self.queue.first_key_value()?;
        (key.deadline <= now).then(|| session.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}
