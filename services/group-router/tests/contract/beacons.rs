//! The bus may lose the last event before a silence: the room says where its stream stands.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn rec_1_after_the_last_event_two_beacons_say_where_the_stream_stands() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    world.join("ann", "live").await;
    ok(&world.send("ann", "live", 1).await);
    let start = Instant::now();
    while events.next().await.priority == 0 {}
    for after in [1_000, 5_000] {
        let head = world.fetch("live", Default::default()).await.unwrap().head.unwrap();
        assert_eq!(events.next_beacon().await, head);
        let late = start.elapsed().as_millis() - after;
        assert!(late < 50, "{late} ms late");
    }
    sleep(Duration::from_secs(600)).await;
    events.none().await;
    ok(&world.send("ann", "live", 2).await);
    assert_eq!(events.next_message().await["MsgRandom"], 2);
    events.next_beacon().await;
}

#[tokio::test(start_paused = true)]
async fn a_room_without_members_is_silent() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    world.join("ann", "live").await;
    world.detach("ann", inst_of("ann"), "live").await;
    events.next_tip().await;
    sleep(Duration::from_secs(30)).await;
    events.next_tip().await;
    events.none().await;
}
