//! One handler for each command, one file a family. A handler reads its body, does what may wait
//! (profiles, history, other services), then changes the group by a job on its actor.

mod admins;
mod annotated;
mod applications;
mod attributes;
mod ban;
mod broadcast;
mod counters;
mod create;
mod custom;
mod destroy;
mod entries;
mod extensions;
mod hide;
mod history;
mod import;
mod import_members;
mod join;
mod kept;
mod listing;
mod marks;
mod member_info;
mod members;
mod modify;
mod mute;
mod notice;
mod notify;
mod owner;
mod pins;
mod profile;
mod reactions;
mod reads;
mod recall;
mod receipts;
mod robots;
mod roster;
mod search;
mod send;

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_proto::Route;
use throng_proto::v1;
use throng_proto::v1::origin::Kind;
use throng_protocol::catalogue::{self, Callers, Owner};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::{user_hash, user_id};
use throng_protocol::{envelope, limits};

use crate::actor::Rooms;
use crate::clients::{CALL_TIME, Clients, routed};
use crate::core::fields::Declared;
use crate::core::rules::Members;
use crate::order::Order;
use crate::room::Role;
use crate::wire::MemberInfo;

pub(crate) use broadcast::watch_broadcasts;

/// One call of a command.
pub(crate) struct Call<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) clients: &'a Clients,
    pub(crate) order: &'a Order,
    /// The place of a message among those of its connection.
    pub(crate) place: Option<v1::SendOrder>,
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

    /// A successful answer; 10018 if it got too large.
    fn ok(&self, body: &impl Serialize) -> Answer {
        let body = envelope::ok(body);
        if body.len() > limits::REPLY_BYTES {
            let info = format!("the answer has {} bytes: ask for less", body.len());
            return Err(Code::GROUP_REPLY_TOO_LARGE.with(info));
        }
        Ok(Answered { body, effects: Vec::new() })
    }

    /// Success, and nothing to tell.
    fn done(&self) -> Answer {
        self.ok(&())
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

    /// What tips show of users; 10019 if one of them is not known.
    async fn known_users(
        &self,
        field: &str,
        users: Vec<String>,
    ) -> Result<Vec<MemberInfo>, CommandError> {
        let infos = self.clients.fetch_briefs(self.context.app, users.clone()).await?;
        match users.iter().find(|user| infos.iter().all(|info| info.user != **user)) {
            None => Ok(infos),
            Some(unknown) => {
                Err(Code::GROUP_UNKNOWN_ACCOUNT.with(format!("{field}: no account {unknown}")))
            }
        }
    }

    /// Refuses callers who are neither in the group nor have rights over it.
    async fn require_member(&self, group_id: &str) -> Result<(), CommandError> {
        if self.context.caller.admin {
            return Ok(());
        }
        let context = self.context.clone();
        let (inside, members) = self
            .rooms
            .run(self.context.app, group_id, move |turn| {
                let (room, now, _) = turn.room()?;
                let user = &context.caller.user;
                room.refuse_banned(user, now.seconds)?;
                let inside = room.role(&context) >= Role::Admin || room.is_member(user);
                Ok((inside, room.rules.members))
            })
            .await?;
        // Of stored members nobody knows more than the group.
        if inside || (members == Members::Sessions && self.is_tracked(group_id).await) {
            return Ok(());
        }
        Err(not_a_member(&self.context.caller.user))
    }

    /// Whether presence has a session of the caller's in the room. It may be alone to know: what a
    /// client repeats on a new socket comes before the room has taken the session in again.
    async fn is_tracked(&self, group_id: &str) -> bool {
        let request = v1::FilterRoomMembersRequest {
            app: self.context.app.0,
            group_id: group_id.to_owned(),
            users: vec![self.context.caller.user.clone()],
            ..v1::FilterRoomMembersRequest::default()
        };
        let home = Route::hash(user_hash(self.context.app, &self.context.caller.user));
        let mut presence = self.clients.presence.clone();
        let reply = presence.filter_room_members(routed(home, CALL_TIME, request)).await;
        reply.is_ok_and(|reply| !reply.into_inner().users.is_empty())
    }

    /// The app's settings for rooms.
    async fn policy(&self) -> Result<v1::RoomPolicy, CommandError> {
        Ok(self.clients.apps.get(self.context.app).await?.rooms.unwrap_or_default())
    }
}

