//! What can be set about the embedded store.

use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, SystemClock};

/// How an [`EmbeddedStore`](crate::EmbeddedStore) behaves.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Memory for blocks read from disk, bytes.
    pub cache_bytes: u64,
    /// How large the recent rows of one table may grow in memory before they go to a file, bytes.
    pub write_buffer_bytes: u64,
    /// The most bytes of writes that may wait for the committer.
    pub queue_bytes: u32,
    /// How long a write may wait to get into the queue before it is refused.
    pub queue_timeout: Duration,
    /// How long a [`Behind`](crate::Durability::Behind) write may stay unsynced.
    pub behind_delay: Duration,
    /// How often the sweeper looks for expired rows.
    pub sweep_interval: Duration,
    /// How many rows of each table it looks at each time.
    pub sweep_rows: usize,
    /// The least expired rows among them that make it reclaim their space.
    pub sweep_threshold: usize,
    /// What TTLs are counted by.
    pub clock: Arc<dyn Clock>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            write_buffer_bytes: 32 << 20,
            queue_bytes: 32 << 20,
            queue_timeout: Duration::from_secs(2),
            behind_delay: Duration::from_millis(50),
            sweep_interval: Duration::from_secs(60),
            sweep_rows: 10_000,
            sweep_threshold: 1_000,
            clock: Arc::new(SystemClock),
        }
    }
}
