use std::collections::HashSet;

use super::*;

#[test]
fn every_row_is_well_formed() {
    for command in commands() {
        let names = std::iter::once(&command.name).chain(command.aliases);
        for name in names {
            let (service, rest) = name.split_once('.').expect("service.command");
            assert!(!service.is_empty() && !rest.is_empty() && !rest.contains('.'), "{name}");
            assert_eq!(lookup(service, rest).map(|row| row.name), Some(command.name));
        }
        assert!(!command.doc.is_empty(), "{} has no source", command.name);
        assert_eq!(command.callers.contains(Callers::REST), command.rate > 0, "{}", command.name);
    }
}

#[test]
fn the_rest_api_is_complete() {
    let rest = commands().filter(|row| row.callers.contains(Callers::REST)).count();
    assert_eq!(rest, 70 + 100, "the two REST references list 70 and 100 commands");
}

/// Everything that the web SDK can send, by method or by itself.
#[test]
fn the_clients_protocol_is_complete() {
    let names = "heartbeat.alive im_open_status.wslogin im_open_status.wslogout \
        im_open_status.wshello im_open_status.ws_set_custom_status \
        im_open_status.ws_get_user_status im_open_status.ws_status_subscribe \
        im_open_status.ws_status_unsubscribe im_open_status.ws_stat_settoken \
        im_open_status.ws_stat_background im_open_status.ws_stat_foreground \
        offline_push_report.uniapp_sdk_report im_sdk_config_mgr.fetch_config \
        im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2 imopenstat.tim_web_report_v2 \
        openim.ws_msg_push_ack im_long_msg.get_relay_json_msg im_long_msg.save_relay_json_msg \
        openim.sendmsg group_open_http_svc.send_group_msg im_cos_msg.pre_sig \
        im_cos_msg.simple_sig im_cos_msg.get_imageinfo im_cos_msg.get_final_ip \
        im_cos_msg.video_cover im_cos_sign_svr.cos openim.msgwithdraw \
        group_open_http_svc.group_msg_recall openim.delete_c2c_msg_ramble \
        group_open_http_svc.delete_group_ramble_msg_by_seq im_open_translate.ws_batch_trans_text \
        im_open_speech.ws_sentence_recognition openim_msg_ext_http_svc.set_key_values \
        openim_msg_ext_http_svc.group_set_key_values openim_msg_ext_http_svc.get_key_values \
        openim_msg_ext_http_svc.group_get_key_values openim.modify_c2c_msg \
        openim.modify_group_msg message_search.query group_search.query user_search.query \
        group_member_search.query openim_msg_ext_http_svc.reaction_add \
        openim_msg_ext_http_svc.group_reaction_add openim_msg_ext_http_svc.reaction_del \
        openim_msg_ext_http_svc.group_reaction_del openim_msg_ext_http_svc.reaction_multi_stat \
        openim_msg_ext_http_svc.group_reaction_multi_stat \
        openim_msg_ext_http_svc.reaction_iterate openim_msg_ext_http_svc.group_reaction_iterate \
        openim.getroammsg openim.get_peer_read_time group_open_http_svc.group_msg_get \
        openim.msgreaded group_open_http_svc.msg_read_report openim.deletemsg \
        openim.c2c_msg_read_receipt group_open_http_svc.group_msg_receipt \
        group_open_http_svc.get_group_msg_receipt group_open_http_svc.get_group_msg_receipt_detail \
        group_open_http_svc.get_group_msg_receipts_by_users recentcontact.page_get openim.getmsg \
        recentcontact.get_contact_group recentcontact.search_contact_group \
        profile.portrait_get_all profile.portrait_set recentcontact.batch_delete \
        recentcontact.clear_msg recentcontact.top openim.read_all_unread_msg \
        openim.set_c2c_peer_mute_notifications openim.get_c2c_peer_mute_notifications \
        group_open_http_svc.modify_group_member_info im_msg_db_logic.ws_set_do_not_disturb \
        im_msg_db_logic.ws_get_do_not_disturb recentcontact.mark_contact \
        recentcontact.create_contact_group recentcontact.del_contact_group \
        recentcontact.update_contact_group sns.black_list_get sns.black_list_add \
        sns.black_list_delete sns.friend_get sns.friend_add sns.friend_delete sns.friend_check \
        sns.friend_get_specified sns.friend_update sns.pendency_get sns.friend_response \
        sns.pendency_delete sns.pendency_report sns.group_get sns.group_add sns.group_delete \
        sns.group_update follow.follow_add follow.follow_delete follow.follow_get \
        follow.follow_get_info follow.follow_check group_open_http_svc.get_joined_group_list \
        million_group_open_http_svc.get_joined_group_list \
        group_open_http_svc.get_group_self_member_info group_open_http_svc.create_group \
        million_group_open_http_svc.create_group group_open_http_svc.destroy_group \
        group_open_http_svc.modify_group_base_info group_open_http_svc.apply_join_group \
        group_open_long_polling_http_svc.get_msg group_open_http_svc.quit_group \
        group_open_http_svc.pin_message group_open_http_svc.unpin_message \
        group_open_http_svc.get_pinned_messages group_open_http_svc.get_group_public_info \
        group_open_http_svc.get_online_member_num group_open_http_svc.change_group_owner \
        group_open_http_svc.get_pendency million_group_open_http_svc.get_pendency \
        group_open_http_svc.handle_apply_join_group group_open_http_svc.handle_invite_join_group \
        group_open_http_svc.handle_invite_join_permission_group \
        group_open_http_svc.set_group_attr group_open_http_svc.modify_group_attr \
        group_open_http_svc.delete_group_attr group_open_http_svc.clear_group_attr \
        group_open_attr_http_svc.get_group_attr group_open_http_svc.update_group_counter \
        group_open_http_svc.get_group_counter group_open_http_svc.get_group_member_info \
        group_open_avchatroom_http_svc.get_members \
        group_open_http_svc.get_specified_group_member_info group_open_http_svc.add_group_member \
        group_open_http_svc.delete_group_member group_open_http_svc.ban_group_member \
        group_open_avchatroom_http_svc.modify_user_info million_group_open_http_svc.create_topic \
        million_group_open_http_svc.destroy_topic million_group_open_http_svc.modify_topic \
        million_group_open_http_svc.get_topic im_msg_audit_mgr.get_local_words \
        group_open_http_svc.batch_get_group_notify group_open_http_svc.get_huge_group_msg \
        openim.authkey";
    for name in names.split_whitespace() {
        let (service, command) = name.split_once('.').expect("service.command");
        let row = lookup(service, command).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(row.callers.contains(Callers::CLIENT), "{name} is not for clients");
    }
    for (service, command) in [
        ("group_open_http_noauth_svc", "apply_join_group"),
        ("group_open_long_polling_http_noauth_svc", "get_msg"),
        ("group_open_http_svc", "get_online_member_num"),
        ("heartbeat", "alive"),
        ("imopenstat", "tim_web_report_v2"),
    ] {
        let row = lookup(service, command).expect("a row");
        assert!(row.callers.contains(Callers::GUEST), "{command} is not for guests");
    }
}

