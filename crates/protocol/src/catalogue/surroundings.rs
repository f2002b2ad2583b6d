//! What surrounds the chat: the app's own settings, files, search, translation, moderation, bots,
//! official accounts.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;

const fn row(name: &'static str, family: Family, callers: Callers, doc: &'static str) -> Command {
    Command::new(name, Owner::Directory, family, callers, RoutingKey::None, doc)
}

const fn operation(name: &'static str, doc: &'static str) -> Command {
    row(name, Family::Operation, REST, doc)
}

const fn other(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    row(name, Family::Other, callers, doc)
}

const fn search(name: &'static str, owner: Owner) -> Command {
    Command::new(name, owner, Family::Other, CLIENT, RoutingKey::None, "SDK 03, 18")
}

const fn bot(name: &'static str, doc: &'static str) -> Command {
    row(name, Family::Group, REST, doc)
}

pub(super) static ROWS: &[Command] = &[
    operation("openconfigsvr.setnospeaking", "CN 4230")
        .key(RoutingKey::User(UserKey::Field("Set_Account"))),
    operation("openconfigsvr.getnospeaking", "CN 4229")
        .key(RoutingKey::User(UserKey::Field("Get_Account"))),
    operation("openconfigsvr.getappinfo", "CN 4193"),
    operation("open_msg_svc.get_history", "CN 1650"),
    operation("ConfigSvc.GetIPList", "CN 45438"),
    // Files
    other("im_cos_msg.pre_sig", CLIENT, "SDK 03, 17"),
    other("im_cos_msg.simple_sig", CLIENT, "SDK 03, 17"),
    other("im_cos_msg.get_imageinfo", CLIENT, "SDK 03, 17"),
    other("im_cos_msg.get_final_ip", CLIENT, "SDK 03, 17"),
    other("im_cos_msg.video_cover", CLIENT, "SDK 03, 17"),
    other("im_cos_sign_svr.cos", CLIENT, "SDK 03, 17"),
    other("im_cos_msg.forbid_illegal_object", REST, "REST, chat files"),
    other("im_cos_msg.allow_banned_object", REST, "REST, chat files"),
    other("im_cos_msg.get_cos_sig", REST, "REST, chat files"),
    // Search
    search("message_search.query", Owner::History),
    search("group_search.query", Owner::GroupRouter).works(),
    search("group_member_search.query", Owner::GroupRouter).works(),
    search("user_search.query", Owner::Directory),
    // Language
    other("im_open_translate.ws_batch_trans_text", CLIENT, "SDK 03, 20"),
    other("im_open_speech.ws_sentence_recognition", CLIENT, "SDK 03, 20"),
    // Moderation
    other("im_msg_audit_mgr.get_local_words", CLIENT, "SDK 01, 5.5"),
    other("im_msg_audit.content_moderation", REST, "CN 94300"),
    other("im_msg_audit.batch_content_moderation", REST, "CN 100243"),
    other("im_msg_audit_mgr.add_local_audit_keywords", REST, "REST, moderation"),
    other("im_msg_audit_mgr.delete_local_audit_keywords", REST, "REST, moderation"),
    other("im_msg_audit_mgr.get_local_audit_keywords", REST, "REST, moderation"),
    other("im_msg_audit_mgr.get_cloud_audit_keywords_ids", REST, "REST, moderation"),
    other("im_msg_audit_mgr.get_cloud_audit_keywords", REST, "REST, moderation"),
    other("im_msg_audit_mgr.add_cloud_audit_keywords", REST, "REST, moderation"),
    other("im_msg_audit_mgr.delete_cloud_audit_keywords", REST, "REST, moderation"),
    // Bots
    bot("openim_robot_http_svc.create_robot", "CN 89991"),
    bot("openim_robot_http_svc.delete_robot", "INT 55282"),
    bot("openim_robot_http_svc.get_all_robots", "INT 55280"),
    bot("openim_robot_http_svc.send_stream_msg", "CN 104537"),
    // Official accounts
    bot("official_account_open_http_svc.create_official_account", "CN 102302"),
    bot("official_account_open_http_svc.destroy_official_account", "CN 102303"),
    bot(
        "official_account_open_http_svc.modify_official_account_base_info",
        "REST, official accounts",
    ),
    bot("official_account_open_http_svc.get_official_account_info", "REST, official accounts"),
    bot("official_account_open_http_svc.add_subscriber", "REST, official accounts"),
    bot("official_account_open_http_svc.delete_subscriber", "REST, official accounts"),
    bot("official_account_open_http_svc.modify_subscriber_info", "REST, official accounts"),
    bot("official_account_open_http_svc.get_subscriber_info", "REST, official accounts"),
    bot(
        "official_account_open_http_svc.get_subscribed_official_account_list",
        "REST, official accounts",
    ),
    bot("official_account_open_http_svc.send_official_account_msg", "CN 102298"),
    bot(
        "official_account_open_http_svc.official_account_msg_get_simple",
        "REST, official accounts",
    ),
    bot("official_account_open_http_svc.official_account_msg_recall", "INT 60811"),
];
