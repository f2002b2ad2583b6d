//! What a node and the leader say to each other about leases, and the times they both go by.

use serde::{Deserialize, Serialize};

/// Times of leases. All nodes of a cluster have the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Length of a lease, milliseconds. The node counts it from when it asked.
    pub lease_ms: u64,
    /// What the leader waits beyond the length before it gives a node up, milliseconds. It counts
    /// from when it was asked, so this has to cover only how differently two monotonic clocks run
    /// over one lease, and to spare nodes that are a little late.
    pub margin_ms: u64,
    /// Time from one renewal to the next, milliseconds; about a quarter of the lease.
    pub renew_ms: u64,
    /// Time to the next try while there is no lease, or after a failure, milliseconds.
    pub retry_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lease_ms: 1_200, margin_ms: 300, renew_ms: 300, retry_ms: 75 }
    }
}

impl Timing {
    /// After this without a grant the lease is over for certain.
    #[must_use]
    pub fn until_expiry_ms(&self) -> u64 {
        self.lease_ms + self.margin_ms
    }
}

/// What the leader says to a node that asks for its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Granted(Grant),
    /// That incarnation is over: stop, and begin anew as another one.
    GivenUp,
    /// Not now: ask again soon.
    Later,
}

/// A stretch of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Milliseconds from when the node asked.
    pub lease_ms: u64,
    /// The node must have applied the placement up to here before this lets it serve.
    pub placement_version: u64,
    /// Write times stay below this, microseconds.
    pub write_time_limit: i64,
}
