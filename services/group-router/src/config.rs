//! Settings of the group router.

use serde::Deserialize;

use crate::placement::PlacementConfig;

/// How the group router keeps its rooms.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Shards that groups fall into. All nodes of a cluster must agree on it for ever.
    pub shards: u32,
    /// Requests that may wait for one group, at least 1; more are refused with 10023.
    pub mailbox: usize,
    /// Seconds that a group without members stays in memory, at least 1.
    pub idle_seconds: u64,
    /// Recent events of a room that gateways can fetch again.
    pub ring_events: usize,
    /// Bytes of those events.
    pub ring_bytes: usize,
    /// Up to so many online members, each one who comes or goes is announced; above, tips are paced.
    pub tip_size: u32,
    /// Milliseconds between two such tips in a room above that size.
    pub tip_interval_ms: u64,
    /// Stored members above which presence is told once who they are; up to so many, each message names
    /// them.
    pub audience_size: usize,
    /// Who owns which shards, in a cluster.
    pub placement: PlacementConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shards: 1024,
            mailbox: 4096,
            idle_seconds: 60,
            ring_events: 512,
            ring_bytes: 1 << 20,
            tip_size: 100,
            tip_interval_ms: 1000,
            audience_size: 500,
            placement: PlacementConfig::default(),
        }
    }
}
