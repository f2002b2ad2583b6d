//! Mutes of members: `forbid_send_msg`, `get_group_muted_account` (REST notes 01, 3.13, 3.14). A client
//! mutes by `modify_group_member_info`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;
use throng_store::Op;

use super::{Answer, Call, check_users};
use crate::actor::{Now, Unit};
use crate::room::{Extra, Room};
use crate::storage::{BanRow, RowKind, delete_row, put_row};
use crate::wire::{MemberInfo, Tip, op};

/// Mutes in one group, so that all of them fit into one answer.
const MOST_MUTES: usize = 5_000;
/// Above ten years a row stays: no store keeps time that far.
const LONGEST_TTL_S: u32 = 10 * 365 * 24 * 3600;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ForbidRequest {
    group_id: String,
    #[serde(rename = "Members_Account")]
    users: Vec<String>,
    #[serde(alias = "ShutUpTime")]
    mute_time: u32,
}

/// Mutes or unmutes members for some seconds; 0 unmutes, 4294967295 is for ever.
pub(super) async fn forbid_send_msg(call: &Call<'_>) -> Answer {
    let request: ForbidRequest = call.parse()?;
    let users = check_users("Members_Account", request.users, limits::MUTE_USERS)?;
    mute(call, request.group_id, users, request.mute_time).await?;
    call.done()
}

async fn mute(
    call: &Call<'_>,
    group_id: String,
    users: Vec<String>,
    seconds: u32,
) -> Result<(), CommandError> {
    let operator = call.operator(None).await?;
    let infos = call.known_users("Members_Account", users).await?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.check_mute(&context, &infos, seconds, now)?;
            room.mute(operator, infos, seconds, now, unit);
            Ok(())
        })
        .await
}

impl Room {
    /// Refuses mutes that the caller may not make.
    pub(super) fn check_mute(
        &mut self,
        context: &Context,
        users: &[MemberInfo],
        seconds: u32,
        now: Now,
    ) -> Result<(), CommandError> {
        let role = self.permit(context, self.rules.mute, "mute members of groups")?;
        let names = users.iter().map(|info| info.user.as_str());
        self.require_above(role, &context.caller.user, names, "muted")?;
        self.mutes.retain(|_, until| *until > now.seconds);
        if seconds > 0 && self.mutes.len() + users.len() > MOST_MUTES {
            let info = format!("Members_Account: over {MOST_MUTES} mutes in a group");
            return Err(Code::GROUP_TOO_MANY.with(info));
        }
        Ok(())
    }

    /// Mutes users, or takes their mutes back; the caller has asked whether that may be.
    pub(super) fn mute(
        &mut self,
        operator: MemberInfo,
        members: Vec<MemberInfo>,
        seconds: u32,
        now: Now,
        unit: &mut Unit,
    ) {
        for member in &members {
            if seconds == 0 {
                self.mutes.remove(&member.user);
                unit.ops.push(delete_row(RowKind::Mute, &member.user));
            } else {
                self.mutes.insert(member.user.clone(), until(now.seconds, seconds));
                unit.ops.push(bound_row(RowKind::Mute, &member.user, now.seconds, seconds));
            }
        }
        let mute_seconds = Some(seconds);
        let tip = Tip { op: op::MEMBER, operator, members, mute_seconds, ..Tip::default() };
        self.emit_tip(&tip, Extra::default(), now, unit);
    }
}

/// The end of a time that begins now.
pub(super) fn until(now: i64, seconds: u32) -> i64 {
    if seconds == limits::MUTE_FOREVER { i64::MAX } else { now.saturating_add(seconds.into()) }
}

/// The row of a mute or ban that begins now. It goes by itself when its time is over.
pub(super) fn bound_row(kind: RowKind, user: &str, now: i64, seconds: u32) -> Op {
    let row = BanRow { until: until(now, seconds) };
    if seconds > LONGEST_TTL_S {
        return put_row(kind, user, &row);
    }
    put_row(kind, user, &row).ttl(Duration::from_secs(seconds.into()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    group_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Muted {
    group_id: String,
    muted_account_list: Vec<MutedEntry>,
    /// The old name of the same list.
    shutted_uin_list: Vec<ShuttedEntry>,
}

#[derive(Serialize)]
struct MutedEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    #[serde(rename = "MutedUntil")]
    until: i64,
}

#[derive(Serialize)]
struct ShuttedEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    #[serde(rename = "ShuttedUntil")]
    until: i64,
}

/// Who is muted now. Answers the old and the new name of the command with both spellings.
pub(super) async fn get_group_muted_account(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    let muted = call
        .rooms
        .run(call.context.app, &request.group_id, |turn| {
            let (room, now, _) = turn.room()?;
            let muted = room.mutes.iter().filter(|(_, until)| **until > now.seconds);
            let mut muted: Vec<_> = muted.map(|(user, until)| (user.clone(), *until)).collect();
            muted.sort();
            Ok(muted)
        })
        .await?;
    // "For ever" goes out as the largest time that every client can hold.
    let until = |until: i64| until.min(limits::MUTE_FOREVER.into());
    let new = |(user, time): &(String, i64)| MutedEntry { user: user.clone(), until: until(*time) };
    let old =
        |(user, time): &(String, i64)| ShuttedEntry { user: user.clone(), until: until(*time) };
    call.ok(&Muted {
        group_id: request.group_id,
        muted_account_list: muted.iter().map(new).collect(),
        shutted_uin_list: muted.iter().map(old).collect(),
    })
}
