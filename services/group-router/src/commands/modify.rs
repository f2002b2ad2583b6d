//! `modify_group_msg` (REST notes 01, 3.22; SDK protocol notes 02, 2.4; INT 48005): a message that was
//! sent gets another body. Any member may do that, to anybody's message; who did not see the latest
//! change learns what the message is now.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_proto::v1;
use throng_protocol::elements::MsgBody;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::{envelope, limits};

use super::kept::{self, Look, TRIES};
use super::{Answer, Answered, Call};
use crate::wire::EVENT_TIP;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    group_id: String,
    msg_seq: u32,
    /// What the caller knows; app servers need not know.
    msg_version: Option<u32>,
    #[serde(borrow)]
    msg_body: Option<&'a RawValue>,
    cloud_custom_data: Option<String>,
}

/// What a message is now.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Modified {
    msg_seq: u32,
    msg_version: u32,
    msg_body: Box<RawValue>,
    cloud_custom_data: String,
}

impl Modified {
    fn of(message: &v1::StoredMessage) -> Result<Self, CommandError> {
        let msg_body = serde_json::from_slice(&message.msg_body)
            .map_err(|_| Code::MESSAGE_INTERNAL.with("the message is damaged"))?;
        Ok(Self {
            msg_seq: message.msg_seq,
            msg_version: message.msg_version,
            msg_body,
            cloud_custom_data: message.cloud_custom_data.clone(),
        })
    }
}

/// Replaces body or custom data of a message, or both; all who see it are told.
pub(super) async fn modify_group_msg(call: &Call<'_>) -> Answer {
    let request: Request<'_> = envelope::parse(&call.body, Code::MESSAGE_BAD_PACKET)?;
    let body = checked_body(call, &request)?;
    for _ in 0..TRIES {
        let look = look(call, &request.group_id).await?;
        let Some(before) = look.read(call, &[request.msg_seq]).await?.pop() else {
            return Err(Code::MESSAGE_NOT_FOUND.with("MsgSeq: no such message"));
        };
        if before.event == EVENT_TIP {
            return Err(Code::MESSAGE_NOT_FOUND.with("MsgSeq: a tip is no message"));
        }
        if before.recalled {
            return Err(Code::MESSAGE_ALREADY_RECALLED.with("MsgSeq: the message is recalled"));
        }
        let mut after = before.clone();
        if let Some(body) = &body {
            after.msg_body = body.clone().into_bytes().into();
        }
        if let Some(custom) = &request.cloud_custom_data {
            after.cloud_custom_data.clone_from(custom);
        }
        if after.msg_body.len() + after.cloud_custom_data.len() > limits::MESSAGE_BYTES {
            let info = format!("MsgBody and CloudCustomData: over {} bytes", limits::MESSAGE_BYTES);
            return Err(Code::MESSAGE_TOO_LONG.with(info));
        }
        // A request is repeated whose answer got lost: nothing is to be changed any more.
        let repeated = after == before
            && request
                .msg_version
                .is_none_or(|known| known.checked_add(1) == Some(before.msg_version));
        if !repeated {
            if request.msg_version.is_some_and(|known| known != before.msg_version) {
                let info = format!("MsgVersion: the message has version {}", before.msg_version);
                let fields = Modified::of(&before)?;
                return Err(Code::MESSAGE_EDIT_CONFLICT.with(info).with_fields(&fields));
            }
            after.msg_version += 1;
        }
        let answer = Modified::of(&after)?;
        let change = kept::change(
            call,
            &request.group_id,
            look.moment,
            vec![after],
            move |room, messages, unit| {
                for message in messages {
                    if repeated {
                        room.tell_modified(message, unit);
                    } else {
                        room.modify_stored(message, unit);
                    }
                }
            },
        );
        if change.await? {
            let info = if call.context.is_rest() { "succeed" } else { "" };
            let body = envelope::ok_saying(info, &answer);
            return Ok(Answered { body, effects: Vec::new() });
        }
    }
    Err(Code::MESSAGE_EDIT_CONCURRENT.with("others change the message at the same time, try again"))
}

fn checked_body(call: &Call<'_>, request: &Request<'_>) -> Result<Option<String>, CommandError> {
    let Some(raw) = request.msg_body else {
        if request.cloud_custom_data.is_none() {
            let info = "MsgBody, CloudCustomData: one of them has to be there";
            return Err(Code::MESSAGE_BAD_PACKET.with(info));
        }
        return Ok(None);
    };
    let bad =
        if call.context.is_rest() { Code::MSG_REST_BAD_ELEMENT } else { Code::MESSAGE_BAD_PACKET };
    MsgBody::parse(raw, limits::MESSAGE_BYTES, bad).map(|body| Some(body.json().to_owned()))
}

/// Who may not speak may not change what was said.
async fn look(call: &Call<'_>, group_id: &str) -> Result<Look, CommandError> {
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, group_id, move |turn| {
            let tenure = turn.tenure.clone();
            let (room, now, _) = turn.room()?;
            let look = Look::at(room, &context, &tenure, now.seconds)?;
            let look = look.ok_or_else(|| kept::not_for(room))?;
            room.may_speak(&context.caller.user, look.role, now.seconds)?;
            Ok(look)
        })
        .await
}
