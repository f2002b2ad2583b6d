//! The task of a shard: takes orders, lets the shard write, rests.

use std::sync::Arc;

use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::Pacing;
use super::orders::{Inbox, Order};
use super::shard::Shard;
use crate::connection::stream::Stream;
use crate::metrics::Metrics;

/// Members that are written between two looks at the orders.
const SLICE: usize = 256;

/// Works for as long as it is polled.
pub(super) async fn run(inbox: Arc<Inbox<Stream>>, pacing: Pacing, metrics: Arc<Metrics>) {
    let mut shard = Shard::new(pacing);
    let mut orders = Vec::new();
    loop {
        let wake = shard.next_pass().into_iter().chain(shard.next_end()).min();
        tokio::select! {
            biased;
            () = inbox.filled() => {}
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
        }
        take(&inbox, &mut orders, &mut shard);
        let now = Instant::now();
        if shard.next_pass().is_some_and(|due| due <= now) {
            shard.begin_pass(now);
            while shard.pass(SLICE, Instant::now) {
                yield_now().await;
                take(&inbox, &mut orders, &mut shard);
            }
            metrics.pass_seconds.record(now.elapsed().as_secs_f64());
        }
        shard.end_late(Instant::now());
        for (line, stream) in shard.newly_blocked() {
            let inbox = Arc::clone(&inbox);
            tokio::spawn(async move {
                stream.writable().await;
                inbox.push(Order::Writable { line });
            });
        }
        metrics.wrote(&std::mem::take(&mut shard.written));
        // A room that takes everything must not keep others of this thread from running.
        yield_now().await;
    }
}

fn take(inbox: &Inbox<Stream>, orders: &mut Vec<Order<Stream>>, shard: &mut Shard<Stream>) {
    inbox.take(orders);
    let now = Instant::now();
    for order in orders.drain(..) {
        shard.obey(order, now);
    }
    shard.write_own();
}
