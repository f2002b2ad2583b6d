//! `send_group_msg` (rest-api 01, 3.16; client-protocol 02, 2.3): the stages of a message's way that
//! come before the group's actor.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::elements::MsgBody;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Answer, Call};
use crate::core::limiter::Priority;
use crate::room::{PendingSend, Role, SendAnswer};
use crate::wire::MemberInfo;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    #[serde(borrow)]
    group_id: Cow<'a, str>,
    random: u32,
    #[serde(borrow)]
    msg_body: &'a RawValue,
    #[serde(borrow, rename = "From_Account")]
    from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    msg_priority: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cloud_custom_data: Option<Cow<'a, str>>,
    #[serde(default)]
    client_seq: u64,
    msg_client_time: Option<i64>,
    #[serde(rename = "To_Account", default)]
    recipients: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    msg_time: i64,
    msg_seq: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    msg_drop_reason: &'static str,
}

/// Sends a message into a group. A message that the rate limit drops is answered as a success.
pub(super) async fn send_group_msg(call: &Call<'_>) -> Answer {
    let (group_id, checked, priority) = check(call)?;
    let sender = sender(call, &checked.from).await?;
    let policy = call.policy().await?;
    let answer = match submit(call, &group_id, &checked, &sender, priority, policy, false).await {
        // The membership may be known to presence alone: a request that a client repeats on a new
        // socket comes before the room has taken the session in again.
        Err(error) if error.code == NOT_A_MEMBER && tracked(call, &group_id).await => {
            submit(call, &group_id, &checked, &sender, priority, policy, true).await
        }
        other => other,
    }?;
    call.ok(&Sent {
        msg_time: answer.msg_time,
        msg_seq: answer.msg_seq,
        msg_drop_reason: answer.drop_reason,
    })
}

/// What a sender gets who is not in the room.
const NOT_A_MEMBER: Code = Code::GROUP_FORBIDDEN;

/// A message whose fields are all valid.
struct Checked {
    from: String,
    message: v1::StoredMessage,
    recipients: Vec<String>,
}

fn check(call: &Call<'_>) -> Result<(String, Checked, Priority), CommandError> {
    let request: Request<'_> = call.parse()?;
    let bad = |info: String| Err(Code::GROUP_BAD_PARAMETER.with(info));
    let priority = match request.msg_priority.as_deref() {
        None | Some("") => Priority::Normal,
        Some(name) => match Priority::from_name(name) {
            Some(priority) => priority,
            None => return bad(format!("MsgPriority: no priority {name:?}")),
        },
    };
    if request.recipients.len() > limits::DIRECTED_RECEIVERS {
        let info = format!("To_Account: at most {} receivers", limits::DIRECTED_RECEIVERS);
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    let custom = request.cloud_custom_data.unwrap_or_default();
    let body = MsgBody::parse(request.msg_body, limits::MESSAGE_BYTES, Code::GROUP_BAD_PARAMETER)?;
    if body.len() + custom.len() > limits::MESSAGE_BYTES {
        let info = format!("MsgBody and CloudCustomData: over {} bytes", limits::MESSAGE_BYTES);
        return Err(Code::MESSAGE_TOO_LONG.with(info));
    }
    let caller = &call.context.caller;
    let from = match request.from.as_deref() {
        None | Some("") => caller.user.clone(),
        Some(from) if from == caller.user || call.context.is_rest() => from.to_owned(),
        Some(_) => return bad("From_Account: is not the caller".to_owned()),
    };
    let message = v1::StoredMessage {
        random: request.random,
        client_time: request.msg_client_time.unwrap_or_else(now_seconds),
        client_seq: request.client_seq,
        msg_body: body.into_bytes(),
        cloud_custom_data: custom.into_owned(),
        ..v1::StoredMessage::default()
    };
    let group_id = request.group_id.into_owned();
    Ok((group_id, Checked { from, message, recipients: request.recipients }, priority))
}

async fn sender(call: &Call<'_>, from: &str) -> Result<MemberInfo, CommandError> {
    let brief = call.clients.brief(call.context.app, from).await.map_err(|error| {
        if error.code == Code::GROUP_UNKNOWN_ACCOUNT {
            Code::GROUP_UNKNOWN_ACCOUNT.with(format!("From_Account: no account {from}"))
        } else {
            error
        }
    })?;
    Ok((*brief).clone())
}

async fn submit(
    call: &Call<'_>,
    group_id: &str,
    checked: &Checked,
    sender: &MemberInfo,
    priority: Priority,
    policy: v1::RoomPolicy,
    member: bool,
) -> Result<SendAnswer, CommandError> {
    let context = &call.context;
    let (rest, admin) = (context.is_rest(), context.caller.admin);
    let tiny_id = if sender.user == context.caller.user && context.caller.tiny_id != 0 {
        context.caller.tiny_id
    } else {
        call.clients.tiny_id(context.app, &sender.user)
    };
    let message = v1::StoredMessage {
        from: sender.user.clone(),
        tiny_id,
        nick: sender.nick.clone(),
        avatar: sender.avatar.clone(),
        ..checked.message.clone()
    };
    let recipients = checked.recipients.clone();
    call.rooms
        .run_deferred(context.app, group_id, move |turn, reply| {
            let (room, now, unit) = match turn.room() {
                Ok(parts) => parts,
                Err(error) => return turn.out.answer(reply, Err(error)),
            };
            room.apply_policy(&policy, now, unit);
            let role = if rest || admin { Role::AppAdmin } else { room.role_of(&message.from) };
            let known = rest || admin || member || room.members.contains_user(&message.from);
            let refused = if known {
                room.may_speak(&message.from, role, now.seconds).err()
            } else {
                Some(NOT_A_MEMBER.with(format!("{} is not in this group", message.from)))
            };
            if let Some(error) = refused {
                return unit.answer(reply, Err(error));
            }
            let pending = PendingSend { message, recipients, reply: Some(reply), ticket: None };
            room.send(Box::new(pending), priority, now, unit);
        })
        .await
}

/// Whether presence has one of the caller's sessions in the room.
async fn tracked(call: &Call<'_>, group_id: &str) -> bool {
    let user = call.context.caller.user.clone();
    let request = v1::FilterRoomMembersRequest {
        app: call.context.app.0,
        group_id: group_id.to_owned(),
        users: vec![user],
    };
    let reply = call.clients.presence.clone().filter_room_members(request).await;
    reply.is_ok_and(|reply| !reply.into_inner().users.is_empty())
}
