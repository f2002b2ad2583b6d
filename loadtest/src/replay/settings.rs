//! What a replay must reach: an optional TOML file with the sections of a profile that say so.

use serde::Deserialize;

use crate::profile::{Generator, Thresholds};

/// Thresholds of a replay.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `[thresholds]`, as in a profile.
    pub thresholds: Thresholds,
    /// `[generator]`, as in a profile.
    pub generator: Generator,
}

/// Limits that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LimitsError(#[from] toml::de::Error);

impl Limits {
    /// Reads them.
    ///
    /// # Errors
    /// [`LimitsError`] that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, LimitsError> {
        Ok(toml::from_str(text)?)
    }
}
