//! Counts of something that strangers do, each for a minute, in bounded memory.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// Keys counted at the same time; the least used ones are forgotten first.
const MOST_KEYS: u64 = 50_000;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts by key, from the first time for one minute.
#[derive(Debug)]
pub(crate) struct WindowCounter<K: Debug + Hash + Eq + Send + Sync + 'static> {
    counts: Cache<K, Arc<AtomicU32>>,
    most: u32,
}

impl<K: Debug + Hash + Eq + Send + Sync + 'static> WindowCounter<K> {
    /// A counter that is full at `most` in a window.
    pub(crate) fn new(most: u32) -> Self {
        let counts = Cache::builder().max_capacity(MOST_KEYS).time_to_live(WINDOW).build();
        Self { counts, most }
    }

    /// Whether a key has been counted as often as it may.
    pub(crate) fn is_full(&self, key: &K) -> bool {
        self.counts.get(key).is_some_and(|count| count.load(Ordering::Relaxed) >= self.most)
    }

    /// Counts a key once more. False: it was full already.
    pub(crate) fn count(&self, key: K) -> bool {
        let count = self.counts.get_with(key, Arc::default);
        count.fetch_add(1, Ordering::Relaxed) < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_count() {
        let counter = WindowCounter::new(2);
        assert!(!counter.is_full(&"a"));
        assert!(counter.count("a"));
        assert!(!counter.is_full(&"a"));
        assert!(counter.count("a"));
        assert!(counter.is_full(&"a"));
        assert!(!counter.count("a"));
        assert!(counter.count("b"));
    }
}
