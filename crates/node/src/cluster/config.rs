//! What a process of a cluster is told about itself and the others.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::{fmt, io};

use serde::Deserialize;

use crate::secret::{Secret, SecretError};

/// A process of a cluster: who it is, and where the others are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterConfig {
    /// Name of this process, unique in the cluster and the same after a restart. Empty: the host's
    /// name.
    pub node: String,
    /// Where it serves the other processes (gRPC).
    pub rpc_listen: SocketAddr,
    /// What the others dial, `host:port`. Empty: the address it listens on.
    pub rpc_advertise: String,
    /// Requests of other processes that are worked on at the same time; more are refused, and their
    /// callers try again.
    pub rpc_requests: usize,
    /// The cluster's secret, 64 hexadecimal digits; all processes need the same. Better set by
    /// `THRONG_CLUSTER__SECRET` than in a file that others read.
    pub secret: HiddenText,
    /// A file that holds the secret, in place of `secret`.
    pub secret_file: PathBuf,
    /// Group routers, each `host:port`. A name stands for all its addresses, as those of a headless
    /// service do, and is resolved again and again.
    pub group_routers: Vec<String>,
    /// History nodes, likewise.
    pub history: Vec<String>,
    /// Directory nodes, likewise.
    pub directory: Vec<String>,
    /// Callback nodes, likewise.
    pub callback: Vec<String>,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            node: String::new(),
            rpc_listen: SocketAddr::from(([127, 0, 0, 1], 7082)),
            rpc_advertise: String::new(),
            rpc_requests: 20_000,
            secret: HiddenText::default(),
            secret_file: PathBuf::new(),
            group_routers: Vec::new(),
            history: Vec::new(),
            directory: Vec::new(),
            callback: Vec::new(),
        }
    }
}

/// Text that is not printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct HiddenText(pub String);

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "hidden" })
    }
}

/// Why a process cannot take part in a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterConfigError {
    /// An option is missing or wrong.
    #[error("cluster: {option} {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host has no usable name, and none was given.
    #[error("cluster: node is not set, and the host's name cannot be read: {0}")]
    HostName(io::Error),
    /// The secret cannot be used.
    #[error("cluster: {0}")]
    Secret(#[from] SecretError),
}

impl ClusterConfig {
    /// The name of this process.
    ///
    /// # Errors
    /// When it is none that a subject or a metric could carry.
    pub fn node_name(&self) -> Result<String, ClusterConfigError> {
        let name = match self.node.as_str() {
            "" => std::fs::read_to_string("/proc/sys/kernel/hostname")
                .or_else(|_| std::fs::read_to_string("/etc/hostname"))
                .map_err(ClusterConfigError::HostName)?
                .trim()
                .to_owned(),
            name => name.to_owned(),
        };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > 63 || !name.bytes().all(fits) {
            let reason = "must have 1 to 63 letters, digits, dots, hyphens and underscores";
            return Err(ClusterConfigError::Option { option: "node", reason });
        }
        Ok(name)
    }

    /// What the others dial, given the address that was bound.
    #[must_use]
    pub fn advertised(&self, bound: SocketAddr) -> String {
        match self.rpc_advertise.as_str() {
            "" => bound.to_string(),
            address => address.to_owned(),
        }
    }

    /// The cluster's secret.
    ///
    /// # Errors
    /// When there is none: a process that made one of its own could not speak with the others.
    pub fn secret(&self) -> Result<Secret, ClusterConfigError> {
        let option = "secret";
        match (self.secret.0.as_str(), self.secret_file.as_os_str().is_empty()) {
            ("", true) => {
                let reason = "or secret_file has to be set, the same for all processes";
                Err(ClusterConfigError::Option { option, reason })
            }
            ("", false) => Ok(Secret::load(&self.secret_file)?),
            (text, true) => Secret::from_hex(text.trim()).ok_or(ClusterConfigError::Option {
                option,
                reason: "must have 64 hexadecimal digits",
            }),
            (_, false) => {
                let reason = "and secret_file are both set";
                Err(ClusterConfigError::Option { option, reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_fit_subjects_and_metrics() {
        let named = |name: &str| ClusterConfig { node: name.to_owned(), ..Default::default() };
        assert_eq!(named("router-0").node_name().unwrap(), "router-0");
        for bad in ["a b", "a/b", "*", "ü", "x".repeat(64).as_str()] {
            assert!(named(bad).node_name().is_err(), "{bad}");
        }
        assert!(!ClusterConfig::default().node_name().unwrap().is_empty());
    }

    #[test]
    fn the_secret_comes_from_one_place_and_is_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let config = ClusterConfig { secret_file: file.clone(), ..Default::default() };
        assert!(config.secret().is_err(), "no file");
        std::fs::write(&file, "ab".repeat(32)).unwrap();
        let by_file = config.secret().unwrap();
        let text = HiddenText("ab".repeat(32));
        let by_text = ClusterConfig { secret: text.clone(), ..Default::default() };
        assert_eq!(by_text.secret().unwrap().token_key(), by_file.token_key());
        let both = ClusterConfig { secret: text, ..config };
        assert!(both.secret().is_err());
        assert!(ClusterConfig::default().secret().is_err());
        assert!(!format!("{by_text:?}").contains("abab"));
    }
}
