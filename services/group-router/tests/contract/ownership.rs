//! What a node does for groups that are not its own, or that it loses in the middle.

use std::time::Duration;

use serde_json::{Value, json};
use throng_proto::v1;

use crate::support::*;

fn named(name: &str) -> Value {
    json!({ "GroupId": "live", "Name": name })
}

async fn name_of(node: &Node) -> Value {
    let info = node.rest("get_group_info", json!({ "GroupIdList": ["live"] })).await;
    ok(&info)["GroupInfo"][0]["Name"].clone()
}

/// A node that owns all groups in epoch 1, with a live room.
async fn owner() -> Node {
    let node = Node::beside(&Around::default());
    node.serves((1, 0));
    node.create("live").await;
    node
}

#[tokio::test(start_paused = true)]
async fn own_1_a_node_begins_nothing_for_groups_that_are_not_its_own() {
    let node = owner().await;
    node.lapses().await;
    let reads = node.around.store.reads.load(std::sync::atomic::Ordering::SeqCst);
    not_begun(node.try_rest("modify_group_base_info", named("Other")).await);
    not_begun(node.try_send("owner", "live", 1).await);
    not_begun(node.fetch("live", v1::RoomPosition::default()).await);
    let (app, group_id, gateway) = (APP.0, "live".to_owned(), "gateway-1".to_owned());
    let mut router = node.router.clone();
    let request = v1::AttachMemberRequest { app, group_id, gateway, ..Default::default() };
    not_begun(router.attach_member(request.clone()).await);
    let v1::AttachMemberRequest { group_id, gateway, .. } = request;
    let request = v1::AttachGatewayRequest { app, group_id, gateway, ..Default::default() };
    not_begun(router.attach_gateway(request.clone()).await);
    let v1::AttachGatewayRequest { group_id, gateway, .. } = request;
    let request = v1::DetachMemberRequest { app, group_id, gateway, ..Default::default() };
    not_begun(router.detach_member(request).await);
    assert_eq!(node.around.store.reads.load(std::sync::atomic::Ordering::SeqCst), reads);
    // What is of no group is answered by anybody.
    ok(&node.rest("get_appid_group_list", json!({})).await);
    node.renew();
    assert_eq!(name_of(&node).await, "Live");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_while_a_row_is_written_leaves_its_caller_in_doubt() {
    let node = owner().await;
    node.join("ann", "live").await;
    let mut events = node.events("live").await;
    node.around.store.stall();
    let body = |name| json!({ "GroupId": "live", "Name": name, "Notification": name });
    let rest = |name| node.try_rest("modify_group_base_info", body(name));
    let (first, second, ()) = tokio::join!(
        rest("first"),
        async {
            eventually("the first is on its way", || node.around.store.waiting() == 1).await;
            rest("second").await
        },
        async {
            eventually("the first is on its way", || node.around.store.waiting() == 1).await;
            // The second one is decided upon, and waits behind the first.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            node.lapses().await;
            node.around.store.go_on();
        }
    );
    unknown(first);
    not_begun(second);
    events.none().await;
    // The same owner, the same epoch: nobody else was told of the room's members.
    node.renew();
    assert_eq!(name_of(&node).await, "first");
    assert_eq!(node.online("live").await, 1, "who is in, is in");
    ok(&node.try_rest("modify_group_base_info", body("third")).await.unwrap());
    assert_eq!(events.next_tip().await["MsgBody"]["MsgGroupNewInfo"]["GroupName"], "third");
}

/// While another leader of the placement is elected, say.
#[tokio::test(start_paused = true)]
async fn a_short_pause_in_the_lease_is_waited_out() {
    let node = owner().await;
    node.join("ann", "live").await;
    let mut events = node.events("live").await;
    ok(&node.send("ann", "live", 1).await);
    events.next_message().await;
    let before = node.fetch("live", v1::RoomPosition::default()).await.unwrap().head.unwrap();
    node.around.store.stall();
    let (answer, ()) =
        tokio::join!(node.try_rest("modify_group_base_info", named("Other")), async {
            eventually("it is on its way", || node.around.store.waiting() == 1).await;
            node.lapses().await;
            node.around.store.go_on();
            // Beacons are due meanwhile.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            events.none().await;
            not_begun(node.try_rest("get_online_member_num", in_group("live")).await);
            node.renew();
        });
    ok(&answer.unwrap());
    assert_eq!(events.next_tip().await["MsgBody"]["MsgGroupNewInfo"]["GroupName"], "Other");
    let after = node.fetch("live", before).await.unwrap().head.unwrap();
    assert_eq!((after.epoch, after.event_no), (before.epoch, before.event_no + 1));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_kept_too_late_is_not_acknowledged() {
    let node = owner().await;
    node.join("ann", "live").await;
    ok(&node.send("ann", "live", 1).await);
    node.around.history.stalls();
    let (sent, ()) = tokio::join!(node.try_send("ann", "live", 2), async {
        eventually("it is on its way", || node.around.history.appends.lock().len() == 2).await;
        node.lapses().await;
        node.around.history.works();
    });
    unknown(sent);
    assert_eq!(node.around.history.messages("live").len(), 2);
    node.renew();
    let again = node.send("ann", "live", 2).await;
    let kept = node.around.history.messages("live")[1].msg_seq;
    assert_eq!(ok(&again)["MsgSeq"], kept, "DUP-1: it is known when the group is read again");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_when_a_node_is_given_up_is_sent_on() {
    let node = owner().await;
    let world = &node;
    let body = in_group("live");
    node.around.history.stalls();
    // The group is read for the first of them.
    let fresh = Node::beside(&world.around);
    fresh.serves((2, 1 << 52));
    let (first, second, ()) = tokio::join!(
        fresh.try_rest("get_online_member_num", body.clone()),
        fresh.try_rest("get_online_member_num", body.clone()),
        async {
            eventually("it is being read", || {
                fresh.around.store.reads.load(std::sync::atomic::Ordering::SeqCst) > 0
            })
            .await;
            fresh.is_given_up();
            fresh.around.history.works();
        }
    );
    not_begun(first);
    not_begun(second);
}

/// The floor that a new owner has when the old one was given up: above all that it may have used.
const EXPIRED: Term = (2, i64::MAX / 2);

#[tokio::test(start_paused = true)]
async fn own_1_an_owner_that_stood_still_between_stamp_and_write_never_wins() {
    let old = owner().await;
    let body = json!({ "GroupId": "live", "CommandType": 1, "Admin_Account": ["bob"] });
    ok(&old.rest("modify_admin", body).await);
    old.around.store.stall();
    let new = Node::beside(&old.around);
    let (late, ()) =
        tokio::join!(old.try_rest("modify_group_base_info", named("of the old owner")), async {
            eventually("its write is stamped", || old.around.store.waiting() == 1).await;
            old.lapses().await;
            new.serves(EXPIRED);
            assert_eq!(name_of(&new).await, "Live");
            ok(&new.rest("modify_group_base_info", named("of the new owner")).await);
            old.around.store.go_on();
        });
    unknown(late);
    old.is_given_up();
    let next = Node::beside(&old.around);
    next.serves(new.hands_over(2).await);
    assert_eq!(name_of(&next).await, "of the new owner");
    let admins = next.rest("get_admin_list", in_group("live")).await;
    assert!(ok(&admins).to_string().contains("bob"), "{admins}");
}

#[tokio::test(start_paused = true)]
async fn own_1_a_dismissal_that_comes_too_late_does_not_take_the_next_group_with_it() {
    let old = owner().await;
    old.around.store.stall();
    let new = Node::beside(&old.around);
    let (late, ()) = tokio::join!(old.try_rest("destroy_group", in_group("live")), async {
        eventually("its write is stamped", || old.around.store.waiting() == 1).await;
        old.lapses().await;
        new.serves(EXPIRED);
        ok(&new.rest("destroy_group", in_group("live")).await);
        new.create("live").await;
        ok(&new.rest("modify_group_base_info", named("made again")).await);
        old.around.store.go_on();
    });
    unknown(late);
    let next = Node::beside(&old.around);
    next.serves(new.hands_over(2).await);
    assert_eq!(name_of(&next).await, "made again");
    let listed = next.rest("get_appid_group_list", json!({})).await;
    assert_eq!(ok(&listed)["TotalCount"], 1);
}

/// Rows that a former owner of the ID has on the way must not become part of a new group.
#[tokio::test(start_paused = true)]
async fn own_1_a_group_that_is_made_has_nothing_of_one_that_comes_too_late() {
    let old = owner().await;
    ok(&old.rest("destroy_group", in_group("live")).await);
    old.create("live").await;
    old.around.store.stall();
    let new = Node::beside(&old.around);
    let ban = json!({ "GroupId": "live", "Members_Account": ["bob"], "Duration": 6000 });
    let (late, ()) = tokio::join!(old.try_rest("ban_group_member", ban), async {
        eventually("its write is stamped", || old.around.store.waiting() == 1).await;
        old.lapses().await;
        new.serves(EXPIRED);
        ok(&new.rest("destroy_group", in_group("live")).await);
        new.create("live").await;
        old.around.store.go_on();
    });
    unknown(late);
    let next = Node::beside(&old.around);
    next.serves(new.hands_over(2).await);
    let banned = next.rest("get_group_ban_member", json!({ "GroupId": "live" })).await;
    assert!(!ok(&banned).to_string().contains("bob"), "{banned}");
}
