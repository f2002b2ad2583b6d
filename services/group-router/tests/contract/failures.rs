//! What happens when the store or history fails in the middle.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn what_could_not_be_saved_did_not_happen_and_is_answered_with_10002() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    let body = json!({ "GroupId": "live", "Name": "Other", "Notification": "n" });
    world.around.store.fail_writes(1);
    refused(&world.rest("modify_group_base_info", body.clone()).await, 10002);
    let info = world.rest("get_group_info", json!({ "GroupIdList": ["live"] })).await;
    assert_eq!(info["GroupInfo"][0]["Name"], "Live", "the next command sees what is stored");
    events.none().await;
    ok(&world.rest("modify_group_base_info", body).await);
    assert_eq!(events.next_tip().await["MsgBody"]["MsgGroupNewInfo"]["GroupName"], "Other");
}

/// Regression: after a failed write the room forgot who was in, ended as idle, and numbered its
/// events anew in the same epoch, so that gateways dropped them as old.
#[tokio::test]
async fn rec_1_members_and_the_stream_outlive_a_failed_write() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    world.join("ann", "live").await;
    world.join("bob", "live").await;
    ok(&world.send("ann", "live", 1).await);
    let before = events.next().await.position.unwrap();
    let body = json!({ "GroupId": "live", "CommandType": 1, "Admin_Account": ["bob"] });
    world.around.store.fail_writes(1);
    refused(&world.rest("modify_admin", body).await, 10002);
    assert_eq!(world.online("live").await, 2, "who is in, is in");
    ok(&world.send("ann", "live", 2).await);
    // `Events` sees to it that numbers are dense in each epoch and MsgSeq rises over both.
    while events.next_message().await["MsgRandom"] != 2 {}
    let head = world.fetch("live", before).await.unwrap().head.unwrap();
    assert!(head.epoch > before.epoch, "positions of both lives are told apart");
    let repeated = world.send("ann", "live", 1).await;
    ok(&repeated);
    assert_eq!(world.around.history.messages("live").len(), 2, "DUP-1 over the failure");
}

#[tokio::test]
async fn a_write_that_fails_half_way_through_a_batch_refuses_all_behind_it() {
    let world = World::new();
    world.create("live").await;
    let set = |key: &'static str| {
        let body = json!({ "GroupId": "live", "GroupCounter": [{ "Key": key, "Value": 1 }] });
        world.rest("update_group_counter", body)
    };
    ok(&set("a").await);
    world.around.store.fail_writes(1);
    let answers = tokio::join!(set("b"), set("c"), set("d"));
    let all = world.rest("get_group_counter", in_group("live")).await;
    let stored: Vec<_> =
        all["GroupCounter"].as_array().unwrap().iter().map(|pair| pair["Key"].clone()).collect();
    for (key, answer) in [("b", &answers.0), ("c", &answers.1), ("d", &answers.2)] {
        let there = stored.contains(&json!(key));
        assert_eq!(there, answer["ErrorCode"] == 0, "{key}: {answer} but {stored:?}");
    }
    refused(&answers.0, 10002);
}

#[tokio::test]
async fn a_group_that_cannot_be_read_answers_and_can_be_read_later() {
    let world = World::new();
    world.create("live").await;
    let world = world.restart().await;
    world.around.store.fail_reads(1);
    refused(&world.rest("get_online_member_num", in_group("live")).await, 10002);
    assert_eq!(world.online("live").await, 0);
    let world = world.restart().await;
    world.around.history.fails();
    refused(&world.rest("get_online_member_num", in_group("live")).await, 10002);
    world.around.history.works();
    assert_eq!(world.online("live").await, 0);
}

/// Regression: a history that did not answer kept the room's actor, and all its callers, for ever.
#[tokio::test(start_paused = true)]
async fn a_group_that_cannot_be_read_in_time_answers() {
    let world = World::new();
    world.create("live").await;
    let world = world.restart().await;
    world.around.history.stalls();
    refused(&world.rest("get_online_member_num", in_group("live")).await, 10002);
}

#[tokio::test]
async fn a_dismissal_that_fails_leaves_the_group() {
    let world = World::new();
    world.create("live").await;
    world.around.store.fail_writes(1);
    refused(&world.rest("destroy_group", in_group("live")).await, 10002);
    assert_eq!(world.online("live").await, 0);
    ok(&world.rest("destroy_group", in_group("live")).await);
    refused(&world.rest("get_online_member_num", in_group("live")).await, 10010);
}

/// Regression: a room that failed spent its message budget a second time in the same second.
#[tokio::test(start_paused = true)]
async fn lim_1_a_failed_write_does_not_renew_the_budget() {
    let world = World::new();
    world.create("live").await;
    for random in 0..40 {
        assert!(
            ok(&world.rest("send_group_msg", message("live", random)).await)["MsgDropReason"]
                .is_null()
        );
    }
    world.around.store.fail_writes(1);
    let body = json!({ "GroupId": "live", "Name": "Other" });
    refused(&world.rest("modify_group_base_info", body).await, 10002);
    let start = tokio::time::Instant::now();
    ok(&world.rest("send_group_msg", message("live", 99)).await);
    assert!(start.elapsed().as_millis() >= 990, "it waited for the budget to be free again");
}
