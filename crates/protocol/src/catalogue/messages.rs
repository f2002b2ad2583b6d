//! One-to-one messages, what hangs on them, and pushes to all members of an app.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};
use crate::limits;

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

const fn message(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    let key = RoutingKey::User(UserKey::Field("From_Account"));
    Command::new(name, Owner::History, Family::Message, callers, key, doc)
}

const fn extension(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    let key = RoutingKey::User(UserKey::Field("From_Account"));
    Command::new(name, Owner::History, Family::Group, callers, key, doc)
}

const fn push(name: &'static str, doc: &'static str) -> Command {
    Command::new(name, Owner::Directory, Family::Message, REST, RoutingKey::None, doc)
        .rate(limits::RATE_BATCH)
}

const CALLER: RoutingKey = RoutingKey::User(UserKey::Caller);
const OPERATOR: RoutingKey = RoutingKey::User(UserKey::Field("Operator_Account"));

pub(super) static ROWS: &[Command] = &[
    message("openim.getmsg", CLIENT, "SDK 03, 6")
        .key(CALLER)
        .answers("mentions in groups; no one-to-one messages yet"),
    message("openim.authkey", CLIENT, "SDK 01, 6.2")
        .key(CALLER)
        .answers("a bare success, which is all that the older SDK waits for"),
    message("openim.sendmsg", BOTH, "SDK 03, 3; CN 2282"),
    message("openim.batchsendmsg", REST, "CN 1612"),
    message("openim.importmsg", REST, "CN 2568"),
    message("openim.getroammsg", CLIENT, "SDK 03, 7").key(CALLER),
    message("openim.admin_getroammsg", REST, "CN 42794").key(OPERATOR),
    message("openim.get_peer_read_time", CLIENT, "SDK 03, 7").key(CALLER),
    message("openim.msgwithdraw", CLIENT, "SDK 03, 8").key(CALLER),
    message("openim.admin_msgwithdraw", REST, "CN 38980"),
    message("openim.modify_c2c_msg", BOTH, "SDK 03, 8; INT 47722"),
    message("openim.delete_c2c_msg_ramble", BOTH, "SDK 03, 8; CN 101439").key(OPERATOR),
    message("openim.deletemsg", CLIENT, "SDK 03, 8").key(CALLER).works(),
    message("openim.msgreaded", CLIENT, "SDK 03, 8").key(CALLER),
    message("openim.c2c_msg_read_receipt", BOTH, "SDK 03, 8; CN 104121").key(OPERATOR),
    message("openim.admin_set_msg_read", REST, "CN 50349")
        .key(RoutingKey::User(UserKey::Field("Report_Account"))),
    message("openim.get_c2c_unread_msg_num", REST, "CN 56043")
        .key(RoutingKey::User(UserKey::Field("To_Account"))),
    message("im_long_msg.save_relay_json_msg", CLIENT, "SDK 03, 16").key(RoutingKey::None).works(),
    message("im_long_msg.get_relay_json_msg", CLIENT, "SDK 03, 16").key(RoutingKey::None).works(),
    extension("openim_msg_ext_http_svc.set_key_values", BOTH, "SDK 03, 10; INT 51195"),
    extension("openim_msg_ext_http_svc.get_key_values", BOTH, "SDK 03, 10; INT 51194"),
    extension("openim_msg_ext_http_svc.reaction_add", CLIENT, "SDK 03, 10"),
    extension("openim_msg_ext_http_svc.reaction_del", CLIENT, "SDK 03, 10"),
    extension("openim_msg_ext_http_svc.reaction_multi_stat", CLIENT, "SDK 03, 10"),
    extension("openim_msg_ext_http_svc.reaction_iterate", CLIENT, "SDK 03, 10"),
    // To all members of an app; more than a second apart.
    push("all_member_push.im_push", "CN 45934").rate(limits::RATE_HEAVY),
    push("all_member_push.im_set_attr_name", "CN 45935"),
    push("all_member_push.im_get_attr_name", "CN 45936"),
    push("all_member_push.im_set_attr", "CN 45938"),
    push("all_member_push.im_get_attr", "CN 45937"),
    push("all_member_push.im_remove_attr", "CN 45939"),
    push("all_member_push.im_add_tag", "CN 45941"),
    push("all_member_push.im_get_tag", "CN 45940"),
    push("all_member_push.im_remove_tag", "CN 45942"),
    push("all_member_push.im_remove_all_tags", "CN 45943"),
    push("timpush.push", "CN 45933").rate(limits::RATE_HEAVY),
    push("timpush.batch", "CN 108906").rate(30),
    push("timpush.revoke", "CN 105123").rate(limits::RATE_HEAVY),
    push("timpush.set_attr_name", "INT 60563"),
    push("timpush.set_attr", "INT 67818"),
    push("timpush.get_attr", "REST, push to all"),
    push("timpush.remove_tag", "REST, push to all"),
    push("timpush.clear_all_tags", "REST, push to all"),
];
