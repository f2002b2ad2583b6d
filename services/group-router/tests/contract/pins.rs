//! Pinned messages.

use serde_json::{Value, json};

use crate::support::*;

const GROUP: &str = "public";

fn pin(msg_seq: u32) -> Value {
    json!({ "GroupId": GROUP, "MsgSeq": msg_seq })
}

/// Numbers of the pinned messages and who pinned them.
async fn list(world: &World) -> Vec<(u64, String)> {
    let answer = world.client("ann", "get_pinned_messages", in_group(GROUP)).await;
    let entry = |entry: &Value| {
        let pinner = entry["Pinner_Account"].as_str().unwrap().to_owned();
        (entry["MsgSeq"].as_u64().unwrap(), pinner)
    };
    ok(&answer)["PinnedMsgList"].as_array().unwrap().iter().map(entry).collect()
}

/// Bodies of the tips about pins, in order.
fn tips(world: &World) -> Vec<Value> {
    let tip = |(users, entry): (Vec<String>, Value)| {
        let body = &entry["GroupTips"][0]["MsgBody"];
        let about_pins = [json!(16), json!(17)].contains(&body["OpType"]);
        about_pins.then(|| {
            assert_eq!((users.len(), &entry["Event"]), (3, &json!(4)));
            body.clone()
        })
    };
    world.around.presence.told().into_iter().filter_map(tip).collect()
}

#[tokio::test]
async fn owner_and_admins_pin_ten_messages_at_most() {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob"]).await;
    for random in 1..=12 {
        ok(&world.send("ann", GROUP, random).await);
    }
    refused(&world.client("ann", "pin_message", pin(1)).await, 10007);
    refused(&world.client("zed", "pin_message", pin(1)).await, 10007);
    refused(&world.client("owner", "pin_message", pin(13)).await, 10004);
    for msg_seq in 1..=10 {
        ok(&world.client("owner", "pin_message", pin(msg_seq)).await);
    }
    refused(&world.client("owner", "pin_message", pin(3)).await, 10071);
    refused(&world.client("owner", "pin_message", pin(11)).await, 10070);
    ok(&world.client("owner", "unpin_message", pin(3)).await);
    refused(&world.client("owner", "unpin_message", pin(3)).await, 10004);
    let by_ann = json!({ "GroupId": GROUP, "MsgSeq": 11, "Pinner_Account": "ann" });
    ok(&world.rest("pin_message", by_ann).await);
    let listed = list(&world).await;
    let seqs: Vec<_> = listed.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, [11, 10, 9, 8, 7, 6, 5, 4, 2, 1]);
    assert_eq!(listed[0].1, "ann");
    eventually("all is told", || tips(&world).len() == 12).await;
    let told = tips(&world);
    let item = &told[0]["PinnedMsg"];
    assert_eq!((&item["MsgSeq"], &item["From_Account"]), (&json!(1), &json!("ann")));
    assert_eq!(item["MsgBody"][0]["MsgContent"]["Text"], "text 1");
    assert_eq!(told[0]["MsgOperatorMemberExtraInfo"]["NickName"], "Nick of owner");
    let id = &told[10]["SdkGroupMessageId"];
    assert_eq!((&id["MsgSeq"], &id["Random"]), (&json!(3), &json!(3)));
    assert_eq!(id["SenderTinyId"], item["TinyId"]);
    let world = world.crash();
    assert_eq!(list(&world).await, listed, "over a crash");
    let next = world.rest("get_group_info", json!({ "GroupIdList": [GROUP] })).await;
    assert_eq!(ok(&next)["GroupInfo"][0]["NextMsgSeq"], 13, "pins take no number");
}

#[tokio::test]
async fn a_pin_that_is_not_saved_is_none() {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob"]).await;
    ok(&world.send("ann", GROUP, 1).await);
    world.around.store.fail_writes(1);
    refused(&world.client("owner", "pin_message", pin(1)).await, 10002);
    assert_eq!(list(&world).await, []);
    assert!(tips(&world).is_empty());
    ok(&world.client("owner", "pin_message", pin(1)).await);
    assert_eq!(list(&world).await, [(1, "owner".to_owned())]);
}

#[tokio::test]
async fn live_rooms_and_tips_are_not_pinned() {
    let world = World::new();
    world.create("live").await;
    let in_live = json!({ "GroupId": "live", "MsgSeq": 1 });
    refused(&world.rest("pin_message", in_live.clone()).await, 10007);
    refused(&world.rest("unpin_message", in_live).await, 10007);
    refused(&world.rest("get_pinned_messages", in_group("live")).await, 10007);
    public_group(&world, GROUP, &["ann"]).await;
    ok(&world.client("bob", "apply_join_group", in_group(GROUP)).await);
    refused(&world.client("owner", "pin_message", pin(1)).await, 10004);
}

#[tokio::test]
async fn what_is_for_some_members_alone_is_not_pinned_for_all() {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob"]).await;
    let mut body = message(GROUP, 1);
    body["To_Account"] = json!(["bob"]);
    ok(&world.client("ann", "send_group_msg", body).await);
    refused(&world.rest("pin_message", pin(1)).await, 10004);
    assert_eq!((list(&world).await, tips(&world)), (Vec::new(), Vec::new()));
}
