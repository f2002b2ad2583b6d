//! Settings of the connections to NATS.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::SUBSCRIPTION_CAPACITY;

/// Settings of the bus over NATS. Times are in seconds and may have fractions. An empty text stands
/// for none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsConfig {
    /// Servers, each `host:port`, or `tls://host:port`. The others of a NATS cluster are learned
    /// from the one that answers.
    pub servers: Vec<String>,
    /// User, with `password`.
    pub user: String,
    /// Password of `user`.
    pub password: Hidden,
    /// Token, where the servers want that instead of a user.
    pub token: Hidden,
    /// File of credentials (a JWT and its key) instead of a user or token.
    pub credentials_file: PathBuf,
    /// Whether servers must speak TLS. With `tls://` they must in any case.
    pub tls: bool,
    /// Certificates (PEM) of who signed the servers'; those of the system where there is none.
    pub ca_file: PathBuf,
    /// This process's certificate (PEM), where servers ask for one.
    pub cert_file: PathBuf,
    /// The key (PEM) of `cert_file`.
    pub key_file: PathBuf,
    /// Connections that share the rooms' subjects. There is one more, for everything else.
    pub fanout_connections: usize,
    /// Time for a connection to be made, up to the server's first answer.
    #[serde(with = "seconds")]
    pub connect_timeout: Duration,
    /// How long a starting process tries to get all its connections.
    #[serde(with = "seconds")]
    pub startup_timeout: Duration,
    /// Pause after which a silent server is asked whether it lives. One that leaves two such
    /// questions unanswered counts as dead when the third is due.
    #[serde(with = "seconds")]
    pub ping_interval: Duration,
    /// Time in which a server has to confirm a subscription or a flush.
    #[serde(with = "seconds")]
    pub confirm_timeout: Duration,
    /// The first pause before a broken connection is made anew: a random part of it. Later ones
    /// double.
    #[serde(with = "seconds")]
    pub reconnect_min: Duration,
    /// The longest pause.
    #[serde(with = "seconds")]
    pub reconnect_max: Duration,
    /// Messages of one subscription that may wait for their receiver; over it the oldest are lost,
    /// and the receiver is told.
    pub subscription_capacity: usize,
    /// Bytes of such messages.
    pub subscription_bytes: usize,
    /// Messages that may wait to be written to one connection; over it new ones are refused.
    pub sender_capacity: usize,
    /// Bytes of such messages.
    pub sender_bytes: usize,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nats: {option} {reason}")]
pub struct NatsConfigError {
    option: &'static str,
    reason: &'static str,
}

impl NatsConfig {
    /// # Errors
    /// [`NatsConfigError`] that names the setting.
    pub fn check(&self) -> Result<(), NatsConfigError> {
        let error = |option, reason| Err(NatsConfigError { option, reason });
        if self.servers.is_empty() {
            return error("servers", "must not be empty");
        }
        if self.servers.iter().any(|server| server.contains('@')) {
            // Addresses are logged.
            return error("servers", "must not hold a password: set user and password");
        }
        let ways = [!self.user.is_empty(), self.token.is_set(), self.has_credentials()];
        if ways.into_iter().filter(|&set| set).count() > 1 {
            return error("user", "excludes token and credentials_file, and these each other");
        }
        if self.password.is_set() && self.user.is_empty() {
            return error("password", "needs a user");
        }
        if self.cert_file.as_os_str().is_empty() != self.key_file.as_os_str().is_empty() {
            return error("cert_file", "and key_file need each other");
        }
        let numbers = [
            ("fanout_connections", self.fanout_connections),
            ("subscription_capacity", self.subscription_capacity),
            ("subscription_bytes", self.subscription_bytes),
            ("sender_capacity", self.sender_capacity),
            ("sender_bytes", self.sender_bytes),
        ];
        if let Some((option, _)) = numbers.into_iter().find(|(_, number)| *number == 0) {
            return error(option, "must not be 0");
        }
        let times = [
            ("connect_timeout", self.connect_timeout),
            ("ping_interval", self.ping_interval),
            ("confirm_timeout", self.confirm_timeout),
            ("reconnect_min", self.reconnect_min),
        ];
        if let Some((option, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return error(option, "must not be 0");
        }
        if self.reconnect_max < self.reconnect_min {
            return error("reconnect_max", "must not be shorter than reconnect_min");
        }
        Ok(())
    }

    pub(super) fn has_credentials(&self) -> bool {
        !self.credentials_file.as_os_str().is_empty()
    }
}

impl Default for NatsConfig {
    fn default() -> Self {
        Self {
            servers: vec!["127.0.0.1:4222".to_owned()],
            user: String::new(),
            password: Hidden::default(),
            token: Hidden::default(),
            credentials_file: PathBuf::new(),
            tls: false,
            ca_file: PathBuf::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
            fanout_connections: 2,
            connect_timeout: Duration::from_secs(2),
            startup_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(2),
            confirm_timeout: Duration::from_secs(5),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(1),
            subscription_capacity: SUBSCRIPTION_CAPACITY,
            subscription_bytes: 16 * 1024 * 1024,
            sender_capacity: 8192,
            sender_bytes: 32 * 1024 * 1024,
        }
    }
}

/// Text that is not printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "(hidden)" } else { "(none)" })
    }
}

/// Durations as numbers of seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(source)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> NatsConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn times_are_seconds_and_the_rest_is_default() {
        let config = config(r#"{"servers": ["a:1", "tls://b:2"], "ping_interval": 0.5}"#);
        config.check().unwrap();
        assert_eq!(config.ping_interval, Duration::from_millis(500));
        assert_eq!(config.sender_capacity, NatsConfig::default().sender_capacity);
        assert!(serde_json::from_str::<NatsConfig>(r#"{"server": "a"}"#).is_err());
        NatsConfig::default().check().unwrap();
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = config(r#"{"user": "u", "password": "hush", "token": "hush"}"#);
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (json, option) in [
            (r#"{"servers": []}"#, "servers"),
            (r#"{"servers": ["u:p@host"]}"#, "servers"),
            (r#"{"user": "u", "token": "t"}"#, "user"),
            (r#"{"token": "t", "credentials_file": "f"}"#, "user"),
            (r#"{"password": "p"}"#, "password"),
            (r#"{"cert_file": "c"}"#, "cert_file"),
            (r#"{"fanout_connections": 0}"#, "fanout_connections"),
            (r#"{"sender_bytes": 0}"#, "sender_bytes"),
            (r#"{"ping_interval": 0}"#, "ping_interval"),
            (r#"{"reconnect_min": 3}"#, "reconnect_max"),
        ] {
            let error = config(json).check().unwrap_err();
            assert_eq!(error.option, option, "{error}");
        }
    }
}
