//! Stored members: `get_group_member_info`, `get_role_in_group`, `add_group_member`,
//! `delete_group_member` (REST notes 01, 3.4, 3.7, 3.8 and 3.12; SDK protocol notes 02, 2.2). Live rooms
//! store none, and answer with the documented codes.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

use super::custom::{CustomField, listed};
use super::{Answer, Call, check_users, not_a_member};
use crate::actor::{Now, Turn, Unit};
use crate::clients::{CALL_TIME, unavailable, within};
use crate::core::fields::Fields;
use crate::core::roster::Member;
use crate::group::{Arrival, Departure};
use crate::room::{Role, Room};
use crate::storage::groups_of;

impl Turn<'_> {
    /// The group, if it stores its members; else `code`.
    pub(super) fn with_roster(
        &mut self,
        code: Code,
    ) -> Result<(&mut Room, Now, &mut Unit), CommandError> {
        let (room, now, unit) = self.room()?;
        if room.durable.is_none() {
            let info = format!("GroupId: groups of type {} store no members", room.kind);
            return Err(code.with(info));
        }
        Ok((room, now, unit))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    group_id: String,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    /// What communities have in place of an offset.
    next: Option<Value>,
    #[serde(default)]
    member_role_filter: Vec<String>,
    #[serde(default)]
    member_info_filter: Vec<String>,
    #[serde(rename = "AppDefinedDataFilter_GroupMember")]
    custom: Option<Vec<String>>,
}

impl ListRequest {
    /// Where the page begins. In `Next`, which is a text, a number, or empty for the beginning.
    fn start(&self) -> Result<usize, CommandError> {
        let start = match &self.next {
            None => Some(self.offset),
            Some(Value::String(text)) if text.is_empty() => Some(0),
            Some(Value::String(text)) => text.parse().ok(),
            Some(next) => next.as_u64().and_then(|next| usize::try_from(next).ok()),
        };
        start.ok_or_else(|| Code::GROUP_BAD_PARAMETER.with("Next: is not what was returned"))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MemberList {
    member_num: u32,
    member_list: Vec<MemberEntry>,
    /// Of a community; empty at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One member, in the old and the new spelling.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MemberEntry {
    #[serde(rename = "Member_Account")]
    pub(super) user: String,
    role: &'static str,
    join_time: i64,
    msg_seq: u32,
    msg_flag: &'static str,
    last_send_msg_time: i64,
    shut_up_until: i64,
    mute_until: i64,
    name_card: String,
    /// Where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    online_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    app_member_defined_data: Vec<CustomField>,
}

impl MemberEntry {
    /// Leaves out custom fields that this user, with this role, does not see.
    pub(super) fn keep_shown(&mut self, fields: &Fields, reader: &str, role: Role) {
        let own = self.user == reader;
        self.app_member_defined_data.retain(|field| {
            if own { fields.shows_own(&field.key, role) } else { fields.shows(&field.key, role) }
        });
    }

    /// Leaves out custom fields that are not named; all are wanted where none is.
    pub(super) fn keep_custom(&mut self, wanted: Option<&[String]>) {
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
            self.app_member_defined_data.retain(|field| wanted.contains(&field.key));
        }
    }
}

/// A member as an entry; `None` for who is none.
pub(super) fn member_entry(room: &Room, user: &str, now: i64) -> Option<MemberEntry> {
    let member = match &room.durable {
        Some(durable) => durable.roster.get(user)?.clone(),
        None if room.is_member(user) => Member {
            joined: room.join_time(user).unwrap_or(now),
            receive: room.rules.receive,
            ..Member::default()
        },
        None => return None,
    };
    let card = member.card.map(|card| *card).unwrap_or_default();
    let muted = room.muted_until(user, now).min(limits::MUTE_FOREVER.into());
    Some(MemberEntry {
        user: user.to_owned(),
        role: room.role_of(user).wire(),
        join_time: member.joined,
        msg_seq: member.read,
        msg_flag: member.receive.wire(),
        last_send_msg_time: member.spoke,
        shut_up_until: muted,
        mute_until: muted,
        name_card: card.name,
        online_status: None,
        app_member_defined_data: listed(&card.custom),
    })
}

impl Call<'_> {
    /// Says of members who is online, where the filter names that. What nobody knows is left out.
    pub(super) async fn add_online(&self, filter: &[String], members: &mut [MemberEntry]) {
        if members.is_empty() || !filter.iter().any(|name| name == "OnlineStatus") {
            return;
        }
        let request = v1::FilterOnlineRequest {
            app: self.context.app.0,
            users: members.iter().map(|member| member.user.clone()).collect(),
            ..v1::FilterOnlineRequest::default()
        };
        let mut presence = self.clients.presence.clone();
        match presence.filter_online(within(CALL_TIME, request)).await {
            Ok(reply) => {
                let online: HashSet<String> = reply.into_inner().users.into_iter().collect();
                for member in members {
                    let is_online = online.contains(&member.user);
                    member.online_status = Some(if is_online { "Online" } else { "Offline" });
                }
            }
            Err(status) => _ = unavailable(status),
        }
    }
}

