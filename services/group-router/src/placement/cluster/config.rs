//! Settings of the placement.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::core::leader::LeaderConfig;
use super::super::core::lease::Timing;
use super::super::raft::{Member, NodeId, node_id};

/// How the group routers agree on who owns what. All of them need the same settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlacementConfig {
    /// The group routers that vote, three or five of them (one serves too, but its loss stops all):
    /// each `name=host:port`. Set once for a cluster; routers beyond them own shards all the same.
    pub voters: Vec<String>,
    /// How long a node may serve after it asked for its lease, milliseconds. The shards of a node
    /// that dies are without an owner for about so long.
    pub lease_ms: u64,
    /// What the leader waits beyond that, milliseconds: for clocks that run differently, and for
    /// nodes that are a little late.
    pub margin_ms: u64,
    /// Time from one request for the lease to the next, milliseconds.
    pub renew_ms: u64,
    /// Time from one sign of life of the leader to the next, milliseconds. It is also the time in
    /// which a voter has to answer one.
    pub heartbeat_ms: u64,
    /// Without a sign of life a voter waits for 2.5 to 3 times this before it wants to lead,
    /// milliseconds. Together with a heartbeat it should stay below the lease: then the other nodes
    /// hardly notice that the leader died.
    pub election_ms: u64,
    /// Changes after which the log is cut, at least 10; as many stay for routers that were away.
    pub snapshot_entries: u64,
    /// Shards that may be on their way at once so that all routers get equally many, at least 1.
    pub moves_at_once: usize,
}

impl Default for PlacementConfig {
    fn default() -> Self {
        Self {
            voters: Vec::new(),
            lease_ms: 1_200,
            margin_ms: 100,
            renew_ms: 300,
            heartbeat_ms: 150,
            election_ms: 300,
            snapshot_entries: 2_000,
            moves_at_once: 16,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("group_router.placement: {option} {reason}")]
pub struct PlacementConfigError {
    option: &'static str,
    reason: String,
}

impl PlacementConfig {
    /// Whether they make sense together.
    ///
    /// # Errors
    /// Names the first option that does not.
    pub fn check(&self) -> Result<(), PlacementConfigError> {
        let wrong =
            |option, reason: &str| Err(PlacementConfigError { option, reason: reason.to_owned() });
        self.members()?;
        if self.voters.len().is_multiple_of(2) {
            return wrong("voters", "must be an odd number, three or five");
        }
        if self.heartbeat_ms < 10 {
            return wrong("heartbeat_ms", "must be at least 10");
        }
        if self.election_ms < self.heartbeat_ms * 2 {
            return wrong("election_ms", "must be at least twice heartbeat_ms");
        }
        if self.renew_ms == 0 || self.lease_ms < self.renew_ms * 3 {
            return wrong("lease_ms", "must be at least three times renew_ms");
        }
        // Of two clocks that count this long.
        if self.margin_ms < 20.max(self.lease_ms / 100) {
            return wrong("margin_ms", "must be at least 20 and a hundredth of lease_ms");
        }
        if self.snapshot_entries < 10 {
            return wrong("snapshot_entries", "must be at least 10");
        }
        if self.moves_at_once == 0 {
            return wrong("moves_at_once", "must be at least 1");
        }
        Ok(())
    }

    /// The voters by their numbers.
    pub(super) fn members(&self) -> Result<BTreeMap<NodeId, Member>, PlacementConfigError> {
        let wrong = |reason| PlacementConfigError { option: "voters", reason };
        let mut members = BTreeMap::new();
        for voter in &self.voters {
            let (name, address) = voter
                .split_once('=')
                .filter(|(name, address)| !name.is_empty() && address.contains(':'))
                .ok_or_else(|| wrong(format!("need name=host:port, not {voter:?}")))?;
            let member = Member { name: name.to_owned(), address: address.to_owned() };
            if let Some(other) = members.insert(node_id(name), member) {
                let same = other.name == name;
                let what = if same { "twice" } else { "with the number of another name" };
                return Err(wrong(format!("have {name} {what}")));
            }
        }
        Ok(members)
    }

    pub(super) fn timing(&self) -> Timing {
        Timing {
            lease_ms: self.lease_ms,
            margin_ms: self.margin_ms,
            renew_ms: self.renew_ms,
            retry_ms: (self.renew_ms / 4).max(1),
        }
    }

    pub(super) fn leader(&self, shards: u32) -> LeaderConfig {
        LeaderConfig {
            timing: self.timing(),
            shards,
            expected_routers: self.voters.len(),
            moves_at_once: self.moves_at_once,
            ..LeaderConfig::default()
        }
    }

    pub(super) fn raft(&self) -> openraft::Config {
        openraft::Config {
            cluster_name: "throng".to_owned(),
            heartbeat_interval: self.heartbeat_ms,
            election_timeout_min: self.election_ms,
            election_timeout_max: self.election_ms * 3 / 2,
            install_snapshot_timeout: 5_000,
            snapshot_policy: openraft::SnapshotPolicy::LogsSinceLast(self.snapshot_entries),
            max_in_snapshot_log_to_keep: self.snapshot_entries,
            replication_lag_threshold: self.snapshot_entries * 2,
            ..openraft::Config::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(voters: &[&str]) -> PlacementConfig {
        let voters = voters.iter().map(|&voter| voter.to_owned()).collect();
        PlacementConfig { voters, ..PlacementConfig::default() }
    }

    #[test]
    fn the_defaults_make_sense() {
        let config = config(&["a=127.0.0.1:1", "b=127.0.0.1:2", "c=host.name:3"]);
        config.check().unwrap();
        config.raft().validate().unwrap();
        assert_eq!(config.members().unwrap().len(), 3);
    }

    #[test]
    fn voters_need_names_and_addresses_and_an_odd_number() {
        assert!(config(&[]).check().is_err());
        assert!(config(&["a"]).check().is_err());
        assert!(config(&["=h:1"]).check().is_err());
        assert!(config(&["a=h:1", "b=h:2"]).check().is_err());
        assert!(config(&["a=h:1", "a=h:2", "b=h:3"]).check().is_err());
    }

    #[test]
    fn times_have_to_fit_each_other() {
        let good = config(&["a=h:1"]);
        let bad = [
            PlacementConfig { election_ms: 200, ..good.clone() },
            PlacementConfig { lease_ms: 800, ..good.clone() },
            PlacementConfig { margin_ms: 5, ..good.clone() },
            PlacementConfig { renew_ms: 0, ..good.clone() },
            PlacementConfig { snapshot_entries: 0, ..good.clone() },
        ];
        assert_eq!(good.check(), Ok(()));
        for config in bad {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
