//! A cheap fence: who has seen appends of a later life refuses those of an earlier one. It does not
//! see what other instances of history do, and forgets; what makes late writes harmless is their
//! write time.

use std::sync::Arc;

use moka::sync::Cache;
use throng_proto::v1::GroupLog;

/// Groups that are remembered.
const GROUPS: u64 = 100_000;

/// The latest lives that appended.
#[derive(Debug)]
pub(super) struct Epochs {
    seen: Cache<(u32, Arc<str>, u64), u64>,
}

impl Default for Epochs {
    fn default() -> Self {
        Self { seen: Cache::new(GROUPS) }
    }
}

impl Epochs {
    /// Notes the life that appends now. False: a later one has appended.
    pub(super) fn admit(&self, log: &GroupLog, epoch: u64) -> bool {
        let key = (log.app, Arc::from(log.group_id.as_str()), log.incarnation);
        let latest = self
            .seen
            .entry(key)
            .and_upsert_with(|entry| entry.map_or(epoch, |entry| entry.into_value().max(epoch)));
        latest.into_value() == epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_lives_are_refused() {
        let epochs = Epochs::default();
        let log = |group_id: &str, incarnation| GroupLog {
            app: 1,
            group_id: group_id.to_owned(),
            incarnation,
        };
        assert!(epochs.admit(&log("a", 1), 7));
        assert!(epochs.admit(&log("a", 1), 7));
        assert!(epochs.admit(&log("a", 1), 9));
        assert!(!epochs.admit(&log("a", 1), 8));
        assert!(epochs.admit(&log("a", 2), 8), "a group made again");
        assert!(epochs.admit(&log("b", 1), 1));
    }
}
