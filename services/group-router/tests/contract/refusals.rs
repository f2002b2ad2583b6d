//! Every refusal of a wrong field: its code, and a text that names the field.

use serde_json::{Value, json};

use crate::support::*;

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

fn live(field: &str, value: Value) -> Value {
    with(in_group("live"), field, value)
}

#[tokio::test]
async fn wrong_fields_are_named_with_the_documented_code() {
    let world = World::new();
    world.create("live").await;
    let room = json!({ "Type": "AVChatRoom", "Name": "n" });
    let text = |length: usize| "x".repeat(length);
    let users = |number: usize| (0..number).map(|n| format!("u{n}")).collect::<Vec<_>>();
    let send = message("live", 1);
    let element = |element: Value| with(send.clone(), "MsgBody", json!([element]));
    let attribute =
        |key: &str, value: &str| live("GroupAttr", json!([{ "key": key, "value": value }]));
    let ban = |duration: Value| with(live("Members_Account", json!(["a"])), "Duration", duration);
    let admins = live("Admin_Account", json!(["a"]));
    let marks = |marks: Value| {
        let list = json!([{ "Member_Account": "a", "Marks": marks }]);
        with(live("MemberList", list), "CommandType", json!(1))
    };
    let cases = [
        ("create_group", without(room.clone(), "Type"), 10004, "Type"),
        ("create_group", with(room.clone(), "Type", json!("BChatRoom")), 10004, "Type"),
        (
            "create_group",
            with(room.clone(), "InviteJoinOption", json!("Maybe")),
            10004,
            "InviteJoinOption",
        ),
        ("create_group", without(room.clone(), "Name"), 10004, "Name"),
        ("create_group", with(room.clone(), "Name", json!("")), 10004, "Name"),
        ("create_group", with(room.clone(), "Name", json!(text(101))), 10004, "Name"),
        ("create_group", with(room.clone(), "Name", json!(7)), 10004, "Name"),
        (
            "create_group",
            with(room.clone(), "Introduction", json!(text(401))),
            10004,
            "Introduction",
        ),
        (
            "create_group",
            with(room.clone(), "Notification", json!(text(401))),
            10004,
            "Notification",
        ),
        ("create_group", with(room.clone(), "FaceUrl", json!(text(501))), 10004, "FaceUrl"),
        (
            "create_group",
            with(room.clone(), "ApplyJoinOption", json!("Any")),
            10004,
            "ApplyJoinOption",
        ),
        ("create_group", with(room.clone(), "GroupId", json!("@TGS#mine")), 10015, "GroupId"),
        ("create_group", with(room.clone(), "GroupId", json!(text(49))), 10015, "GroupId"),
        ("create_group", with(room.clone(), "GroupId", json!("é")), 10015, "GroupId"),
        ("create_group", with(room.clone(), "GroupId", json!("live")), 10021, "GroupId"),
        (
            "create_group",
            with(room.clone(), "Owner_Account", json!("nobody")),
            10019,
            "Owner_Account",
        ),
        (
            "create_group",
            with(room.clone(), "Owner_Account", json!(text(33))),
            10004,
            "Owner_Account",
        ),
        (
            "create_group",
            with(room.clone(), "MemberList", json!([{ "Member_Account": "a" }])),
            10007,
            "MemberList",
        ),
        (
            "create_group",
            with(room.clone(), "AppDefinedData", json!([{ "Key": "a-b" }])),
            10004,
            "AppDefinedData.Key",
        ),
        (
            "create_group",
            with(room, "AppDefinedData", json!([{ "Key": "a", "Value": text(513) }])),
            10004,
            "AppDefinedData.Value",
        ),
        ("destroy_group", in_group("none"), 10010, "GroupId"),
        ("destroy_group", json!({}), 10004, "GroupId"),
        ("modify_group_base_info", live("Name", json!("")), 10004, "Name"),
        ("modify_group_base_info", live("MuteAllMember", json!("Maybe")), 10004, "MuteAllMember"),
        (
            "modify_group_base_info",
            with(live("Name", json!("n")), "From_Account", json!("nobody")),
            10019,
            "nobody",
        ),
        ("get_group_info", json!({ "GroupIdList": [] }), 10004, "GroupIdList"),
        ("get_group_info", json!({ "GroupIdList": users(51) }), 10005, "GroupIdList"),
        ("get_appid_group_list", json!({ "GroupType": "x" }), 10004, "GroupType"),
        ("send_group_msg", without(send.clone(), "Random"), 10004, "Random"),
        ("send_group_msg", with(send.clone(), "Random", json!(-1)), 10004, "Random"),
        ("send_group_msg", without(send.clone(), "MsgBody"), 10004, "MsgBody"),
        ("send_group_msg", with(send.clone(), "MsgBody", json!([])), 10004, "MsgBody"),
        (
            "send_group_msg",
            element(json!({ "MsgType": "TIMNoElem", "MsgContent": {} })),
            10004,
            "MsgBody[0].MsgType",
        ),
        (
            "send_group_msg",
            element(json!({ "MsgType": "TIMTextElem", "MsgContent": {} })),
            10004,
            "MsgBody[0].MsgContent.Text",
        ),
        (
            "send_group_msg",
            element(json!({ "MsgType": "TIMTextElem", "MsgContent": { "Text": text(13_000) } })),
            80002,
            "MsgBody",
        ),
        (
            "send_group_msg",
            with(send.clone(), "CloudCustomData", json!(text(12_288))),
            80002,
            "CloudCustomData",
        ),
        ("send_group_msg", with(send.clone(), "MsgPriority", json!("high")), 10004, "MsgPriority"),
        (
            "send_group_msg",
            with(send.clone(), "From_Account", json!("nobody")),
            10019,
            "From_Account",
        ),
        ("send_group_msg", with(send.clone(), "To_Account", json!(users(51))), 10005, "To_Account"),
        (
            "send_group_msg",
            with(send.clone(), "To_Account", json!([text(33)])),
            10004,
            "To_Account",
        ),
        ("send_group_msg", with(send.clone(), "GroupId", json!("none")), 10010, "GroupId"),
        ("send_group_msg", with(send.clone(), "GroupId", json!(text(105))), 10015, "GroupId"),
        ("send_broadcast_msg", with(send.clone(), "MsgBody", json!([])), 10004, "MsgBody"),
        (
            "send_broadcast_msg",
            with(send, "CloudCustomData", json!(text(12_288))),
            80002,
            "CloudCustomData",
        ),
        ("send_group_system_notification", in_group("live"), 10004, "Content"),
        ("send_group_system_notification", live("Content", json!(text(12_289))), 80002, "Content"),
        (
            "send_group_system_notification",
            with(live("Content", json!("x")), "ToMembers_Account", json!(["a"])),
            10004,
            "ToMembers_Account",
        ),
        ("group_msg_recall", live("MsgSeqList", json!([])), 10004, "MsgSeqList"),
        (
            "group_msg_recall",
            live("MsgSeqList", json!(vec![json!({ "MsgSeq": 1 }); 11])),
            10005,
            "MsgSeqList",
        ),
        (
            "group_msg_recall",
            with(live("MsgSeqList", json!([{ "MsgSeq": 1 }])), "Reason", json!(text(101))),
            10004,
            "Reason",
        ),
        ("group_msg_recall", live("MsgSeqList", json!([{ "MsgSeq": 1 }])), 10030, "MsgSeq"),
        ("group_msg_get_simple", in_group("live"), 10004, "ReqMsgNumber"),
        ("group_msg_get_simple", live("ReqMsgNumber", json!(0)), 10004, "ReqMsgNumber"),
        ("group_msg_get_simple", live("ReqMsgNumber", json!(21)), 10004, "ReqMsgNumber"),
        ("forbid_send_msg", live("Members_Account", json!(["a"])), 10004, "MuteTime"),
        (
            "forbid_send_msg",
            with(live("Members_Account", json!([])), "MuteTime", json!(1)),
            10004,
            "Members_Account",
        ),
        (
            "forbid_send_msg",
            with(live("Members_Account", json!(users(501))), "MuteTime", json!(1)),
            10005,
            "Members_Account",
        ),
        (
            "forbid_send_msg",
            with(live("Members_Account", json!(["nobody"])), "MuteTime", json!(1)),
            10019,
            "Members_Account",
        ),
        (
            "forbid_send_msg",
            with(live("Members_Account", json!([text(33)])), "MuteTime", json!(1)),
            10004,
            "Members_Account",
        ),
        ("modify_group_member_info", live("Member_Account", json!("a")), 10004, "nothing"),
        (
            "modify_group_member_info",
            with(live("Member_Account", json!("a")), "NameCard", json!("n")),
            10007,
            "NameCard",
        ),
        ("ban_group_member", ban(json!(0)), 10004, "Duration"),
        ("ban_group_member", ban(json!("1")), 10004, "Duration"),
        (
            "ban_group_member",
            with(ban(json!(1)), "Description", json!(text(1001))),
            10004,
            "Description",
        ),
        (
            "ban_group_member",
            with(ban(json!(1)), "Members_Account", json!(users(21))),
            10005,
            "Members_Account",
        ),
        (
            "ban_group_member",
            with(ban(json!(1)), "Members_Account", json!([""])),
            10004,
            "Members_Account",
        ),
        ("unban_group_member", live("Members_Account", json!([])), 10004, "Members_Account"),
        ("check_members", live("Member_Account", json!(users(501))), 10005, "Member_Account"),
        (
            "get_specified_group_member_info",
            live("Member_List_Account", json!(users(51))),
            10005,
            "Member_List_Account",
        ),
        ("modify_user_info", marks(json!([999])), 10004, "Marks"),
        ("modify_user_info", marks(json!([])), 10004, "Marks"),
        ("modify_user_info", marks(json!((1000..1013).collect::<Vec<_>>())), 10005, "Marks"),
        (
            "modify_user_info",
            with(marks(json!([1000])), "CommandType", json!(3)),
            10004,
            "CommandType",
        ),
        ("modify_user_info", marks(json!([1000])), 10004, "MemberList"),
        ("modify_admin", with(admins.clone(), "CommandType", json!(3)), 10004, "CommandType"),
        (
            "modify_admin",
            with(live("Admin_Account", json!(users(6))), "CommandType", json!(1)),
            10005,
            "Admin_Account",
        ),
        (
            "modify_admin",
            with(live("Admin_Account", json!(["nobody"])), "CommandType", json!(1)),
            10019,
            "Admin_Account",
        ),
        ("add_robots", live("Member_Account", json!(["nobody"])), 10019, "Member_Account"),
        ("add_robots", live("Member_Account", json!(users(101))), 10004, "Member_Account"),
        ("set_group_attr", live("GroupAttr", json!([])), 10004, "GroupAttr"),
        ("set_group_attr", attribute("", "v"), 10004, "GroupAttr.key"),
        ("set_group_attr", attribute(&text(33), "v"), 10045, "GroupAttr.key"),
        ("set_group_attr", attribute("k", &text(4001)), 10046, "GroupAttr.value"),
        (
            "set_group_attr",
            live(
                "GroupAttr",
                json!((0..17).map(|n| json!({ "key": format!("k{n}") })).collect::<Vec<_>>()),
            ),
            10047,
            "GroupAttr",
        ),
        (
            "set_group_attr",
            live(
                "GroupAttr",
                json!(
                    (0..5)
                        .map(|n| json!({ "key": format!("k{n}"), "value": text(3500) }))
                        .collect::<Vec<_>>()
                ),
            ),
            10048,
            "GroupAttr",
        ),
        ("delete_group_attr", attribute("none", ""), 10050, "GroupAttr.key"),
        ("update_group_counter", live("GroupCounter", json!([])), 10004, "GroupCounter"),
        (
            "update_group_counter",
            with(live("GroupCounter", json!([{ "Key": "a", "Value": 1 }])), "Mode", json!("Add")),
            10004,
            "Mode",
        ),
        (
            "update_group_counter",
            live("GroupCounter", json!([{ "Key": text(129), "Value": 1 }])),
            10004,
            "GroupCounter.Key",
        ),
        (
            "update_group_counter",
            live(
                "GroupCounter",
                json!(
                    (0..21)
                        .map(|n| json!({ "Key": format!("k{n}"), "Value": 1 }))
                        .collect::<Vec<_>>()
                ),
            ),
            10063,
            "GroupCounter",
        ),
        ("change_group_owner", in_group("live"), 10004, "NewOwner_Account"),
        ("change_group_owner", live("NewOwner_Account", json!("a")), 10007, "AVChatRoom"),
        (
            "add_group_member",
            live("MemberList", json!([{ "Member_Account": "a" }])),
            10007,
            "AVChatRoom",
        ),
        ("get_group_member_info", in_group("live"), 10007, "AVChatRoom"),
        ("get_role_in_group", live("User_Account", json!(["a"])), 10007, "AVChatRoom"),
        ("delete_group_member", live("MemberToDel_Account", json!(["a"])), 10004, "AVChatRoom"),
        (
            "delete_group_member",
            with(in_group("none"), "MemberToDel_Account", json!(["a"])),
            10010,
            "GroupId",
        ),
        ("make_coffee", in_group("live"), 10003, "make_coffee"),
    ];
    for (command, body, code, names) in cases {
        let answer = world.rest(command, body.clone()).await;
        let shown: String = body.to_string().chars().take(200).collect();
        assert_eq!(answer["ErrorCode"], code, "{command} {shown}: {answer}");
        let text = answer["ErrorInfo"].as_str().unwrap();
        assert!(text.contains(names), "{command} {shown}: {text:?} does not name {names}");
    }
}

#[tokio::test]
async fn bodies_that_are_none_are_refused() {
    let world = World::new();
    world.create("live").await;
    for body in
        ["", "null", "[]", "{", "\u{0}", "{\"GroupId\":{\"GroupId\":7}}", "{\"GroupId\":null}"]
    {
        let mut request = world.client_request("ann", "get_group_attr", &json!({}));
        request.body = body.to_owned().into();
        let reply = world.execute(request).await;
        assert_eq!(reply.code, 10004, "{body:?}");
    }
    let deep = format!("{{\"GroupId\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let mut request = world.client_request("ann", "get_group_attr", &json!({}));
    request.body = deep.into();
    assert_eq!(world.execute(request).await.code, 10004);
}

#[tokio::test(start_paused = true)]
async fn attributes_are_written_five_times_a_second() {
    let world = World::new();
    world.create("live").await;
    let body = |n: u32| live("GroupAttr", json!([{ "key": "k", "value": n.to_string() }]));
    let answers =
        futures_util::future::join_all((0..6).map(|n| world.rest("set_group_attr", body(n)))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer["ErrorCode"] == 10049).collect();
    assert_eq!(refused.len(), 1, "{answers:?}");
}
