//! Friends, blocklists, friend lists, followers.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

const fn relation(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    let key = RoutingKey::User(UserKey::Field("From_Account"));
    Command::new(name, Owner::Directory, Family::Relation, callers, key, doc)
}

const EMPTY: &str = "an empty list until relations are built";

pub(super) static ROWS: &[Command] = &[
    relation("sns.friend_get", BOTH, "SDK 03, 13; CN 1647").answers(EMPTY),
    relation("sns.group_get", BOTH, "SDK 03, 13; CN 54763").answers(EMPTY),
    relation("sns.pendency_get", CLIENT, "SDK 03, 13").answers(EMPTY),
    relation("sns.black_list_get", BOTH, "SDK 03, 14; CN 3722").answers(EMPTY),
    relation("sns.friend_add", BOTH, "SDK 03, 13; CN 1643"),
    relation("sns.friend_import", REST, "CN 8301"),
    relation("sns.friend_update", BOTH, "SDK 03, 13; CN 12525"),
    relation("sns.friend_delete", BOTH, "SDK 03, 13; CN 1644"),
    relation("sns.friend_delete_all", REST, "CN 1645"),
    relation("sns.friend_check", BOTH, "SDK 03, 13; CN 1646"),
    relation("sns.friend_get_list", REST, "CN 8609"),
    relation("sns.friend_get_specified", CLIENT, "SDK 03, 13"),
    relation("sns.friend_response", CLIENT, "SDK 03, 13"),
    relation("sns.pendency_delete", CLIENT, "SDK 03, 13"),
    relation("sns.pendency_report", CLIENT, "SDK 03, 13"),
    relation("sns.black_list_add", BOTH, "SDK 03, 14; CN 3718"),
    relation("sns.black_list_delete", BOTH, "SDK 03, 14; CN 3719"),
    relation("sns.black_list_check", REST, "CN 3725"),
    relation("sns.group_add", BOTH, "SDK 03, 13; CN 10107"),
    relation("sns.group_delete", BOTH, "SDK 03, 13; CN 10108"),
    relation("sns.group_update", CLIENT, "SDK 03, 13"),
    relation("follow.follow_add", BOTH, "SDK 03, 15; INT 70345"),
    relation("follow.follow_delete", BOTH, "SDK 03, 15"),
    relation("follow.follow_get", BOTH, "SDK 03, 15; CN 118911"),
    relation("follow.follow_check", BOTH, "SDK 03, 15; CN 118912"),
    relation("follow.follow_get_info", BOTH, "SDK 03, 15; CN 118913"),
];
