//! What every backend must do, as tests to be run against it (feature `testing`).
//!
//! A backend's test file calls [`bus_conformance_tests!`](crate::bus_conformance_tests) with a
//! function that opens a bus twice, as two processes would.

mod delivery;
mod limits;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use delivery::*;
pub use limits::*;
pub use subscriptions::*;

use crate::{Bus, BusError, Delivery, Subscription};

/// One bus as two processes see it.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The one process.
    pub here: Arc<dyn Bus>,
    /// The other.
    pub there: Arc<dyn Bus>,
}

/// One test a case. The argument is an async function that returns a [`Pair`] and anything that
/// must live as long, or `None` where the backend cannot be tested.
#[macro_export]
macro_rules! bus_conformance_tests {
    ($open:path) => {
        $crate::bus_conformance_tests! { $open:
            messages_of_a_subject_keep_their_order
            every_subscriber_gets_every_message
            subjects_do_not_mix
            own_messages_come_back
            empty_and_odd_payloads_come_as_they_are
            a_subscription_is_in_force_when_it_is_returned
            many_subscriptions_at_once
            a_dropped_subscription_gets_nothing_more
            a_receiver_may_stop_waiting
            joined_subscriptions_are_all_heard
            a_slow_subscriber_learns_how_much_it_lost
            the_largest_message_passes_and_a_larger_one_is_refused
            what_is_no_subject_is_refused
            flush_comes_back
        }
    };
    ($open:path: $($case:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let Some((pair, _keep)) = $open().await else { return };
            $crate::conformance::$case(pair).await.expect("the bus does not fail");
        })+
    };
}

/// How a case ends; what a bus must not do panics.
pub type Outcome = Result<(), BusError>;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The next delivery, which has to come.
async fn next(subscription: &mut Subscription) -> Delivery {
    tokio::time::timeout(PATIENCE, subscription.recv())
        .await
        .expect("something comes in time")
        .expect("the subscription goes on")
}

/// The next message; nothing may have been lost before it.
async fn message(subscription: &mut Subscription) -> Bytes {
    match next(subscription).await {
        Delivery::Message(payload) => payload,
        Delivery::Lagged(lost) => panic!("lost {lost}"),
    }
}

fn number(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_le_bytes())
}
