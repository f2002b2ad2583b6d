//! How fast connections are taken in.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::sleep;

/// Timers are no finer.
const SHORTEST: Duration = Duration::from_millis(1);

/// A budget of connections a second: that of one second may be spent at once, then it fills evenly.
pub(super) struct Pace {
    limiter: Option<DefaultDirectRateLimiter>,
    clock: DefaultClock,
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace").finish_non_exhaustive()
    }
}

impl Pace {
    /// 0: as fast as they come.
    pub(super) fn new(a_second: u32) -> Self {
        let quota = NonZeroU32::new(a_second).map(Quota::per_second);
        Self { limiter: quota.map(RateLimiter::direct), clock: DefaultClock::default() }
    }

    /// Waits until one more may come in. True: it had to wait.
    pub(super) async fn turn(&self) -> bool {
        let Some(limiter) = &self.limiter else { return false };
        let mut waited = false;
        while let Err(later) = limiter.check() {
            waited = true;
            sleep(later.wait_time_from(self.clock.now()).max(SHORTEST)).await;
        }
        waited
    }
}