/// Members in the order in which they came; for members and app administrators.
pub(super) async fn get_group_member_info(call: &Call<'_>) -> Answer {
    let mut request: ListRequest = call.parse()?;
    let most = if call.context.caller.admin {
        limits::GROUP_MEMBERS_MOST as usize
    } else {
        limits::MEMBERS_PAGE
    };
    let limit = request.limit.filter(|limit| *limit > 0).unwrap_or(most).min(most);
    let start = request.start()?;
    let context = call.context.clone();
    let filter = std::mem::take(&mut request.member_info_filter);
    let fields = call.fields().await?.member;
    let mut list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.with_roster(Code::GROUP_FORBIDDEN)?;
            if !(context.caller.admin || room.is_member(&context.caller.user)) {
                return Err(not_a_member(&context.caller.user));
            }
            let roles = &request.member_role_filter;
            let wanted = |user: &str| {
                roles.is_empty() || roles.iter().any(|role| role == room.role_of(user).wire())
            };
            let roster = room.durable.as_deref().map(|durable| &durable.roster);
            // Without a filter the place of the page is known; with one it has to be counted.
            let (known, counted) = if roles.is_empty() { (start, 0) } else { (0, start) };
            let members = roster.into_iter().flat_map(|roster| roster.from(known));
            let members = members.map(|(user, _)| &**user);
            let page = members.filter(|user| wanted(user)).skip(counted).take(limit);
            let role = room.role(&context);
            let entry = |user| {
                let mut entry = member_entry(room, user, now.seconds)?;
                entry.keep_shown(&fields, &context.caller.user, role);
                entry.keep_custom(request.custom.as_deref());
                Some(entry)
            };
            let member_list: Vec<_> = page.filter_map(entry).collect();
            let full = member_list.len() == limit;
            let next = if full { (start + limit).to_string() } else { String::new() };
            let next = (room.kind == GroupType::Community).then_some(next);
            Ok(MemberList { member_num: room.member_count(), member_list, next })
        })
        .await?;
    call.add_online(&filter, &mut list.member_list).await;
    call.ok(&list)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RolesRequest {
    group_id: String,
    #[serde(rename = "User_Account")]
    users: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Roles {
    user_id_list: Vec<RoleEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    role: &'static str,
}

/// What some users are in a group; `NotMember` for those who are none.
pub(super) async fn get_role_in_group(call: &Call<'_>) -> Answer {
    let request: RolesRequest = call.parse()?;
    let users = check_users("User_Account", request.users, limits::ROLE_USERS)?;
    let user_id_list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, _, _) = turn.with_roster(Code::GROUP_FORBIDDEN)?;
            let role = |user: String| RoleEntry { role: room.role_of(&user).wire(), user };
            Ok(users.into_iter().map(role).collect())
        })
        .await?;
    call.ok(&Roles { user_id_list })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddRequest {
    group_id: String,
    member_list: Vec<NamedMember>,
    #[serde(default)]
    silence: u32,
}

