//! Messages go out of sight and stay in the log: `delete_group_ramble_msg_by_seq` for the caller (SDK
//! protocol notes 02, 2.4), `clear_group_msg` for all clients (REST notes 01, 3.21).

use serde::Deserialize;
use throng_proto::v1;
use throng_protocol::error::Code;
use throng_protocol::limits;

use super::kept::{self, Look};
use super::{Answer, Call, check_list};
use crate::clients::{CALL_TIME, unavailable, within};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRequest {
    group_id: String,
    #[serde(rename = "Deleter_Account", default)]
    deleter: String,
    seqs: Vec<Seq>,
}

/// The SDK sends numbers as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seq {
    Number(u32),
    Text(String),
}

/// Hides messages from the caller, on all devices and for good. Live rooms have no such thing.
pub(super) async fn delete_group_ramble_msg_by_seq(call: &Call<'_>) -> Answer {
    let request: DeleteRequest = call.parse()?;
    check_list("Seqs", &request.seqs, limits::HIDE_MESSAGES)?;
    let user = &call.context.caller.user;
    if !request.deleter.is_empty() && request.deleter != *user {
        return Err(Code::GROUP_FORBIDDEN.with("Deleter_Account: is not the caller"));
    }
    let mut named = Vec::with_capacity(request.seqs.len());
    for seq in request.seqs {
        let seq = match seq {
            Seq::Number(seq) => Some(seq),
            Seq::Text(text) => text.parse().ok(),
        };
        named.push(seq.ok_or_else(|| Code::GROUP_BAD_PARAMETER.with("Seqs: not a number"))?);
    }
    let context = call.context.clone();
    let look = call.rooms.run(call.context.app, &request.group_id, move |turn| {
        let tenure = turn.tenure.clone();
        let (room, now, _) = turn.room()?;
        Look::at(room, &context, &tenure, now.seconds)?.ok_or_else(|| {
            let info = format!("GroupId: not for groups of type {}", room.kind);
            Code::GROUP_DELETE_MESSAGE_TYPE.with(info)
        })
    });
    let look = look.await?;
    // What does not exist yet must not be hidden when it comes.
    named.retain(|seq| (look.first..=look.last).contains(seq));
    if let Some(newest) = named.iter().copied().max() {
        let hide = v1::HideMessagesRequest {
            fence: Some(call.rooms.fence(&look.tenure)?),
            log: Some(look.log),
            user: user.clone(),
            msg_seqs: named,
        };
        let mut history = call.clients.history.clone();
        history.hide_messages(within(CALL_TIME, hide)).await.map_err(unavailable)?;
        let user = user.clone();
        call.rooms
            .run(call.context.app, &request.group_id, move |turn| {
                let (room, _, unit) = turn.room()?;
                room.note_deleted(&user, newest, unit);
                Ok(())
            })
            .await?;
    }
    call.done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ClearRequest {
    group_id: String,
    msg_seq: Option<u32>,
}

/// Hides all messages up to one, or all that there are, from clients; app servers still read them.
pub(super) async fn clear_group_msg(call: &Call<'_>) -> Answer {
    let request: ClearRequest = call.parse()?;
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, _, unit) = turn.room()?;
            if !room.rules.clearable {
                return Err(kept::not_for(room));
            }
            room.clear_log(request.msg_seq.unwrap_or(u32::MAX), unit);
            Ok(())
        })
        .await?;
    call.done()
}
