//! Pushes that a client has to acknowledge: which wait, and when each goes out again. Plain code,
//! time comes from outside.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// Pushes that may wait; with more the oldest is given up.
const MOST: usize = 64;
/// How often a push goes out.
const TRIES: u32 = 3;

/// The pushes of one session that are not acknowledged yet.
#[derive(Debug)]
pub(crate) struct AckWindow {
    timeout: Duration,
    next: u64,
    waiting: VecDeque<Waiting>,
    /// Somebody looks at [`AckWindow::due`] from time to time.
    pub(super) watched: bool,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    frame: Bytes,
    tries: u32,
    due: Instant,
}

/// What time brings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Frames to be sent again.
    pub(crate) again: Vec<Bytes>,
    /// Pushes that were given up.
    pub(crate) given_up: u64,
}

impl AckWindow {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, next: 1, waiting: VecDeque::new(), watched: false }
    }

    /// Notes a push that goes out now; `frame` makes it, given its number. Returns the frame, and how
    /// many older ones were given up for it.
    pub(crate) fn push(&mut self, now: Instant, frame: impl FnOnce(u64) -> Bytes) -> (Bytes, u64) {
        let number = self.next;
        self.next += 1;
        let frame = frame(number);
        let due = now + self.timeout;
        self.waiting.push_back(Waiting { number, frame: frame.clone(), tries: 1, due });
        let mut given_up = 0;
        while self.waiting.len() > MOST {
            self.waiting.pop_front();
            given_up += 1;
        }
        (frame, given_up)
    }

    /// Forgets a push. Numbers that nobody waits for do no harm.
    pub(crate) fn acknowledge(&mut self, number: u64) {
        self.waiting.retain(|waiting| waiting.number != number);
    }

    /// What is due now.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        let timeout = self.timeout;
        self.waiting.retain_mut(|waiting| {
            if waiting.due > now {
                return true;
            }
            if waiting.tries == TRIES {
                due.given_up += 1;
                return false;
            }
            waiting.tries += 1;
            waiting.due = now + timeout;
            due.again.push(waiting.frame.clone());
            true
        });
        due
    }

    /// Whether any waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64) -> Bytes {
        number.to_string().into()
    }

    #[tokio::test]
    async fn a_push_goes_out_three_times_at_most() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut window = AckWindow::new(second * 5);
        assert_eq!(window.push(start, frame), (frame(1), 0));
        window.push(start + second, frame);
        assert_eq!(window.due(start + second * 4), Due::default());
        let again = |numbers: &[u64]| numbers.iter().copied().map(frame).collect::<Vec<_>>();
        assert_eq!(window.due(start + second * 5).again, again(&[1]));
        window.acknowledge(2);
        window.acknowledge(99);
        assert_eq!(window.due(start + second * 10).again, again(&[1]));
        assert_eq!(window.due(start + second * 15), Due { again: vec![], given_up: 1 });
        assert!(window.is_empty());
    }

    #[tokio::test]
    async fn the_window_is_bounded() {
        let now = Instant::now();
        let mut window = AckWindow::new(Duration::ZERO);
        let given_up: u64 = (0..100).map(|_| window.push(now, frame).1).sum();
        assert_eq!(given_up, 100 - MOST as u64);
        assert_eq!(window.due(now).again.first(), Some(&frame(37)));
    }
}
