//! One handler for each command, one file a family. A handler reads its body, does what may wait
//! (profiles, history, other services), then changes the group by a job on its actor.

mod admins;
mod attributes;
mod ban;
mod broadcast;
mod counters;
mod create;
mod destroy;
mod history;
mod join;
mod listing;
mod marks;
mod members;
mod mute;
mod notice;
mod profile;
mod recall;
mod refused;
mod robots;
mod send;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};

use crate::actor::Rooms;
use crate::clients::Clients;
use crate::wire::MemberInfo;

pub(crate) use broadcast::watch_broadcasts;

/// One call of a command.
pub(crate) struct Call<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) clients: &'a Clients,
    pub(crate) context: Context,
    pub(crate) body: Bytes,
}

/// An answer, and what it does to the caller's session.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) body: Bytes,
    pub(crate) effects: Vec<v1::SessionEffect>,
}

type Answer = Result<Answered, CommandError>;

impl Call<'_> {
    /// The typed body.
    fn parse<'b, T: Deserialize<'b>>(&'b self) -> Result<T, CommandError> {
        envelope::parse(&self.body, Code::GROUP_BAD_PARAMETER)
    }

    /// A successful answer.
    fn ok(&self, body: &impl Serialize) -> Answer {
        Ok(Answered { body: envelope::ok(body), effects: Vec::new() })
    }

    /// Success, and nothing to tell.
    fn done(&self) -> Answer {
        self.ok(&serde_json::Map::new())
    }

    /// What tips and messages show of the caller, or of the user in whose name an administrator
    /// acts (`From_Account`).
    async fn operator(&self, from_account: Option<&str>) -> Result<MemberInfo, CommandError> {
        let user = match from_account {
            Some(user) if self.context.caller.admin && !user.is_empty() => user,
            _ => &self.context.caller.user,
        };
        if user.is_empty() {
            return Ok(MemberInfo::default());
        }
        self.clients.brief(self.context.app, user).await.map(|brief| (*brief).clone())
    }

    /// Only app administrators, over REST or logged in as a client.
    fn require_admin(&self) -> Result<(), CommandError> {
        if self.context.caller.admin {
            Ok(())
        } else {
            Err(Code::GROUP_FORBIDDEN
                .with(format!("{} is for app administrators", self.context.name)))
        }
    }

    /// The app's settings for rooms.
    async fn policy(&self) -> Result<v1::RoomPolicy, CommandError> {
        Ok(self.clients.apps.get(self.context.app).await?.rooms.unwrap_or_default())
    }
}

/// Refuses lists that are empty or too long.
fn check_list<T>(name: &str, list: &[T], most: usize) -> Result<(), CommandError> {
    if list.is_empty() {
        return Err(Code::GROUP_BAD_PARAMETER.with(format!("{name}: empty")));
    }
    if list.len() > most {
        let info = format!("{name}: {} entries, at most {most}", list.len());
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    Ok(())
}

/// Finds the handler of a command; clients may name any of the group services for it.
pub(crate) async fn execute(call: &Call<'_>) -> Answer {
    match call.context.command() {
        "create_group" => create::create_group(call).await,
        "destroy_group" => destroy::destroy_group(call).await,
        "apply_join_group" => join::apply_join_group(call).await,
        "quit_group" => join::quit_group(call).await,
        "get_group_self_member_info" => profile::get_group_self_member_info(call).await,
        "get_group_public_info" => profile::get_group_public_info(call).await,
        "get_group_info" => profile::get_group_info(call).await,
        "modify_group_base_info" => profile::modify_group_base_info(call).await,
        "get_appid_group_list" => listing::get_appid_group_list(call).await,
        "get_joined_group_list" => listing::get_joined_group_list(call).await,
        "get_online_member_num" => members::get_online_member_num(call).await,
        "get_members" => members::get_members(call).await,
        "check_members" => members::check_members(call).await,
        "get_specified_group_member_info" => members::get_specified_group_member_info(call).await,
        "send_group_msg" => send::send_group_msg(call).await,
        "send_group_system_notification" => notice::send_group_system_notification(call).await,
        "send_broadcast_msg" => broadcast::send_broadcast_msg(call).await,
        "group_msg_recall" => recall::group_msg_recall(call).await,
        "get_huge_group_msg" => history::get_huge_group_msg(call).await,
        "group_msg_get_simple" => history::group_msg_get_simple(call).await,
        "group_msg_get" => history::group_msg_get(call).await,
        "forbid_send_msg" => mute::forbid_send_msg(call).await,
        "modify_group_member_info" => mute::modify_group_member_info(call).await,
        "get_group_muted_account" | "get_group_shutted_uin" => {
            mute::get_group_muted_account(call).await
        }
        "ban_group_member" => ban::ban_group_member(call).await,
        "unban_group_member" => ban::unban_group_member(call).await,
        "get_group_ban_member" => ban::get_group_ban_member(call).await,
        "modify_user_info" => marks::modify_user_info(call).await,
        "modify_admin" => admins::modify_admin(call).await,
        "get_admin_list" => admins::get_admin_list(call).await,
        "add_robots" => robots::add_robots(call).await,
        "del_robots" => robots::del_robots(call).await,
        "set_group_attr" => attributes::set_group_attr(call).await,
        "modify_group_attr" => attributes::modify_group_attr(call).await,
        "delete_group_attr" => attributes::delete_group_attr(call).await,
        "clear_group_attr" => attributes::clear_group_attr(call).await,
        "get_group_attr" => attributes::get_group_attr(call).await,
        "update_group_counter" => counters::update_group_counter(call).await,
        "get_group_counter" => counters::get_group_counter(call).await,
        "delete_group_counter" => counters::delete_group_counter(call).await,
        "get_group_member_info"
        | "get_role_in_group"
        | "change_group_owner"
        | "add_group_member"
        | "delete_group_member" => refused::not_for_live_rooms(call).await,
        unknown => Err(Code::GROUP_UNKNOWN_COMMAND.with(format!("no such command: {unknown}"))),
    }
}