#[derive(Deserialize)]
struct NamedMember {
    #[serde(rename = "Member_Account")]
    user: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Added {
    member_list: Vec<AddedEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AddedEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    result: u32,
}

/// What became of somebody who was to be added.
mod added {
    pub(super) const FAILED: u32 = 0;
    pub(super) const ADDED: u32 = 1;
    pub(super) const WAS_MEMBER: u32 = 2;
    /// Somebody has to agree.
    pub(super) const WAITS: u32 = 3;
    pub(super) const NO_SPACE: u32 = 4;
}

/// Takes users in: app administrators everywhere, members where the group lets them; or asks them, where
/// the app wants their consent. One result each: who has no account fails, unless none of them has one.
pub(super) async fn add_group_member(call: &Call<'_>) -> Answer {
    let request: AddRequest = call.parse()?;
    let users = request.member_list.into_iter().map(|member| member.user).collect();
    let users = check_users("MemberList.Member_Account", users, limits::ADD_MEMBERS)?;
    let infos = call.clients.fetch_briefs(call.context.app, users.clone()).await?;
    if infos.is_empty() {
        let info = format!("MemberList.Member_Account: no account {}", users[0]);
        return Err(Code::GROUP_UNKNOWN_ACCOUNT.with(info));
    }
    let operator = call.operator(None).await?;
    let consent = call.group_policy().await?.invite_consent;
    let context = call.context.clone();
    let silently = request.silence == 1 && context.caller.admin;
    let member_list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.with_roster(Code::GROUP_FORBIDDEN)?;
            let directly = room.check_invitation(&context)?;
            let mut results = Vec::with_capacity(users.len());
            let mut new = Vec::new();
            for user in users {
                let info = infos.iter().find(|info| info.user == user);
                let result = match info {
                    None => added::FAILED,
                    Some(_) if room.is_member(&user) => added::WAS_MEMBER,
                    Some(_) if room.is_banned(&user, now.seconds) => added::FAILED,
                    Some(_) if room.refuse_when_full(new.len() + 1).is_err() => added::NO_SPACE,
                    Some(info) if !directly => {
                        room.apply(info, Some(&operator.user), String::new(), now, unit)?;
                        added::WAITS
                    }
                    Some(_) if consent => {
                        let asked = room.invite(&user, &operator, now, unit);
                        if asked { added::WAITS } else { added::FAILED }
                    }
                    Some(info) => {
                        new.push(info.clone());
                        added::ADDED
                    }
                };
                results.push(AddedEntry { user, result });
            }
            if new.is_empty() && results.iter().any(|entry| entry.result == added::NO_SPACE) {
                room.refuse_when_full(1)?;
            }
            room.admit(new, &Arrival::Added { operator, silently }, now, unit);
            Ok(results)
        })
        .await?;
    call.ok(&Added { member_list })
}

impl Room {
    /// Refuses those who may not take others in. False: somebody has to agree to it.
    fn check_invitation(&self, context: &Context) -> Result<bool, CommandError> {
        let role = self.permit(context, self.rules.invite, "add members to groups")?;
        match self.invite_join_option() {
            _ if role == Role::AppAdmin => Ok(true),
            "FreeAccess" => Ok(true),
            "NeedPermission" => Ok(self.rules.approve.allows(role)),
            _ => {
                let info = "InviteJoinOption: members may not invite others into this group";
                Err(Code::GROUP_FORBIDDEN.with(info))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRequest {
    group_id: String,
    #[serde(rename = "MemberToDel_Account")]
    users: Vec<String>,
    #[serde(default)]
    silence: u32,
    #[serde(default)]
    reason: String,
}

/// Takes members out: who stands above them. Who is no member succeeds.
pub(super) async fn delete_group_member(call: &Call<'_>) -> Answer {
    let request: DeleteRequest = call.parse()?;
    let users = check_users("MemberToDel_Account", request.users, limits::DELETE_MEMBERS)?;
    let operator = call.operator(None).await?;
    let infos = call.clients.fetch_briefs(call.context.app, users).await?;
    let context = call.context.clone();
    let (silently, reason) = (request.silence == 1, request.reason);
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.with_roster(Code::GROUP_BAD_PARAMETER)?;
            let role = room.permit(&context, room.rules.remove, "remove members of groups")?;
            let members: Vec<_> =
                infos.into_iter().filter(|info| room.is_member(&info.user)).collect();
            let names = members.iter().map(|info| info.user.as_str());
            room.require_above(role, &context.caller.user, names, "removed")?;
            let departure = Departure::Removed { operator, reason, silently };
            room.dismiss(members, departure, now, unit);
            Ok(())
        })
        .await?;
    call.done()
}

impl Call<'_> {
    /// Refuses who is in as many groups as a user may be.
    pub(super) async fn check_groups_of(&self, user: &str) -> Result<(), CommandError> {
        let most = limits::GROUPS_PER_USER;
        let groups = groups_of(&*self.clients.store, self.context.app, user, |_| true, most)
            .await
            .map_err(|error| Code::GROUP_INTERNAL.with(format!("groups of a user: {error}")))?;
        if groups.len() >= most {
            return Err(Code::GROUP_TOO_MANY_OF_USER.with(format!("{user} is in {most} groups")));
        }
        Ok(())
    }
}
