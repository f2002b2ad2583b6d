//! Rooms over restarts, idle times, dismissals and their return under the same ID.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use throng_group_router::Config;
use throng_proto::v1;
use throng_proto::v1::attach_member_reply::Outcome;

use crate::support::*;

fn items(reply: &v1::AttachMemberReply) -> Vec<Value> {
    let text = format!("[{}]", std::str::from_utf8(&reply.missed_items).unwrap());
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let lists = entries.into_iter().flat_map(|entry| {
        let messages = entry["GroupMsgArray"].as_array().cloned().unwrap_or_default();
        messages.into_iter().chain(entry["GroupTips"].as_array().cloned().unwrap_or_default())
    });
    lists.collect()
}

#[tokio::test]
async fn a_session_that_comes_back_gets_what_it_missed() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    world.join("bob", "live").await;
    let first = ok(&world.send("ann", "live", 1).await)["MsgSeq"].as_u64().unwrap() as u32;
    for random in 2..=4 {
        ok(&world.send("ann", "live", random).await);
    }
    let reply = world.attach("bob", "live", first).await;
    assert_eq!(reply.outcome(), Outcome::Attached);
    let randoms: Vec<_> = items(&reply).iter().map(|item| item["MsgRandom"].clone()).collect();
    assert_eq!(randoms, [2, 3, 4]);
    assert_eq!(world.online("live").await, 2, "he was in all the time");
}

#[tokio::test]
async fn a_session_that_comes_back_after_a_crash_gets_what_is_kept() {
    for crash in [false, true] {
        let world = World::new();
        world.create("live").await;
        world.join("ann", "live").await;
        let mut last = 0;
        for random in 1..=4 {
            last = ok(&world.send("ann", "live", random).await)["MsgSeq"].as_u64().unwrap() as u32;
        }
        let world = if crash { world.crash() } else { world.restart().await };
        let reply = world.attach("bob", "live", last - 2).await;
        assert_eq!(reply.outcome(), Outcome::Attached);
        let randoms: Vec<_> = items(&reply).iter().map(|item| item["MsgRandom"].clone()).collect();
        assert_eq!(randoms, [3, 4], "crash: {crash}");
        assert_eq!(world.online("live").await, 1);
        let mut events = world.events("live").await;
        world.join("cem", "live").await;
        let tip = events.next_tip().await;
        assert!(tip["MsgSeq"].as_u64().unwrap() > u64::from(last), "ORD-1 over a restart");
    }
}

#[tokio::test]
async fn dup_1_a_message_repeated_over_a_restart_is_still_the_same() {
    let world = World::new();
    // More than one page of history, and pages that are cut short by their bytes.
    *world.around.history.page.lock() = 90;
    world.around.directory.policy.lock().messages_per_second = 1000;
    world.create("live").await;
    world.join("ann", "live").await;
    let answers = join_all((0..400).map(|random| world.send("ann", "live", random))).await;
    let world = world.crash();
    world.attach("ann", "live", 0).await;
    for random in [0, 1, 200, 399] {
        let again = world.send("ann", "live", random).await;
        assert_eq!(again, answers[random as usize], "regression: only 200 messages were read back");
    }
    assert_eq!(world.around.history.messages("live").len(), 400);
}

#[tokio::test]
async fn attaching_tells_who_is_gone_or_banned_how_to_leave() {
    let world = World::new();
    let reply = world.attach("ann", "live", 0).await;
    assert_eq!(reply.outcome(), Outcome::Gone);
    let notice: Value = serde_json::from_slice(&reply.notice_items).unwrap();
    assert_eq!(notice["GroupTips"][0]["MsgBody"]["ReportType"], 5);
    let reply = world.attach("ann", &"x".repeat(500), 0).await;
    assert_eq!(reply.outcome(), Outcome::Gone, "what cannot be a group is none");
    world.create("live").await;
    let ban = json!({ "GroupId": "live", "Members_Account": ["ann"], "Duration": 60 });
    ok(&world.rest("ban_group_member", ban).await);
    let reply = world.attach("ann", "live", 0).await;
    assert_eq!(reply.outcome(), Outcome::Banned);
    let notice: Value = serde_json::from_slice(&reply.notice_items).unwrap();
    assert_eq!(notice["GroupTips"][0]["MsgBody"]["ReportType"], 21);
}

