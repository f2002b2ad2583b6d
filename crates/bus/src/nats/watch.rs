//! Watches one connection: tells subscribers and publishers of possible losses once it works again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::Event;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::line::Line;
use super::throttle::Throttle;

/// How often a connection is looked at when nothing was heard of it: the client may drop news.
const LOOK: Duration = Duration::from_millis(250);

/// What a client says about its connection.
#[derive(Debug, Default)]
pub(super) struct News {
    changed: Notify,
    /// The client dropped messages of some subscription.
    slow: AtomicBool,
    down_lines: Throttle,
    complaints: Throttle,
    slow_lines: Throttle,
}

impl News {
    /// Takes note of an event. Must not wait, because the client keeps few of them.
    pub(super) fn take(&self, line: &str, event: &Event) {
        let now = Instant::now();
        match event {
            Event::Disconnected => {
                if let Some(held_back) = self.down_lines.pass(now) {
                    tracing::warn!(line, held_back, "connection to the bus is lost");
                }
            }
            Event::SlowConsumer(_) => {
                self.slow.store(true, Ordering::Relaxed);
                if let Some(held_back) = self.slow_lines.pass(now) {
                    tracing::warn!(line, held_back, "messages of the bus come in too fast");
                }
            }
            Event::ServerError(error) => {
                if let Some(held_back) = self.complaints.pass(now) {
                    tracing::warn!(line, %error, held_back, "the bus server complains");
                }
            }
            Event::ClientError(error) => {
                if let Some(held_back) = self.complaints.pass(now) {
                    tracing::warn!(line, %error, held_back, "no connection to the bus");
                }
            }
            Event::LameDuckMode => tracing::info!(line, "the bus server is going to stop"),
            Event::Connected | Event::Draining | Event::Closed => {}
        }
        self.changed.notify_one();
    }
}

/// Serves until it is aborted. `losses` is what publishers of all connections look at.
pub(super) async fn watch(line: Arc<Line>, news: Arc<News>, losses: watch::Sender<u64>) {
    let mut state = Watch { settled: 1, up: false, down_since: None, slow_told: None };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = news.changed.notified() => {}
            _ = look.tick() => {}
        }
        state.look(&line, &news, &losses).await;
    }
}

struct Watch {
    /// The connection after which subscribers were last told, by its number. The first one was
    /// there before any subscription.
    settled: u64,
    up: bool,
    down_since: Option<Instant>,
    /// When subscribers were last told that the client dropped messages.
    slow_told: Option<Instant>,
}

impl Watch {
    async fn look(&mut self, line: &Line, news: &News, losses: &watch::Sender<u64>) {
        self.note_state(line);
        self.tell_of_drops(line, news);
        let connects = line.connects();
        if connects > self.settled {
            // The client has subscribed anew before it writes anything else, so with the echo of
            // this all subscriptions are in force: nothing is lost from here on.
            if line.round_trip().await.is_err() {
                return;
            }
            line.metrics.reconnects.increment(connects - self.settled);
            self.settled = connects;
            line.mailboxes.mark_gaps();
            losses.send_modify(|count| *count += 1);
            let down = self.down_since.take().map(|since| since.elapsed());
            tracing::info!(line = line.name, ?down, "connection to the bus is back");
        }
        if line.is_up() && line.has_caught_up() {
            losses.send_modify(|count| *count += 1);
            tracing::warn!(line = line.name, "the bus did not keep up; messages were dropped");
        }
    }

    fn tell_of_drops(&mut self, line: &Line, news: &News) {
        let now = Instant::now();
        // Not for every message: each time all rooms ask their owners what they missed.
        let is_early = self.slow_told.is_some_and(|told| now.duration_since(told) < LOOK);
        if is_early || !news.slow.swap(false, Ordering::Relaxed) {
            return;
        }
        // All are told: which one it was the client says by a number of its own, and where it
        // drops many messages it also drops some of this news.
        line.metrics.slow_consumers.increment(1);
        line.mailboxes.mark_gaps();
        self.slow_told = Some(now);
    }

    fn note_state(&mut self, line: &Line) {
        let up = line.is_up();
        if up == self.up {
            return;
        }
        self.up = up;
        if up {
            line.metrics.connected.increment(1);
        } else {
            line.metrics.connected.decrement(1);
            self.down_since.get_or_insert_with(Instant::now);
        }
    }
}
