//! Accounts and profiles.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};
use crate::limits;

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;

const fn account(name: &'static str, key: RoutingKey, doc: &'static str) -> Command {
    Command::new(name, Owner::Directory, Family::Account, REST, key, doc)
}

const fn profile(
    name: &'static str,
    callers: Callers,
    key: RoutingKey,
    doc: &'static str,
) -> Command {
    Command::new(name, Owner::Directory, Family::Profile, callers, key, doc)
}

const USER_ID: RoutingKey = RoutingKey::User(UserKey::Field("UserID"));
const FROM: RoutingKey = RoutingKey::User(UserKey::Field("From_Account"));

pub(super) static ROWS: &[Command] = &[
    account("im_open_login_svc.account_import", USER_ID, "CN 1608").works(),
    account("im_open_login_svc.multiaccount_import", RoutingKey::None, "CN 4919")
        .rate(limits::RATE_BATCH)
        .works(),
    account("im_open_login_svc.account_check", RoutingKey::None, "CN 38417")
        .rate(limits::RATE_BATCH)
        .works(),
    account("im_open_login_svc.account_delete", RoutingKey::None, "CN 36443")
        .rate(limits::RATE_BATCH)
        .works(),
    account("im_open_login_svc.kick", USER_ID, "CN 3853").works(),
    profile("profile.portrait_get_all", CLIENT, RoutingKey::None, "SDK 01, 5.1").works(),
    profile("profile.portrait_get", REST, RoutingKey::None, "CN 1639").works(),
    profile("profile.portrait_set", REST.and(CLIENT), FROM, "SDK 01, 5.1; CN 1640").works(),
];
