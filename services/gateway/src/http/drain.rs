//! The end of all WebSocket connections when the process ends: not at once, because every client
//! comes back at once.

use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::time::{Instant, sleep, sleep_until};

use crate::admission::Admission;
use crate::connection::Close;

/// Connections are closed in so many steps.
const STEPS: u32 = 100;
/// How long the last ones may take to close after the window.
const LAST: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// Closes all connections in random order, evenly over the window, and waits for their end.
pub(crate) async fn close_connections(admission: &Admission, window: Duration) {
    let began = Instant::now();
    let mut outboxes = admission.outboxes();
    outboxes.shuffle(&mut rand::rng());
    let size = outboxes.len().div_ceil(STEPS as usize).max(1);
    for (step, some) in (0..).zip(outboxes.chunks(size)) {
        sleep_until(began + window * step / STEPS).await;
        for outbox in some {
            outbox.close(Close::DRAIN);
        }
    }
    drop(outboxes);
    // Those that were in the middle of their handshake.
    let late = admission.outboxes();
    late.iter().for_each(|outbox| outbox.close(Close::DRAIN));
    while !admission.is_empty() && began.elapsed() < window + LAST {
        sleep(LOOK).await;
    }
}
