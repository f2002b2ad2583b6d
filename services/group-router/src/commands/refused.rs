//! Commands that live rooms do not have, with the documented code of each.

use serde::Deserialize;
use throng_protocol::error::Code;

use super::{Answer, Call};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
}

/// 10010 for an unknown group; else what the documents say for a live room: 10004 for kicking
/// (REST notes 01, 3.8), 10007 for all others.
pub(super) async fn not_for_live_rooms(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let command = call.context.command().to_owned();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let kind = turn.room()?.0.kind;
            let code = if command == "delete_group_member" {
                Code::GROUP_BAD_PARAMETER
            } else {
                Code::GROUP_FORBIDDEN
            };
            Err(code.with(format!("{command}: not for groups of type {kind}")))
        })
        .await
}
