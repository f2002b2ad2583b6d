//! `apply_join_group` and `quit_group` (SDK protocol notes 02, 1.1 and 1.8; 2.1): of sessions in live
//! rooms, of users in all other groups.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_proto::v1;
use throng_proto::v1::session_effect::Effect;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;
use throng_protocol::token::{PollKey, poll_cursor};

use super::{Answer, Answered, Call};
use crate::actor::{Now, Unit};
use crate::group::{Arrival, Departure};
use crate::room::{GatewayTag, Room, items_array};
use crate::storage::{RowKind, put_row};
use crate::wire::MemberInfo;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JoinRequest {
    group_id: String,
    /// The client asks for recent messages.
    #[serde(default)]
    huge_group_history_msg_flag: u32,
    /// What an application says.
    #[serde(default)]
    apply_msg: String,
}

/// What a stored member is told.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JoinedGroup {
    joined_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Joined<'a> {
    joined_status: &'static str,
    /// Without it the client believes it joined but drops every message.
    huge_group_flag: u32,
    #[serde(rename = "AVChatRoomKey")]
    room_key: &'a str,
    /// Its presence alone makes the client poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    long_polling_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_seq: Option<u64>,
    rsp_msg_list: Box<RawValue>,
}

/// What a join decided on the actor.
enum Admitted {
    /// The group stores its members.
    Stored,
    /// The session is in.
    Session { position: v1::RoomPosition, recent: Box<RawValue> },
}

/// Takes a session into a live room, or a user into another group. Joining again changes nothing and
/// says the same.
pub(super) async fn apply_join_group(call: &Call<'_>) -> Answer {
    let request: JoinRequest = call.parse()?;
    let context = call.context.clone();
    let guest = context.is_guest();
    if context.origin.inst_id == 0 {
        return Err(Code::GROUP_FORBIDDEN.with("a group is joined by a client, not over REST"));
    }
    let member = call.operator(None).await?;
    let policy = call.policy().await?;
    let inst_id = context.origin.inst_id;
    let gateway = GatewayTag::of(&context.origin.gateway);
    let with_recent = request.huge_group_history_msg_flag == 1 && policy.keep_history;
    let user = member.user.clone();
    let admitted = call
        .rooms
        .run(context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.apply_policy(&policy, now, unit);
            room.refuse_banned(&member.user, now.seconds)?;
            if room.durable.is_some() {
                return Ok(Admitted::Stored);
            }
            if room.profile.apply_join_option == "DisableApply" {
                return Err(Code::GROUP_FORBIDDEN.with("nobody may join this group"));
            }
            let position = room.position();
            let recent =
                if with_recent { recent_messages(room, now.seconds) } else { empty_list() };
            room.member_joins(member, inst_id, gateway, now, unit);
            Ok(Admitted::Session { position, recent })
        })
        .await?;
    let Admitted::Session { position, recent } = admitted else {
        return join_stored(call, &request.group_id, request.apply_msg).await;
    };
    let mode = if guest { v1::RoomMode::Poll } else { policy.mode() };
    let polls = mode == v1::RoomMode::Poll;
    let long_polling_key = polls.then(|| {
        let group_id = request.group_id.clone();
        PollKey { app: context.app, group_id, user, inst_id }.seal(call.clients.secret.token_key())
    });
    let body = throng_protocol::envelope::ok(&Joined {
        joined_status: "JoinedSuccess",
        huge_group_flag: 1,
        room_key: &request.group_id,
        start_seq: polls.then(|| poll_cursor(position.epoch, position.event_no)),
        long_polling_key,
        rsp_msg_list: recent,
    });
    let joined =
        v1::RoomJoined { group_id: request.group_id, mode: mode.into(), position: Some(position) };
    let effects = vec![v1::SessionEffect { effect: Some(Effect::Joined(joined)) }];
    Ok(Answered { body, effects })
}

/// Makes a user a stored member.
async fn join_stored(call: &Call<'_>, group_id: &str, apply_msg: String) -> Answer {
    if call.context.is_guest() {
        return Err(Code::GROUP_FORBIDDEN.with("only those who are logged in may join this group"));
    }
    let member = call.operator(None).await?;
    call.check_groups_of(&member.user).await?;
    if apply_msg.len() > limits::APPLY_MESSAGE_BYTES {
        let info = format!("ApplyMsg: over {} bytes", limits::APPLY_MESSAGE_BYTES);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    let joined_status = call
        .rooms
        .run(call.context.app, group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            admit_member(room, member, apply_msg, now, unit)
        })
        .await?;
    call.ok(&JoinedGroup { joined_status })
}

/// Takes a user in, or notes that it wants in where somebody has to agree.
fn admit_member(
    room: &mut Room,
    member: MemberInfo,
    apply_msg: String,
    now: Now,
    unit: &mut Unit,
) -> Result<&'static str, CommandError> {
    const JOINED: &str = "JoinedSuccess";
    room.refuse_banned(&member.user, now.seconds)?;
    if room.is_member(&member.user) {
        return Ok(JOINED);
    }
    match room.profile.apply_join_option.as_str() {
        "FreeAccess" => {}
        "DisableApply" => return Err(Code::GROUP_FORBIDDEN.with("nobody may join this group")),
        _ => {
            room.refuse_when_full(1)?;
            room.apply(&member, None, apply_msg, now, unit)?;
            return Ok("WaitAdminApproval");
        }
    }
    room.refuse_when_full(1)?;
    room.admit(vec![member], &Arrival::Joined, now, unit);
    Ok(JOINED)
}

/// The newest messages of the last 24 hours, oldest first.
fn recent_messages(room: &Room, now: i64) -> Box<RawValue> {
    let horizon = now.saturating_sub_unsigned(limits::LIVE_HISTORY_SECONDS);
    items_array(room.recent.newest(limits::LIVE_HISTORY_MESSAGES, horizon, 0).into_iter())
}

fn empty_list() -> Box<RawValue> {
    items_array(std::iter::empty())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QuitRequest {
    group_id: String,
}

/// Takes a session out of a live room, or a user out of another group. Where the owner
/// may not quit it gets 10009; who is not in succeeds, for a repeated request must. A group that its last
/// member leaves is no more.
pub(super) async fn quit_group(call: &Call<'_>) -> Answer {
    let request: QuitRequest = call.parse()?;
    let context = call.context.clone();
    let user = context.caller.user.clone();
    let member = if user.is_empty() { MemberInfo::default() } else { call.operator(None).await? };
    let live = call
        .rooms
        .run(context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            let owner = !member.user.is_empty() && room.profile.owner == member.user;
            if owner && !room.rules.owner_may_quit {
                return Err(Code::GROUP_OWNER_CANNOT_QUIT.with("the owner may not quit this group"));
            }
            let inst_id = context.origin.inst_id;
            if room.durable.is_none() {
                room.member_leaves(&member, inst_id, now, unit);
            } else if room.is_member(&member.user) {
                if owner {
                    room.profile.owner.clear();
                    unit.ops.push(put_row(RowKind::Profile, "", &room.profile));
                }
                room.dismiss(vec![member], Departure::Quit { inst_id }, now, unit);
                if room.member_count() == 0 {
                    // Nobody is left who could ever see it again.
                    turn.dissolve();
                    return Ok(false);
                }
            }
            Ok(room.durable.is_none())
        })
        .await?;
    let mut answered = call.done()?;
    if !live {
        return Ok(answered);
    }
    let left = v1::RoomLeft { group_id: request.group_id };
    answered.effects.push(v1::SessionEffect { effect: Some(Effect::Left(left)) });
    Ok(answered)
}
