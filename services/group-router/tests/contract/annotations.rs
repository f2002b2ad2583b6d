//! Extensions of messages, and reactions to them.

use serde_json::{Value, json};

use crate::support::*;

const GROUP: &str = "public";

async fn group() -> World {
    let world = World::new();
    public_group(&world, GROUP, &["ann", "bob"]).await;
    let mut open = message(GROUP, 1);
    open["SupportMessageExtension"] = json!(1);
    ok(&world.client("ann", "send_group_msg", open).await);
    ok(&world.send("ann", GROUP, 2).await);
    world
}

fn write(kind: u32, pairs: &[(&str, &str, u64)]) -> Value {
    let list: Vec<_> = pairs
        .iter()
        .map(|(key, value, seq)| json!({ "Key": key, "Value": value, "Seq": seq }))
        .collect();
    json!({ "GroupId": GROUP, "MsgSeq": 1, "OperateType": kind, "ExtensionList": list })
}

/// Code, value and number of each key of an answer.
fn results(answer: &Value) -> Vec<(u64, String, u64)> {
    let one = |entry: &Value| {
        let extension = &entry["Extension"];
        let value = extension["Value"].as_str().unwrap().to_owned();
        (entry["ErrorCode"].as_u64().unwrap(), value, extension["Seq"].as_u64().unwrap())
    };
    ok(answer)["ExtensionList"].as_array().unwrap().iter().map(one).collect()
}

fn done(value: &str, seq: u64) -> (u64, String, u64) {
    (0, value.to_owned(), seq)
}

fn conflict(value: &str, seq: u64) -> (u64, String, u64) {
    (23001, value.to_owned(), seq)
}

async fn page(world: &World, start: u64) -> Value {
    let body = json!({ "GroupId": GROUP, "MsgSeq": 1, "StartSeq": start });
    world.client("bob", "group_get_key_values", body).await
}

/// The notices of one kind that all members got.
fn notices(world: &World, key: &str) -> Vec<Value> {
    let one = |(users, entry): (Vec<String>, Value)| {
        let notice = entry.get(key)?.clone();
        if key == "MsgExtensionNotify" {
            assert_eq!((users.len(), &entry["Event"]), (3, &json!(19)));
        }
        Some(notice)
    };
    world.around.presence.told().into_iter().filter_map(one).collect()
}

#[tokio::test]
async fn a_key_is_locked_by_its_number_and_everybody_hears_of_changes() {
    let world = group().await;
    let set = |user: &'static str, pairs: &[(&str, &str, u64)]| {
        world.client(user, "group_set_key_values", write(1, pairs))
    };
    let first = set("ann", &[("a", "1", 0), ("b", "1", 0)]).await;
    assert_eq!(results(&first), [done("1", 1), done("1", 2)]);
    assert_eq!(first["Seq"], 2);
    let late = set("bob", &[("a", "x", 0), ("c", "1", 0)]).await;
    assert_eq!(results(&late), [conflict("1", 1), done("1", 3)]);
    let as_admin = world.rest("group_set_key_values", write(1, &[("a", "2", 0)])).await;
    assert_eq!(results(&as_admin), [done("2", 4)]);
    let deleted = world.client("bob", "group_set_key_values", write(2, &[("b", "", 2)])).await;
    assert_eq!(results(&deleted), [done("", 5)]);
    let world = world.crash();
    let answer = page(&world, 0).await;
    let listed: Vec<_> = ok(&answer)["ExtensionList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair["Key"].as_str().unwrap(), pair["Value"].as_str().unwrap()))
        .collect();
    assert_eq!(listed, [("c", "1"), ("a", "2"), ("b", "")]);
    assert_eq!((&answer["CompleteFlag"], &answer["LatestSeq"]), (&json!(1), &json!(5)));
    assert_eq!(ok(&page(&world, 5).await)["ExtensionList"].as_array().unwrap().len(), 1);
    let cleared = world.client("ann", "group_set_key_values", write(3, &[])).await;
    assert_eq!(ok(&cleared)["Seq"], 6);
    let answer = page(&world, 0).await;
    assert_eq!((&ok(&answer)["ExtensionList"], &answer["ClearSeq"]), (&json!([]), &json!(6)));
    eventually("all is told", || notices(&world, "MsgExtensionNotify").len() == 5).await;
    let told = notices(&world, "MsgExtensionNotify");
    let info = &told[0]["ExtensionGroupMsgInfo"];
    assert_eq!((&info["MsgSeq"], &info["MsgRandom"]), (&json!(1), &json!(1)));
    let pairs = &told[0]["SetKVInfo"][0]["MsgKeyValue"];
    assert_eq!(
        *pairs,
        json!([{ "Key": "a", "Value": "1", "Seq": 1 },
        { "Key": "b", "Value": "1", "Seq": 2 }])
    );
    assert_eq!(told[1]["SetKVInfo"][0]["MsgKeyValue"].as_array().unwrap().len(), 1);
    assert_eq!(told[3]["DeleteKVInfo"][0]["MsgKeyValue"][0]["Key"], "b");
    assert_eq!(told[4]["ClearKVInfo"][0]["ClearMsgSeq"], 6);
}

