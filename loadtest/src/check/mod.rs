//! The exact account: what every member had to get against what it got. Plain code, told of every send,
//! answer and delivery; no I/O, no clock.
//!
//! A member costs one bit for each message of its room and some forty bytes, so the account is exact and
//! still small: 19,000 members and 2,400 messages (40 a second for a minute) are 6 MB. A delivery costs
//! one comparison and one bit.
//!
//! What is checked:
//!
//! | | |
//! |---|---|
//! | loss | every message that was acknowledged, and not as dropped, reached every member that was in the room from before it was sent until after it was answered |
//! | doubles | no message reached a member twice on one connection (what a returning member hears again is counted apart: clients drop it by `MsgSeq`) |
//! | order | `MsgSeq` rises at every member |
//! | agreement | a message has the same `MsgSeq` for everybody, and for its sender |
//! | holes | in a durable group the numbers of messages and tips have no gap |
//! | drops | what was answered as dropped reached nobody |
//!
//! Gaps in the `MsgSeq` of live rooms mean nothing. A message that was not acknowledged owes nobody
//! anything; if it reached some members and not others, that is counted as uneven, and fails no run.

mod judge;
mod member;
mod message;
mod witness;

#[cfg(test)]
mod tests;

pub use judge::{Findings, RoomFacts, judge};
pub use member::{Delivery, Member};
pub use message::{Fate, Outcome};
pub use witness::Witness;