#[test]
fn group_commands_answer_under_each_of_their_services_names() {
    let row = lookup("group_open_http_svc", "get_group_attr").expect("a row");
    assert_eq!(row.name, "group_open_attr_http_svc.get_group_attr");
    for service in [
        "million_group_open_http_svc",
        "group_open_attr_http_svc",
        "group_open_avchatroom_http_svc",
    ] {
        assert_eq!(lookup(service, "get_group_attr").map(|row| row.name), Some(row.name));
    }
    assert!(lookup("openim", "get_group_attr").is_none());
    let old = lookup("group_open_http_svc", "get_group_shutted_uin").expect("an alias");
    assert_eq!(old.command(), "get_group_muted_account");
    assert_eq!(lookup("openim", "querystate").map(Command::command), Some("query_online_status"));
}

#[test]
fn a_guests_join_is_another_row_than_a_members() {
    let guest = lookup("group_open_http_noauth_svc", "apply_join_group").expect("a row");
    let member = lookup("group_open_http_svc", "apply_join_group").expect("a row");
    assert_eq!(guest.command(), member.command());
    assert_eq!(guest.callers, Callers::GUEST);
    assert!(!member.callers.contains(Callers::GUEST) && !member.callers.contains(Callers::REST));
}

#[test]
fn rates_over_rest_are_the_documented_ones() {
    let rate = |service, command| lookup(service, command).expect("a row").rate;
    assert_eq!(rate("group_open_http_svc", "send_group_msg"), 200);
    assert_eq!(rate("group_open_http_svc", "get_appid_group_list"), 1);
    assert_eq!(rate("group_open_http_svc", "send_broadcast_msg"), 1);
    assert_eq!(rate("im_open_login_svc", "multiaccount_import"), 100);
    assert_eq!(rate("im_open_login_svc", "account_import"), 200);
    assert_eq!(rate("heartbeat", "alive"), 0);
}

#[test]
fn unknown_commands_get_the_code_of_their_service() {
    let code = |service, command| unknown(service, command).code;
    assert_eq!(code("group_open_http_svc", "fly"), Code::GROUP_UNKNOWN_COMMAND);
    assert_eq!(code("million_group_open_http_svc", "fly"), Code::GROUP_UNKNOWN_COMMAND);
    assert_eq!(code("openim", "fly"), Code::UNKNOWN_COMMAND);
    assert!(unknown("x", &"y".repeat(10_000)).info.len() < 100);
}

