//! Who is in a room, by joins, quits, attachments and detachments.

use serde_json::json;
use throng_proto::v1::deliver_request::Guarantee;

use crate::support::*;

#[tokio::test]
async fn users_and_guests_count_and_tips_tell_of_users() {
    let world = World::new();
    world.create("live").await;
    let mut events = world.events("live").await;
    world.join("ann", "live").await;
    let tip = events.next_tip().await;
    assert_eq!((&tip["MsgBody"]["OpType"], &tip["MsgBody"]["MemberNum"]), (&json!(1), &json!(1)));
    world.join("ann", "live").await;
    ok(&world.guest(7, "apply_join_group", join_body("live")).await);
    ok(&world.guest(7, "apply_join_group", join_body("live")).await);
    assert_eq!(world.online("live").await, 2, "repeated joins change nothing");
    events.none().await;
    world.detach("", 7, "live").await;
    world.detach("ann", 9999, "live").await;
    assert_eq!(world.online("live").await, 1, "another session of ann's was never in");
    ok(&world.client("ann", "quit_group", in_group("live")).await);
    assert_eq!(events.next_tip().await["MsgBody"]["OpType"], 2);
    ok(&world.client("ann", "quit_group", in_group("live")).await);
    assert_eq!(world.online("live").await, 0);
    events.none().await;
}

#[tokio::test]
async fn the_owner_may_not_quit_and_sessions_without_a_number_may_not_join() {
    let world = World::new();
    world.create("live").await;
    world.join("owner", "live").await;
    refused(&world.client("owner", "quit_group", in_group("live")).await, 10009);
    refused(&world.guest(0, "apply_join_group", join_body("live")).await, 10007);
}

#[tokio::test]
async fn a_ban_puts_out_and_tells() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mut events = world.events("live").await;
    let ban = json!({ "GroupId": "live", "Members_Account": ["ann"], "Duration": 60, "Description": "why" });
    ok(&world.rest("ban_group_member", ban).await);
    let event = events.next().await;
    assert_eq!(entry_op(&event), 10);
    assert!(event.membership.is_some(), "gateways take her out");
    assert_eq!(world.online("live").await, 0);
    let delivered = || !world.around.presence.delivered.lock().is_empty();
    eventually("the banned one is told", delivered).await;
    let notice = world.around.presence.delivered.lock()[0].clone();
    assert_eq!((notice.guarantee(), notice.users), (Guarantee::Client, vec!["ann".to_owned()]));
    for command in ["group_msg_get", "get_huge_group_msg"] {
        let body = json!({ "GroupId": "live", "ReqMsgNumber": 5 });
        refused(&world.client("ann", command, body).await, 10007);
    }
}

fn entry_op(event: &throng_proto::v1::RoomEvent) -> u64 {
    let frame: serde_json::Value = serde_json::from_slice(&event.frame).unwrap();
    frame["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"]["OpType"].as_u64().unwrap()
}
