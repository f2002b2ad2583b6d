//! Large groups: presence is told once who is in, and no message names all members.

use serde_json::{Value, json};
use throng_group_router::Config;

use crate::support::*;

const GROUP: &str = "large";
/// Above this a group is large here.
const SIZE: usize = 3;

fn config() -> Config {
    Config { audience_size: SIZE, ..Config::default() }
}

/// A group of the owner and these members.
async fn group(members: &[&str]) -> World {
    let world = World::with(config(), Around::default());
    world.around.directory.policy.lock().messages_per_second = 100_000;
    public_group(&world, GROUP, members).await;
    eventually("they know that they are in", || world.around.presence.named.lock().len() == 2)
        .await;
    world.around.presence.named.lock().clear();
    world
}

/// What everybody was told of messages (by `Random`) and tips (by `OpType`), in order.
fn told(world: &World) -> Vec<(Vec<String>, String)> {
    let one = |(mut users, entry): (Vec<String>, Value)| {
        users.sort();
        let what = match entry["Event"].as_u64()? {
            3 => format!("message {}", entry["GroupMsgArray"][0]["MsgRandom"]),
            4 => format!("tip {}", entry["GroupTips"][0]["MsgBody"]["OpType"]),
            _ => return None,
        };
        Some((users, what))
    };
    world.around.presence.told().into_iter().filter_map(one).collect()
}

async fn next(world: &World, seen: &mut usize) -> (Vec<String>, String) {
    *seen += 1;
    eventually("more is told", || told(world).len() >= *seen).await;
    told(world)[*seen - 1].clone()
}

fn registrations(world: &World) -> usize {
    world.around.presence.registered.lock().iter().filter(|part| part.place == 0).count()
}

fn receiving(user: &str, how: &str) -> Value {
    json!({ "GroupId": GROUP, "Member_Account": user, "MsgFlag": how })
}

#[tokio::test]
async fn who_comes_goes_and_discards_is_heeded_by_the_next_message() {
    let world = group(&["ann", "bob", "cem", "dan"]).await;
    let mut seen = 0;
    let everybody = ["ann", "bob", "cem", "dan", "owner"];
    ok(&world.send("ann", GROUP, 1).await);
    let (users, what) = next(&world, &mut seen).await;
    assert_eq!((&users[..], &*what), (&everybody.map(str::to_owned)[..], "message 1"));

    // A member comes, and is told of it itself.
    world.join("eve", GROUP).await;
    let (users, what) = next(&world, &mut seen).await;
    assert_eq!(users, ["ann", "bob", "cem", "dan", "eve", "owner"]);
    assert!(what.starts_with("tip"), "{what}");

    ok(&world.rest("modify_group_member_info", receiving("bob", "Discard")).await);
    ok(&world.send("ann", GROUP, 2).await);
    let (users, what) = next(&world, &mut seen).await;
    assert_eq!(users, ["ann", "cem", "dan", "eve", "owner"], "{what}");

    let kick = json!({ "GroupId": GROUP, "MemberToDel_Account": ["cem"] });
    ok(&world.rest("delete_group_member", kick).await);
    let (users, what) = next(&world, &mut seen).await;
    assert_eq!(users, ["ann", "dan", "eve", "owner"], "{what}");
    ok(&world.client("dan", "quit_group", in_group(GROUP)).await);
    ok(&world.rest("modify_group_member_info", receiving("bob", "AcceptNotNotify")).await);
    let (users, what) = next(&world, &mut seen).await;
    assert!(users.starts_with(&["ann".to_owned()]) && what.starts_with("tip"), "{users:?}");
    ok(&world.send("ann", GROUP, 3).await);
    let (users, what) = next(&world, &mut seen).await;
    assert_eq!(
        (&users[..], &*what),
        (&["ann", "bob", "eve", "owner"].map(str::to_owned)[..], "message 3")
    );
    assert_eq!(registrations(&world), 1, "they are told once");
    let most = world.around.presence.named.lock().iter().copied().max();
    assert!(most <= Some(1), "no call names all: {most:?}");
}

