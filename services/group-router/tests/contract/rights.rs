//! Who may call what: each command by an app server, a client of each standing, a guest.

use serde_json::{Value, json};
use throng_proto::v1::origin::Kind;

use crate::support::*;

/// Bodies that are good for whoever has the right.
fn commands() -> Vec<(&'static str, Value)> {
    let users = |field: &str| json!({ "GroupId": "live", field: ["eve"] });
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    vec![
        ("get_appid_group_list", json!({})),
        ("get_group_info", json!({ "GroupIdList": ["live"] })),
        ("send_group_system_notification", with(in_group("live"), "Content", json!("x"))),
        ("send_broadcast_msg", with(message("live", 1), "GroupId", json!(null))),
        ("group_msg_get_simple", with(in_group("live"), "ReqMsgNumber", json!(5))),
        ("forbid_send_msg", with(users("Members_Account"), "MuteTime", json!(5))),
        ("get_group_muted_account", in_group("live")),
        ("unban_group_member", users("Members_Account")),
        ("get_group_ban_member", in_group("live")),
        ("check_members", users("Member_Account")),
        ("modify_admin", with(users("Admin_Account"), "CommandType", json!(1))),
        ("get_admin_list", in_group("live")),
        ("add_robots", users("Member_Account")),
        ("del_robots", users("Member_Account")),
        ("delete_group_counter", in_group("live")),
        ("get_role_in_group", users("User_Account")),
    ]
}

#[tokio::test]
async fn commands_of_app_servers_are_closed_to_clients_and_guests() {
    let world = World::new();
    world.create("live").await;
    for user in ["owner", "member"] {
        world.join(user, "live").await;
    }
    for (command, body) in commands() {
        for user in ["owner", "member", "stranger"] {
            let answer = world.client(user, command, body.clone()).await;
            assert_eq!(answer["ErrorCode"], 10007, "{command} by {user}: {answer}");
        }
        let answer = world.guest(5, command, body.clone()).await;
        assert_eq!(answer["ErrorCode"], 10007, "{command} by a guest: {answer}");
        let answer = world.rest(command, body.clone()).await;
        let expected = if command == "get_role_in_group" { 10007 } else { 0 };
        assert_eq!(answer["ErrorCode"], expected, "{command} by the app's server: {answer}");
        // Whoever forwards: a REST call by somebody who is no administrator is none.
        let forged = request(Kind::Rest, "member", 0, command, &body);
        assert_eq!(world.execute(forged).await.code, 10007, "{command}");
    }
}

#[tokio::test]
async fn guests_come_in_and_count_and_do_nothing_else() {
    let world = World::new();
    world.create("live").await;
    ok(&world.guest(5, "apply_join_group", join_body("live")).await);
    ok(&world.guest(5, "get_online_member_num", in_group("live")).await);
    let closed = [
        ("send_group_msg", message("live", 1)),
        ("create_group", json!({ "Type": "AVChatRoom", "Name": "n" })),
        ("destroy_group", in_group("live")),
        ("quit_group", in_group("live")),
        ("get_members", in_group("live")),
        ("get_group_self_member_info", json!({ "GroupIdList": ["live"] })),
        ("get_group_attr", in_group("live")),
        ("clear_group_attr", in_group("live")),
        ("group_msg_get", json!({ "GroupId": "live", "ReqMsgNumber": 5 })),
        ("get_huge_group_msg", in_group("live")),
        ("group_msg_recall", json!({ "GroupId": "live", "MsgSeqList": [{ "MsgSeq": 1 }] })),
        (
            "modify_user_info",
            json!({ "GroupId": "live", "CommandType": 1,
            "MemberList": [{ "Member_Account": "a", "Marks": [1000] }] }),
        ),
    ];
    for (command, body) in closed {
        refused(&world.guest(5, command, body).await, 10007);
    }
    // A nameless caller is nobody, whatever it says it is.
    let nameless =
        request(Kind::Client, "", 5, "create_group", &json!({ "Type": "AVChatRoom", "Name": "n" }));
    assert_eq!(world.execute(nameless).await.code, 10007);
}

#[tokio::test]
async fn owners_and_admins_rule_members_and_not_each_other() {
    let world = World::new();
    world.create("live").await;
    for user in ["owner", "helper", "member", "x"] {
        world.join(user, "live").await;
    }
    let admin = json!({ "GroupId": "live", "CommandType": 1, "Admin_Account": ["helper"] });
    ok(&world.rest("modify_admin", admin).await);
    let mute = |user: &str| json!({ "GroupId": "live", "Member_Account": user, "ShutUpTime": 5 });
    let ban = |user: &str| json!({ "GroupId": "live", "Members_Account": [user], "Duration": 5 });
    let mark = json!({ "GroupId": "live", "CommandType": 1,
        "MemberList": [{ "Member_Account": "member", "Marks": [1000] }] });
    let hide = json!({ "GroupId": "live", "CommandType": 1,
        "MemberList": [{ "Member_Account": "member", "Marks": [600] }] });
    let name = json!({ "GroupId": "live", "Name": "new" });
    for (caller, command, body, code) in [
        ("member", "modify_group_member_info", mute("x"), 10007),
        ("helper", "modify_group_member_info", mute("x"), 0),
        ("helper", "modify_group_member_info", mute("owner"), 10007),
        ("helper", "modify_group_member_info", mute("helper"), 10007),
        ("owner", "modify_group_member_info", mute("helper"), 0),
        ("member", "modify_user_info", mark.clone(), 10007),
        ("helper", "modify_user_info", mark, 0),
        ("owner", "modify_user_info", hide.clone(), 10007),
        ("admin", "modify_user_info", hide, 0),
        ("member", "modify_group_base_info", name.clone(), 10007),
        ("helper", "modify_group_base_info", name.clone(), 10007),
        ("owner", "modify_group_base_info", name, 0),
        ("member", "destroy_group", in_group("live"), 10007),
        ("helper", "destroy_group", in_group("live"), 10007),
        ("member", "ban_group_member", ban("x"), 10007),
        ("helper", "ban_group_member", ban("owner"), 10007),
        ("helper", "ban_group_member", ban("x"), 0),
        ("owner", "ban_group_member", ban("helper"), 0),
        ("owner", "destroy_group", in_group("live"), 0),
    ] {
        let answer = world.client(caller, command, body.clone()).await;
        assert_eq!(answer["ErrorCode"], code, "{command} by {caller}: {body} {answer}");
    }
}

/// The page of coverage is made from the catalogue: what it says of this service must be true.
#[tokio::test]
async fn every_command_of_the_catalogue_has_a_handler() {
    use throng_protocol::catalogue::{self, Callers, Owner, Support};

    let world = World::new();
    let mut asked = 0;
    let own = catalogue::commands().filter(|command| command.owner == Owner::GroupRouter);
    for command in own.filter(|command| !matches!(command.state, Support::NotYet)) {
        let kind = if command.callers.contains(Callers::REST) { Kind::Rest } else { Kind::Client };
        let mut request = request(kind, "admin", 1, command.command(), &json!({}));
        request.command = command.name.to_owned();
        let reply = world.execute(request).await;
        let none = [throng_protocol::Code::GROUP_UNKNOWN_COMMAND.number(), 10026];
        assert!(!none.contains(&reply.code), "{}: {:?}", command.name, reply.body);
        asked += 1;
    }
    assert!(asked > 40, "only {asked} commands in the catalogue");
}
