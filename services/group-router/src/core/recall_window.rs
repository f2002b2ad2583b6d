//! Who may recall which message, and for how long (REST notes 01, 3.18; CN 12341).
//!
//! A sender has two minutes unless the app sets otherwise. Owner, admins and the app admin may
//! recall anybody's message; in a live room only those of the last hour, elsewhere as long as it
//! is stored.

use throng_protocol::limits;

#[cfg(test)]
mod tests;

/// How long a sender may recall a message of his own, seconds.
pub const DEFAULT_OWN_WINDOW_S: u64 = limits::RECALL_USER_SECONDS;
/// How far back a message of a live room can be recalled at all, seconds.
pub const DEFAULT_ROOM_WINDOW_S: u64 = limits::RECALL_LIVE_SECONDS;

/// The windows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// For a member's own messages, seconds.
    pub own: u64,
    /// For anybody's, seconds; `None`: as long as the message is stored.
    pub any: Option<u64>,
}

impl Windows {
    /// Those of a live room.
    pub const LIVE_ROOM: Self =
        Self { own: DEFAULT_OWN_WINDOW_S, any: Some(DEFAULT_ROOM_WINDOW_S) };
}

/// What the one who recalls is in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A member without rights over others, or a former one.
    Member,
    /// Owner or admin, in live rooms a live admin too.
    Moderator,
    /// App admin.
    AppAdmin,
}

/// What is known of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Sent by the one who recalls.
    pub own: bool,
    /// When it was sent, seconds since 1970.
    pub sent: u64,
    /// Recalled before.
    pub recalled: bool,
}

/// Why a message cannot be recalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such message, or no longer (10030).
    NotFound,
    /// Its time is over (10031).
    TooLate,
    /// It is recalled already (10032).
    AlreadyRecalled,
    /// It is somebody else's (10007).
    NotAllowed,
}

/// Whether a message may be recalled at `now`, seconds since 1970. A message from the future
/// (clocks differ) is a fresh one.
///
/// # Errors
/// A [`Refusal`]. Who may not recall a message at all does not learn whether it was recalled.
pub fn check(
    windows: Windows,
    standing: Standing,
    message: Option<Message>,
    now: u64,
) -> Result<(), Refusal> {
    let message = message.ok_or(Refusal::NotFound)?;
    let window = match standing {
        Standing::Member if !message.own => return Err(Refusal::NotAllowed),
        // The sender's window may be set longer than messages of the room can be recalled.
        Standing::Member => Some(windows.any.map_or(windows.own, |any| any.min(windows.own))),
        Standing::Moderator | Standing::AppAdmin => windows.any,
    };
    if message.recalled {
        return Err(Refusal::AlreadyRecalled);
    }
    let age = now.saturating_sub(message.sent);
    if window.is_some_and(|window| age > window) {
        return Err(Refusal::TooLate);
    }
    Ok(())
}
