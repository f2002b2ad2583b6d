//! `[gateway.capture]`: settings of the capture of traffic.

use std::path::PathBuf;

use serde::Deserialize;
use throng_capture::Bodies;
use throng_node::cluster::HiddenText;

/// Bytes of the smallest file that is worth a rotation.
const LEAST_FILE: u64 = 64 * 1024;
/// Characters of the shortest secret: what can be guessed gives the IDs away.
const LEAST_SECRET: usize = 32;

/// Settings of the capture of traffic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaptureConfig {
    /// Folder for the files, made if it is not there. Without one nothing is captured.
    pub directory: Option<PathBuf>,
    /// The part of all users that is captured: above 0, up to 1. A user is captured whole or not at all.
    pub share: f64,
    /// What is kept of messages: `shape` (kinds and lengths of their elements) or `none`.
    pub bodies: Bodies,
    /// Bytes after which another file is begun.
    pub file_bytes: u64,
    /// Files of this process that are kept; the oldest is removed when there are more.
    pub files: usize,
    /// Records that may wait to be written; what comes on top is left out and counted.
    pub queue: usize,
    /// What IDs are hashed with, at least 32 characters. Gateways whose files are to be put together
    /// need the same. Without it every process draws a key of its own and forgets it at its end.
    pub secret: Option<HiddenText>,
}

impl CaptureConfig {
    /// A setting that cannot work, and why.
    pub(crate) fn check(&self) -> Option<(&'static str, &'static str)> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Some(("capture.share", "must be above 0 and at most 1"));
        }
        if self.file_bytes < LEAST_FILE {
            return Some(("capture.file_bytes", "must be at least 64 KiB"));
        }
        if self.files == 0 {
            return Some(("capture.files", "must not be 0"));
        }
        if self.queue == 0 {
            return Some(("capture.queue", "must not be 0"));
        }
        if self.secret.as_ref().is_some_and(|secret| secret.0.chars().count() < LEAST_SECRET) {
            return Some(("capture.secret", "must have at least 32 characters"));
        }
        None
    }
}

impl Default for CaptureConfig {
    fn default() -> Self {
        Self {
            directory: None,
            share: 1.0,
            bodies: Bodies::Shape,
            file_bytes: 256 * 1024 * 1024,
            files: 16,
            queue: 16_384,
            secret: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        let config = |json: &str| serde_json::from_str::<CaptureConfig>(json).unwrap();
        assert_eq!(config("{}").check(), None);
        for (json, option) in [
            (r#"{"share": 0}"#, "capture.share"),
            (r#"{"share": 1.5}"#, "capture.share"),
            (r#"{"file_bytes": 10}"#, "capture.file_bytes"),
            (r#"{"files": 0}"#, "capture.files"),
            (r#"{"queue": 0}"#, "capture.queue"),
            (r#"{"secret": "short"}"#, "capture.secret"),
        ] {
            assert_eq!(config(json).check().unwrap().0, option);
        }
        let secret = config(r#"{"secret": "0123456789abcdef0123456789abcdef"}"#);
        assert_eq!(secret.check(), None);
        assert!(!format!("{secret:?}").contains("0123"));
        assert!(serde_json::from_str::<CaptureConfig>(r#"{"bodies": "all"}"#).is_err());
    }
}
