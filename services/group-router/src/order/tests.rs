use proptest::prelude::*;
use tokio::task::yield_now;

use super::*;

const APP: AppId = AppId(1);

fn numbered(number: u32, settled: u32) -> Option<SendOrder> {
    Some(SendOrder { stream: 77, number, settled })
}

/// Regression: after a restart the first of several repeated sends fetched the caches, and the
/// others overtook it.
#[tokio::test]
async fn a_message_that_waits_is_not_overtaken_by_the_next_one() {
    let order = Order::default();
    let seen = Arc::new(Plain::new(Vec::new()));
    let one = |number: usize, pauses: usize| {
        let (order, seen) = (order.clone(), Arc::clone(&seen));
        async move {
            let turnstile = order.enter(APP, "room", "ann", None).await;
            for _ in 0..pauses {
                yield_now().await;
            }
            seen.lock().push(number);
            turnstile.pass();
        }
    };
    tokio::join!(one(0, 50), one(1, 0), one(2, 20), one(3, 0));
    assert_eq!(*seen.lock(), [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_come_is_waited_for_a_moment() {
    let order = Order::default();
    let start = Instant::now();
    order.enter(APP, "room", "ann", numbered(2, 1)).await.pass();
    assert_eq!(start.elapsed(), Duration::ZERO, "1 is settled");
    order.enter(APP, "room", "ann", numbered(4, 1)).await.pass();
    assert!((PATIENCE..PATIENCE * 2).contains(&start.elapsed()), "3 did not come");
    let start = Instant::now();
    order.enter(APP, "room", "ann", numbered(3, 1)).await.pass();
    order.enter(APP, "other", "ann", numbered(1, 0)).await.pass();
    assert_eq!(start.elapsed(), Duration::ZERO, "late, but not later; and another group");
}

#[tokio::test(start_paused = true)]
async fn one_that_came_is_waited_for_until_it_is_in() {
    let order = Order::default();
    let first = order.enter(APP, "room", "ann", numbered(1, 0)).await;
    let mut second = Box::pin(order.enter(APP, "room", "ann", numbered(2, 0)));
    let long = PATIENCE * 10;
    assert!(tokio::time::timeout(long, &mut second).await.is_err());
    first.pass();
    second.await.pass();
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_up_holds_up_nobody() {
    let order = Order::default();
    let first = order.enter(APP, "room", "ann", numbered(1, 0)).await;
    let mut second = Box::pin(order.enter(APP, "room", "ann", numbered(2, 0)));
    assert!(tokio::time::timeout(PATIENCE, &mut second).await.is_err());
    let third = order.enter(APP, "room", "ann", numbered(3, 0));
    let start = Instant::now();
    first.pass();
    drop(second);
    third.await.pass();
    assert!(start.elapsed() <= PATIENCE + Duration::from_millis(1));
}

/// The group was lost with a message: when it comes again, it still goes before the next one.
#[tokio::test(start_paused = true)]
async fn one_that_is_repeated_keeps_its_place() {
    let order = Order::default();
    let first = order.enter(APP, "room", "ann", numbered(1, 0)).await;
    first.pass();
    first.revoke();
    drop(first);
    let mut second = Box::pin(order.enter(APP, "room", "ann", numbered(2, 0)));
    assert!(tokio::time::timeout(PATIENCE / 2, &mut second).await.is_err());
    let first = order.enter(APP, "room", "ann", numbered(1, 0)).await;
    assert!(tokio::time::timeout(PATIENCE * 2, &mut second).await.is_err());
    first.pass();
    second.await.pass();
}

/// The group was lost with a message while the next one was on its way to it.
#[tokio::test(start_paused = true)]
async fn one_that_entered_is_not_next_any_more_when_an_earlier_one_is_lost() {
    let order = Order::default();
    let first = order.enter(APP, "room", "ann", numbered(1, 0)).await;
    first.pass();
    let second = order.enter(APP, "room", "ann", numbered(2, 0)).await;
    assert!(second.is_still_next());
    first.revoke();
    drop(first);
    assert!(!second.is_still_next());
    drop(second);
    // It comes again, and in the end does without the first.
    let second = order.enter(APP, "room", "ann", numbered(2, 0)).await;
    assert!(second.is_still_next());
    let late = order.enter(APP, "room", "ann", numbered(1, 0)).await;
    late.pass();
    assert!(late.is_still_next() && second.is_still_next());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Messages that all come within the patience enter in the order of their numbers, however they
    /// arrive and however long each takes to be taken in.
    #[test]
    fn shuffled_arrivals_enter_in_order(
        arrivals in Just((1..=20u32).collect::<Vec<_>>()).prop_shuffle(),
        takes in prop::collection::vec(0..400u64, 20),
        apart in 0..14u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let seen = runtime.block_on(async {
            let order = Order::default();
            let seen = Arc::new(Plain::new(Vec::new()));
            let all = arrivals.iter().zip(&takes).zip(0..).map(|((number, take), place)| {
                let (order, seen) = (&order, Arc::clone(&seen));
                async move {
                    tokio::time::sleep(Duration::from_millis(apart * place)).await;
                    let turnstile = order.enter(APP, "room", "ann", numbered(*number, 0)).await;
                    seen.lock().push(*number);
                    tokio::time::sleep(Duration::from_millis(*take)).await;
                    turnstile.pass();
                }
            });
            futures_util::future::join_all(all).await;
            seen.lock().clone()
        });
        prop_assert_eq!(seen, (1..=20u32).collect::<Vec<_>>());
    }
}
