//! A clock for idle times: whole seconds since the process first asked.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

static START: OnceLock<Instant> = OnceLock::new();

/// Seconds on the monotonic clock.
#[derive(Debug)]
pub(crate) struct Coarse;

impl Coarse {
    /// Seconds since the first call.
    pub(crate) fn now() -> u32 {
        u32::try_from(start().elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    /// When the next one begins.
    pub(crate) fn next() -> Instant {
        start() + Duration::from_secs(u64::from(Self::now()) + 1)
    }
}

fn start() -> Instant {
    *START.get_or_init(Instant::now)
}
