//! Servers that die, freeze and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use throng_bus::{Bus, BusError, Delivery, NatsBus, NatsConfig, Subscription, subjects};
use throng_protocol::ids::AppId;
use tokio::time::{sleep, timeout};

use super::server::{PATIENCE, Server};

const POLL: Duration = Duration::from_millis(2);

fn room(name: &str) -> String {
    subjects::room(AppId(7), name)
}

fn number(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_le_bytes())
}

async fn next(subscription: &mut Subscription) -> Delivery {
    timeout(PATIENCE, subscription.recv()).await.expect("something comes").expect("goes on")
}

/// Publishes until it is refused.
async fn publish_until_refused(bus: &NatsBus, subject: &str) -> BusError {
    let refused = async {
        loop {
            if let Err(error) = bus.publish(subject, Bytes::from_static(b"down?")) {
                return error;
            }
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("it is noticed that the server is gone")
}

/// Publishes until it is taken.
async fn publish_at_last(bus: &NatsBus, subject: &str, payload: &Bytes) {
    let taken = async {
        while bus.publish(subject, payload.clone()).is_err() {
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, taken).await.expect("the bus comes back");
}

/// A server that was killed and started again, three times over: every subscription is told once
/// each time, and goes on; publishers hear of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_once_and_mended() {
    let Some(mut server) = Server::start().await else { return };
    let (here, there) = (server.bus().await, server.bus().await);
    let subjects: Vec<String> = (0..20)
        .map(|n| room(&format!("room {n}")))
        .chain([subjects::gateway("g", 0), subjects::profiles(AppId(7))])
        .collect();
    let mut subscriptions = Vec::new();
    for subject in &subjects {
        subscriptions.push(there.subscribe(subject).await.unwrap());
    }
    for outage in 0..3 {
        let mut losses = here.losses();
        server.kill().await;
        for subject in [&subjects[0], &subjects[20]] {
            let error = publish_until_refused(&here, subject).await;
            assert!(matches!(error, BusError::Unreachable(_)), "{error}");
        }
        server.run().await;
        for (subject, subscription) in subjects.iter().zip(&mut subscriptions) {
            // What was taken just before it was noticed may come late.
            while next(subscription).await != Delivery::Lagged(0) {}
            publish_at_last(&here, subject, &number(outage)).await;
            loop {
                match next(subscription).await {
                    Delivery::Message(payload) if payload == number(outage) => break,
                    Delivery::Message(payload) => assert_eq!(payload, "down?"),
                    Delivery::Lagged(_) => panic!("told again"),
                }
            }
        }
        timeout(PATIENCE, losses.next()).await.expect("publishers hear of it");
        here.flush().await.unwrap();
    }
    for subscription in &mut subscriptions {
        let more = timeout(Duration::ZERO, subscription.recv()).await;
        assert!(more.is_err(), "{more:?}");
    }
}

/// Traffic that goes on through outages keeps its order, and comes again afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_through_outages_keeps_its_order() {
    let Some(mut server) = Server::start().await else { return };
    let (here, there) = (Arc::new(server.bus().await), server.bus().await);
    let subject = room("busy");
    let mut subscription = there.subscribe(&subject).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let publishing = tokio::spawn({
        let (bus, subject, stop) = (Arc::clone(&here), subject.clone(), Arc::clone(&stop));
        async move {
            let (mut n, mut refused) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                refused += u64::from(bus.publish(&subject, number(n)).is_err());
                n += 1;
                sleep(Duration::from_micros(200)).await;
            }
            publish_at_last(&bus, &subject, &number(u64::MAX)).await;
            (n, refused)
        }
    });
    let (mut last, mut received, mut told) = (None, 0_u64, 0);
    for outage in 0..4 {
        let mut since = 0;
        while told < outage || since < 100 {
            match next(&mut subscription).await {
                Delivery::Message(payload) => {
                    let n = u64::from_le_bytes(payload[..].try_into().unwrap());
                    assert!(last < Some(n), "{n} after {last:?}");
                    assert!(n == 0 || outage > 0 || last == Some(n - 1), "{n} after {last:?}");
                    last = Some(n);
                    received += 1;
                    since += 1;
                }
                Delivery::Lagged(lost) => {
                    assert_eq!(lost, 0);
                    told += 1;
                    since = 0;
                }
            }
        }
        assert_eq!(told, outage);
        if outage < 3 {
            server.kill().await;
            server.run().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    while last != Some(u64::MAX) {
        let Delivery::Message(payload) = next(&mut subscription).await else {
            panic!("told again");
        };
        last = Some(u64::from_le_bytes(payload[..].try_into().unwrap()));
        received += 1;
    }
    let (published, refused) = publishing.await.unwrap();
    println!("{published} published, {refused} refused, {received} received");
    assert!(refused > 0 && received <= published + 1 - refused);
}

/// Who subscribes while the server is away is served when it is back, or hears in time that it
/// is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribing_during_an_outage() {
    let Some(mut server) = Server::start().await else { return };
    let (here, patient) = (server.bus().await, server.bus().await);
    let config = NatsConfig { confirm_timeout: Duration::from_secs(1), ..server.config() };
    let impatient = NatsBus::connect(&config, "impatient").await.unwrap();
    let subject = room("late");
    server.kill().await;
    publish_until_refused(&here, &subject).await;
    let error = impatient.subscribe(&subject).await.unwrap_err();
    assert!(matches!(error, BusError::Unreachable(_)), "{error}");
    let error = impatient.flush().await.unwrap_err();
    assert!(matches!(error, BusError::Unreachable(_)), "{error}");
    let (subscription, ()) = tokio::join!(patient.subscribe(&subject), server.run());
    let mut subscription = subscription.unwrap();
    publish_at_last(&here, &subject, &number(1)).await;
    loop {
        match next(&mut subscription).await {
            Delivery::Message(payload) if payload == number(1) => break,
            Delivery::Message(payload) => assert_eq!(payload, "down?"),
            Delivery::Lagged(lost) => assert_eq!(lost, 0),
        }
    }
    // The one that gave up works again too.
    let usable = async { while impatient.subscribe(&subject).await.is_err() {} };
    timeout(PATIENCE, usable).await.expect("comes back");
}

/// A server that hangs counts as dead after a while; when it goes on, so does the bus.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_noticed() {
    let Some(server) = Server::start().await else { return };
    let (here, there) = (server.bus().await, server.bus().await);
    let subject = room("frozen");
    let mut subscription = there.subscribe(&subject).await.unwrap();
    server.freeze().await;
    let error = publish_until_refused(&here, &subject).await;
    assert!(matches!(error, BusError::Unreachable(_)), "{error}");
    // The receiving side notices too, on its own.
    publish_until_refused(&there, &subject).await;
    server.thaw().await;
    while next(&mut subscription).await != Delivery::Lagged(0) {}
    publish_at_last(&here, &subject, &number(1)).await;
    while next(&mut subscription).await != Delivery::Message(number(1)) {}
}

