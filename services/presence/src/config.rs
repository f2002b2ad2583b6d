//! The options of presence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Options of presence. Times are in seconds unless the name says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a session without a connection stays in its rooms.
    pub grace_seconds: u32,
    /// A gateway that was silent for so long is gone, in milliseconds: its sessions have lost their
    /// connections. Gateways speak every second.
    pub gateway_lease_ms: u32,
    /// How long the rooms of a session are remembered in the store when nothing is heard of it:
    /// through a restart, or after its grace period.
    pub room_memory_seconds: u32,
    /// How long it is remembered that a session was kicked; also how long a user's custom status is
    /// kept while the user is away.
    pub kick_memory_seconds: u32,
    /// How long changes are gathered before they are written to the store, in milliseconds. A crash
    /// loses at most about twice that.
    pub write_behind_ms: u32,
    /// Users whose status one session may subscribe to.
    pub watches_per_session: u32,
    /// Names of members of large groups that are held so that messages to all of them cost as much as
    /// those who are online; about 150 bytes each. Where more are needed, each such message names them.
    pub audience_names: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            grace_seconds: 30,
            gateway_lease_ms: 5_000,
            room_memory_seconds: 6 * 3600,
            kick_memory_seconds: 7 * 24 * 3600,
            write_behind_ms: 80,
            watches_per_session: 200,
            audience_names: 1_000_000,
        }
    }
}

const MIN_GATEWAY_LEASE: Duration = Duration::from_millis(2_500);
/// Rows of live sessions are written again after half this time, when their gateway tells of them,
/// which it does every five minutes.
const MIN_ROOM_MEMORY: Duration = Duration::from_secs(1_200);

/// An option that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("presence: {option} {reason}")]
pub struct ConfigError {
    option: &'static str,
    reason: &'static str,
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let not_zero = [
            ("grace_seconds", self.grace_seconds),
            ("room_memory_seconds", self.room_memory_seconds),
            ("kick_memory_seconds", self.kick_memory_seconds),
            ("write_behind_ms", self.write_behind_ms),
            ("watches_per_session", self.watches_per_session),
        ];
        for (option, value) in not_zero {
            if value == 0 {
                return Err(ConfigError { option, reason: "must not be 0" });
            }
        }
        if self.gateway_lease() < MIN_GATEWAY_LEASE {
            return Err(ConfigError {
                option: "gateway_lease_ms",
                reason: "must be at least 2500: gateways speak every second",
            });
        }
        if self.room_memory() < MIN_ROOM_MEMORY.max(4 * self.grace()) {
            return Err(ConfigError {
                option: "room_memory_seconds",
                reason: "must be at least 1200, and four times the grace period",
            });
        }
        Ok(())
    }

    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds.into())
    }

    pub(crate) fn gateway_lease(&self) -> Duration {
        Duration::from_millis(self.gateway_lease_ms.into())
    }

    pub(crate) fn room_memory(&self) -> Duration {
        Duration::from_secs(self.room_memory_seconds.into())
    }

    pub(crate) fn kick_memory(&self) -> Duration {
        Duration::from_secs(self.kick_memory_seconds.into())
    }

    pub(crate) fn write_behind(&self) -> Duration {
        Duration::from_millis(self.write_behind_ms.into())
    }
}