#[tokio::test]
async fn a_group_becomes_large_when_one_more_comes() {
    let world = group(&["ann", "bob"]).await;
    ok(&world.send("ann", GROUP, 1).await);
    eventually("it is told", || told(&world).len() == 1).await;
    assert_eq!((registrations(&world), &world.around.presence.named.lock()[..]), (0, &[3][..]));
    world.join("cem", GROUP).await;
    ok(&world.send("ann", GROUP, 2).await);
    eventually("it is told", || told(&world).len() == 3).await;
    assert_eq!(told(&world)[2].0, ["ann", "bob", "cem", "owner"]);
    assert_eq!(registrations(&world), 1);
}

#[tokio::test]
async fn many_members_are_told_in_parts_and_many_changes_too() {
    let members: Vec<String> = (0..3000).map(|number| format!("user{number}")).collect();
    let world = group(&["ann"]).await;
    world.around.directory.policy.lock().messages_per_second = 100_000;
    let add = |users: &[String]| {
        let list: Vec<_> = users.iter().map(|user| json!({ "Member_Account": user })).collect();
        json!({ "GroupId": GROUP, "MemberList": list, "Silence": 1 })
    };
    let room = json!({ "GroupId": GROUP, "MaxMemberNum": 6000 });
    ok(&world.rest("modify_group_base_info", room).await);
    for part in members.chunks(100) {
        ok(&world.rest("add_group_member", add(part)).await);
    }
    ok(&world.send("ann", GROUP, 1).await);
    let is_told = |what: &'static str| told(&world).iter().any(|(_, told)| told == what);
    eventually("it is told", || is_told("message 1")).await;
    let heard = |what: &str| {
        let told = told(&world);
        told.iter().find(|(_, told)| told == what).unwrap().0.len()
    };
    assert_eq!(heard("message 1"), 3002);
    let parts: Vec<usize> =
        world.around.presence.registered.lock().iter().map(|part| part.members.len()).collect();
    assert_eq!(parts, [2000, 1002]);
    let more: Vec<String> = (3000..5500).map(|number| format!("user{number}")).collect();
    for part in more.chunks(100) {
        ok(&world.rest("add_group_member", add(part)).await);
    }
    world.around.presence.named.lock().clear();
    ok(&world.send("ann", GROUP, 2).await);
    eventually("it is told", || is_told("message 2")).await;
    assert_eq!(heard("message 2"), 5502);
    assert_eq!(&world.around.presence.named.lock()[..], [2000, 500], "in two steps");
    assert_eq!(registrations(&world), 1);
    ok(&world.send("ann", GROUP, 3).await);
    eventually("it is told", || is_told("message 3")).await;
    assert_eq!(world.around.presence.named.lock().last(), Some(&0), "nobody is named");
}

#[tokio::test]
async fn what_presence_has_lost_is_told_anew_and_nothing_is_heard_twice() {
    let world = group(&["ann", "bob", "cem", "dan"]).await;
    for random in 1..=12 {
        match random {
            3 => world.around.presence.forget(),
            6 => *world.around.presence.refusals.lock() = 1,
            9 => *world.around.presence.refusals.lock() = 2,
            _ => {}
        }
        ok(&world.send("ann", GROUP, random).await);
        eventually("it is told", || told(&world).len() >= random as usize).await;
    }
    let all: Vec<String> = told(&world).into_iter().map(|(_, what)| what).collect();
    let expected: Vec<_> = (1..=12).map(|random| format!("message {random}")).collect();
    assert_eq!(all, expected);
    assert!(world.around.presence.named.lock().iter().all(|named| *named == 0));
    assert_eq!(
        world.around.counts.sum("throng_group_router_audience_deliveries_total", "names"),
        0
    );
}

