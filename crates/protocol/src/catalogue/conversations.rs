//! Conversations: the list, pins, marks, groups of conversations, and who may disturb.

use super::command::{Callers, Command, Family, Owner, RoutingKey, UserKey};

const REST: Callers = Callers::REST;
const CLIENT: Callers = Callers::CLIENT;
const BOTH: Callers = Callers::REST.and(Callers::CLIENT);

const fn conversation(name: &'static str, callers: Callers, doc: &'static str) -> Command {
    let key = RoutingKey::User(UserKey::Field("From_Account"));
    Command::new(name, Owner::History, Family::Conversation, callers, key, doc)
}

const fn disturb(name: &'static str, doc: &'static str) -> Command {
    let key = RoutingKey::User(UserKey::Caller);
    Command::new(name, Owner::Directory, Family::Message, CLIENT, key, doc)
}

const EMPTY: &str = "an empty list until conversations are built";
const GROUPS: &str = "groups that store the user as a member; one-to-one messages are not kept yet";

pub(super) static ROWS: &[Command] = &[
    conversation("recentcontact.page_get", CLIENT, "SDK 03, 11").answers(GROUPS),
    conversation("recentcontact.get_list", REST, "CN 62118").answers(GROUPS),
    conversation("recentcontact.get_contact_group", BOTH, "SDK 03, 12; INT 53440").answers(EMPTY),
    conversation("recentcontact.search_contact_group", BOTH, "SDK 03, 12; INT 53442")
        .answers(EMPTY),
    conversation("recentcontact.delete", REST, "CN 62119"),
    conversation("recentcontact.batch_delete", CLIENT, "SDK 03, 12"),
    conversation("recentcontact.clear_msg", CLIENT, "SDK 03, 12"),
    conversation("recentcontact.top", BOTH, "SDK 03, 12; INT 78304"),
    conversation("recentcontact.mark_contact", BOTH, "SDK 03, 12; INT 53438"),
    conversation("recentcontact.create_contact_group", BOTH, "SDK 03, 12; INT 53437"),
    conversation("recentcontact.del_contact_group", BOTH, "SDK 03, 12; INT 53441"),
    conversation("recentcontact.update_contact_group", BOTH, "SDK 03, 12; INT 53439"),
    disturb("openim.get_c2c_peer_mute_notifications", "SDK 03, 9")
        .answers("nobody is muted until conversations are built"),
    disturb("openim.set_c2c_peer_mute_notifications", "SDK 03, 9"),
    disturb("im_msg_db_logic.ws_set_do_not_disturb", "SDK 01, 5.3"),
    disturb("im_msg_db_logic.ws_get_do_not_disturb", "SDK 01, 5.3"),
];
