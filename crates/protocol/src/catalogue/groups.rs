//! Groups: life, profile, members, roles, mutes, attributes, counters.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};
use crate::limits;

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

pub(super) const fn group(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    Command::new(name, Owner::GroupRouter, Family::Group, callers, RoutingKey::GroupId, doc)
}

pub(super) static ROWS: &[Command] = &[
    // Life
    group("group_open_http_svc.create_group", BOTH, "SDK 02, 2.1; CN 1615")
        .key(RoutingKey::NewGroupId)
        .works(),
    group("group_open_http_svc.destroy_group", BOTH, "SDK 02, 2.1; CN 1624").works(),
    group("group_open_http_svc.get_appid_group_list", REST, "CN 1614")
        .key(RoutingKey::None)
        .rate(limits::RATE_HEAVY)
        .works(),
    group("group_open_http_svc.import_group", REST, "CN 1634").key(RoutingKey::NewGroupId).works(),
    // Coming and going
    group("group_open_http_svc.apply_join_group", CLIENT, "SDK 02, 1.1").works(),
    group("group_open_http_noauth_svc.apply_join_group", Callers::GUEST, "SDK 02, 1.8").works(),
    group("group_open_http_svc.quit_group", CLIENT, "SDK 02, 2.1").works(),
    group("group_open_http_svc.add_group_member", BOTH, "SDK 02, 2.2; CN 1621").works(),
    group("group_open_http_svc.delete_group_member", BOTH, "SDK 02, 2.2; CN 1622").works(),
    group("group_open_http_svc.get_pendency", CLIENT, "SDK 02, 2.1")
        .key(RoutingKey::User(UserKey::Caller))
        .works(),
    group("group_open_http_svc.handle_apply_join_group", CLIENT, "SDK 02, 2.1").works(),
    group("group_open_http_svc.handle_invite_join_group", CLIENT, "SDK 02, 2.1").works(),
    group("group_open_http_svc.handle_invite_join_permission_group", CLIENT, "SDK 02, 2.1").works(),
    group("group_open_http_svc.import_group_member", REST, "CN 1636").works(),
    // Profile
    group("group_open_http_svc.modify_group_base_info", BOTH, "SDK 02, 2.1; CN 1620").works(),
    group("group_open_http_svc.get_group_info", REST, "CN 1616")
        .key(RoutingKey::FirstOfGroupIdList)
        .works(),
    group("group_open_http_svc.get_group_self_member_info", CLIENT, "SDK 02, 2.1")
        .key(RoutingKey::FirstOfGroupIdList)
        .works(),
    group("group_open_http_svc.get_group_public_info", CLIENT, "SDK 02, 2.1")
        .key(RoutingKey::FirstOfGroupIdList)
        .works(),
    group("group_open_http_svc.get_joined_group_list", BOTH, "SDK 02, 2.1; CN 1625")
        .key(RoutingKey::User(UserKey::Field("Member_Account")))
        .works(),
    group("group_open_http_svc.change_group_owner", BOTH, "SDK 02, 2.1; CN 1633").works(),
    // Members
    group("group_open_http_svc.get_group_member_info", BOTH, "SDK 02, 2.2; CN 1617").works(),
    group("group_open_http_svc.get_specified_group_member_info", BOTH, "SDK 02, 2.2; INT 64897")
        .works(),
    group("group_open_http_svc.modify_group_member_info", BOTH, "SDK 02, 2.2; CN 1623").works(),
    group("group_open_http_svc.get_role_in_group", REST, "CN 1626").works(),
    group("group_open_http_svc.forbid_send_msg", REST, "CN 1627").works(),
    group("group_open_http_svc.get_group_muted_account", REST, "CN 2925")
        .alias(&["group_open_http_svc.get_group_shutted_uin"])
        .works(),
    group("group_open_http_svc.set_unread_msg_num", REST, "CN 1637").works(),
    // Attributes and counters
    group("group_open_http_svc.set_group_attr", BOTH, "SDK 02, 2.5; INT 44190").works(),
    group("group_open_http_svc.modify_group_attr", BOTH, "SDK 02, 2.5; CN 67010").works(),
    group("group_open_http_svc.delete_group_attr", BOTH, "SDK 02, 2.5; CN 104440").works(),
    group("group_open_http_svc.clear_group_attr", BOTH, "SDK 02, 2.5; CN 67009").works(),
    group("group_open_attr_http_svc.get_group_attr", BOTH, "SDK 02, 2.5; INT 44187").works(),
    group("group_open_http_svc.update_group_counter", BOTH, "SDK 02, 2.6; INT 53428")
        .once()
        .works(),
    group("group_open_http_svc.get_group_counter", BOTH, "SDK 02, 2.6; INT 53427").works(),
    group("group_open_http_svc.delete_group_counter", REST, "INT 53429").works(),
];
