//! What an owner leaves that dies between two writes of one change: the next one finds the change whole, or
//! not at all, and what was told of it agrees.

use serde_json::{Value, json};

use crate::support::*;

const GROUP: &str = "half";
const TIP: u32 = 4;

fn body(members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|user| json!({ "Member_Account": user })).collect();
    json!({ "Type": "Public", "Name": "Half", "GroupId": GROUP, "Owner_Account": "owner",
        "ApplyJoinOption": "FreeAccess", "MemberList": members })
}

async fn public(members: &[&str]) -> World {
    let world = World::new();
    world.around.directory.policy.lock().messages_per_second = 100_000;
    ok(&world.rest("create_group", body(members)).await);
    world
}

/// Names in one field of the entries of a list.
fn names(list: &Value, field: &str) -> Vec<String> {
    let name = |entry: &Value| entry[field].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

async fn members(world: &World) -> Option<Vec<String>> {
    let answer = world.rest("get_group_member_info", json!({ "GroupId": GROUP })).await;
    if answer["ErrorCode"] == 10010 {
        return None;
    }
    let list = ok(&answer);
    let mut members = names(&list["MemberList"], "Member_Account");
    members.sort();
    assert_eq!(list["MemberNum"], members.len());
    Some(members)
}

/// The groups of a user, after the first to ask made them right.
async fn groups_of(world: &World, user: &str) -> Vec<String> {
    let list = world.rest("get_joined_group_list", json!({ "Member_Account": user })).await;
    let groups = names(&ok(&list)["GroupIdList"], "GroupId");
    assert_eq!(list["TotalCount"], groups.len(), "groups of {user}");
    let again = world.rest("get_joined_group_list", json!({ "Member_Account": user })).await;
    assert_eq!(again, list);
    groups
}

async fn groups_of_app(world: &World) -> Vec<String> {
    let list = world.rest("get_appid_group_list", json!({})).await;
    names(&ok(&list)["GroupIdList"], "GroupId")
}

/// Group, lists of users and list of the app say the same, whatever was cut short.
async fn agrees(world: &World, users: &[&str]) -> bool {
    let members = members(world).await;
    for user in users {
        let is_member = members.iter().flatten().any(|member| member == user);
        assert_eq!(groups_of(world, user).await.len(), usize::from(is_member), "{user}");
    }
    assert_eq!(groups_of_app(world).await.len(), usize::from(members.is_some()));
    members.is_some()
}

/// Kinds of the tips in the log, by their number: which is dense.
fn tips(world: &World) -> Vec<(u32, u64)> {
    let log = world.around.history.log(GROUP);
    assert!(log.iter().map(|message| message.msg_seq).eq(1..=log.len() as u32), "dense");
    let kind = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["OpType"].as_u64();
    let tips = log.iter().filter(|message| message.event == TIP);
    tips.map(|tip| (tip.msg_seq, kind(&tip.msg_body).unwrap())).collect()
}

/// The tip fails, is kept and not heard of, or comes late: there is one in the end, and one alone.
#[tokio::test]
async fn a_member_and_the_tip_about_it_are_never_one_without_the_other() {
    for mood in [Mood::Fails, Mood::Unheard, Mood::Late] {
        let world = public(&["ann"]).await;
        world.around.history.turn_to(mood);
        let join = world.client("dan", "apply_join_group", join_body(GROUP)).await;
        refused(&join, 10002);
        world.around.history.works();
        let world = if mood == Mood::Late { world } else { world.crash() };
        assert_eq!(
            members(&world).await.unwrap(),
            ["ann", "dan", "owner"].map(str::to_owned),
            "{mood:?}"
        );
        world.join("dan", GROUP).await;
        world.around.history.late_appends_arrive();
        assert_eq!(tips(&world), [(1, 1)], "{mood:?}");
        let quit = json!({ "GroupId": GROUP });
        world.around.history.turn_to(mood);
        refused(&world.client("dan", "quit_group", quit.clone()).await, 10002);
        world.around.history.works();
        let world = world.crash();
        ok(&world.client("dan", "quit_group", quit).await);
        world.around.history.late_appends_arrive();
        assert_eq!(ok(&world.send("ann", GROUP, 7).await)["MsgSeq"], 3);
        assert_eq!(tips(&world), [(1, 1), (2, 2)], "{mood:?}");
        assert!(agrees(&world, &["dan", "ann", "owner"]).await);
    }
}

/// The next life breaks off over the same tip.
#[tokio::test]
async fn a_tip_is_told_once_however_often_lives_break_off() {
    let world = public(&["ann"]).await;
    world.around.history.fails();
    refused(&world.client("dan", "apply_join_group", join_body(GROUP)).await, 10002);
    for mood in [Mood::Unheard, Mood::Fails, Mood::Unheard, Mood::Unheard] {
        world.around.history.turn_to(mood);
        _ = world.rest("get_group_member_info", json!({ "GroupId": GROUP })).await;
    }
    world.around.history.works();
    let world = world.crash();
    assert!(members(&world).await.unwrap().contains(&"dan".to_owned()));
    assert_eq!(tips(&world), [(1, 1)]);
}

#[tokio::test]
async fn a_member_sees_all_numbers_that_were_given_again_since_it_came() {
    let world = public(&["ann"]).await;
    world.around.store.stall();
    let rename = world.rest("modify_group_base_info", json!({ "GroupId": GROUP, "Name": "New" }));
    let rest = async {
        eventually("a write waits", || world.around.store.waiting() == 1).await;
        let sends = (1..=5).map(|random| world.send("ann", GROUP, random));
        let sends = futures_util::future::join_all(sends);
        let join = async {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            world.client("dan", "apply_join_group", join_body(GROUP)).await
        };
        let go_on = async {
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            world.around.history.turn_to(Mood::Late);
            world.around.store.go_on();
        };
        tokio::join!(sends, join, go_on)
    };
    let (_, (_, join, ())) = tokio::join!(rename, rest);
    refused(&join, 10002);
    world.around.history.works();
    world.join("dan", GROUP).await;
    assert!(tips(&world).iter().filter(|(_, kind)| *kind == 1).count() == 1, "{:?}", tips(&world));
    let seq = ok(&world.send("ann", GROUP, 9).await)["MsgSeq"].clone();
    let page = json!({ "GroupId": GROUP, "ReqMsgSeq": seq, "ReqMsgNumber": 1 });
    let page = world.client("dan", "group_msg_get", page).await;
    assert_eq!(ok(&page)["RspMsgList"][0]["MsgSeq"], seq, "{page}");
}

/// Whatever write fails, and all after it.
#[tokio::test]
async fn a_group_is_made_whole_or_not_at_all() {
    const MEMBERS: [&str; 3] = ["ann", "bob", "owner"];
    let mut made = Vec::new();
    for passing in 0..12 {
        let world = World::new();
        world.around.store.fail_writes_after(passing);
        let first = world.rest("create_group", body(&MEMBERS[..2])).await;
        world.around.store.fail_writes(0);
        let world = world.crash();
        made.push(agrees(&world, &MEMBERS).await);
        if first["ErrorCode"] == 0 {
            assert!(made[made.len() - 1], "acknowledged");
        }
        let second = world.rest("create_group", body(&MEMBERS[..2])).await;
        assert!(second["ErrorCode"] == 0 || second["ErrorCode"] == 10021, "{second}");
        assert!(agrees(&world, &MEMBERS).await);
        assert_eq!(members(&world).await.unwrap().len(), 3);
    }
    assert!(made.contains(&false) && made.contains(&true), "{made:?}");
}

#[tokio::test]
async fn a_group_is_dismissed_whole_or_not_at_all() {
    const MEMBERS: [&str; 3] = ["ann", "bob", "owner"];
    let mut left = Vec::new();
    for passing in 0..12 {
        let world = public(&MEMBERS[..2]).await;
        ok(&world.send("ann", GROUP, 1).await);
        world.around.store.fail_writes_after(passing);
        _ = world.rest("destroy_group", json!({ "GroupId": GROUP })).await;
        world.around.store.fail_writes(0);
        let world = world.crash();
        left.push(agrees(&world, &MEMBERS).await);
        let again = world.rest("destroy_group", json!({ "GroupId": GROUP })).await;
        assert!(again["ErrorCode"] == 0 || again["ErrorCode"] == 10010, "{again}");
        assert!(!agrees(&world, &MEMBERS).await);
        assert!(world.around.store.is_empty("group_state").await, "nothing is left");
        assert!(world.around.store.is_empty("user_groups").await);
    }
    assert!(left.contains(&false) && left.contains(&true), "{left:?}");
}

/// The row of a member goes before the entry in its list, and comes after it.
#[tokio::test]
async fn a_list_that_names_a_group_in_vain_is_made_right() {
    for command in ["apply_join_group", "quit_group"] {
        for passing in 0..4 {
            let world = public(&["ann"]).await;
            if command == "quit_group" {
                world.join("dan", GROUP).await;
            }
            world.around.store.fail_writes_after(passing);
            _ = world.client("dan", command, join_body(GROUP)).await;
            world.around.store.fail_writes(0);
            let world = world.crash();
            assert!(agrees(&world, &["dan", "ann", "owner"]).await, "{command} {passing}");
            ok(&world.client("dan", command, join_body(GROUP)).await);
            assert!(agrees(&world, &["dan", "ann", "owner"]).await);
            let kinds: Vec<_> = tips(&world).into_iter().map(|(_, kind)| kind).collect();
            let expected = if command == "quit_group" { vec![1, 2] } else { vec![1] };
            assert_eq!(kinds, expected, "{command} {passing}");
        }
    }
}
