//! Connections and sessions: login, heartbeat, configuration, telemetry, polling, states of users.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};

const CLIENT: Callers = Callers::CLIENT;
const ANY_CLIENT: Callers = Callers::CLIENT.and(Callers::GUEST);

const fn gateway(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    Command::new(name, Owner::Gateway, Family::Session, callers, RoutingKey::None, doc)
}

const fn presence(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    let key = RoutingKey::User(UserKey::Caller);
    Command::new(name, Owner::Presence, Family::Account, callers, key, doc)
}

pub(super) static ROWS: &[Command] = &[
    gateway("heartbeat.alive", ANY_CLIENT, "SDK 01, 3.1").works(),
    gateway("im_open_status.wslogin", CLIENT, "SDK 01, 2.2").works(),
    gateway("im_open_status.wslogout", CLIENT, "SDK 01, 3.5").works(),
    gateway("im_open_status.wshello", CLIENT, "SDK 01, 3.1").works(),
    gateway("im_sdk_config_mgr.fetch_config", CLIENT, "SDK 01, 3.6").works(),
    gateway("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", CLIENT, "SDK 01, 3.7").works(),
    gateway("imopenstat.tim_web_report_v2", ANY_CLIENT, "SDK 01, 5.4").works(),
    gateway("openim.ws_msg_push_ack", CLIENT, "SDK 01, 4.1").works(),
    gateway("group_open_long_polling_http_svc.get_msg", CLIENT, "SDK 02, 1.3").works(),
    gateway("group_open_long_polling_http_noauth_svc.get_msg", Callers::GUEST, "SDK 02, 1.8")
        .works(),
    gateway("im_open_status.ws_stat_settoken", CLIENT, "SDK 01, 5.6"),
    gateway("im_open_status.ws_stat_background", CLIENT, "SDK 01, 5.6"),
    gateway("im_open_status.ws_stat_foreground", CLIENT, "SDK 01, 5.6"),
    gateway("offline_push_report.uniapp_sdk_report", CLIENT, "SDK 01, 5.6"),
    presence("im_open_status.ws_set_custom_status", CLIENT, "SDK 01, 5.2").works(),
    presence("im_open_status.ws_get_user_status", CLIENT, "SDK 01, 5.2")
        .key(RoutingKey::None)
        .works(),
    presence("im_open_status.ws_status_subscribe", CLIENT, "SDK 01, 5.2").works(),
    presence("im_open_status.ws_status_unsubscribe", CLIENT, "SDK 01, 5.2").works(),
    presence("openim.query_online_status", Callers::REST, "CN 2566, INT 35477")
        .key(RoutingKey::None)
        .alias(&["openim.querystate"])
        .works(),
];
