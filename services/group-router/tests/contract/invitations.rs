//! Apps whose users agree before somebody else takes them into a group.

use serde_json::{Value, json};

use crate::support::*;

fn asking() -> World {
    let around = Around::default();
    around.directory.groups.lock().invite_consent = true;
    World::with(Default::default(), around)
}

/// A group that ann is in, and nothing told yet.
async fn club(world: &World, invite_join_option: &str) {
    public_group(world, "g", &["ann"]).await;
    let change = json!({ "GroupId": "g", "InviteJoinOption": invite_join_option });
    ok(&world.rest("modify_group_base_info", change).await);
    world.around.presence.delivered.lock().clear();
}

async fn add(world: &World, caller: &str, group: &str, users: &[&str]) -> Vec<u64> {
    let members: Vec<_> = users.iter().map(|user| json!({ "Member_Account": user })).collect();
    let body = json!({ "GroupId": group, "MemberList": members });
    let answer = match caller {
        "admin" => world.rest("add_group_member", body).await,
        caller => world.client(caller, "add_group_member", body).await,
    };
    let members = ok(&answer)["MemberList"].as_array().unwrap();
    members.iter().map(|member| member["Result"].as_u64().unwrap()).collect()
}

fn consent(group: &str, inviter: &str, word: &str) -> Value {
    json!({ "GroupId": group, "Inviter_Account": inviter, "HandleMsg": word })
}

/// Kinds of the notices that a user got, with their bodies.
fn notices(world: &World, user: &str) -> Vec<(u64, Value)> {
    let told = world.around.presence.told();
    let to_user = told.into_iter().filter(|(users, _)| users.iter().any(|one| one == user));
    let bodies = to_user.map(|(_, entry)| entry["GroupTips"][0]["MsgBody"].clone());
    bodies.filter_map(|body| Some((body["ReportType"].as_u64()?, body))).collect()
}

async fn pending(world: &World, user: &str) -> Value {
    let list = world.client(user, "get_pendency", json!({ "StartTime": 0 })).await;
    ok(&list)["PendencyList"].clone()
}

const DECIDE: &str = "handle_invite_join_group";

#[tokio::test]
async fn who_is_invited_has_the_last_word() {
    let world = asking();
    club(&world, "FreeAccess").await;
    assert_eq!(add(&world, "ann", "g", &["bob", "cem", "ann", "nobody"]).await, [3, 3, 2, 0]);
    // Asked is once.
    assert_eq!(add(&world, "admin", "g", &["bob"]).await, [3]);
    let asked = notices(&world, "bob");
    assert_eq!(asked.len(), 1, "{asked:?}");
    let (kind, body) = &asked[0];
    assert_eq!((*kind, &body["Operator_Account"]), (12, &json!("ann")));
    let entry = &pending(&world, "bob").await[0];
    let fields = ["From_Account", "To_Account", "GroupId", "PendencyType", "FromUserNickName"];
    let fields = fields.map(|field| entry[field].clone());
    assert_eq!(fields, [json!("ann"), json!("bob"), json!("g"), json!(1), json!("Nick of ann")]);
    assert_eq!(entry["AddTime"], body["MsgKey"]);
    assert_eq!(pending(&world, "owner").await, json!([]), "the owner has nothing to decide");
    refused(&world.send("bob", "g", 1).await, 10007);

    let world = world.crash();
    let mut agree = consent("g", "ann", "Agree");
    agree["MsgKey"] = json!(7);
    refused(&world.client("bob", DECIDE, agree.clone()).await, 10024);
    refused(&world.client("bob", DECIDE, consent("g", "owner", "Agree")).await, 10024);
    refused(&world.client("dan", DECIDE, consent("g", "ann", "Agree")).await, 10024);
    refused(&world.client("bob", DECIDE, consent("g", "ann", "Perhaps")).await, 10004);
    agree["MsgKey"] = entry["AddTime"].clone();
    ok(&world.client("bob", DECIDE, agree.clone()).await);
    ok(&world.client("bob", DECIDE, agree).await);
    ok(&world.send("bob", "g", 1).await);
    assert_eq!(pending(&world, "bob").await, json!([]));
    let kinds =
        |user: &str| notices(&world, user).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!((kinds("bob"), kinds("ann")), (vec![12, 7], vec![13]));

    ok(&world.client("cem", DECIDE, consent("g", "ann", "Reject")).await);
    refused(&world.client("cem", DECIDE, consent("g", "ann", "Reject")).await, 10024);
    refused(&world.client("cem", DECIDE, consent("g", "ann", "Agree")).await, 10024);
    let kinds = notices(&world, "ann").into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds, [13, 14]);
    assert_eq!(add(&world, "ann", "g", &["cem"]).await, [3], "may be asked anew");
}

#[tokio::test]
async fn an_invitation_that_needs_leave_asks_twice() {
    let world = asking();
    club(&world, "NeedPermission").await;
    assert_eq!(add(&world, "ann", "g", &["bob"]).await, [3]);
    assert_eq!(pending(&world, "bob").await, json!([]));
    let decision = json!({ "GroupId": "g", "Applicant_Account": "ann", "Invited_Account": "bob",
        "HandleMsg": "Agree" });
    ok(&world.client("owner", "handle_invite_join_permission_group", decision).await);
    assert_eq!(notices(&world, "bob").len(), 1);
    assert_eq!(notices(&world, "ann").len(), 0);
    // Clients list the invitation among applications, and decide about it as about one.
    let decision = json!({ "GroupId": "g", "Applicant_Account": "ann", "HandleMsg": "Agree" });
    ok(&world.client("bob", "handle_apply_join_group", decision).await);
    ok(&world.send("bob", "g", 1).await);
    assert_eq!(notices(&world, "ann").last().unwrap().0, 13);
}

#[tokio::test]
async fn an_invitation_ends_with_what_it_is_for() {
    let world = asking();
    public_group(&world, "g", &["ann"]).await;
    public_group(&world, "h", &[]).await;
    assert_eq!(add(&world, "admin", "g", &["bob"]).await, [3]);
    assert_eq!(add(&world, "admin", "h", &["bob"]).await, [3]);
    assert_eq!(pending(&world, "bob").await.as_array().unwrap().len(), 2);
    // He comes by himself.
    ok(&world.client("bob", "apply_join_group", join_body("g")).await);
    assert_eq!(pending(&world, "bob").await.as_array().unwrap().len(), 1);
    ok(&world.client("bob", DECIDE, consent("g", "admin", "Agree")).await);
    ok(&world.rest("destroy_group", in_group("h")).await);
    assert_eq!(pending(&world, "bob").await, json!([]));
    refused(&world.client("bob", DECIDE, consent("h", "admin", "Agree")).await, 10010);
    world.create("live").await;
    refused(&world.client("bob", DECIDE, consent("live", "admin", "Agree")).await, 10007);
}