#[tokio::test]
async fn where_presence_takes_no_audiences_a_message_names_all() {
    let world = group(&["ann", "bob", "cem", "dan"]).await;
    ok(&world.rest("modify_group_member_info", receiving("bob", "Discard")).await);
    *world.around.presence.refusals.lock() = u32::MAX;
    ok(&world.send("ann", GROUP, 1).await);
    world.join("eve", GROUP).await;
    eventually("both are told", || told(&world).len() == 2).await;
    assert_eq!(told(&world)[0].0, ["ann", "cem", "dan", "owner"]);
    assert_eq!(told(&world)[1].0, ["ann", "cem", "dan", "eve", "owner"]);
    // It is asked again after a while.
    *world.around.presence.refusals.lock() = 0;
    let before = registrations(&world);
    let mut random = 2;
    while registrations(&world) == before {
        ok(&world.send("ann", GROUP, random).await);
        eventually("it is told", || told(&world).len() > random as usize).await;
        random += 1;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(told(&world).last().unwrap().0, ["ann", "cem", "dan", "eve", "owner"]);
}

#[tokio::test]
async fn who_is_online_is_counted_once_for_all_who_ask() {
    let world = group(&["ann", "bob", "cem"]).await;
    *world.around.presence.online.lock() = Some(["ann".to_owned(), "cem".to_owned()].into());
    for user in ["ann", "bob"] {
        let answer = world.client(user, "get_online_member_num", in_group(GROUP)).await;
        assert_eq!(ok(&answer)["OnlineMemberNum"], 2);
    }
    assert_eq!(*world.around.presence.asked.lock(), [4]);
    refused(&world.client("eve", "get_online_member_num", in_group(GROUP)).await, 10007);
}

#[tokio::test]
async fn another_life_of_the_group_has_another_term() {
    let world = group(&["ann", "bob", "cem", "dan"]).await;
    ok(&world.send("ann", GROUP, 1).await);
    eventually("it is told", || told(&world).len() == 1).await;
    let world = World::with(config(), world.around);
    ok(&world.send("ann", GROUP, 2).await);
    eventually("it is told", || told(&world).iter().any(|(_, what)| what == "message 2")).await;
    ok(&world.rest("destroy_group", in_group(GROUP)).await);
    public_group(&world, GROUP, &["eve", "fay", "gus"]).await;
    ok(&world.send("eve", GROUP, 3).await);
    eventually("it is told", || told(&world).iter().any(|(_, what)| what == "message 3")).await;
    assert_eq!(told(&world).last().unwrap().0, ["eve", "fay", "gus", "owner"]);
    let parts = world.around.presence.registered.lock().clone();
    let terms: Vec<u64> = parts.iter().map(|part| part.audience.as_ref().unwrap().term).collect();
    assert!(terms.len() == 3 && terms.is_sorted_by(|one, next| one < next), "{terms:?}");
    let dismissed = |(users, entry): &(Vec<String>, Value)| entry["Event"] == 5 && users.len() == 5;
    assert!(world.around.presence.told().iter().any(dismissed), "all are told of the end");
}

#[tokio::test]
async fn what_differs_for_few_names_only_those() {
    let world = group(&["ann", "bob", "cem", "dan"]).await;
    ok(&world.rest("modify_group_member_info", receiving("dan", "Discard")).await);
    let all = json!([{ "GroupAtAllFlag": 1 }, { "GroupAtAllFlag": 0, "GroupAt_Account": "bob" }]);
    let mut body = message(GROUP, 1);
    body["GroupAtInfo"] = all;
    ok(&world.client("ann", "send_group_msg", body).await);
    let react = json!({ "GroupId": GROUP, "MsgSeq": 1, "Reaction": "smile" });
    ok(&world.client("cem", "group_reaction_add", react).await);
    let of = |world: &World, wanted: fn(&Value) -> bool| -> Vec<Vec<String>> {
        let told = world.around.presence.told().into_iter();
        let told = told.filter(|(_, entry)| wanted(entry));
        told.map(|(mut users, _)| {
            users.sort();
            users
        })
        .collect()
    };
    let reaction = |entry: &Value| entry.get("MsgReactionNotifyList").is_some();
    eventually("all is told", || of(&world, reaction).len() == 2).await;
    assert_eq!(
        of(&world, |entry| entry["Event"] == 12),
        [vec!["ann", "cem", "owner"], vec!["bob"]]
    );
    assert_eq!(of(&world, reaction), [vec!["cem"], vec!["ann", "bob", "dan", "owner"]]);
    assert!(world.around.presence.named.lock().iter().all(|named| *named <= 1));
}
