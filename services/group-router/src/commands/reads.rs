//! `msg_read_report`: how far a member has read (SDK protocol notes 02, 2.4).

use serde::Deserialize;

use super::{Answer, Call, not_a_member};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    #[serde(rename = "MsgReadedSeq")]
    seq: u32,
}

/// Notes that the caller has read up to a message; its other sessions hear of it. A live room keeps no
/// such mark.
pub(super) async fn msg_read_report(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, _, unit) = turn.room()?;
            let user = &context.caller.user;
            if room.durable.is_some() && !room.is_member(user) {
                return Err(not_a_member(user));
            }
            room.report_read(user, request.seq, context.origin.inst_id, unit);
            Ok(())
        })
        .await?;
    call.done()
}
