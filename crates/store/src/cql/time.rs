//! The times of writes that bring none.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock in microseconds, always rising: what this process writes first is older.
///
/// The times come from here rather than from the node that takes the request, because requests go to
/// several nodes whose clocks differ; and once for each write, so that a repeated one keeps its time.
#[derive(Debug, Default)]
pub(super) struct RisingClock(AtomicI64);

impl RisingClock {
    pub(super) fn next(&self) -> i64 {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        let rise = |last: i64| Some(wall.max(last + 1));
        // The closure never gives up.
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rise).unwrap_or(wall);
        wall.max(last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_rise_also_over_threads() {
        let clock = RisingClock::default();
        let mut all: Vec<i64> = std::thread::scope(|scope| {
            let take = || (0..1000).map(|_| clock.next()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads
                .into_iter()
                .flat_map(|thread| {
                    let times = thread.join().unwrap();
                    assert!(times.is_sorted_by(|a, b| a < b));
                    times
                })
                .collect()
        });
        all.sort_unstable();
        assert!(all.is_sorted_by(|a, b| a < b), "no time twice");
    }
}
