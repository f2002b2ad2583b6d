//! Gateways tell a new owner who is in its rooms, and are told what was missed; gateways that die.

use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use serde_json::{Value, json};
use throng_bus::{Bus, subjects};
use throng_proto::v1;
use throng_proto::v1::attach_member_reply::Outcome;
use tokio::time::Instant;

use crate::support::*;

fn members(users: &[&str]) -> Vec<v1::GatewayMember> {
    let member =
        |user: &&str| v1::GatewayMember { user: (*user).to_owned(), inst_id: inst_of(user) };
    users.iter().map(member).collect()
}

fn guests(inst_ids: std::ops::Range<u32>) -> Vec<v1::GatewayMember> {
    inst_ids.map(|inst_id| v1::GatewayMember { user: String::new(), inst_id }).collect()
}

async fn attach(
    world: &World,
    gateway: &str,
    members: Vec<v1::GatewayMember>,
    last_seq: u32,
) -> v1::AttachGatewayReply {
    let request = v1::AttachGatewayRequest {
        app: APP.0,
        group_id: "live".to_owned(),
        gateway: gateway.to_owned(),
        members,
        last_seq,
    };
    world.router.clone().attach_gateway(request).await.unwrap().into_inner()
}

fn randoms(reply: &v1::AttachGatewayReply) -> Vec<Value> {
    let random = |event: &v1::RoomEvent| {
        assert_eq!(event.position, None);
        let item = entry(event)["GroupMsgArray"][0].clone();
        assert_eq!(item["MsgSeq"], event.msg_seq);
        item["MsgRandom"].clone()
    };
    reply.missed.iter().map(random).collect()
}

/// Two owners, of which the second one has just taken over after four messages; and their MsgSeq.
async fn taken_over() -> (Node, Node, Vec<u32>) {
    let around = Around::default();
    let (old, new) = (Node::beside(&around), Node::beside(&around));
    old.serves((1, 0));
    old.create("live").await;
    old.join("ann", "live").await;
    old.join("bob", "live").await;
    let mut seqs = Vec::new();
    for random in 1..=4 {
        let seq = ok(&old.send("ann", "live", random).await)["MsgSeq"].as_u64().unwrap();
        seqs.push(u32::try_from(seq).unwrap());
    }
    old.lapses().await;
    new.serves((2, 1 << 52));
    (old, new, seqs)
}

#[tokio::test]
async fn members_are_taken_in_as_they_were() {
    let (_old, world, seqs) = taken_over().await;
    let mut events = world.events("live").await;
    let reply = attach(&world, "gateway-1", members(&["ann", "bob"]), seqs[1]).await;
    assert_eq!(reply.outcome(), Outcome::Attached);
    assert_eq!(reply.position.unwrap().epoch >> 40, 2);
    assert_eq!(randoms(&reply), [3, 4]);
    let again = attach(&world, "gateway-1", members(&["ann", "bob"]), u32::MAX).await;
    assert_eq!((again.outcome(), again.missed.len()), (Outcome::Attached, 0));
    let mut third = members(&["cem"]);
    third.extend(guests(1..4));
    attach(&world, "gateway-2", third, seqs[3]).await;
    assert_eq!(world.online("live").await, 6);
    events.none().await;
    ok(&world.send("cem", "live", 9).await);
    assert_eq!(events.next_message().await["MsgRandom"], 9, "he is a member");
    // What the new owner has sent comes by the stream, not a second time with this.
    let late = attach(&world, "gateway-3", members(&["dan"]), seqs[3]).await;
    assert_eq!(randoms(&late), Vec::<Value>::new());
    let unknown = attach(&world, "gateway-4", members(&["eve"]), 0).await;
    assert_eq!(randoms(&unknown), [1, 2, 3, 4], "of the last seconds");
}

#[tokio::test]
async fn who_is_banned_stays_out_and_a_room_that_is_gone_is_left() {
    let (_old, world, _) = taken_over().await;
    let ban = json!({ "GroupId": "live", "Members_Account": ["bob"], "Duration": 60 });
    ok(&world.rest("ban_group_member", ban).await);
    let reply = attach(&world, "gateway-1", members(&["ann", "bob"]), 0).await;
    assert_eq!(reply.banned, ["bob"]);
    let notice: Value = serde_json::from_slice(&reply.banned_notice_items).unwrap();
    assert_eq!(notice["GroupTips"][0]["MsgBody"]["ReportType"], 21);
    assert_eq!(world.online("live").await, 1);
    ok(&world.rest("destroy_group", in_group("live")).await);
    let reply = attach(&world, "gateway-1", members(&["ann"]), 0).await;
    assert_eq!(reply.outcome(), Outcome::Gone);
    let notice: Value = serde_json::from_slice(&reply.notice_items).unwrap();
    assert_eq!(notice["GroupTips"][0]["MsgBody"]["ReportType"], 5);
}

#[tokio::test]
async fn a_part_is_of_bounded_size() {
    let (_old, world, _) = taken_over().await;
    assert_eq!(attach(&world, "g", guests(0..5_000), 0).await.outcome(), Outcome::Attached);
    let request = v1::AttachGatewayRequest {
        app: APP.0,
        group_id: "live".to_owned(),
        members: guests(0..5_001),
        ..v1::AttachGatewayRequest::default()
    };
    let status = world.router.clone().attach_gateway(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
}

/// Until all gateways have said who is in, a tip would tell a number that is far too low.
#[tokio::test(start_paused = true)]
async fn tips_wait_until_the_members_are_known() {
    let (_old, world, _) = taken_over().await;
    let start = Instant::now();
    let mut events = world.events("live").await;
    world.join("cem", "live").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    attach(&world, "gateway-1", members(&["ann", "bob"]), u32::MAX).await;
    let tip = events.next_tip().await;
    assert_eq!(tip["MsgBody"]["OpType"], 1);
    assert!(start.elapsed() > Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(tip["MsgBody"]["MemberNum"], 3, "{tip}");
    world.join("dan", "live").await;
    assert_eq!(events.next_tip().await["MsgBody"]["MemberNum"], 4);
    assert!(start.elapsed() < Duration::from_secs(4), "the next one goes out at once");
}

#[tokio::test]
async fn guests_go_with_their_gateway() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let join = join_body("live");
    for inst_id in [1, 2] {
        // By a gateway without a name.
        ok(&world.guest(inst_id, "apply_join_group", join.clone()).await);
    }
    let mut both = guests(2..5);
    both.extend(members(&["bob"]));
    attach(&world, "gateway-2", both, 0).await;
    assert_eq!(world.online("live").await, 6, "2 came again by another gateway");
    let gone = |gateway: &str| {
        let gone = v1::GatewayGone { gateway: gateway.to_owned() };
        world.around.bus.publish(subjects::gateways_gone(), Bytes::from(gone.encode_to_vec()))
    };
    let until = async |online: u64| {
        let wait = async {
            while world.online("live").await != online {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, wait).await.unwrap();
    };
    gone("gateway-9").unwrap();
    gone("gateway-2").unwrap();
    until(3).await;
    gone("").unwrap();
    until(2).await;
}
