//! `send_broadcast_msg` (REST notes 01, 3.23): one message to all live rooms of an app. The call tells
//! every owner over the bus; each owner speaks in its rooms that have members.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_bus::{Delivery, Subscription, subjects};
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::elements::MsgBody;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use throng_protocol::limits;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Answer, Call};
use crate::actor::{Rooms, Turn};
use crate::room::Extra;
use crate::wire::{self, EVENT_BROADCAST, GroupInfo, ItemControl, ItemHead, Wants};

/// Rooms that are spoken in at once, and the time that one may take.
const CONCURRENT: usize = 64;
const ROOM_TIME: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    random: u32,
    #[serde(borrow)]
    msg_body: &'a RawValue,
    #[serde(rename = "From_Account")]
    from: Option<String>,
    #[serde(default)]
    cloud_custom_data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    msg_seq: u32,
}

/// Sends a message to all live rooms.
pub(super) async fn send_broadcast_msg(call: &Call<'_>) -> Answer {
    let request: Request<'_> = call.parse()?;
    let body = MsgBody::parse(request.msg_body, limits::MESSAGE_BYTES, Code::GROUP_BAD_PARAMETER)?;
    if body.len() + request.cloud_custom_data.len() > limits::MESSAGE_BYTES {
        let info = format!("MsgBody and CloudCustomData: over {} bytes", limits::MESSAGE_BYTES);
        return Err(Code::MESSAGE_TOO_LONG.with(info));
    }
    let sender = call.operator(request.from.as_deref()).await?;
    let app = call.context.app;
    let now = now_seconds();
    let message = v1::StoredMessage {
        tiny_id: call.clients.tiny_id(app, &sender.user),
        from: sender.user,
        nick: sender.nick,
        avatar: sender.avatar,
        random: request.random,
        msg_time: now,
        client_time: now,
        priority: 1,
        msg_body: body.into_bytes(),
        cloud_custom_data: request.cloud_custom_data,
        ..v1::StoredMessage::default()
    };
    let payload = Bytes::from(message.encode_to_vec());
    call.clients.bus.publish(&subjects::rooms_broadcast(app), payload).map_err(|error| {
        Code::GROUP_INTERNAL.with(format!("the message could not be sent: {error}"))
    })?;
    call.ok(&Sent { msg_seq: u32::try_from(now).unwrap_or(u32::MAX) })
}

/// Speaks in this node's rooms of an app whenever somebody broadcasts; ends with the bus.
pub(crate) async fn watch_broadcasts(app: AppId, rooms: &Rooms, mut messages: Subscription) {
    while let Some(delivery) = messages.recv().await {
        match delivery {
            Delivery::Message(payload) => match v1::StoredMessage::decode(payload) {
                Ok(message) => speak_everywhere(app, rooms, &Arc::new(message)).await,
                Err(error) => tracing::error!(%error, "a broadcast does not decode"),
            },
            Delivery::Lagged(lost) => tracing::warn!(lost, "broadcasts were lost"),
        }
    }
}

/// In many rooms at a time: one that is slow does not hold up the others.
async fn speak_everywhere(app: AppId, rooms: &Rooms, message: &Arc<v1::StoredMessage>) {
    let mut speaking = JoinSet::new();
    for group_id in rooms.hot(app) {
        if speaking.len() >= CONCURRENT {
            speaking.join_next().await;
        }
        let (rooms, message) = (rooms.clone(), Arc::clone(message));
        speaking.spawn(async move {
            let spoken = rooms.run(app, &group_id, move |turn| speak(turn, &message));
            match timeout(ROOM_TIME, spoken).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a room did not take a broadcast"),
                Err(_) => tracing::warn!("a room did not take a broadcast in time"),
            }
        });
    }
    while speaking.join_next().await.is_some() {}
}

fn speak(turn: &mut Turn<'_>, message: &v1::StoredMessage) -> Result<(), CommandError> {
    let (room, now, unit) = turn.room()?;
    if room.members.is_empty() || room.durable.is_some() {
        return Ok(());
    }
    let seq = room.take_seq(unit);
    let head = ItemHead {
        from: &message.from,
        tiny_id: message.tiny_id,
        msg_seq: seq,
        random: message.random,
        time: now.seconds,
        client_time: message.client_time,
        client_seq: u64::from(seq),
        priority: message.priority,
        cloud_custom_data: &message.cloud_custom_data,
        wants: Wants::default(),
        control: ItemControl::default(),
    };
    let info =
        GroupInfo { nick: Some(&message.nick), avatar: Some(&message.avatar), ..room.group_info() };
    let encoded = wire::message_item(EVENT_BROADCAST, &head, info, &message.msg_body).0;
    room.emit(encoded, seq, Extra::default(), unit);
    Ok(())
}
