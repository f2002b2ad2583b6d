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

/// Who was told of what happened of one kind, one list a frame.
fn told(world: &World, kind: &str) -> Vec<Vec<String>> {
    let told = world.around.presence.told().into_iter();
    told.filter(|(_, entry)| entry.get(kind).is_some()).map(|(users, _)| users).collect()
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

#[tokio::test]
async fn what_is_added_to_a_directed_message_is_for_who_sees_it() {
    let world = group().await;
    let seq = open(&world, 1, &["bob"]).await;
    ok(&set(&world, "bob", seq, "a").await);
    ok(&react(&world, "bob", seq).await);
    ok(&react(&world, "ann", seq).await);
    for user in ["cleo", "owner"] {
        refused(&set(&world, user, seq, "b").await, 23004);
        refused(&react(&world, user, seq).await, 23004);
        refused(&take_back(&world, user, seq).await, 23004);
    }
    let clear = json!({ "GroupId": GROUP, "MsgSeq": seq, "OperateType": 3 });
    ok(&world.client("ann", "group_set_key_values", clear).await);
    ok(&world
        .rest(
            "group_set_key_values",
            json!({ "GroupId": GROUP, "MsgSeq": seq,
        "OperateType": 1, "ExtensionList": [{ "Key": "c", "Value": "v", "Seq": 0 }] }),
        )
        .await);
    eventually("they are told", || {
        told(&world, "MsgExtensionNotify").len() == 3
            && told(&world, "MsgReactionNotifyList").len() == 3
    })
    .await;
    assert!(told(&world, "MsgExtensionNotify").iter().all(|users| *users == ["bob", "ann"]));
    let [to_bob, to_ann, to_both] = &told(&world, "MsgReactionNotifyList")[..] else { panic!() };
    assert_eq!((&to_bob[..], &to_ann[..]), (&["bob".to_owned()][..], &["ann".to_owned()][..]));
    assert_eq!(*to_both, ["bob", "ann"]);

    ok(&read(&world, "bob", seq).await);
    for user in ["cleo", "owner"] {
        ok(&read(&world, user, seq).await);
        assert_eq!(counts(&world, user, seq).await.0, 10062);
        assert_eq!(looked_up(&world, user, seq).await, (json!([]), json!([])));
    }
    assert_eq!(counts(&world, "ann", seq).await, (0, json!(1), json!(0)));
    assert!(looked_up(&world, "ann", seq).await.0[0]["MsgReactionSummary"][0]["Count"] == 2);
}

#[tokio::test]
async fn of_a_directed_message_only_recipients_are_unread() {
    let world = group().await;
    let seq = open(&world, 1, &["bob", "cleo"]).await;
    let unread = || async {
        let body = json!({ "GroupId": GROUP, "MsgSeq": seq, "Flag": 1, "Cursor": "", "Num": 9 });
        let answer = world.client("ann", "get_group_msg_receipt_detail", body).await;
        let list = ok(&answer)["UnreadList"].as_array().unwrap().iter();
        list.map(|user| user["Unread_Account"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(unread().await, ["bob", "cleo"]);
    let on_behalf = json!({ "GroupId": GROUP, "From_Account": "owner",
        "MsgSeqList": [{ "MsgSeq": seq }] });
    ok(&world.rest("group_msg_receipt", on_behalf).await);
    assert_eq!(counts(&world, "ann", seq).await, (0, json!(0), json!(2)));
    ok(&read(&world, "bob", seq).await);
    assert_eq!(counts(&world, "ann", seq).await, (0, json!(1), json!(1)));
    assert_eq!(unread().await, ["cleo"]);
}
