//! Stored members: `get_group_member_info`, `get_role_in_group`, `add_group_member`,
//! `delete_group_member` (REST notes 01, 3.4, 3.7, 3.8 and 3.12; SDK protocol notes 02, 2.2). Live rooms
//! store none, and answer with the documented codes.

use serde::{Deserialize, Serialize};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Answer, Call, check_users, not_a_member};
use crate::actor::{Now, Turn, Unit};
use crate::group::{Arrival, Departure, Durable};
use crate::room::{Role, Room};
use crate::storage::groups_of;

impl Turn<'_> {
    /// The group, if it stores its members; else `code`.
    fn with_roster(&mut self, code: Code) -> Result<(&mut Room, Now, &mut Unit), CommandError> {
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
    #[serde(default)]
    member_role_filter: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MemberList {
    member_num: u32,
    member_list: Vec<MemberEntry>,
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
    name_card: &'static str,
}

/// A member as an entry; `None` for who is none.
pub(super) fn member_entry(room: &Room, user: &str, now: i64) -> Option<MemberEntry> {
    let (join_time, msg_seq) = match &room.durable {
        Some(durable) => {
            let member = durable.roster.get(user)?;
            (member.joined, member.read)
        }
        None if room.is_member(user) => (room.join_time(user).unwrap_or(now), 0),
        None => return None,
    };
    let muted = room.muted_until(user, now).min(limits::MUTE_FOREVER.into());
    Some(MemberEntry {
        user: user.to_owned(),
        role: room.role_of(user).wire(),
        join_time,
        msg_seq,
        msg_flag: "AcceptAndNotify",
        last_send_msg_time: 0,
        shut_up_until: muted,
        mute_until: muted,
        name_card: "",
    })
}

/// Members in the order in which they came; for members and app administrators.
pub(super) async fn get_group_member_info(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    let most = if call.context.caller.admin {
        limits::GROUP_MEMBERS_MOST as usize
    } else {
        limits::MEMBERS_PAGE
    };
    let limit = request.limit.filter(|limit| *limit > 0).unwrap_or(most).min(most);
    let context = call.context.clone();
    let list = call
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
            let members = room.durable.as_deref().into_iter().flat_map(Durable::users);
            let page = members.filter(|user| wanted(user)).skip(request.offset).take(limit);
            let member_list =
                page.filter_map(|user| member_entry(room, user, now.seconds)).collect();
            Ok(MemberList { member_num: room.member_count(), member_list })
        })
        .await?;
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
            let role = |user: String| RoleEntry {
                role: if room.is_member(&user) { room.role_of(&user).wire() } else { "NotMember" },
                user,
            };
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
    /// 1 added, 2 was a member.
    result: u32,
}

/// Takes users in: app administrators, everywhere. Members invite once there are types of groups in
/// which they may.
pub(super) async fn add_group_member(call: &Call<'_>) -> Answer {
    let request: AddRequest = call.parse()?;
    let users = request.member_list.into_iter().map(|member| member.user).collect();
    let users = check_users("MemberList.Member_Account", users, limits::ADD_MEMBERS)?;
    let infos = call.known_users("MemberList.Member_Account", users).await?;
    let operator = call.operator(None).await?;
    let context = call.context.clone();
    let silently = request.silence == 1;
    let member_list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.with_roster(Code::GROUP_FORBIDDEN)?;
            room.require(&context, Role::AppAdmin, "add members to this group")?;
            let mut added = Vec::with_capacity(infos.len());
            let mut new = Vec::new();
            for info in infos {
                let known = room.is_member(&info.user);
                let result = if known { 2 } else { 1 };
                added.push(AddedEntry { user: info.user.clone(), result });
                if !known {
                    new.push(info);
                }
            }
            room.refuse_when_full(new.len())?;
            room.admit(new, &Arrival::Added { operator, silently }, now, unit);
            Ok(added)
        })
        .await?;
    call.ok(&Added { member_list })
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
            let role = room.require(&context, Role::Admin, "remove members of this group")?;
            let members: Vec<_> =
                infos.into_iter().filter(|info| room.is_member(&info.user)).collect();
            if let Some(equal) = members.iter().find(|info| room.role_of(&info.user) >= role) {
                let info = format!("{} may not be removed by {}", equal.user, operator.user);
                return Err(Code::GROUP_FORBIDDEN.with(info));
            }
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
        let groups = groups_of(&*self.clients.store, self.context.app, user, None, most)
            .await
            .map_err(|error| Code::GROUP_INTERNAL.with(format!("groups of a user: {error}")))?;
        if groups.len() >= most {
            return Err(Code::GROUP_TOO_MANY_OF_USER.with(format!("{user} is in {most} groups")));
        }
        Ok(())
    }
}
