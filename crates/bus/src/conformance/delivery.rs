//! Who gets what, and in which order.

use bytes::Bytes;
use throng_protocol::ids::AppId;

use super::{Outcome, Pair, message, number};
use crate::subjects;

/// Rooms and other subjects.
const SUBJECTS: usize = 12;

fn some_subjects() -> Vec<String> {
    let rooms = (0..SUBJECTS / 2).map(|n| subjects::room(AppId(7), &format!("room {n}")));
    let others = (0..SUBJECTS / 2).map(|n| subjects::gateway(&format!("gateway {n}"), 0));
    rooms.chain(others).collect()
}

/// Order within each of several subjects that are published on by turns.
pub async fn messages_of_a_subject_keep_their_order(pair: Pair) -> Outcome {
    let subjects = some_subjects();
    let mut subscriptions = Vec::new();
    for subject in &subjects {
        subscriptions.push(pair.there.subscribe(subject).await?);
    }
    for n in 0..200 {
        for subject in &subjects {
            pair.here.publish(subject, number(n))?;
        }
    }
    for subscription in &mut subscriptions {
        for n in 0..200 {
            assert_eq!(message(subscription).await, number(n));
        }
    }
    Ok(())
}

/// Several subscribers of one subject, in both processes.
pub async fn every_subscriber_gets_every_message(pair: Pair) -> Outcome {
    let subject = subjects::room(AppId(7), "all");
    let mut subscriptions = Vec::new();
    for bus in [&pair.here, &pair.there, &pair.here, &pair.there] {
        subscriptions.push(bus.subscribe(&subject).await?);
    }
    for n in 0..100 {
        pair.here.publish(&subject, number(n))?;
    }
    for subscription in &mut subscriptions {
        for n in 0..100 {
            assert_eq!(message(subscription).await, number(n));
        }
    }
    Ok(())
}

/// Subjects of which one begins as the other do not meet.
pub async fn subjects_do_not_mix(pair: Pair) -> Outcome {
    let names = ["throng.x", "throng.x.y", "throng.xy", "throng.X"];
    let mut subscriptions = Vec::new();
    for name in names {
        subscriptions.push(pair.there.subscribe(name).await?);
    }
    for name in names {
        pair.here.publish(name, Bytes::from(name))?;
        pair.here.publish(name, Bytes::from_static(b"last"))?;
    }
    for (subscription, name) in subscriptions.iter_mut().zip(names) {
        assert_eq!(message(subscription).await, name);
        assert_eq!(message(subscription).await, "last");
    }
    Ok(())
}

/// A process hears itself: services of one process meet on the bus too.
pub async fn own_messages_come_back(pair: Pair) -> Outcome {
    for subject in some_subjects() {
        let mut subscription = pair.here.subscribe(&subject).await?;
        pair.here.publish(&subject, Bytes::from_static(b"to myself"))?;
        assert_eq!(message(&mut subscription).await, "to myself");
    }
    Ok(())
}

/// Payloads are bytes, not text.
pub async fn empty_and_odd_payloads_come_as_they_are(pair: Pair) -> Outcome {
    let subject = subjects::profiles(AppId(7));
    let mut subscription = pair.there.subscribe(&subject).await?;
    let payloads = [
        &b""[..],
        b"\r\n",
        b"PUB x 1\r\n",
        b"MSG throng.x 1 3\r\nabc\r\n",
        b"\0\xff",
        &[b' '; 70_000],
    ];
    for payload in payloads {
        pair.here.publish(&subject, Bytes::from_static(payload))?;
    }
    for payload in payloads {
        assert_eq!(message(&mut subscription).await, payload);
    }
    Ok(())
}
