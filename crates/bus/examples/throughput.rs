//! What a bus carries: messages a second and the time of one message, inside a process and, with the
//! address of a NATS server as the argument, over that.
//!
//! `cargo run --release -p throng-bus --features nats --example throughput -- 127.0.0.1:4222`

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use throng_bus::{Bus, BusError, Delivery, LocalBus, NatsBus, NatsConfig, Subscription, subjects};
use throng_protocol::ids::AppId;

/// A finished frame of a short message.
const PAYLOAD_BYTES: usize = 700;
const MESSAGES: usize = 200_000;
const PINGS: usize = 5_000;
/// Messages on their way at a time; fewer than a subscription holds.
const WINDOW: usize = 1_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("{PAYLOAD_BYTES} bytes a message");
    let local = Arc::new(LocalBus::new());
    measure("local", local.clone(), local).await?;
    if let Some(server) = std::env::args().nth(1) {
        let config = NatsConfig { servers: vec![server], ..NatsConfig::default() };
        let here = Arc::new(NatsBus::connect(&config, "here").await?);
        let there = Arc::new(NatsBus::connect(&config, "there").await?);
        measure("nats", here, there).await?;
    }
    Ok(())
}

async fn measure(name: &str, here: Arc<dyn Bus>, there: Arc<dyn Bus>) -> anyhow::Result<()> {
    for rooms in [1, 100] {
        let rate = flood(&*here, &*there, rooms).await?;
        println!("{name}: {rooms} rooms, {rate:.0} messages a second");
    }
    let times = ping(&*here, &*there).await?;
    println!(
        "{name}: one message takes {:?}, 99 % {:?}",
        times[PINGS / 2],
        times[PINGS * 99 / 100]
    );
    Ok(())
}

/// Messages a second, of which a window is on its way at any time.
async fn flood(here: &dyn Bus, there: &dyn Bus, rooms: usize) -> anyhow::Result<f64> {
    let subjects: Vec<String> = (0..rooms).map(|n| room(&format!("room {n}"))).collect();
    let mut subscriptions = Vec::new();
    for subject in &subjects {
        subscriptions.push(there.subscribe(subject).await?);
    }
    let payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let started = Instant::now();
    for _ in 0..MESSAGES / WINDOW {
        for n in 0..WINDOW {
            while let Err(error) = here.publish(&subjects[n % rooms], payload.clone()) {
                if error != BusError::Full {
                    bail!(error);
                }
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        }
        for subscription in &mut subscriptions {
            for _ in 0..WINDOW / rooms {
                receive(subscription).await?;
            }
        }
    }
    Ok(MESSAGES as f64 / started.elapsed().as_secs_f64())
}

/// Times of single messages, sorted.
async fn ping(here: &dyn Bus, there: &dyn Bus) -> anyhow::Result<Vec<Duration>> {
    let subject = room("ping");
    let mut subscription = there.subscribe(&subject).await?;
    let payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let mut times = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let started = Instant::now();
        here.publish(&subject, payload.clone())?;
        receive(&mut subscription).await?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times)
}

async fn receive(subscription: &mut Subscription) -> anyhow::Result<()> {
    match subscription.recv().await.context("the bus is gone")? {
        Delivery::Message(_) => Ok(()),
        Delivery::Lagged(lost) => bail!("lost {lost}"),
    }
}

fn room(name: &str) -> String {
    subjects::room(AppId(7), name)
}
