//! Keeps what may happen very often out of the log most of the time.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Lines of one kind are this far apart.
const PAUSE: Duration = Duration::from_secs(10);

/// Lets one line through at a time.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    /// Whether to log now; with the number of lines that were held back since the last one.
    pub(super) fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        if state.last.is_some_and(|last| now.duration_since(last) < PAUSE) {
            state.held_back += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_at_a_time_and_the_rest_are_counted() {
        let throttle = Throttle::default();
        let start = Instant::now();
        assert_eq!(throttle.pass(start), Some(0));
        assert_eq!(throttle.pass(start), None);
        assert_eq!(throttle.pass(start + PAUSE / 2), None);
        assert_eq!(throttle.pass(start + PAUSE), Some(2));
        assert_eq!(throttle.pass(start + PAUSE * 2), Some(0));
    }
}
