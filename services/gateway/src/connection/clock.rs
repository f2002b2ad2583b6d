//! A clock for idle times: whole seconds since the process first asked.

use std::sync::OnceLock;
use tokio::time::Instant;

static START: OnceLock<Instant> = OnceLock::new();

/// Seconds on the monotonic clock.
#[derive(Debug)]
pub(crate) struct Coarse;

impl Coarse {
    /// Seconds since the first call.
    pub(crate) fn now() -> u32 {
        u32::try_from(START.get_or_init(Instant::now).elapsed().as_secs()).unwrap_or(u32::MAX)
    }
}
