//! The two ways to send: as fast as answers come back, and at given moments whatever becomes of the
//! answers. Latencies of the second count from the moment that was meant.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::measure::{Counts, Spent, Watch};
use crate::world::{Kind, World};

/// Caches fill and files are made before it counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// Connections of the paced load.
const CONNECTIONS: u32 = 1000;
/// Messages on their way at most: above, the group does not keep up with what is asked of it.
const MOST_UNDER_WAY: usize = 50_000;

/// A line of the first table.
pub(crate) struct Closed {
    kind: Kind,
    in_flight: u32,
    sent: u32,
    spent: Spent,
    calls: u64,
}

impl Closed {
    pub(crate) fn head() {
        println!();
        println!(
            "| group | in flight | sends/s | CPU µs/send | syncs/s | sends/append | calls to presence/s |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    }

    pub(crate) fn print(&self) {
        let Self { kind, in_flight, sent, spent, calls } = self;
        let seconds = spent.wall.as_secs_f64();
        println!(
            "| {} | {in_flight} | {:.0} | {:.1} | {:.0} | {} | {:.0} |",
            kind.name(),
            f64::from(*sent) / seconds,
            processor_each(*sent, *spent),
            spent.syncs as f64 / seconds,
            each_append(*sent, *spent),
            *calls as f64 / seconds,
        );
    }
}

fn processor_each(sent: u32, spent: Spent) -> f64 {
    spent.processor.as_secs_f64() * 1e6 / f64::from(sent.max(1))
}

fn each_append(sent: u32, spent: Spent) -> String {
    match spent.appends {
        0 => "-".to_owned(),
        appends => format!("{:.1}", f64::from(sent) / appends as f64),
    }
}

/// So many connections, each of which sends its next message when the last one was answered.
pub(crate) async fn closed_loop(
    world: &Arc<World>,
    kind: Kind,
    in_flight: u32,
    time: Duration,
    counts: &Counts,
) -> anyhow::Result<Closed> {
    let progress = Arc::new((AtomicU32::new(0), AtomicBool::new(false)));
    let mut connections = JoinSet::new();
    for connection in 0..in_flight {
        let (world, progress) = (Arc::clone(world), Arc::clone(&progress));
        connections.spawn(async move {
            let (sent, over) = &*progress;
            let mut number = 0;
            while !over.load(Ordering::Relaxed) {
                number += 1;
                world.send(connection, number).await?;
                sent.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    sleep(WARM_UP).await;
    let (sent, over) = &*progress;
    let before = (sent.load(Ordering::Relaxed), world.calls());
    let watch = Watch::start(counts);
    sleep(time).await;
    let spent = watch.stop();
    let (sent, calls) = (sent.load(Ordering::Relaxed) - before.0, world.calls() - before.1);
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    Ok(Closed { kind, in_flight, sent, spent, calls })
}

/// A line of the second table.
pub(crate) struct Open {
    rate: u32,
    sent: u32,
    spent: Spent,
    /// Microseconds.
    latencies: Histogram<u64>,
}

impl Open {
    pub(crate) fn head() {
        println!();
        println!(
            "| sends/s meant | sends/s | p50 ms | p99 ms | p99.9 ms | most ms | CPU µs/send | syncs/s | sends/append |"
        );
        println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    }

    pub(crate) fn print(&self) {
        let Self { rate, sent, spent, latencies } = self;
        let seconds = spent.wall.as_secs_f64();
        let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
        println!(
            "| {rate} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} | {} |",
            f64::from(*sent) / seconds,
            ms(0.5),
            ms(0.99),
            ms(0.999),
            latencies.max() as f64 / 1e3,
            processor_each(*sent, *spent),
            spent.syncs as f64 / seconds,
            each_append(*sent, *spent),
        );
    }
}

/// So many messages a second at even distances, each by the connection that has been quiet for longest.
pub(crate) async fn open_loop(
    world: &Arc<World>,
    rate: u32,
    time: Duration,
    counts: &Counts,
) -> anyhow::Result<Open> {
    let distance = Duration::from_secs(1) / rate.max(1);
    let mut latencies = Histogram::new(3)?;
    let (done, mut taken) = mpsc::channel(MOST_UNDER_WAY);
    let began = Instant::now() + Duration::from_millis(10);
    let sender = Arc::clone(world);
    let sends = tokio::spawn(async move {
        for message in 0..u32::try_from((WARM_UP + time).as_nanos() / distance.as_nanos())? {
            let meant = began + distance * message;
            sleep_until(meant).await;
            let (connection, number) = (message % CONNECTIONS, message / CONNECTIONS + 1);
            let (world, permit) = (Arc::clone(&sender), done.clone().try_reserve_owned());
            let permit = permit.map_err(|_| anyhow::anyhow!("the group does not keep up"))?;
            tokio::spawn(async move {
                let sent = world.send(connection, number).await;
                permit.send((meant, Instant::now(), sent));
            });
        }
        anyhow::Ok(())
    });
    let (mut sent, mut watch) = (0, None);
    while let Some((meant, answered, result)) = taken.recv().await {
        result?;
        if meant >= began + WARM_UP {
            watch.get_or_insert_with(|| Watch::start(counts));
            let micros = u64::try_from((answered - meant).as_micros())?;
            latencies.record(micros)?;
            sent += 1;
        }
    }
    sends.await??;
    let spent = watch.context("no message was measured")?.stop();
    Ok(Open { rate, sent, spent, latencies })
}
