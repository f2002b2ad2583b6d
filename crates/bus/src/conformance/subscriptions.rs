//! When a subscription begins and ends, and what it tells of losses.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use throng_protocol::ids::AppId;

use super::{Outcome, Pair, message, next, number};
use crate::{Delivery, SUBSCRIPTION_CAPACITY, Subscription, subjects};

/// What another process publishes right after the call returned is received.
pub async fn a_subscription_is_in_force_when_it_is_returned(pair: Pair) -> Outcome {
    for n in 0..100 {
        let subject = subjects::room(AppId(7), &format!("fresh {n}"));
        let mut subscription = pair.there.subscribe(&subject).await?;
        pair.here.publish(&subject, number(n))?;
        assert_eq!(message(&mut subscription).await, number(n));
    }
    Ok(())
}

/// A gateway that many people come to at once.
pub async fn many_subscriptions_at_once(pair: Pair) -> Outcome {
    let subjects: Vec<String> =
        (0..500).map(|n| subjects::room(AppId(7), &format!("many {n}"))).collect();
    let all = subjects.iter().map(|subject| async {
        let mut subscription = pair.there.subscribe(subject).await?;
        pair.here.publish(subject, Bytes::from(subject.clone()))?;
        assert_eq!(message(&mut subscription).await, *subject);
        Ok(())
    });
    try_join_all(all).await.map(|_| ())
}

/// Dropping unsubscribes; a later subscription begins anew.
pub async fn a_dropped_subscription_gets_nothing_more(pair: Pair) -> Outcome {
    let subject = subjects::room(AppId(7), "left");
    let kept = pair.there.subscribe(&subject).await?;
    drop(pair.there.subscribe(&subject).await?);
    pair.here.publish(&subject, number(1))?;
    drop(kept);
    pair.here.publish(&subject, number(2))?;
    pair.here.flush().await?;
    let mut again = pair.there.subscribe(&subject).await?;
    pair.here.publish(&subject, number(3))?;
    assert_eq!(message(&mut again).await, number(3));
    Ok(())
}

/// `recv` loses nothing when it is cancelled.
pub async fn a_receiver_may_stop_waiting(pair: Pair) -> Outcome {
    let subject = subjects::gateway("g", 0);
    let mut subscription = pair.there.subscribe(&subject).await?;
    let bus = Arc::clone(&pair.here);
    let publishing = tokio::spawn(async move {
        for n in 0..500 {
            bus.publish(&subject, number(n))?;
            tokio::task::yield_now().await;
        }
        Ok(())
    });
    let mut expected = 0;
    while expected < 500 {
        let soon = tokio::time::timeout(Duration::from_micros(50), message(&mut subscription));
        if let Ok(payload) = soon.await {
            assert_eq!(payload, number(expected));
            expected += 1;
        }
    }
    publishing.await.expect("the publisher does not panic")
}

/// Several subscriptions in one, a busy one among them.
pub async fn joined_subscriptions_are_all_heard(pair: Pair) -> Outcome {
    let subjects: Vec<String> = (0..3).map(|part| subjects::gateway("joined", part)).collect();
    let mut parts = Vec::new();
    for subject in &subjects {
        parts.push(pair.there.subscribe(subject).await?);
    }
    for n in 0..300 {
        pair.here.publish(&subjects[0], number(n))?;
    }
    for subject in &subjects[1..] {
        pair.here.publish(subject, number(1000))?;
    }
    let mut joined = Subscription::joined(parts);
    let (mut busy, mut others) = (0, 0);
    while (busy, others) != (300, 2) {
        let payload = message(&mut joined).await;
        if payload == number(1000) {
            others += 1;
        } else {
            assert_eq!(payload, number(busy));
            busy += 1;
        }
    }
    Ok(())
}

/// Whoever does not keep up loses the oldest messages and hears how many.
pub async fn a_slow_subscriber_learns_how_much_it_lost(pair: Pair) -> Outcome {
    let subject = subjects::room(AppId(7), "flood");
    let mut slow = pair.there.subscribe(&subject).await?;
    let mut quick = pair.there.subscribe(&subject).await?;
    let all = SUBSCRIPTION_CAPACITY as u64 + 500;
    for n in 0..all {
        pair.here.publish(&subject, number(n))?;
        // The quick one takes them meanwhile; so all of them have come.
        assert_eq!(message(&mut quick).await, number(n));
    }
    let Delivery::Lagged(lost) = next(&mut slow).await else {
        panic!("the loss is told first");
    };
    // The last ones may still be on their way inside this process.
    assert!((1..=500).contains(&lost), "{lost}");
    let mut expected = lost;
    while expected < all {
        match next(&mut slow).await {
            Delivery::Message(payload) => {
                assert_eq!(payload, number(expected));
                expected += 1;
            }
            Delivery::Lagged(more) => expected += more,
        }
    }
    Ok(())
}
