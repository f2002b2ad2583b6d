//! `apply_join_group` and `quit_group` (SDK protocol notes 02, 1.1 and 1.8; 2.1).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_proto::v1;
use throng_proto::v1::session_effect::Effect;
use throng_protocol::error::Code;
use throng_protocol::limits;
use throng_protocol::token::{PollKey, poll_cursor};

use super::{Answer, Answered, Call};
use crate::room::{GatewayTag, Room, items_array};
use crate::wire::MemberInfo;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JoinRequest {
    group_id: String,
    /// The client asks for recent messages.
    #[serde(default)]
    huge_group_history_msg_flag: u32,
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
struct Admitted {
    position: v1::RoomPosition,
    recent: Box<RawValue>,
}

/// Takes a session into a live room. Joining again changes nothing and says the same.
pub(super) async fn apply_join_group(call: &Call<'_>) -> Answer {
    let request: JoinRequest = call.parse()?;
    let context = call.context.clone();
    let guest = context.is_guest();
    if context.origin.inst_id == 0 {
        return Err(Code::GROUP_FORBIDDEN.with("a live room is joined by a client, not over REST"));
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
            if room.profile.apply_join_option == "DisableApply" {
                return Err(Code::GROUP_FORBIDDEN.with("nobody may join this group"));
            }
            let position = room.position();
            let recent =
                if with_recent { recent_messages(room, now.seconds) } else { empty_list() };
            room.member_joins(member, inst_id, gateway, now, unit);
            Ok(Admitted { position, recent })
        })
        .await?;
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
        start_seq: polls.then(|| poll_cursor(admitted.position.epoch, admitted.position.event_no)),
        long_polling_key,
        rsp_msg_list: admitted.recent,
    });
    let joined = v1::RoomJoined {
        group_id: request.group_id,
        mode: mode.into(),
        position: Some(admitted.position),
    };
    let effects = vec![v1::SessionEffect { effect: Some(Effect::Joined(joined)) }];
    Ok(Answered { body, effects })
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

/// Takes a session out of a live room. The owner may not quit (10009); who is not in succeeds, for
/// a repeated request must.
pub(super) async fn quit_group(call: &Call<'_>) -> Answer {
    let request: QuitRequest = call.parse()?;
    let context = call.context.clone();
    let user = context.caller.user.clone();
    let member = if user.is_empty() { MemberInfo::default() } else { call.operator(None).await? };
    call.rooms
        .run(context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            if !member.user.is_empty() && room.profile.owner == member.user {
                return Err(Code::GROUP_OWNER_CANNOT_QUIT.with("the owner may not quit this group"));
            }
            room.member_leaves(&member, context.origin.inst_id, now, unit);
            Ok(())
        })
        .await?;
    let mut answered = call.done()?;
    let left = v1::RoomLeft { group_id: request.group_id };
    answered.effects.push(v1::SessionEffect { effect: Some(Effect::Left(left)) });
    Ok(answered)
}
