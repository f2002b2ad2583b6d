//! Connections that have not asked for anything yet: how many there may be, and which one has to go
//! when there are too many and the oldest of them takes its time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// The time that every handshake has, however many wait: two or three round trips of a bad line.
const FAIR: Duration = Duration::from_secs(2);

/// Counts handshakes.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// The oldest first.
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    began: Instant,
    /// Ends it.
    task: Option<AbortHandle>,
}

/// One handshake; dropping it says that it is done.
#[derive(Debug)]
pub(super) struct Handshake {
    all: Arc<Handshakes>,
    number: u64,
}

/// What there was room by.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// Another one that took too long was ended.
    TakenFromAnother,
}

impl Handshakes {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), freed: Notify::new() })
    }

    /// Waits until there is room for one more. Who holds a place and says nothing loses it to the
    /// next one: else a few thousand silent sockets would keep everybody out.
    pub(super) async fn room(&self) -> Room {
        loop {
            let due = {
                let state = self.state.lock();
                if state.waiting.len() < self.most {
                    return Room::Free;
                }
                state.oldest_due()
            };
            if due <= Instant::now() {
                self.end_oldest();
                return Room::TakenFromAnother;
            }
            tokio::select! {
                () = self.freed.notified() => {}
                () = sleep_until(due) => {}
            }
        }
    }

    /// Counts one that begins now.
    pub(super) fn begin(self: &Arc<Self>) -> Handshake {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, Waiting { began: Instant::now(), task: None });
        Handshake { all: Arc::clone(self), number }
    }

    /// Tells which task serves a handshake.
    pub(super) fn served_by(&self, number: u64, task: AbortHandle) {
        if let Some(waiting) = self.state.lock().waiting.get_mut(&number) {
            waiting.task = Some(task);
        }
    }

    fn end_oldest(&self) {
        let oldest = self.state.lock().waiting.pop_first();
        if let Some(task) = oldest.and_then(|(_, oldest)| oldest.task) {
            task.abort();
        }
    }
}

impl State {
    /// When the oldest has had its time.
    fn oldest_due(&self) -> Instant {
        let began = self.waiting.first_key_value().map(|(_, oldest)| oldest.began);
        began.unwrap_or_else(Instant::now) + FAIR
    }
}

impl Handshake {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut state = self.all.state.lock();
        let was_full = state.waiting.len() >= self.all.most;
        state.waiting.remove(&self.number);
        drop(state);
        if was_full {
            self.all.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_more_waits_until_another_is_done() {
        let all = Handshakes::new(2);
        let (first, _second) = (all.begin(), all.begin());
        assert!(timeout(FAIR / 2, all.room()).await.is_err());
        drop(first);
        assert_eq!(timeout(FAIR / 4, all.room()).await.unwrap(), Room::Free);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_too_long_loses_its_place_to_the_next() {
        let all = Handshakes::new(1);
        let began = Instant::now();
        let silent = all.begin();
        let number = silent.number();
        let task = tokio::spawn(async move {
            let _silent = silent;
            pending::<()>().await;
        });
        all.served_by(number, task.abort_handle());
        assert_eq!((all.room().await, began.elapsed()), (Room::TakenFromAnother, FAIR));
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(all.state.lock().waiting.is_empty());
    }
}
