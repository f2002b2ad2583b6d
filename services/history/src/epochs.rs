//! A cheap fence: who has heard of a later owner of a group refuses appends of an earlier one. It does
//! not see what other instances of history do, and forgets; that late writes change nothing is the
//! matter of their write times. But a message that an earlier owner appends too late may be one that
//! its sender has repeated to the next owner meanwhile, and would then be there twice.

use std::sync::Arc;

use moka::sync::Cache;

/// Groups that are remembered.
const GROUPS: u64 = 100_000;

/// The latest epochs of groups that were heard of.
#[derive(Debug)]
pub(crate) struct Epochs {
    seen: Cache<(u32, Arc<str>, u64), u64>,
}

impl Default for Epochs {
    fn default() -> Self {
        Self { seen: Cache::new(GROUPS) }
    }
}

impl Epochs {
    /// Notes the epoch that appends or reads now; a group that was made again may have another
    /// incarnation, which begins anew. False: a later one is known.
    pub(crate) fn admit(&self, app: u32, group_id: &str, incarnation: u64, epoch: u64) -> bool {
        let key = (app, Arc::from(group_id), incarnation);
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
    fn earlier_epochs_are_refused() {
        let epochs = Epochs::default();
        assert!(epochs.admit(1, "a", 1, 7));
        assert!(epochs.admit(1, "a", 1, 7));
        assert!(epochs.admit(1, "a", 1, 9));
        assert!(!epochs.admit(1, "a", 1, 8));
        assert!(epochs.admit(1, "a", 2, 8), "a group made again");
        assert!(epochs.admit(1, "b", 1, 1));
    }
}
