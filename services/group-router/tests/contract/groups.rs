//! Making groups and changing their profiles.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn an_id_is_taken_once_whoever_asks_first() {
    let world = World::new();
    let body = json!({ "Type": "AVChatRoom", "Name": "Live", "GroupId": "live" });
    let answers = tokio::join!(
        world.client("ann", "create_group", body.clone()),
        world.client("bob", "create_group", body.clone()),
        world.client("cem", "create_group", body.clone()),
    );
    let mut codes = [&answers.0, &answers.1, &answers.2].map(|answer| answer["ErrorCode"].as_u64());
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(10021), Some(10021)]);
    let info = world.rest("get_group_info", json!({ "GroupIdList": ["live"] })).await;
    let owner = info["GroupInfo"][0]["Owner_Account"].as_str().unwrap().to_owned();
    refused(&world.client(&owner, "create_group", body).await, 10025);
    let made =
        world.client("ann", "create_group", json!({ "Type": "AVChatRoom", "Name": "n" })).await;
    assert!(ok(&made)["GroupId"].as_str().unwrap().starts_with("@TGS#a"), "{made}");
}

#[tokio::test]
async fn a_quota_of_live_rooms_holds() {
    let around = Around::default();
    around.directory.policy.lock().max_rooms = 2;
    let world = World::with(Default::default(), around);
    world.create("a").await;
    world.create("b").await;
    let body = json!({ "Type": "AVChatRoom", "Name": "Live", "GroupId": "c" });
    refused(&world.rest("create_group", body).await, 10036);
}

#[tokio::test]
async fn profiles_are_told_group_by_group() {
    let world = World::new();
    world.create("live").await;
    let ids = json!({ "GroupIdList": ["live", "none", ""] });
    let info = world.rest("get_group_info", ids).await;
    let codes: Vec<_> =
        info["GroupInfo"].as_array().unwrap().iter().map(|one| one["ErrorCode"].clone()).collect();
    assert_eq!(codes, [0, 10010, 10015]);
    assert_eq!(info["GroupInfo"][0]["Owner_Account"], "owner");
}

/// Regression: a user named twice took two of the five places for admins.
#[tokio::test]
async fn a_user_named_twice_counts_once() {
    let world = World::new();
    world.create("live").await;
    let names =
        json!({ "GroupId": "live", "CommandType": 1, "Admin_Account": ["a", "b", "a", "b", "a"] });
    ok(&world.rest("modify_admin", names).await);
    let names = json!({ "GroupId": "live", "CommandType": 1, "Admin_Account": ["c", "d", "e"] });
    ok(&world.rest("modify_admin", names).await);
    let list = world.rest("get_admin_list", in_group("live")).await;
    assert_eq!(list["Admin_List"].as_array().unwrap().len(), 5);
}

/// Regression: robots that were refused were shown until the room was read again.
#[tokio::test]
async fn robots_that_are_refused_are_not_shown() {
    let world = World::new();
    world.create("live").await;
    let robots: Vec<_> = (0..101).map(|number| format!("robot{number}")).collect();
    let body = json!({ "GroupId": "live", "Member_Account": robots });
    refused(&world.rest("add_robots", body).await, 10004);
    let list = world.rest("get_members", json!({ "GroupId": "live", "Timestamp": 0 })).await;
    assert_eq!(ok(&list)["MemberList"], json!([]));
    let body = json!({ "GroupId": "live", "Member_Account": robots[..3] });
    ok(&world.rest("add_robots", body).await);
    let list = world.rest("get_members", json!({ "GroupId": "live", "Timestamp": 0 })).await;
    assert_eq!(ok(&list)["MemberList"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn mutes_and_bans_are_there_after_a_restart() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let mute =
        json!({ "GroupId": "live", "Members_Account": ["ann"], "MuteTime": 4_294_967_295u32 });
    ok(&world.rest("forbid_send_msg", mute).await);
    let ban = json!({ "GroupId": "live", "Members_Account": ["bob"], "Duration": 600 });
    ok(&world.rest("ban_group_member", ban).await);
    let world = world.crash();
    world.attach("ann", "live", 0).await;
    refused(&world.send("ann", "live", 1).await, 10017);
    refused(&world.client("bob", "apply_join_group", join_body("live")).await, 10007);
    let muted = world.rest("get_group_muted_account", in_group("live")).await;
    assert_eq!(muted["MutedAccountList"][0]["MutedUntil"], u32::MAX);
    ok(&world
        .rest("unban_group_member", json!({ "GroupId": "live", "Members_Account": ["bob"] }))
        .await);
    world.join("bob", "live").await;
}