impl Call<'_> {
    /// The app's settings for groups.
    async fn group_policy(&self) -> Result<v1::GroupPolicy, CommandError> {
        Ok(self.clients.apps.get(self.context.app).await?.groups.clone().unwrap_or_default())
    }

    /// Custom fields that the app declares.
    async fn fields(&self) -> Result<Declared, CommandError> {
        let settings = self.clients.apps.get(self.context.app).await?;
        Ok(settings.groups.as_ref().map(Declared::from).unwrap_or_default())
    }

    /// What the caller is in a group that was described for it.
    fn role_in(&self, member: Option<&v1::Membership>) -> Role {
        let known = [Role::Owner, Role::Admin, Role::Member];
        let named =
            |member: &v1::Membership| known.into_iter().find(|role| role.wire() == member.role);
        match member.and_then(named) {
            _ if self.context.caller.admin => Role::AppAdmin,
            role => role.unwrap_or(Role::Stranger),
        }
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

/// Refuses lists of users that are empty or too long, or that hold what no user can be called.
/// Users named twice count once.
fn check_users(
    name: &str,
    mut users: Vec<String>,
    most: usize,
) -> Result<Vec<String>, CommandError> {
    check_list(name, &users, most)?;
    for user in &users {
        user_id(user)
            .map_err(|error| Code::GROUP_BAD_PARAMETER.with(format!("{name}: {}", error.info)))?;
    }
    let mut seen = HashSet::with_capacity(users.len());
    users.retain(|user| seen.insert(user.clone()));
    Ok(users)
}

/// The error for somebody who would have to be in the group.
fn not_a_member(user: &str) -> CommandError {
    Code::GROUP_FORBIDDEN.with(format!("{user} is not in this group"))
}

/// Refuses callers that the catalogue does not list for a command: guests, clients and app servers
/// each have their own. The gateway asks the same; here it holds whoever forwards. What is for app
/// servers is open to administrators who are logged in as clients, too.
fn permit(context: &Context) -> Result<(), CommandError> {
    let (service, command) = (context.service(), context.command());
    let row = catalogue::lookup(service, command)
        .filter(|row| row.owner == Owner::GroupRouter)
        .ok_or_else(|| catalogue::unknown(service, command))?;
    let admin = context.caller.admin;
    let permitted = match context.origin.kind() {
        Kind::Rest => admin && row.callers.contains(Callers::REST),
        Kind::Guest => row.callers.contains(Callers::GUEST),
        Kind::Client | Kind::Unspecified => {
            !context.caller.user.is_empty()
                && (row.callers.contains(Callers::CLIENT)
                    || admin && row.callers.contains(Callers::REST))
        }
    };
    if permitted {
        return Ok(());
    }
    let whom = if row.callers.contains(Callers::CLIENT) {
        "logged-in clients"
    } else {
        "app administrators"
    };
    Err(Code::GROUP_FORBIDDEN.with(format!("{}: only for {whom}", row.name)))
}

/// Finds the handler of a command; clients may name any of the group services for it.
pub(crate) async fn execute(call: &Call<'_>) -> Answer {
    permit(&call.context)?;
    match call.context.command() {
        "create_group" => create::create_group(call).await,
        "import_group" => create::import_group(call).await,
        "import_group_member" => import_members::import_group_member(call).await,
        "destroy_group" => destroy::destroy_group(call).await,
        "apply_join_group" => join::apply_join_group(call).await,
        "quit_group" => join::quit_group(call).await,
        "get_pendency" => applications::get_pendency(call).await,
        "handle_apply_join_group" => applications::handle_apply_join_group(call).await,
        "handle_invite_join_permission_group" => {
            applications::handle_invite_join_permission_group(call).await
        }
        "handle_invite_join_group" => applications::handle_invite_join_group(call).await,
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
        "delete_group_msg_by_sender" => recall::delete_group_msg_by_sender(call).await,
        "batch_get_group_notify" => notify::batch_get_group_notify(call).await,
        "modify_group_msg" => modify::modify_group_msg(call).await,
        "delete_group_ramble_msg_by_seq" => hide::delete_group_ramble_msg_by_seq(call).await,
        "clear_group_msg" => hide::clear_group_msg(call).await,
        "import_group_msg" => import::import_group_msg(call).await,
        "set_unread_msg_num" => import::set_unread_msg_num(call).await,
        "get_huge_group_msg" => history::get_huge_group_msg(call).await,
        "group_msg_get_simple" => history::group_msg_get_simple(call).await,
        "group_msg_get" => history::group_msg_get(call).await,
        "forbid_send_msg" => mute::forbid_send_msg(call).await,
        "modify_group_member_info" => member_info::modify_group_member_info(call).await,
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
        "get_group_member_info" => roster::get_group_member_info(call).await,
        "get_role_in_group" => roster::get_role_in_group(call).await,
        "add_group_member" => roster::add_group_member(call).await,
        "delete_group_member" => roster::delete_group_member(call).await,
        "msg_read_report" => reads::msg_read_report(call).await,
        "read_all_unread_msg" => reads::read_all_unread_msg(call).await,
        "query" if call.context.service() == "group_search" => search::search_groups(call).await,
        "query" => search::search_members(call).await,
        "change_group_owner" => owner::change_group_owner(call).await,
        "pin_message" => pins::pin_message(call).await,
        "unpin_message" => pins::unpin_message(call).await,
        "get_pinned_messages" => pins::get_pinned_messages(call).await,
        "group_msg_receipt" => receipts::group_msg_receipt(call).await,
        "get_group_msg_receipt" => receipts::get_group_msg_receipt(call).await,
        "get_group_msg_receipt_detail" => receipts::get_group_msg_receipt_detail(call).await,
        "get_group_msg_receipts_by_users" => receipts::get_group_msg_receipts_by_users(call).await,
        "group_set_key_values" => extensions::group_set_key_values(call).await,
        "group_get_key_values" => extensions::group_get_key_values(call).await,
        "group_reaction_add" => reactions::group_reaction_add(call).await,
        "group_reaction_del" => reactions::group_reaction_del(call).await,
        "group_reaction_multi_stat" => reactions::group_reaction_multi_stat(call).await,
        "group_reaction_iterate" => reactions::group_reaction_iterate(call).await,
        unknown => Err(Code::GROUP_UNKNOWN_COMMAND.with(format!("no such command: {unknown}"))),
    }
}
