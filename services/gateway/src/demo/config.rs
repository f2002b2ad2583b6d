//! `[gateway.demo]`: settings of the demo page.

use std::path::PathBuf;

use serde::Deserialize;

/// Settings of the demo page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemoConfig {
    /// App that the page uses, and whose user signatures it gives to everybody who asks. Without
    /// one there is no page. A standalone server without apps of its own sets its demo app here;
    /// never name an app with real users.
    pub app: Option<u32>,
    /// Live room that the page shows.
    pub room: String,
    /// The vendor's SDK as one script for browsers, installed by `make demo`: its licence does not
    /// let us ship it.
    pub sdk_path: PathBuf,
    /// Signatures that one address gets in a minute.
    pub signatures_per_minute: u32,
    /// Seconds that a signature is valid for.
    pub signature_seconds: u32,
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self {
            app: None,
            room: "demo".to_owned(),
            sdk_path: PathBuf::from("./demo/vendor/sdk.js"),
            signatures_per_minute: 60,
            signature_seconds: 24 * 3600,
        }
    }
}
