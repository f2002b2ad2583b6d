//! Entries of the Raft log. The leader writes them; times that matter are put in by it.

use serde::{Deserialize, Serialize};

use super::state::{Incarnation, Node};

/// An entry as it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The term of the leader that decided this. An entry that got into the log under another term
    /// is void: what the decision rested on (who has which lease) is not known to be so any more.
    pub term: u64,
    /// What is to change.
    pub command: Command,
}

/// What is to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The number of shards, for ever. Only the first one counts.
    Found {
        /// How many.
        shards: u32,
    },
    /// A node wants to be counted on.
    Join {
        /// Its name.
        name: String,
        /// What is known of it.
        node: Node,
    },
    /// Leases have run out, for certain: others get the shards at once.
    Expire {
        /// Whose.
        nodes: Vec<Incarnation>,
        /// How far the horizon of write times has to stay above the new floors, microseconds.
        room: i64,
    },
    /// Shards that nobody owns get owners.
    Assign {
        /// The epoch of shards that were never owned. It should rise with real time, so that a
        /// cluster that lost its Raft logs begins above where it was.
        first_epoch: u64,
    },
    /// Owners are to hand shards over.
    Move {
        /// Which, and to whom.
        moves: Vec<Move>,
    },
    /// An owner has stopped serving shards, and all that it began is carried out.
    Release {
        /// The owner.
        owner: Incarnation,
        /// What it gave up.
        shards: Vec<Released>,
    },
    /// A node wants to leave. It goes once it owns nothing.
    Leave {
        /// Who.
        node: Incarnation,
    },
    /// Write times up to here may be given out.
    Horizon {
        /// Microseconds.
        until: i64,
    },
}

/// One hand-over to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The shard.
    pub shard: u32,
    /// The epoch in which it was decided; in a later one it is void.
    pub epoch: u64,
    /// Who is to have it.
    pub to: String,
}

/// One shard that its owner gave up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The shard.
    pub shard: u32,
    /// The epoch that is over.
    pub epoch: u64,
    /// The greatest write time used in it; 0 if none was.
    pub last_write_time: i64,
}

/// What an entry did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The version after it.
    pub version: u64,
    /// Shards whose owner, epoch or next owner is another now.
    pub shards: Vec<u32>,
    /// Nodes that came, went or changed.
    pub nodes: Vec<String>,
    /// Why it did nothing.
    pub rejected: Option<Rejected>,
}

/// Why an entry did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Rejected {
    /// It was decided in another term than it got into the log.
    #[error("decided in another term")]
    OtherTerm,
    /// It is so already.
    #[error("nothing to change")]
    NoChange,
    /// Another incarnation of that name is a member, and has to be over first.
    #[error("the name is in use")]
    NameInUse,
    /// That incarnation is over, or was never here.
    #[error("no such member")]
    NotMember,
    /// There is nobody to own shards.
    #[error("no router to own shards")]
    NoRouter,
}
