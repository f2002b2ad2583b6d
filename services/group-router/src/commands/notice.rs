//! `send_group_system_notification` (REST notes 01, 3.17): text from the app's server to a room.

use serde::Deserialize;
use throng_protocol::error::Code;
use throng_protocol::limits;

use super::{Answer, Call};
use crate::room::Extra;
use crate::wire::{Notice, report};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    content: String,
    #[serde(rename = "ToMembers_Account", default)]
    users: Vec<String>,
}

/// Sends a notice to all members, or to some where members are stored. The rate limit does not count
/// it and history does not keep it.
pub(super) async fn send_group_system_notification(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    if request.content.len() > limits::MESSAGE_BYTES {
        let info = format!("Content: over {} bytes", limits::MESSAGE_BYTES);
        return Err(Code::MESSAGE_TOO_LONG.with(info));
    }
    let operator = call.context.caller.user.clone();
    let to_all = request.users.is_empty();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            if room.durable.is_none() && !request.users.is_empty() {
                let info = "ToMembers_Account: a live room's notice goes to all members";
                return Err(Code::GROUP_BAD_PARAMETER.with(info));
            }
            let notice = Notice {
                report: report::CUSTOM,
                operator: &operator,
                text: &request.content,
                ..Notice::default()
            };
            let named = request.users.into_iter().filter(|user| room.is_member(user)).collect();
            if to_all {
                room.emit_notice(&notice, Extra::default(), now, unit);
            } else {
                room.notify(named, &notice, now, unit);
            }
            Ok(())
        })
        .await?;
    call.done()
}
