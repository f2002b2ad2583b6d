//! What decides about placement, without tokio, I/O or a clock of its own.
//!
//! - [`state`], [`command`], [`apply`]: the state that Raft replicates, and how entries change it.
//! - [`balance`]: which router gets a shard.
//! - [`lease`]: what nodes and the leader say to each other about leases.
//! - [`leader`]: what the leader of the Raft group decides: leases, who is given up, what moves.
//! - [`member`]: what each node decides about itself: which shards it serves now, and until when.
//! - [`clock`]: the write times that an owner may use.
//!
//! Times of the monotonic clock are milliseconds from any origin; wall-clock and write times are
//! microseconds since 1970. The arguments for all this are in `docs/placement.md`.

pub mod apply;
pub mod balance;
pub mod clock;
pub mod command;
pub mod leader;
pub mod lease;
pub mod member;
pub mod state;
