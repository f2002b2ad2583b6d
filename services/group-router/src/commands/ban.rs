//! Bans: `ban_group_member`, `unban_group_member`, `get_group_ban_member`
//! (REST notes 01, 3.44 to 3.46; SDK protocol notes 02, 1.9).

use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_proto::v1::room_event::Membership;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::mute::{bound_row, until};
use super::{Answer, Call, check_users};
use crate::group::Departure;
use crate::room::Extra;
use crate::storage::{RowKind, delete_rows};
use crate::wire::{MemberInfo, Notice, Tip, op, report};

/// Bans in one group.
const MOST_BANS: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BanRequest {
    group_id: String,
    #[serde(rename = "Members_Account")]
    users: Vec<String>,
    duration: u32,
    #[serde(default)]
    description: String,
}

/// Bans users for some seconds: they are out, hear nothing more and cannot come back before.
pub(super) async fn ban_group_member(call: &Call<'_>) -> Answer {
    let mut request: BanRequest = call.parse()?;
    request.users = check_users("Members_Account", request.users, limits::BAN_USERS)?;
    if request.duration == 0 {
        return Err(Code::GROUP_BAD_PARAMETER.with("Duration: must not be 0"));
    }
    if request.description.len() > limits::BAN_DESCRIPTION_BYTES {
        let info = format!("Description: over {} bytes", limits::BAN_DESCRIPTION_BYTES);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    let operator = call.operator(None).await?;
    let members = known_members(call, request.users.clone()).await?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            let role = room.permit(&context, room.rules.ban, "ban members of groups")?;
            let names = request.users.iter().map(String::as_str);
            room.require_above(role, &context.caller.user, names, "banned")?;
            room.bans.retain(|_, until| *until > now.seconds);
            if room.bans.len() + request.users.len() > MOST_BANS {
                let info = format!("Members_Account: over {MOST_BANS} bans in a group");
                return Err(Code::GROUP_TOO_MANY.with(info));
            }
            for user in &request.users {
                room.bans.insert(user.clone(), until(now.seconds, request.duration));
                unit.ops.push(bound_row(RowKind::Ban, user, now.seconds, request.duration));
                room.expel(user);
            }
            if room.durable.is_some() {
                let inside = members.into_iter().filter(|info| room.is_member(&info.user));
                let (reason, seconds) = (request.description, request.duration);
                let departure = Departure::Banned { operator, reason, seconds };
                room.dismiss(inside.collect(), departure, now, unit);
                return Ok(());
            }
            let notice = Notice {
                report: report::BANNED,
                operator: &context.caller.user,
                ban: Some((request.duration, &request.description)),
                ..Notice::default()
            };
            room.notify(request.users.clone(), &notice, now, unit);
            let tip = Tip { op: op::BANNED, operator, members, ..Tip::default() };
            let removed = v1::MembersRemoved { users: request.users };
            let membership = Some(Membership::Removed(removed));
            room.emit_tip(&tip, Extra { membership, ..Extra::default() }, now, unit);
            Ok(())
        })
        .await?;
    call.done()
}

/// What tips show of users, those without an account included: a ban may come before the login.
async fn known_members(
    call: &Call<'_>,
    users: Vec<String>,
) -> Result<Vec<MemberInfo>, CommandError> {
    let known = call.clients.fetch_briefs(call.context.app, users.clone()).await?;
    let info = |user: String| {
        let found = known.iter().find(|info| info.user == user).cloned();
        found.unwrap_or(MemberInfo { user, ..MemberInfo::default() })
    };
    Ok(users.into_iter().map(info).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UnbanRequest {
    group_id: String,
    #[serde(rename = "Members_Account")]
    users: Vec<String>,
}

/// Lifts bans; users who are not banned succeed.
pub(super) async fn unban_group_member(call: &Call<'_>) -> Answer {
    let mut request: UnbanRequest = call.parse()?;
    request.users = check_users("Members_Account", request.users, limits::BAN_USERS)?;
    let operator = call.operator(None).await?;
    let members = known_members(call, request.users.clone()).await?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.permit(&context, room.rules.ban, "lift bans of groups")?;
            unit.ops.extend(delete_rows(RowKind::Ban, request.users.iter().map(String::as_str)));
            for user in &request.users {
                room.bans.remove(user);
            }
            // To the members of other groups they are strangers.
            if room.durable.is_none() {
                let tip = Tip { op: op::UNBANNED, operator, members, ..Tip::default() };
                room.emit_tip(&tip, Extra::default(), now, unit);
            }
            Ok(())
        })
        .await?;
    call.done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    group_id: String,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Banned {
    banned_account_list: Vec<BannedEntry>,
    next_offset: usize,
}

#[derive(Serialize)]
struct BannedEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    #[serde(rename = "BannedUntil")]
    until: i64,
}

/// Who is banned now, in pages.
pub(super) async fn get_group_ban_member(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    let limit = request.limit.unwrap_or(limits::BAN_PAGE).clamp(1, limits::BAN_PAGE);
    let banned = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            let current = room.bans.iter().filter(|(_, until)| **until > now.seconds);
            let total = current.clone().count();
            let entry = |(user, until): (&String, &i64)| BannedEntry {
                user: user.clone(),
                until: (*until).min(limits::MUTE_FOREVER.into()),
            };
            let page: Vec<_> = current.skip(request.offset).take(limit).map(entry).collect();
            let end = request.offset.saturating_add(page.len());
            let next_offset = if end < total { end } else { 0 };
            Ok(Banned { banned_account_list: page, next_offset })
        })
        .await?;
    call.ok(&banned)
}
