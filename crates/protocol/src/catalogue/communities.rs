//! What only communities have: topics and permission groups.

use super::command::{Callers, Command};
use super::groups::group;

const REST: Callers = Callers::REST;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

pub(super) static ROWS: &[Command] = &[
    group("million_group_open_http_svc.create_topic", BOTH, "SDK 02, 2.7; INT 49471"),
    group("million_group_open_http_svc.destroy_topic", BOTH, "SDK 02, 2.7; INT 49470"),
    group("million_group_open_http_svc.get_topic", BOTH, "SDK 02, 2.7; INT 49469"),
    group("million_group_open_http_svc.modify_topic", BOTH, "SDK 02, 2.7; INT 49468"),
    group("million_group_open_http_svc.import_topic", REST, "INT 53448"),
    group("group_open_http_svc.create_permission_group", REST, "CN 103966"),
    group("group_open_http_svc.destroy_permission_group", REST, "CN 103967"),
    group("group_open_http_svc.modify_permission_group", REST, "CN 103968"),
    group("group_open_http_svc.get_permission_group", REST, "INT 61235"),
    group("group_open_http_svc.add_topic_permission_group", REST, "INT 61236"),
    group("group_open_http_svc.set_topic_permission_group", REST, "INT 61237"),
    group("group_open_http_svc.delete_topic_permission_group", REST, "CN 103972"),
    group("group_open_http_svc.get_topic_permission_group", REST, "INT 61239"),
    group("group_open_http_svc.add_permission_group_member", REST, "CN 103974"),
    group("group_open_http_svc.delete_permission_group_member", REST, "INT 61241"),
    group("group_open_http_svc.get_permission_group_member_list", REST, "CN 103976"),
];
