//! How often somebody may do something that costs much: a burst, and then a steady rate.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;

/// Those who are remembered before the ones that may do all again are forgotten.
const REMEMBERED: usize = 10_000;

/// How often each user may have something done that costs much. Clones share it.
#[derive(Debug, Clone)]
pub struct UserPaces {
    what: &'static str,
    burst: u32,
    per_second: u32,
    start: Instant,
    paces: Arc<Mutex<Pace<(AppId, String)>>>,
}

impl UserPaces {
    /// So many at once, and then so many a second. `what`: their name in errors, in the plural.
    #[must_use]
    pub fn new(what: &'static str, burst: u32, per_second: u32) -> Self {
        let paces = Arc::new(Mutex::new(Pace::new(burst, per_second)));
        Self { what, burst, per_second, start: Instant::now(), paces }
    }

    /// A user wants one more.
    ///
    /// # Errors
    /// 60018 where that is too much.
    pub fn take(&self, app: AppId, user: &str) -> Result<(), CommandError> {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if self.paces.lock().take((app, user.to_owned()), now) {
            return Ok(());
        }
        let Self { what, burst, per_second, .. } = self;
        let info = format!("more than {per_second} {what} a second, after the first {burst}");
        Err(Code::TOO_MANY_REQUESTS.with(info))
    }
}

/// A pace for each of many.
#[derive(Debug)]
struct Pace<K> {
    every_ms: u64,
    ahead_ms: u64,
    /// When all that somebody did would have been done at the steady rate, where that is to come.
    due: HashMap<K, u64>,
    forget_at: usize,
}

impl<K: Hash + Eq> Pace<K> {
    fn new(burst: u32, per_second: u32) -> Self {
        let every_ms = 1000 / u64::from(per_second.max(1));
        let ahead_ms = every_ms * u64::from(burst.max(1) - 1);
        Self { every_ms, ahead_ms, due: HashMap::new(), forget_at: REMEMBERED }
    }

    /// Whether somebody may once more, now (milliseconds of any clock that does not go back).
    fn take(&mut self, who: K, now_ms: u64) -> bool {
        if self.due.len() >= self.forget_at {
            self.due.retain(|_, due| *due > now_ms);
            self.forget_at = REMEMBERED.max(2 * self.due.len());
        }
        let due = self.due.entry(who).or_insert(now_ms);
        let before = (*due).max(now_ms);
        if before > now_ms + self.ahead_ms {
            return false;
        }
        *due = before + self.every_ms;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_a_rate_for_each() {
        let mut pace = Pace::new(3, 2);
        let mut at = |who, now| pace.take(who, now);
        assert_eq!([at("a", 0), at("a", 0), at("a", 0), at("a", 0)], [true, true, true, false]);
        assert!(at("b", 0), "everybody has a pace of his own");
        assert_eq!([at("a", 499), at("a", 500), at("a", 500)], [false, true, false]);
        assert_eq!([at("a", 9000), at("a", 9000), at("a", 9000)], [true, true, true]);
        assert!(!at("a", 9000), "rest makes no more than the burst");
    }

    #[test]
    fn who_may_do_all_again_is_forgotten() {
        let mut pace = Pace::new(2, 1);
        for who in 0..=REMEMBERED {
            assert!(pace.take(who, 10 * who as u64));
        }
        assert!(pace.due.len() < 200, "{}", pace.due.len());
    }
}
