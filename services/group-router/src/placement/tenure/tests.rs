use std::time::Duration;

use futures_util::FutureExt;
use throng_protocol::ids::AppId;

use super::*;

const APP: AppId = AppId(1);
const HOUR: i64 = 3_600_000_000;

/// One shard, in epoch 1, with a lease of a second.
fn owner() -> (Ownership, Tenure) {
    let ownership = Ownership::new();
    ownership.found(1);
    ownership.grant(0, 1, 0);
    ownership.set_lease(ownership.now() + 1_000, wall_micros() + HOUR);
    let tenure = ownership.tenure_of(APP, "group").unwrap();
    (ownership, tenure)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_owned_without_shards_a_grant_and_a_lease() {
    let ownership = Ownership::new();
    ownership.grant(0, 1, 0);
    assert!(ownership.tenure_of(APP, "group").is_none());
    ownership.found(1);
    assert!(ownership.tenure_of(APP, "group").is_none());
    ownership.grant(0, 1, 0);
    assert!(ownership.tenure_of(APP, "group").is_none());
    ownership.set_lease(ownership.now() + 1, HOUR);
    assert_eq!(ownership.tenure_of(APP, "group").unwrap().epoch(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_by_the_clock_and_may_come_back() {
    let (ownership, tenure) = owner();
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!(tenure.is_current() && tenure.stamp().is_some());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(!tenure.is_current() && tenure.stamp().is_none());
    assert!(ownership.tenure_of(APP, "group").is_none());
    assert!(!tenure.is_over());
    assert!(tenure.regained().now_or_never().is_none());
    let waiting = tenure.clone();
    let again = tokio::spawn(async move { waiting.stamp_soon().await });
    tokio::task::yield_now().await;
    ownership.set_lease(ownership.now() + 1_000, wall_micros() + HOUR);
    assert!(again.await.unwrap().is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    let start = Instant::now();
    assert!(!tenure.is_current_soon().await);
    assert!(start.elapsed() >= PAUSE, "it may have come back");
    ownership.stop(0, 1);
    assert_eq!(tenure.regained().now_or_never(), Some(false));
}

#[tokio::test]
async fn write_times_rise_from_the_floor_and_stay_below_the_limit() {
    let (ownership, tenure) = owner();
    let floor = wall_micros() + HOUR;
    ownership.grant(0, 2, floor);
    assert!(tenure.is_over(), "another epoch of the same shard");
    assert!(ownership.tenure_of(APP, "group").is_none(), "the limit is not above the floor");
    ownership.set_lease(u64::MAX, floor + 3);
    let tenure = ownership.tenure_of(APP, "group").unwrap();
    let times: Vec<_> = std::iter::from_fn(|| tenure.stamp()).collect();
    assert_eq!(times, [floor, floor + 1, floor + 2].map(WriteTime));
    assert!(tenure.is_current(), "it may still answer what it knows");
}

#[test]
fn write_times_of_many_threads_are_all_different() {
    let ownership = Ownership::new();
    ownership.found(1);
    ownership.grant(0, 1, 5);
    ownership.set_lease(u64::MAX, i64::MAX);
    let tenure = ownership.tenure_of(APP, "group").unwrap();
    let mut times: Vec<WriteTime> = std::thread::scope(|scope| {
        let stamps = || (0..1_000).map(|_| tenure.stamp().unwrap()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(stamps)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn winding_down_waits_for_all_holds_and_ends_all_writing() {
    let (ownership, tenure) = owner();
    let holds = [tenure.hold(), tenure.hold()];
    let mut done = Box::pin(ownership.wind_down(0, 1));
    tenure.ending().await;
    assert!(tenure.regained().await, "it is current until the end");
    assert!(ownership.tenure_of(APP, "group").is_none(), "nothing new begins");
    assert!(tenure.is_current(), "what was begun is carried out");
    let last = tenure.stamp().unwrap();
    for hold in holds {
        assert_eq!((&mut done).now_or_never(), None);
        drop(hold);
    }
    assert_eq!(done.await, last.0);
    assert_eq!((tenure.is_current(), tenure.stamp()), (false, None));
}

#[tokio::test]
async fn nothing_was_written_and_nothing_is_waited_for() {
    let (ownership, _) = owner();
    assert_eq!(ownership.wind_down(0, 7).now_or_never(), Some(0), "another epoch");
    assert!(ownership.tenure_of(APP, "group").is_some());
    assert_eq!(ownership.wind_down(0, 1).now_or_never(), Some(0));
}

/// What an incarnation that is over had does not come back with the lease of the next one.
#[tokio::test]
async fn a_tenure_that_was_stopped_stays_over() {
    let (ownership, tenure) = owner();
    let _hold = tenure.hold();
    ownership.stop(0, 7);
    assert!(tenure.is_current());
    ownership.stop(0, 1);
    tenure.ending().await;
    ownership.set_lease(u64::MAX, i64::MAX);
    ownership.grant(0, 2, 0);
    assert!(tenure.is_over() && !tenure.is_current() && tenure.stamp().is_none());
    assert_eq!(ownership.tenure_of(APP, "group").unwrap().epoch(), 2);
    ownership.stop(0, 1);
    assert!(ownership.tenure_of(APP, "group").is_some(), "a late end of an earlier epoch");
}

#[tokio::test]
async fn the_end_of_a_node_ends_all_that_it_owned() {
    let (ownership, tenure) = owner();
    let hold = tenure.hold();
    let wound_down = ownership.wind_down(0, 1);
    ownership.set_lease(0, 0);
    tenure.ending().await;
    assert!(tenure.is_over() && ownership.tenure_of(APP, "group").is_none());
    drop(hold);
    assert_eq!(wound_down.await, 0);
}
