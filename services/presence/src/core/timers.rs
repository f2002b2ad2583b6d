//! One queue of deadlines for all sessions of an index: exactly one entry a session.

use std::collections::BTreeMap;

use super::session::SessionId;

/// Where a session's entry stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerKey {
    deadline: u64,
    /// Tells entries of one millisecond apart; also the order in which sessions came.
    serial: u64,
}

impl TimerKey {
    /// Rises from session to session.
    pub(super) fn serial(self) -> u64 {
        self.serial
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<TimerKey, SessionId>,
    next_serial: u64,
}

impl Timers {
    pub(super) fn start(&mut self, deadline: u64, session: SessionId) -> TimerKey {
        let key = TimerKey { deadline, serial: self.next_serial };
        self.next_serial += 1;
        self.queue.insert(key, session);
        key
    }

    /// Sets another deadline. The session keeps its serial.
    pub(super) fn restart(&mut self, key: TimerKey, deadline: u64) -> TimerKey {
        let moved = TimerKey { deadline, ..key };
        if let Some(session) = self.queue.remove(&key) {
            self.queue.insert(moved, session);
        }
        moved
    }

    pub(super) fn stop(&mut self, key: TimerKey) {
        self.queue.remove(&key);
    }

    /// The first session whose deadline is reached. Its entry stays until it is moved or stopped.
    pub(super) fn due(&self, now: u64) -> Option<SessionId> {
        let (key, session) = self.queue.first_key_value()?;
        (key.deadline <= now).then(|| session.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}
