//! What can be set about the CQL store.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::schema;
use crate::StoreError;

/// Settings of a [`CqlStore`](crate::CqlStore). Times are in seconds and may have fractions.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CqlConfig {
    /// Where to ask for the cluster first: `host:port`, several for the case that one is down. The
    /// others are found through them.
    pub nodes: Vec<String>,
    /// The keyspace that holds the tables: lower-case letters, digits and underscores.
    pub keyspace: String,
    /// How many copies the keyspace keeps, when it is made here.
    pub replication: Replication,
    /// ScyllaDB only: whether the keyspace, when it is made here, uses tablets. ScyllaDB from 6.0 to
    /// 2025.3 needs `false`, because conditional writes do not work on tablets there. Unset, the
    /// server decides; Cassandra knows no such option and needs it unset.
    pub tablets: Option<bool>,
    /// The data centre whose nodes are asked. Needed where there are several; unset, all are asked.
    pub local_dc: Option<String>,
    /// Name to log in with.
    pub user: Option<String>,
    /// Password to log in with.
    pub password: Option<String>,
    /// How long the first connection is tried before the start fails.
    #[serde(deserialize_with = "seconds")]
    pub connect_timeout: Duration,
    /// How long a request may take with all that is tried for it. The database gives up by itself
    /// after 2 seconds (writes) or 5 seconds (reads) unless told otherwise.
    #[serde(deserialize_with = "seconds")]
    pub request_timeout: Duration,
    /// Requests under way at the same time, of this process; more wait.
    pub max_in_flight: usize,
    /// How long a request may wait for its turn before it is refused as overloaded.
    #[serde(deserialize_with = "seconds")]
    pub queue_timeout: Duration,
    /// A read without an answer after this time is sent to a second node as well. 0: never.
    #[serde(deserialize_with = "seconds")]
    pub second_read_after: Duration,
    /// Makes the keyspace and missing tables at the start. Otherwise `throng schema apply` has to,
    /// before; the start then only checks them. Do not allow it to several processes that start
    /// together: Cassandra can take the same table made twice at once for two different ones.
    pub create_schema: bool,
}

/// How many copies a keyspace keeps.
///
/// Always `NetworkTopologyStrategy`: it puts the copies into different racks, and `SimpleStrategy`
/// cannot be taken to a second data centre. One node serves well with a factor of 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Replication {
    /// So many in each data centre.
    Factor(u32),
    /// So many in each data centre named.
    PerDatacenter(BTreeMap<String, u32>),
}

impl Default for CqlConfig {
    fn default() -> Self {
        Self {
            nodes: vec!["127.0.0.1:9042".to_owned()],
            keyspace: "throng".to_owned(),
            replication: Replication::Factor(3),
            tablets: None,
            local_dc: None,
            user: None,
            password: None,
            connect_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(5),
            max_in_flight: 512,
            queue_timeout: Duration::from_secs(1),
            second_read_after: Duration::from_millis(100),
            create_schema: false,
        }
    }
}

/// Without the password.
impl fmt::Debug for CqlConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CqlConfig")
            .field("nodes", &self.nodes)
            .field("keyspace", &self.keyspace)
            .field("replication", &self.replication)
            .field("tablets", &self.tablets)
            .field("local_dc", &self.local_dc)
            .field("user", &self.user)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("max_in_flight", &self.max_in_flight)
            .field("queue_timeout", &self.queue_timeout)
            .field("second_read_after", &self.second_read_after)
            .field("create_schema", &self.create_schema)
            .finish_non_exhaustive()
    }
}

impl CqlConfig {
    /// Looks for settings that cannot work.
    ///
    /// # Errors
    /// [`StoreError::Config`] that names the setting.
    pub fn check(&self) -> Result<(), StoreError> {
        let error = |option, reason| Err(StoreError::Config { option, reason });
        if self.nodes.is_empty() {
            return error("nodes", "must name a node");
        }
        if !schema::is_name(&self.keyspace) {
            return error("keyspace", "must be 1 to 48 lower-case letters, digits and underscores");
        }
        if self.max_in_flight == 0 {
            return error("max_in_flight", "must not be 0");
        }
        if self.request_timeout.is_zero() {
            return error("request_timeout", "must not be 0");
        }
        if self.user.is_some() != self.password.is_some() {
            return error("user", "and password belong together");
        }
        match &self.replication {
            Replication::Factor(0) => error("replication", "must not be 0"),
            Replication::PerDatacenter(map) if map.values().all(|&factor| factor == 0) => {
                error("replication", "must name a data centre with a copy")
            }
            Replication::PerDatacenter(map) if map.keys().any(|name| name.contains('\'')) => {
                error("replication", "names no data centre with a quote")
            }
            Replication::Factor(_) | Replication::PerDatacenter(_) => Ok(()),
        }
    }
}

fn seconds<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(source)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> CqlConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_not_set_is_default() {
        assert_eq!(parse("{}"), CqlConfig::default());
        let config = parse(
            r#"{"nodes": ["db:9042"], "replication": 1, "request_timeout": 0.5, "local_dc": "a"}"#,
        );
        assert_eq!(config.replication, Replication::Factor(1));
        assert_eq!(config.request_timeout, Duration::from_millis(500));
        assert_eq!(config.local_dc.as_deref(), Some("a"));
        let map = parse(r#"{"replication": {"dc1": 3, "dc2": 2}}"#).replication;
        let expected = [("dc1".to_owned(), 3), ("dc2".to_owned(), 2)].into();
        assert_eq!(map, Replication::PerDatacenter(expected));
        assert!(serde_json::from_str::<CqlConfig>(r#"{"node": []}"#).is_err());
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert!(CqlConfig::default().check().is_ok());
        for (json, named) in [
            (r#"{"nodes": []}"#, "nodes"),
            (r#"{"keyspace": "Throng"}"#, "keyspace"),
            (r#"{"max_in_flight": 0}"#, "max_in_flight"),
            (r#"{"request_timeout": 0}"#, "request_timeout"),
            (r#"{"user": "ann"}"#, "user"),
            (r#"{"replication": 0}"#, "replication"),
            (r#"{"replication": {}}"#, "replication"),
            (r#"{"replication": {"a'b": 1}}"#, "replication"),
        ] {
            let error = parse(json).check().unwrap_err();
            assert!(matches!(error, StoreError::Config { option, .. } if option == named));
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let config = parse(r#"{"user": "ann", "password": "hunter2"}"#);
        assert!(config.check().is_ok());
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
