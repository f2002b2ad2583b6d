//! What only live rooms have: online number, member list and marks, bans, admins, robots, broadcasts.

use super::command::{Callers, Command, RoutingKey};
use super::groups::group;
use crate::limits;

const REST: Callers = Callers::REST;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

pub(super) static ROWS: &[Command] = &[
    // Guests ask for it too, without credentials (SDK 02, 1.8).
    group(
        "group_open_http_svc.get_online_member_num",
        BOTH.and(Callers::GUEST),
        "SDK 02, 1.9; CN 49180",
    )
    .works(),
    group("group_open_http_svc.get_huge_group_msg", Callers::CLIENT, "SDK 02, 1.9").works(),
    group("group_open_http_svc.send_broadcast_msg", REST, "INT 49440")
        .key(RoutingKey::None)
        .rate(limits::RATE_HEAVY)
        .once()
        .works(),
    group("group_open_http_svc.ban_group_member", BOTH, "SDK 02, 1.9; INT 50296").works(),
    group("group_open_http_svc.unban_group_member", REST, "INT 50297").works(),
    group("group_open_http_svc.get_group_ban_member", REST, "INT 50295").works(),
    group("group_open_avchatroom_http_svc.get_members", BOTH, "SDK 02, 1.9; INT 50293").works(),
    group("group_open_avchatroom_http_svc.check_members", REST, "CN 95618").works(),
    group("group_open_avchatroom_http_svc.modify_user_info", BOTH, "SDK 02, 1.9; INT 50294")
        .works(),
    group("group_open_avchatroom_http_svc.modify_admin", REST, "CN 102857").works(),
    group("group_open_avchatroom_http_svc.get_admin_list", REST, "CN 102858").works(),
    group("group_open_avchatroom_http_svc.add_robots", REST, "INT 60527").works(),
    group("group_open_avchatroom_http_svc.del_robots", REST, "CN 103785").works(),
];
