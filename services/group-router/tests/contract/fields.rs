//! Custom fields that an app declares, who writes and who sees them; and how many admins a group has.

use serde_json::{Value, json};
use throng_proto::v1;
use throng_proto::v1::FieldLevel::{Admin, Anybody, App, Member};

use crate::support::*;

fn rule(key: &str, read: v1::FieldLevel, write: v1::FieldLevel) -> v1::CustomFieldRule {
    v1::CustomFieldRule { key: key.to_owned(), read: read.into(), write: write.into() }
}

/// A Public group "g" of owner, adm (an admin), ann and bob, in an app that declares fields.
async fn declaring() -> World {
    let around = Around::default();
    *around.directory.groups.lock() = v1::GroupPolicy {
        group_fields: vec![
            rule("motto", Anybody, Member),
            rule("plan", Member, Admin),
            rule("board", Admin, Admin),
            rule("score", App, App),
        ],
        member_fields: vec![
            rule("town", Anybody, Member),
            rule("note", Admin, Admin),
            rule("id", App, App),
        ],
        ..v1::GroupPolicy::default()
    };
    let world = World::with(Default::default(), around);
    let body = json!({ "Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "owner",
        "AppDefinedData": fields(&[("motto", "m"), ("plan", "p"), ("board", "b"), ("score", "1")]),
        "MemberList": [{ "Member_Account": "adm", "Role": "Admin" }, { "Member_Account": "bob" },
            { "Member_Account": "ann", "AppMemberDefinedData": fields(&[("town", "t"), ("note", "n"), ("id", "7")]) }] });
    ok(&world.rest("create_group", body).await);
    world
}

