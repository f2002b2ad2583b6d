//! `pin_message`, `unpin_message` and `get_pinned_messages` (REST notes 01, 3.33 to 3.35; SDK protocol
//! notes 02, 2.4).

use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::annotated::{View, no_topic};
use super::{Answer, Call};
use crate::core::pins::{Pin, Refusal};
use crate::group::Durable;
use crate::room::{Extra, Room, random};
use crate::wire::pinned_item;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    msg_seq: u32,
    topic_id: Option<String>,
    #[serde(rename = "Pinner_Account")]
    pinner: Option<String>,
    #[serde(rename = "UnPinner_Account")]
    unpinner: Option<String>,
}

/// Refuses callers who may not pin here.
fn may_pin(room: &Room, context: &Context) -> Result<(), CommandError> {
    room.permit(context, room.rules.pin, "pin messages in groups")?;
    Ok(())
}

fn durable(room: &Room) -> Result<&Durable, CommandError> {
    let info = || format!("GroupId: no pins in groups of type {}", room.kind);
    room.durable.as_deref().ok_or_else(|| Code::GROUP_FORBIDDEN.with(info()))
}

fn refusal(refusal: Refusal) -> CommandError {
    match refusal {
        Refusal::Full => {
            let info = format!("MsgSeq: {} messages are pinned already", limits::PINS);
            Code::GROUP_TOO_MANY_PINS.with(info)
        }
        Refusal::Already => Code::GROUP_ALREADY_PINNED.with("MsgSeq: pinned already"),
    }
}

/// Pins a message for all members.
pub(super) async fn pin_message(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    let operator = call.operator(request.pinner.as_deref()).await?;
    let (app, msg_seq) = (call.context.app, request.msg_seq);
    let context = call.context.clone();
    let view = call
        .rooms
        .run(app, &request.group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            let view = View::of(room, &context, now.seconds)?;
            may_pin(room, &context)?;
            durable(room)?.pins.check(msg_seq).map_err(refusal)?;
            Ok(view)
        })
        .await?;
    let message =
        if view.shows(msg_seq) { call.read_message(&view.log, msg_seq).await? } else { None };
    let no_message = || Code::GROUP_BAD_PARAMETER.with("MsgSeq: no such message");
    let message = message.ok_or_else(no_message)?;
    if !message.recipients.is_empty() {
        let info = "MsgSeq: for some members alone, and pins are for all";
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    let context = call.context.clone();
    call.rooms
        .run(app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            may_pin(room, &context)?;
            let pin = Pin {
                msg_seq,
                pinner: operator.user.clone(),
                tiny_id: message.tiny_id,
                random: message.random,
                client_time: message.client_time,
                time: message.msg_time,
            };
            // The message is of that log: the group may have been made anew in between.
            let Some(durable) =
                room.durable.as_deref_mut().filter(|it| it.log.incarnation == view.log.incarnation)
            else {
                return Err(no_message());
            };
            durable.pins.add(pin).map_err(refusal)?;
            durable.save_pins(unit);
            let info = room.group_info();
            let encoded = pinned_item(info, &message, &operator, random(), now.seconds);
            room.emit(encoded, 0, Extra::default(), unit);
            Ok(())
        })
        .await?;
    call.done()
}

/// Takes a pin off.
pub(super) async fn unpin_message(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    let operator = call.operator(request.unpinner.as_deref()).await?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            View::of(room, &context, now.seconds)?;
            may_pin(room, &context)?;
            durable(room)?;
            if room.unpin(request.msg_seq, &operator, now.seconds, unit) {
                return Ok(());
            }
            Err(Code::GROUP_BAD_PARAMETER.with("MsgSeq: not pinned"))
        })
        .await?;
    call.done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    group_id: String,
    topic_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    pinned_msg_list: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    msg_seq: u32,
    #[serde(rename = "Pinner_Account")]
    pinner: String,
}

/// All pins, the newest first. The messages themselves clients find in history.
pub(super) async fn get_pinned_messages(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    let context = call.context.clone();
    let pinned_msg_list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            View::of(room, &context, now.seconds)?;
            let entry = |pin: &Pin| Entry { msg_seq: pin.msg_seq, pinner: pin.pinner.clone() };
            Ok(durable(room)?.pins.all().iter().rev().map(entry).collect())
        })
        .await?;
    call.ok(&List { pinned_msg_list })
}
