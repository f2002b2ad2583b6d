//! The message limit end to end, in paused time.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::*;

fn with_priority(random: u32, priority: &str) -> Value {
    let mut body = message("live", random);
    body["MsgPriority"] = json!(priority);
    body
}

#[tokio::test(start_paused = true)]
async fn lim_1_the_budget_holds_in_any_second_and_drp_1_all_that_is_dropped_is_counted() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    let start = Instant::now();
    let priorities = ["Lowest", "Low", "Normal", "High"];
    let senders = join_all((0..400).map(|number| {
        let world = &world;
        async move {
            // 200 a second for two seconds.
            sleep(Duration::from_millis(5 * u64::from(number))).await;
            let priority = priorities[number as usize % 4];
            let body = with_priority(number, priority);
            (priority, world.client("ann", "send_group_msg", body).await)
        }
    }));
    let heard = async {
        let mut heard = Vec::new();
        while let Ok(item) =
            tokio::time::timeout(Duration::from_secs(5), events.next_message()).await
        {
            heard.push((start.elapsed().as_millis(), item["MsgPriority"].as_u64().unwrap()));
        }
        heard
    };
    let (answers, heard) = tokio::join!(senders, heard);

    for (place, (time, _)) in heard.iter().enumerate() {
        let in_second = heard[place..].iter().take_while(|(other, _)| *other < time + 1000).count();
        assert!(in_second <= 40, "LIM-1: {in_second} messages in the second from {time}");
    }
    assert!(heard.len() >= 80, "{} of a budget of 40 a second went out", heard.len());
    let mut dropped: BTreeMap<&str, u64> = BTreeMap::new();
    for (priority, answer) in &answers {
        if ok(answer)["MsgDropReason"].is_string() {
            *dropped.entry(priority).or_default() += 1;
        }
    }
    let total: u64 = dropped.values().sum();
    assert_eq!(total as usize + heard.len(), 400, "each message goes out or is dropped");
    for priority in priorities {
        let counted = world.around.counts.sum(
            "throng_group_router_room_messages_dropped_total",
            &format!("priority={} ", priority.to_lowercase()),
        );
        assert_eq!(counted, dropped.get(priority).copied().unwrap_or(0), "DRP-1: {priority}");
    }
    assert_eq!(
        world.around.counts.sum("throng_group_router_room_messages_total", "class=small"),
        400 - total
    );
    assert!(dropped["High"] < dropped["Normal"], "{dropped:?}");
    let kept = world.around.history.messages("live").len();
    assert_eq!(kept, heard.len(), "what is dropped is not kept");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_message_that_is_repeated_is_answered_the_same() {
    let around = Around::default();
    around.directory.policy.lock().messages_per_second = 1;
    let world = World::with(Default::default(), around);
    world.create("live").await;
    world.join("ann", "live").await;
    let send =
        |random, priority| world.client("ann", "send_group_msg", with_priority(random, priority));
    let answers = tokio::join!(send(1, "High"), send(2, "Lowest"), send(3, "High"));
    assert!(ok(&answers.1)["MsgDropReason"].is_string(), "{answers:?}");
    assert_eq!(world.send("ann", "live", 2).await, answers.1);
    assert_eq!(
        world.around.counts.sum("throng_group_router_room_messages_dropped_total", ""),
        1,
        "once"
    );
}

/// Regression: messages that waited when the room ended were not answered.
#[tokio::test(start_paused = true)]
async fn what_waits_when_the_process_drains_is_answered_and_counted() {
    let world = World::new();
    world.create("live").await;
    let senders =
        join_all((0..60).map(|random| world.rest("send_group_msg", message("live", random))));
    let (answers, ()) = tokio::join!(senders, async {
        let full = || world.around.counts.sum("throng_group_router_room_messages_total", "") == 40;
        eventually("the budget is spent", full).await;
        world.drain.begin();
    });
    let dropped = answers.iter().filter(|answer| ok(answer)["MsgDropReason"].is_string()).count();
    let closed =
        world.around.counts.sum("throng_group_router_room_messages_dropped_total", "reason=closed");
    assert_eq!((dropped, closed), (20, 20), "DRP-1");
}
