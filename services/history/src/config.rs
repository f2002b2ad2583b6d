//! The options of history.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Options of history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long messages of live rooms are kept, in seconds. 24 hours, or up to a week.
    pub room_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { room_seconds: 24 * 3600 }
    }
}

/// An option that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("history: {option} {reason}")]
pub struct ConfigError {
    option: &'static str,
    reason: &'static str,
}

/// The index of a room's buckets is read as a whole; a week of them is still a small read.
const MOST_SECONDS: u32 = 7 * 24 * 3600;

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.room_seconds == 0 || self.room_seconds > MOST_SECONDS {
            let reason = "must be between one second and a week";
            return Err(ConfigError { option: "room_seconds", reason });
        }
        Ok(())
    }

    pub(crate) fn room_memory(&self) -> Duration {
        Duration::from_secs(self.room_seconds.into())
    }
}
