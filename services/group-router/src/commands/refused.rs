//! Commands that no type of groups has yet, with the documented code of each.

use serde::Deserialize;
use throng_protocol::error::Code;

use super::{Answer, Call};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
}

/// 10010 for an unknown group, 10007 for a live room (REST notes 01, 3.15), 10026 for others: not
/// built yet.
pub(super) async fn change_group_owner(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let room = turn.room()?.0;
            let code = match room.durable {
                None => Code::GROUP_FORBIDDEN,
                Some(_) => Code::GROUP_COMMAND_DISABLED,
            };
            Err(code.with(format!("change_group_owner: not for groups of type {}", room.kind)))
        })
        .await
}