#[tokio::test]
async fn of_many_who_write_a_key_at_once_one_wins() {
    let world = group().await;
    let writes = (0..20).map(|number| {
        let value = number.to_string();
        let body = write(1, &[("seat", &value, 0)]);
        let world = &world;
        async move { world.client("ann", "group_set_key_values", body).await }
    });
    let answers = futures_util::future::join_all(writes).await;
    let winners = answers.iter().filter(|answer| results(answer)[0].0 == 0).count();
    assert_eq!(winners, 1);
    let there = page(&world, 0).await;
    let value = &there["ExtensionList"][0]["Value"];
    assert!(answers.iter().all(|answer| results(answer)[0].1 == *value.as_str().unwrap()));
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_key_as_it_was() {
    let world = group().await;
    let set = |value: &str, seq: u64| {
        world.client("ann", "group_set_key_values", write(1, &[("k", value, seq)]))
    };
    ok(&set("1", 0).await);
    world.around.store.fail_writes(1);
    refused(&set("2", 1).await, 10002);
    assert_eq!(page(&world, 0).await["ExtensionList"][0]["Value"], "1");
    assert_eq!(results(&set("3", 1).await), [done("3", 2)]);
}

#[tokio::test]
async fn the_codes_of_extensions() {
    let world = group().await;
    let on = |msg_seq: u32, pairs: &[(&str, &str, u64)]| {
        let mut body = write(1, pairs);
        body["MsgSeq"] = json!(msg_seq);
        body
    };
    let ask = |body: Value| world.client("bob", "group_set_key_values", body);
    refused(&ask(on(2, &[("k", "v", 0)])).await, 23002);
    refused(&ask(on(9, &[("k", "v", 0)])).await, 23004);
    refused(&ask(on(1, &[])).await, 10004);
    refused(&ask(on(1, &[("", "v", 0)])).await, 10004);
    refused(&ask(on(1, &[("k", "", 0)])).await, 10004);
    refused(&ask(on(1, &[(&"k".repeat(101), "v", 0)])).await, 10004);
    refused(&ask(on(1, &[("k", &"v".repeat(1001), 0)])).await, 10004);
    refused(&ask(on(1, &[("k", "v", 0); 21])).await, 10005);
    refused(&ask(write(4, &[("k", "v", 0)])).await, 10004);
    let body = on(1, &[("k", "v", 0)]);
    refused(&world.client("zed", "group_set_key_values", body).await, 10007);
    let nowhere = json!({ "GroupId": GROUP, "MsgSeq": 9 });
    refused(&world.client("bob", "group_get_key_values", nowhere).await, 23004);
    let mut written = 0;
    let refusal = loop {
        let pairs: Vec<_> = (0..20).map(|key| format!("{written}-{key}")).collect();
        let pairs: Vec<_> = pairs.iter().map(|key| (key.as_str(), "v", 0)).collect();
        let answer = ask(on(1, &pairs)).await;
        if answer["ErrorCode"] != 0 {
            break answer;
        }
        let expected = if written < 15 { 0 } else { 10005 };
        assert!(results(&answer).iter().all(|result| result.0 == expected), "write {written}");
        written += 1;
    };
    refused(&refusal, 23003);
    assert_eq!(written, 200);
    let mut seen = Vec::new();
    loop {
        let next = seen.last().map_or(0, |pair: &Value| pair["Seq"].as_u64().unwrap() + 1);
        let answer = page(&world, next).await;
        let pairs = ok(&answer)["ExtensionList"].as_array().unwrap();
        assert!(pairs.len() <= 200);
        seen.extend(pairs.clone());
        if answer["CompleteFlag"] == 1 {
            break;
        }
    }
    assert_eq!(seen.len(), 300);
}

fn reaction(name: &str) -> Value {
    json!({ "GroupId": GROUP, "MsgSeq": 1, "Reaction": name })
}

/// Name, count, users and whether the caller is among them, of each reaction.
async fn summary(world: &World, user: &str) -> Vec<(String, u64, Value, u64)> {
    let body = json!({ "GroupId": GROUP, "MsgSeqList": [1], "Count": 10 });
    let answer = world.client(user, "group_reaction_multi_stat", body).await;
    let one = |entry: &Value| {
        let name = entry["Reaction"].as_str().unwrap().to_owned();
        let (count, users) = (entry["Count"].as_u64().unwrap(), entry["Reaction_Account"].clone());
        (name, count, users, entry["ReactedByMe"].as_u64().unwrap())
    };
    let all = &ok(&answer)["Results"][0]["MsgReactionSummary"];
    all.as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn reactions_are_counted_told_and_kept() {
    let world = group().await;
    let react = |user: &'static str, command: &'static str, name: &str| {
        world.client(user, command, reaction(name))
    };
    ok(&react("bob", "group_reaction_add", "smile").await);
    ok(&react("ann", "group_reaction_add", "smile").await);
    ok(&react("ann", "group_reaction_add", "clap").await);
    refused(&react("ann", "group_reaction_add", "clap").await, 23007);
    refused(&react("bob", "group_reaction_del", "clap").await, 23009);
    refused(&react("bob", "group_reaction_del", "cry").await, 23008);
    refused(&react("zed", "group_reaction_add", "smile").await, 10007);
    let world = world.crash();
    let of = |name: &str, users: Value, mine: u64| {
        (name.to_owned(), users.as_array().unwrap().len() as u64, users, mine)
    };
    let expected = [of("smile", json!(["bob", "ann"]), 1), of("clap", json!(["ann"]), 0)];
    assert_eq!(summary(&world, "bob").await, expected);
    let own = json!({ "GroupId": GROUP, "MsgSeq": 1, "Reaction": "smile",
        "Del_Account": ["bob"] });
    refused(&world.client("ann", "group_reaction_del", own.clone()).await, 10004);
    ok(&world.client("bob", "group_reaction_del", own).await);
    ok(&world.client("ann", "group_reaction_del", reaction("clap")).await);
    assert_eq!(summary(&world, "owner").await, [of("smile", json!(["ann"]), 0)]);
    let told = |world: &World| {
        let told = world.around.presence.told().into_iter();
        let told = told.filter_map(|(mut users, entry)| {
            users.sort();
            let notice = &entry.get("MsgReactionNotifyList")?[0];
            let summary = notice["MsgReactionSummary"][0].clone();
            Some((users, summary))
        });
        told.collect::<Vec<_>>()
    };
    eventually("all is told", || told(&world).len() == 9).await;
    let told = told(&world);
    let (users, first) = &told[0];
    assert_eq!((&users[..], &first["ReactedByMe"]), (&["bob".to_owned()][..], &json!(1)));
    let (users, first) = &told[1];
    assert_eq!(users[..], ["ann", "owner"]);
    assert_eq!(
        *first,
        json!({ "Reaction": "smile", "Count": 1, "Reaction_Account": ["bob"],
        "ReactedByMe": 0 })
    );
    let (users, last) = &told[8];
    assert_eq!(users.len(), 3);
    assert_eq!(*last, json!({ "Reaction": "clap", "Count": 0, "ReactedByMe": 0 }));
}

#[tokio::test]
async fn users_of_a_reaction_come_in_pages() {
    let world = group().await;
    for user in ["ann", "bob", "owner"] {
        ok(&world.client(user, "group_reaction_add", reaction("smile")).await);
    }
    let (mut users, mut next) = (Vec::new(), 0);
    loop {
        let body = json!({ "GroupId": GROUP, "MsgSeq": 1, "Reaction": "smile", "NextSeq": next,
            "Count": 2 });
        let answer = world.client("ann", "group_reaction_iterate", body).await;
        let page = ok(&answer)["Reaction_Account"].as_array().unwrap();
        users.extend(page.iter().map(|user| user.as_str().unwrap().to_owned()));
        next = answer["NextSeq"].as_u64().unwrap();
        if next == 0 {
            break;
        }
    }
    assert_eq!(users, ["ann", "bob", "owner"]);
    for number in 1..10 {
        let name = reaction(&number.to_string());
        ok(&world.client("ann", "group_reaction_add", name).await);
    }
    refused(&world.client("ann", "group_reaction_add", reaction("more")).await, 23005);
}

#[tokio::test]
async fn a_dismissed_group_leaves_nothing_of_it() {
    let world = group().await;
    let body = write(1, &[("k", "v", 0)]);
    ok(&world.client("ann", "group_set_key_values", body).await);
    ok(&world.client("ann", "group_reaction_add", reaction("smile")).await);
    ok(&world.rest("destroy_group", in_group(GROUP)).await);
    let empty = world.around.store.empties("group_annotations");
    tokio::time::timeout(LONG, empty).await.expect("nothing is left");
}
