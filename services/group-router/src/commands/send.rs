//! `send_group_msg` (REST notes 01, 3.16; SDK protocol notes 02, 2.3): from the checked body to the group's
//! actor and back.

use std::sync::Arc;

use serde::Serialize;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};

use super::{Answer, Call, not_a_member};
use crate::actor::Failure;
use crate::core::limiter::Priority;
use crate::core::rules::{Members, Messages};
use crate::message::{self, Checked, Control};
use crate::order::Turnstile;
use crate::room::{PendingSend, Role, Room, Sent};
use crate::wire::MemberInfo;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    msg_time: i64,
    msg_seq: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    msg_drop_reason: &'static str,
}

/// Sends a message into a group. A message that the rate limit drops is answered as a success.
pub(super) async fn send_group_msg(call: &Call<'_>) -> Answer {
    let caller = &call.context.caller;
    let checked = message::check(&call.body, &caller.user, call.context.is_rest())?;
    let (app, group_id) = (call.context.app, &*checked.group_id);
    let enter = call.order.enter(app, group_id, &checked.from, call.place);
    let turnstile = call.rooms.while_here(app, group_id, enter).await?;
    let answer = send(call, checked, &turnstile).await;
    if call.rooms.fate().is_lost() {
        turnstile.revoke();
    } else {
        turnstile.pass();
    }
    answer
}

async fn send(call: &Call<'_>, checked: Checked<'_>, turnstile: &Turnstile) -> Answer {
    let (caller, group_id) = (&call.context.caller, &*checked.group_id);
    let sender = sender(call, &checked.from).await?;
    let pending = Box::new(PendingSend {
        tiny_id: tiny_id(call, &sender.user),
        sender,
        random: checked.random,
        client_time: checked.client_time,
        client_seq: checked.client_seq,
        body: checked.body,
        cloud_custom_data: checked.cloud_custom_data,
        recipients: checked.recipients,
        wants: checked.wants,
        control: checked.control,
        reply: None,
        ticket: None,
        turnstile: Some(turnstile.clone()),
    });
    let way = Way {
        priority: checked.priority,
        policy: call.policy().await?,
        as_admin: caller.admin,
        as_member: false,
    };
    let mut sent = submit(call, group_id, pending, way).await?;
    if let Sent::Stranger(pending) = sent {
        if !call.is_tracked(group_id).await {
            return Err(not_a_member(&pending.sender.user));
        }
        sent = submit(call, group_id, pending, Way { as_member: true, ..way }).await?;
    }
    match sent {
        Sent::Answer(answer) => call.ok(&Answered {
            msg_time: answer.msg_time,
            msg_seq: answer.msg_seq,
            msg_drop_reason: answer.drop_reason,
        }),
        Sent::Stranger(pending) => Err(not_a_member(&pending.sender.user)),
    }
}

/// How a message enters the room.
#[derive(Clone, Copy)]
struct Way {
    priority: Priority,
    policy: v1::RoomPolicy,
    /// By an administrator, who speaks anywhere.
    as_admin: bool,
    /// By a member, whatever the room knows.
    as_member: bool,
}

async fn sender(call: &Call<'_>, from: &str) -> Result<Arc<MemberInfo>, CommandError> {
    call.clients.brief(call.context.app, from).await.map_err(|error| {
        if error.code == Code::GROUP_UNKNOWN_ACCOUNT {
            Code::GROUP_UNKNOWN_ACCOUNT.with(format!("From_Account: no account {from}"))
        } else {
            error
        }
    })
}

fn tiny_id(call: &Call<'_>, from: &str) -> u64 {
    let caller = &call.context.caller;
    if from == caller.user && caller.tiny_id != 0 {
        caller.tiny_id
    } else {
        call.clients.tiny_id(call.context.app, from)
    }
}

/// Refuses what a group's type does not have, or what nobody would see.
fn check_audience(room: &Room, pending: &PendingSend) -> Result<(), CommandError> {
    if room.rules.messages != Messages::Log {
        return Ok(());
    }
    let recipients = &pending.recipients;
    if !recipients.is_empty() && !room.rules.directed {
        let info = format!("To_Account: not in groups of type {}", room.kind);
        return Err(Code::GROUP_FORBIDDEN.with(info));
    }
    if pending.control.mentions_all && !room.rules.mentions_all {
        let info = format!("GroupAtInfo: not @all in groups of type {}", room.kind);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    if !recipients.is_empty() && !recipients.iter().any(|user| room.is_member(user)) {
        return Err(Code::GROUP_BAD_PARAMETER.with("To_Account: none of them is in this group"));
    }
    Ok(())
}

async fn submit(
    call: &Call<'_>,
    group_id: &str,
    mut pending: Box<PendingSend>,
    way: Way,
) -> Result<Sent, CommandError> {
    call.rooms
        .run_deferred(call.context.app, group_id, move |turn, reply| {
            if pending.turnstile.as_ref().is_some_and(|turnstile| !turnstile.is_still_next()) {
                return reply.refuse(Failure::NotBegun);
            }
            let (room, now, unit) = match turn.room() {
                Ok(parts) => parts,
                Err(error) => return turn.out.answer(reply, Err(error)),
            };
            room.apply_policy(&way.policy, now, unit);
            let user = &pending.sender.user;
            let role = if way.as_admin { Role::AppAdmin } else { room.role_of(user) };
            if role == Role::Stranger && !way.as_member {
                return unit.answer(reply, Err(not_a_member(user)));
            }
            if let Err(error) = room.may_speak(user, role, now.seconds) {
                return unit.answer(reply, Err(error));
            }
            if !(way.as_admin || way.as_member || room.is_member(user)) {
                return unit.answer(
                    reply,
                    match room.rules.members {
                        Members::Sessions => Ok(Sent::Stranger(pending)),
                        // Nobody knows more than the group.
                        Members::Stored => Err(not_a_member(user)),
                    },
                );
            }
            if let Err(error) = check_audience(room, &pending) {
                return unit.answer(reply, Err(error));
            }
            if room.rules.messages != Messages::Log {
                pending.control = Control::default();
            }
            pending.reply = Some(reply);
            if let Some(turnstile) = pending.turnstile.take() {
                turnstile.pass();
            }
            room.send(pending, way.priority, now, unit);
        })
        .await
}
