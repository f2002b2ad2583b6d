//! What members add to messages that others recall, or do not see.

use serde_json::{Value, json};

use crate::support::*;

const GROUP: &str = "public";

/// Sends a message that may have everything, to some members or to all.
async fn open(world: &World, random: u32, recipients: &[&str]) -> u64 {
    let mut body = message(GROUP, random);
    body["SupportMessageExtension"] = json!(1);
    body["NeedReadReceipt"] = json!(1);
    body["To_Account"] = json!(recipients);
    let answer = world.client("ann", "send_group_msg", body).await;
    ok(&answer)["MsgSeq"].as_u64().unwrap()
}

async fn group() -> World {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob", "cleo"]).await;
    world
}

async fn set(world: &World, user: &str, msg_seq: u64, key: &str) -> Value {
    let list = json!([{ "Key": key, "Value": "v", "Seq": 0 }]);
    let body =
        json!({ "GroupId": GROUP, "MsgSeq": msg_seq, "OperateType": 1, "ExtensionList": list });
    world.client(user, "group_set_key_values", body).await
}

async fn react(world: &World, user: &str, msg_seq: u64) -> Value {
    let body = json!({ "GroupId": GROUP, "MsgSeq": msg_seq, "Reaction": "smile" });
    world.client(user, "group_reaction_add", body).await
}

async fn take_back(world: &World, user: &str, msg_seq: u64) -> Value {
    let body = json!({ "GroupId": GROUP, "MsgSeq": msg_seq, "Reaction": "smile" });
    world.client(user, "group_reaction_del", body).await
}

async fn read(world: &World, user: &str, msg_seq: u64) -> Value {
    let body = json!({ "GroupId": GROUP, "MsgSeqList": [{ "MsgSeq": msg_seq }] });
    world.client(user, "group_msg_receipt", body).await
}

/// Code, readers and others of a message, as somebody gets them.
async fn counts(world: &World, user: &str, msg_seq: u64) -> (u64, Value, Value) {
    let body = json!({ "GroupId": GROUP, "MsgSeqList": [{ "MsgSeq": msg_seq }] });
    let answer = world.client(user, "get_group_msg_receipt", body).await;
    let entry = &ok(&answer)["GroupMsgReceiptList"][0];
    (entry["Code"].as_u64().unwrap(), entry["ReadNum"].clone(), entry["UnreadNum"].clone())
}

/// What a user gets of the reactions to a message, and of its readers.
async fn looked_up(world: &World, user: &str, msg_seq: u64) -> (Value, Value) {
    let body = json!({ "GroupId": GROUP, "MsgSeqList": [msg_seq], "Count": 10 });
    let stat = world.client(user, "group_reaction_multi_stat", body).await;
    let body = json!({ "GroupId": GROUP, "MemberReadMsgList":
        [{ "MsgSeq": msg_seq, "MemberList_Account": ["bob"] }] });
    let times = world.client(user, "get_group_msg_receipts_by_users", body).await;
    (ok(&stat)["Results"].clone(), ok(&times)["MsgReadList"].clone())
}

/// Number and readers of each push about receipts.
fn news(world: &World) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    for (_, entry) in world.around.presence.told() {
        let list = &entry["GroupTips"][0]["MsgBody"]["GroupMsgReceiptList"];
        for receipt in list.as_array().into_iter().flatten() {
            let number = |name: &str| receipt[name].as_u64().unwrap();
            all.push((number("MsgSeq"), number("ReadNum")));
        }
    }
    all
}

#[tokio::test]
async fn recalled_messages_take_nothing_any_more() {
    let world = group().await;
    for random in 1..=3 {
        let seq = open(&world, random, &[]).await;
        ok(&set(&world, "bob", seq, "a").await);
        ok(&react(&world, "bob", seq).await);
        ok(&read(&world, "bob", seq).await);
    }
    eventually("the sender is told", || (1..=3).all(|seq| news(&world).contains(&(seq, 1)))).await;
    let body = json!({ "GroupId": GROUP, "MsgSeqList": [{ "MsgSeq": 2 }] });
    ok(&world.client("ann", "group_msg_recall", body).await);
    refused(&set(&world, "bob", 2, "b").await, 23004);
    refused(&react(&world, "cleo", 2).await, 23004);
    let silently = json!({ "GroupId": GROUP, "Sender_Account": "ann" });
    ok(&world.rest("delete_group_msg_by_sender", silently).await);
    for seq in 1..=3 {
        refused(&set(&world, "bob", seq, "b").await, 23004);
        refused(&react(&world, "cleo", seq).await, 23004);
        refused(&take_back(&world, "bob", seq).await, 23004);
        ok(&read(&world, "cleo", seq).await);
        assert_eq!(counts(&world, "bob", seq).await, (10062, Value::Null, Value::Null));
        assert_eq!(looked_up(&world, "bob", seq).await, (json!([]), json!([])));
        let users = json!({ "GroupId": GROUP, "MsgSeq": seq, "Reaction": "smile" });
        refused(&world.client("bob", "group_reaction_iterate", users).await, 23004);
    }
    let seq = open(&world, 4, &[]).await;
    ok(&read(&world, "cleo", seq).await);
    eventually("the sender is told", || news(&world).contains(&(seq, 1))).await;
    assert!(!news(&world).iter().any(|(_, readers)| *readers == 2), "{:?}", news(&world));
}
