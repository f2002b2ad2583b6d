//! `[gateway.rest]`: settings of the REST front door.

use serde::Deserialize;

use super::client_ip::TrustedProxies;

/// Settings of the REST front door.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestConfig {
    /// Requests a second that one app may make of this gateway, over all commands (60011). Each
    /// command has its documented rate besides (60007).
    pub requests_per_second: u32,
    /// Milliseconds from a request's head to its answer, the body's arrival included (60008).
    pub deadline_ms: u32,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks ("10.0.0.0/8"). Without
    /// one, the connection's own address is the caller's.
    pub trusted_proxies: TrustedProxies,
    /// Wrong signatures of one identifier from one address in a minute; then 70050 for the rest of
    /// it.
    pub failures_per_minute: u32,
}

impl Default for RestConfig {
    fn default() -> Self {
        Self {
            requests_per_second: 5000,
            deadline_ms: 3000,
            trusted_proxies: TrustedProxies::default(),
            failures_per_minute: 20,
        }
    }
}