/// Regression: the rows of a group that was made right after the end of another went with it.
#[tokio::test]
async fn a_group_made_again_at_the_moment_of_its_end_is_there_after_a_restart() {
    let mut world = World::new();
    for round in 0..40 {
        let body = json!({ "Type": "AVChatRoom", "Name": "Live", "GroupId": "live" });
        let create = || world.rest("create_group", body.clone());
        ok(&create().await);
        // In one batch of the actor as often as not.
        let (ended, made) = tokio::join!(world.rest("destroy_group", in_group("live")), create());
        ok(&ended);
        assert_eq!(made["ErrorCode"], 0, "round {round}");
        let listed = world.rest("get_appid_group_list", json!({})).await;
        assert_eq!(listed["TotalCount"], 1, "round {round}");
        world = world.crash();
        assert_eq!(world.online("live").await, 0, "round {round}");
        ok(&world.rest("destroy_group", in_group("live")).await);
    }
}

#[tokio::test]
async fn a_group_made_again_has_nothing_of_the_old_one() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    world.join("ann", "live").await;
    ok(&world.send("ann", "live", 1).await);
    let ban = json!({ "GroupId": "live", "Members_Account": ["bob"], "Duration": 60 });
    ok(&world.rest("ban_group_member", ban).await);
    ok(&world.rest("destroy_group", in_group("live")).await);
    loop {
        let event = events.next().await;
        if event
            .membership
            .is_some_and(|what| matches!(what, v1::room_event::Membership::Closed(_)))
        {
            break;
        }
    }
    events.forget_seq();
    // The old messages lie in history still; their time is over.
    world.around.history.edit("live", 2, |message| message.msg_time -= 10);
    world.create("live").await;
    assert_eq!(world.online("live").await, 0);
    let joined = world.join("bob", "live").await;
    assert_eq!(joined["RspMsgList"], json!([]));
    // The new stream has an epoch of its own, or a gateway would drop its first events as old.
    let tip = events.next_tip().await;
    assert_eq!(tip["MsgBody"]["OpType"], 1);
    let recall = json!({ "GroupId": "live", "MsgSeqList": [{ "MsgSeq": 2 }] });
    refused(&world.rest("group_msg_recall", recall).await, 10030);
}

/// Regression: each life of a room in one process numbered its events from 1 in the same epoch.
#[tokio::test(start_paused = true)]
async fn rec_1_a_room_that_was_idle_goes_on_in_an_epoch_of_its_own() {
    let world = World::with(Config { idle_seconds: 5, ..Config::default() }, Around::default());
    world.create("live").await;
    let mut events = world.events("live").await;
    for round in 1..4 {
        world.join("ann", "live").await;
        ok(&world.send("ann", "live", round).await);
        assert_eq!(events.next_message().await["MsgRandom"], round);
        world.detach("ann", inst_of("ann"), "live").await;
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_with_members_is_never_idle() {
    let world = World::with(Config { idle_seconds: 1, ..Config::default() }, Around::default());
    world.create("live").await;
    world.join("ann", "live").await;
    let before = world.fetch("live", v1::RoomPosition::default()).await.unwrap().head.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let after = world.fetch("live", before).await.unwrap();
    assert_eq!(after.head.unwrap().epoch, before.epoch);
}

#[tokio::test]
async fn strangers_ids_leave_nothing_behind() {
    let world = World::new();
    let reads = || world.around.store.reads.load(std::sync::atomic::Ordering::SeqCst);
    let before = reads();
    for id in ["", &"x".repeat(200), &"é".repeat(100)] {
        refused(&world.rest("get_online_member_num", in_group(id)).await, 10015);
    }
    assert_eq!(reads(), before, "what cannot be a group costs no read");
    for number in 0..200 {
        let id = format!("unknown-{number}");
        refused(&world.rest("get_online_member_num", in_group(&id)).await, 10010);
        world.detach("ann", 1, &id).await;
    }
    // Nothing is hot: the end has nobody to wait for.
    world.drain.begin();
    tokio::time::timeout(Duration::from_secs(5), world.drain.finished()).await.unwrap();
}

#[tokio::test]
async fn the_end_of_a_membership_does_not_wake_a_cold_room() {
    let world = World::new();
    world.create("live").await;
    let world = world.restart().await;
    let reads = world.around.store.reads.load(std::sync::atomic::Ordering::SeqCst);
    world.detach("ann", inst_of("ann"), "live").await;
    assert_eq!(world.around.store.reads.load(std::sync::atomic::Ordering::SeqCst), reads);
}

#[tokio::test]
async fn an_orderly_end_leaves_no_gap_and_a_crash_no_repetition() {
    let world = World::new();
    world.create("live").await;
    let seq = |answer: &Value| ok(answer)["MsgSeq"].as_u64().unwrap();
    let first = seq(&world.rest("send_group_msg", message("live", 1)).await);
    let world = world.restart().await;
    let second = seq(&world.rest("send_group_msg", message("live", 2)).await);
    assert_eq!(second, first + 1);
    let world = world.crash();
    let third = seq(&world.rest("send_group_msg", message("live", 3)).await);
    assert!(third > second, "ORD-1");
}