fn fields(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

fn keys(list: &Value) -> Vec<&str> {
    let mut keys: Vec<_> =
        list.as_array().into_iter().flatten().map(|field| field["Key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn fields_are_written_by_those_whom_the_app_names() {
    let world = declaring().await;
    let of_group = |key: &str, value: &str| json!({ "GroupId": "g", "AppDefinedData": fields(&[(key, value)]) });
    for (caller, key, code) in [
        ("ann", "motto", 0),
        ("stranger", "motto", 10007),
        ("ann", "plan", 10007),
        ("adm", "plan", 0),
        ("owner", "board", 0),
        ("owner", "score", 10007),
        ("admin", "score", 0),
        ("owner", "other", 10004),
        ("admin", "other", 10004),
    ] {
        let answer = world
            .client(caller, "modify_group_base_info", of_group(key, &format!("by {caller}")))
            .await;
        assert_eq!(answer["ErrorCode"], code, "{key} by {caller}: {answer}");
    }
    // The right to a field is none to the rest.
    let mut both = of_group("motto", "x");
    both["Name"] = json!("y");
    refused(&world.client("ann", "modify_group_base_info", both).await, 10007);
    let of_member = |user: &str, key: &str| json!({ "GroupId": "g", "Member_Account": user, "AppMemberDefinedData": fields(&[(key, "v")]) });
    for (caller, user, key, code) in [
        ("ann", "ann", "town", 0),
        ("ann", "bob", "town", 10007),
        ("ann", "ann", "note", 10007),
        ("adm", "ann", "note", 0),
        ("owner", "ann", "id", 10007),
        ("admin", "ann", "id", 0),
        ("ann", "ann", "other", 10004),
    ] {
        let answer = world.client(caller, "modify_group_member_info", of_member(user, key)).await;
        assert_eq!(answer["ErrorCode"], code, "{key} of {user} by {caller}: {answer}");
    }
    let make = |custom: Value| json!({ "Type": "Public", "Name": "n", "AppDefinedData": custom });
    refused(&world.client("ann", "create_group", make(fields(&[("other", "v")]))).await, 10004);
    refused(&world.client("ann", "create_group", make(fields(&[("score", "v")]))).await, 10007);
    ok(&world.client("ann", "create_group", make(fields(&[("board", "v")]))).await);
    let named =
        json!([{ "Member_Account": "bob", "AppMemberDefinedData": fields(&[("id", "1")]) }]);
    let body = json!({ "Type": "Public", "Name": "n", "MemberList": named });
    refused(&world.client("ann", "create_group", body).await, 10007);
}

#[tokio::test]
async fn fields_are_shown_to_those_whom_the_app_names() {
    let world = declaring().await;
    let groups = json!({ "GroupIdList": ["g"] });
    for (caller, expected) in [
        ("ann", &["motto", "plan"][..]),
        ("adm", &["board", "motto", "plan"]),
        ("owner", &["board", "motto", "plan"]),
    ] {
        let info = world.client(caller, "get_group_self_member_info", groups.clone()).await;
        assert_eq!(keys(&ok(&info)["GroupInfo"][0]["AppDefinedData"]), expected, "{caller}");
        let body = json!({ "Member_Account": caller, "NeedAppDefineData": 1, "ResponseFilter": { "GroupBaseInfoFilter": ["Name"] } });
        let list = world.client(caller, "get_joined_group_list", body).await;
        assert_eq!(keys(&ok(&list)["GroupIdList"][0]["AppDefinedData"]), expected, "{caller}");
        let public = world.client(caller, "get_group_public_info", groups.clone()).await;
        assert_eq!(keys(&ok(&public)["GroupInfo"][0]["AppDefinedData"]), ["motto"]);
    }
    let info = world.rest("get_group_info", groups.clone()).await;
    assert_eq!(
        keys(&ok(&info)["GroupInfo"][0]["AppDefinedData"]),
        ["board", "motto", "plan", "score"]
    );

    let list = async |caller: &str| {
        let list = world
            .client(caller, "get_group_member_info", json!({ "GroupId": "g", "Limit": 50 }))
            .await;
        let body = json!({ "GroupId": "g", "Member_List_Account": ["ann"] });
        let named = world.client(caller, "get_specified_group_member_info", body).await;
        let members = ok(&list)["MemberList"].as_array().unwrap().clone();
        let ann = members.into_iter().find(|member| member["Member_Account"] == "ann").unwrap();
        assert_eq!(
            ok(&named)["MemberList"][0]["AppMemberDefinedData"],
            ann["AppMemberDefinedData"]
        );
        ann["AppMemberDefinedData"].clone()
    };
    assert_eq!(keys(&list("bob").await), ["town"]);
    assert_eq!(keys(&list("adm").await), ["note", "town"]);
    assert_eq!(keys(&list("ann").await), ["note", "town"], "her own");
    assert_eq!(keys(&list("admin").await), ["id", "note", "town"]);
    let own = world.client("ann", "get_group_self_member_info", groups).await;
    assert_eq!(
        keys(&ok(&own)["GroupInfo"][0]["SelfInfo"]["AppMemberDefinedData"]),
        ["note", "town"]
    );
}

#[tokio::test]
async fn the_tip_of_a_change_tells_what_all_members_may_see() {
    let world = declaring().await;
    world.around.presence.delivered.lock().clear();
    let change =
        |custom: &[(&str, &str)]| json!({ "GroupId": "g", "AppDefinedData": fields(custom) });
    ok(&world.rest("modify_group_base_info", change(&[("board", "new"), ("plan", "new")])).await);
    ok(&world.rest("modify_group_base_info", change(&[("board", "newer"), ("score", "2")])).await);
    let told = world.around.presence.told();
    let tips: Vec<_> = told
        .iter()
        .map(|(_, entry)| &entry["GroupTips"][0]["MsgBody"]["MsgGroupNewInfo"])
        .collect();
    assert_eq!(tips, [&json!({ "MsgAppDefinedData": [{ "Key": "plan", "Value": "new" }] })]);
}

#[tokio::test]
async fn a_group_has_as_many_admins_as_the_app_wants() {
    let around = Around::default();
    around.directory.groups.lock().admins = 2;
    let world = World::with(Default::default(), around);
    public_group(&world, "g", &["a", "b", "c"]).await;
    let role =
        |user: &str, role: &str| json!({ "GroupId": "g", "Member_Account": user, "Role": role });
    for (user, name, code) in [
        ("a", "Admin", 0),
        ("b", "Admin", 0),
        ("c", "Admin", 10005),
        ("b", "Admin", 0),
        ("a", "Member", 0),
        ("c", "Admin", 0),
    ] {
        let answer = world.client("owner", "modify_group_member_info", role(user, name)).await;
        assert_eq!(answer["ErrorCode"], code, "{user} {name}: {answer}");
    }
    let admins: Vec<_> =
        ["x", "y", "z"].map(|user| json!({ "Member_Account": user, "Role": "Admin" })).into();
    let body = json!({ "Type": "Public", "Name": "n", "MemberList": admins });
    refused(&world.client("owner", "create_group", body).await, 10005);
}
