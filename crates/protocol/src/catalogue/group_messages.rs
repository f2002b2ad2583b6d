//! What is sent into groups, and what hangs on a group's messages.

use super::command::{Callers, Command, Family, Owner, RoutingKey};
use super::groups::group;

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

pub(super) static ROWS: &[Command] = &[
    group("group_open_http_svc.send_group_msg", BOTH, "SDK 02, 2.3; CN 1629").works(),
    group("group_open_http_svc.send_group_system_notification", REST, "CN 1630").once().works(),
    group("group_open_http_svc.group_msg_recall", BOTH, "SDK 02, 2.4; CN 12341").works(),
    group("group_open_http_svc.group_msg_get", CLIENT, "SDK 02, 2.4").works(),
    group("group_open_http_svc.group_msg_get_simple", REST, "CN 2738").works(),
    Command::new(
        "openim.modify_group_msg",
        Owner::GroupRouter,
        Family::Message,
        BOTH,
        RoutingKey::GroupId,
        "SDK 02, 2.4; INT 47948",
    )
    .works(),
    group("group_open_http_svc.delete_group_msg_by_sender", REST, "CN 2359").works(),
    group("group_open_http_svc.clear_group_msg", REST, "CN 95617").works(),
    // Without a Random nothing tells a repetition.
    group("group_open_http_svc.import_group_msg", REST, "CN 1635").once().works(),
    group("group_open_http_svc.delete_group_ramble_msg_by_seq", CLIENT, "SDK 02, 2.4").works(),
    group("group_open_http_svc.msg_read_report", CLIENT, "SDK 02, 2.4").works(),
    Command::new(
        "openim.read_all_unread_msg",
        Owner::GroupRouter,
        Family::Message,
        CLIENT,
        RoutingKey::None,
        "SDK 02, 2.4; SDK 03, 8",
    )
    .answers(
        "groups as documented; one-to-one chats, when they are built, have nothing unread yet",
    ),
    group("group_open_http_svc.batch_get_group_notify", CLIENT, "SDK 02, 2.4")
        .key(RoutingKey::None)
        .works(),
    group("group_open_http_svc.get_group_msg_receipt", BOTH, "SDK 02, 2.4; CN 77694").works(),
    group("group_open_http_svc.get_group_msg_receipt_detail", BOTH, "SDK 02, 2.4; CN 77693")
        .works(),
    group("group_open_http_svc.group_msg_receipt", BOTH, "SDK 02, 2.4").works(),
    group("group_open_http_svc.get_group_msg_receipts_by_users", CLIENT, "SDK 02, 2.4").works(),
    group("group_open_http_svc.pin_message", BOTH, "SDK 02, 2.4; CN 133874").once().works(),
    group("group_open_http_svc.unpin_message", BOTH, "SDK 02, 2.4; CN 134119").once().works(),
    group("group_open_http_svc.get_pinned_messages", BOTH, "SDK 02, 2.4; CN 134120").works(),
    group("openim_msg_ext_http_svc.group_set_key_values", BOTH, "SDK 02, 2.4; INT 52170")
        .once()
        .works(),
    group("openim_msg_ext_http_svc.group_get_key_values", BOTH, "SDK 02, 2.4; INT 52169").works(),
    group("openim_msg_ext_http_svc.group_reaction_add", CLIENT, "SDK 02, 2.4").once().works(),
    group("openim_msg_ext_http_svc.group_reaction_del", CLIENT, "SDK 02, 2.4").once().works(),
    group("openim_msg_ext_http_svc.group_reaction_multi_stat", CLIENT, "SDK 02, 2.4").works(),
    group("openim_msg_ext_http_svc.group_reaction_iterate", CLIENT, "SDK 02, 2.4").works(),
];