/// A server that hangs for a moment costs nothing; what waits for it is bounded, and publishers
/// hear when it was too much.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_server_is_bounded() {
    const SIZE: usize = 10_000;
    let Some(server) = Server::start().await else { return };
    let there = server.bus().await;
    let config = NatsConfig {
        ping_interval: PATIENCE,
        sender_bytes: 2_000_000,
        subscription_capacity: 100_000,
        subscription_bytes: usize::MAX,
        ..server.config()
    };
    let here = NatsBus::connect(&config, "test").await.unwrap();
    let patient = NatsBus::connect(&config, "test").await.unwrap();
    let subject = room("patient");
    let mut subscription = patient.subscribe(&subject).await.unwrap();
    let payload = Bytes::from(vec![b'x'; SIZE]);
    let mut losses = here.losses();
    server.freeze().await;
    let mut taken = 0;
    let full = async {
        loop {
            match here.publish(&subject, payload.clone()) {
                Ok(()) => taken += 1,
                Err(error) => return error,
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(timeout(PATIENCE, full).await.expect("it is bounded"), BusError::Full);
    assert!(timeout(Duration::ZERO, losses.next()).await.is_err(), "not before it goes on");
    server.thaw().await;
    for _ in 0..taken {
        assert_eq!(next(&mut subscription).await, Delivery::Message(payload.clone()));
    }
    timeout(PATIENCE, losses.next()).await.expect("publishers hear of it");
    // The queue, what the client has taken, and the buffers of sockets.
    assert!(taken * SIZE < 30_000_000, "{taken}");
    drop(there);
}

/// A process that does not get to its messages for a while: what it lost it is told, even where
/// the client below had to drop it.
#[test]
fn a_process_that_stalls_loses_nothing_silently() {
    const ALL: u64 = 300_000;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let Some(server) = runtime.block_on(Server::start()) else { return };
    // The stalled process: one thread, which serves its connections only when it is told to.
    let stalled = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let subject = room("stalled");
    let config = NatsConfig {
        subscription_capacity: 1_000_000,
        subscription_bytes: usize::MAX,
        ..server.config()
    };
    let there = stalled.block_on(NatsBus::connect(&config, "stalled")).unwrap();
    let mut subscription = stalled.block_on(there.subscribe(&subject)).unwrap();
    runtime.block_on(async {
        let here = server.bus().await;
        for n in 0..ALL {
            while here.publish(&subject, number(n)) == Err(BusError::Full) {
                tokio::task::yield_now().await;
            }
        }
        here.flush().await.unwrap();
    });
    let (mut received, mut told, mut last) = (0, 0, None);
    stalled.block_on(async {
        while last != Some(ALL) {
            // Again and again, because the end may be among the lost.
            let _ = there.publish(&subject, number(ALL));
            match next(&mut subscription).await {
                Delivery::Lagged(lost) => {
                    assert_eq!(lost, 0);
                    told += 1;
                }
                Delivery::Message(payload) => {
                    let n = u64::from_le_bytes(payload[..].try_into().unwrap());
                    assert!(last <= Some(n), "{n} after {last:?}");
                    received += u64::from(n < ALL);
                    last = Some(n);
                }
            }
        }
        // The news of the loss may follow a moment later.
        while received < ALL && told == 0 {
            told += u64::from(matches!(next(&mut subscription).await, Delivery::Lagged(_)));
        }
    });
    println!("{received} of {ALL} received, {told} times told of a loss");
}