#[test]
fn commands_that_are_not_built_are_refused_with_a_text_that_says_so() {
    for command in commands() {
        let error = command.not_yet();
        assert!(error.info.contains(command.name) && error.info.contains("not supported"));
        let group = command.family == Family::Group;
        assert_eq!(error.code == Code::GROUP_COMMAND_DISABLED, group);
        // The SDK ends the session on these two, whatever they answer.
        assert!(![Code::SIG_EXPIRED, Code::MESSAGE_AUTH_INVALID].contains(&error.code));
    }
}

#[test]
fn no_general_error_ends_a_clients_session() {
    let families: HashSet<Family> = commands().map(|command| command.family).collect();
    for family in families {
        let codes =
            [family.bad_json(), family.bad_parameter(), family.needs_admin(), family.internal()];
        for code in codes {
            let fatal =
                [Code::SIG_EXPIRED, Code::MESSAGE_AUTH_INVALID, Code::KICKED, Code::BAD_URL];
            assert!(!fatal.contains(&code), "{family:?}");
        }
    }
}

mod routing {
    use super::*;

    fn group(key: RoutingKey, body: &str) -> Result<String, String> {
        match routing_group(key, body.as_bytes()) {
            Ok(group) => Ok(group.into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_group_is_found_wherever_it_stands() {
        let body = r#"{"MsgBody":[{"GroupId":"inner"}],"GroupId":"live1","Random":1}"#;
        assert_eq!(group(RoutingKey::GroupId, body), Ok("live1".to_owned()));
        assert_eq!(group(RoutingKey::GroupId, r#"{"GroupId":"\u0041"}"#), Ok("A".to_owned()));
        let list = r#"{"GroupIdList":["one","two"]}"#;
        assert_eq!(group(RoutingKey::FirstOfGroupIdList, list), Ok("one".to_owned()));
    }

    #[test]
    fn the_text_names_the_field_that_is_wrong() {
        let info = |key, body: &str| group(key, body).expect_err("an error");
        let text = "10004 GROUP_BAD_PARAMETER: GroupId: ";
        assert_eq!(info(RoutingKey::GroupId, "{}"), format!("{text}missing field"));
        assert_eq!(info(RoutingKey::GroupId, r#"{"GroupId":""}"#), format!("{text}empty"));
        let number = info(RoutingKey::GroupId, r#"{"GroupId":7}"#);
        assert_eq!(number, format!("{text}must be a string"));
        let number = info(RoutingKey::NewGroupId, r#"{"GroupId":7}"#);
        assert_eq!(number, format!("{text}must be a string"));
        let list = "10004 GROUP_BAD_PARAMETER: GroupIdList: ";
        let key = RoutingKey::FirstOfGroupIdList;
        assert_eq!(info(key, "{}"), format!("{list}missing field"));
        assert_eq!(info(key, r#"{"GroupIdList":[]}"#), format!("{list}empty"));
        assert_eq!(
            info(key, r#"{"GroupIdList":[1]}"#),
            format!("{list}must be an array of strings")
        );
    }

    #[test]
    fn a_new_group_may_have_no_name_yet() {
        let key = RoutingKey::NewGroupId;
        assert_eq!(group(key, r#"{"Type":"AVChatRoom"}"#), Ok(String::new()));
        assert_eq!(group(key, r#"{"GroupId":""}"#), Ok(String::new()));
        assert_eq!(group(key, r#"{"GroupId":"mine"}"#), Ok("mine".to_owned()));
    }

    #[test]
    fn broken_bodies_are_refused_with_10011() {
        for body in ["", "{", "[]", "null", r#"{"GroupId":"a""#, "\u{0}"] {
            let error = routing_group(RoutingKey::GroupId, body.as_bytes()).expect_err("broken");
            assert_eq!(error.code, Code::GROUP_BAD_JSON, "{body}");
        }
    }

    #[test]
    fn a_user_is_the_one_named_or_else_the_caller() {
        let from = UserKey::Field("From_Account");
        let body = br#"{"From_Account":"ann"}"#;
        assert_eq!(routing_user(from, body, "admin"), "ann");
        assert_eq!(routing_user(UserKey::Caller, body, "admin"), "admin");
        assert_eq!(routing_user(from, br#"{"From_Account":["ann"]}"#, "admin"), "admin");
        assert_eq!(routing_user(from, b"broken", "admin"), "admin");
    }
}

#[test]
fn the_page_of_commands_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/coverage.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == coverage_markdown(),
        "docs/coverage.md differs from the catalogue; make it again with\n    \
         cargo run -p throng-protocol --example coverage > docs/coverage.md"
    );
}
