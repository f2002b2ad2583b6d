//! What a client tells whoever drives it.

/// What the SDK says of a request without an answer.
pub const TIMED_OUT: i64 = 2801;

/// What came of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The first login succeeded.
    LoggedIn,
    /// A login on a later line succeeded.
    Returned,
    /// A login was refused, with code and text.
    LoginRefused(i64, String),
    /// In a room.
    Joined(u32),
    /// The join of a room was refused, with code and text.
    JoinRefused(u32, i64, String),
    /// Out of a room.
    Quit(u32),
    /// Leaving a room was refused or not answered, with the code.
    QuitFailed(u32, i64),
    /// A message of the plan was acknowledged.
    Acknowledged {
        /// Its number.
        number: u32,
        /// Its `MsgSeq`.
        seq: u32,
        /// The rate limit took it.
        dropped: bool,
    },
    /// A message of the plan was refused or not answered in time.
    SendFailed {
        /// Its number.
        number: u32,
        /// Why.
        code: i64,
    },
    /// All that the SDK asks for at once after its first login was answered.
    Settled,
    /// A request of that was refused or not answered in time: its command, and the code.
    AskFailed(&'static str, i64),
    /// The line gives no sign of life.
    Dead,
}
