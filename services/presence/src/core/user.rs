//! One user: the sessions, and the memory of sessions that lapsed or were kicked.

use std::collections::VecDeque;
use std::sync::Arc;

use super::session::{Room, Session};

/// Lapsed and kicked sessions that are remembered for one user; older ones are forgotten.
pub(super) const MAX_PARKED: usize = 32;

/// What is known of a user. In memory while there is a session; the rest is in the store.
#[derive(Debug, Default)]
pub(super) struct User {
    /// In the order of their coming.
    pub(super) sessions: Vec<Session>,
    /// The oldest first.
    pub(super) parked: Vec<Parked>,
    /// Tokens issued before this second no longer count; 0 = all count.
    pub(super) not_before: i64,
    /// Base64 of what the user set.
    pub(super) custom_status: Option<Arc<str>>,
}

/// A session that is no more.
#[derive(Debug, Clone)]
pub(super) struct Parked {
    pub(super) inst_id: u32,
    /// Since when, seconds since 1970.
    pub(super) at: i64,
    pub(super) why: Why,
}

/// Why it is no more.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// Its grace period ended.
    Lapsed(Lapsed),
    /// It was put offline.
    Kicked { kick_type: u32 },
}

/// What a session had when its grace period ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Lapsed {
    pub(super) rooms: Vec<Room>,
    pub(super) watching: VecDeque<Arc<str>>,
}

impl Parked {
    pub(super) fn is_lapsed(&self) -> bool {
        matches!(self.why, Why::Lapsed(_))
    }

    /// What the session had, had it lapsed.
    pub(super) fn into_lapsed(self) -> Lapsed {
        match self.why {
            Why::Lapsed(lapsed) => lapsed,
            Why::Kicked { .. } => Lapsed::default(),
        }
    }
}

impl User {
    pub(super) fn position(&self, inst_id: u32) -> Option<usize> {
        self.sessions.iter().position(|session| session.inst_id == inst_id)
    }

    pub(super) fn parked(&self, inst_id: u32) -> Option<&Parked> {
        self.parked.iter().find(|parked| parked.inst_id == inst_id)
    }

    pub(super) fn unpark(&mut self, inst_id: u32) -> Option<Parked> {
        let position = self.parked.iter().position(|parked| parked.inst_id == inst_id)?;
        Some(self.parked.remove(position))
    }

    pub(super) fn custom_status(&self) -> Arc<str> {
        self.custom_status.clone().unwrap_or_else(|| Arc::from(""))
    }
}
