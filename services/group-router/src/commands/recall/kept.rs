//! Recalls in groups with a log.

use serde::Deserialize;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Recalled, judge_all};
use crate::clients::{CALL_TIME, unavailable, within};
use crate::commands::kept::{self, Look, TRIES};
use crate::commands::{Answer, Call};
use crate::core::recall_window::Windows;
use crate::group::Recall;
use crate::wire::EVENT_TIP;

/// Recalls messages of a log.
pub(super) async fn recall(
    call: &Call<'_>,
    group_id: &str,
    msg_seqs: &[u32],
    reason: &str,
    mut look: Look,
) -> Answer {
    let user = &call.context.caller.user;
    let windows = Windows { own: call.policy().await?.recall_seconds.into(), any: None };
    for _ in 0..TRIES {
        let stored = look.read(call, msg_seqs).await?;
        let (recall_ret_list, recalled) = judge_all(msg_seqs, stored, user, look.role, windows)?;
        if recalled.is_empty() {
            return call.ok(&Recalled { recall_ret_list });
        }
        let (revoker, reason) = (user.clone(), reason.to_owned());
        let done =
            kept::change(call, group_id, look.moment, recalled, move |room, messages, unit| {
                let how = Recall { revoker: &revoker, reason: &reason, silently: false };
                // One that the members were not told of, because its owner died in between, is made again.
                let told = |message: &v1::StoredMessage| {
                    message.recalled && room.recalls_told.contains(&message.msg_seq)
                };
                let messages: Vec<_> = messages.iter().filter(|one| !told(one)).cloned().collect();
                room.recall_stored(&messages, &how, unit);
            });
        if done.await? {
            return call.ok(&Recalled { recall_ret_list });
        }
        look = kept::look(call, group_id).await?;
    }
    Err(changing())
}

fn changing() -> CommandError {
    Code::GROUP_INTERNAL.with("others change the messages at the same time, try again")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BySender {
    group_id: String,
    #[serde(rename = "Sender_Account")]
    sender: String,
}

/// Recalls what a user sent among the last messages of a group. Nobody is told; live rooms do not take
/// part.
pub(in crate::commands) async fn delete_group_msg_by_sender(call: &Call<'_>) -> Answer {
    let request: BySender = call.parse()?;
    if request.sender.is_empty() {
        return Err(Code::GROUP_BAD_PARAMETER.with("Sender_Account: is empty"));
    }
    let context = call.context.clone();
    for _ in 0..TRIES {
        let context = context.clone();
        let look = call.rooms.run(call.context.app, &request.group_id, move |turn| {
            let tenure = turn.tenure.clone();
            let (room, now, _) = turn.room()?;
            Look::at(room, &context, &tenure, now.seconds)
        });
        let Some(look) = look.await? else { return call.done() };
        let found = sent_by(call, &look, &request.sender).await?;
        if found.is_empty() {
            return call.done();
        }
        let revoker = call.context.caller.user.clone();
        let group_id = &request.group_id;
        let done = kept::change(call, group_id, look.moment, found, move |room, messages, unit| {
            let how = Recall { revoker: &revoker, reason: "", silently: true };
            room.recall_stored(messages, &how, unit);
        });
        if done.await? {
            return call.done();
        }
    }
    Err(changing())
}

/// What a user sent among the last messages, as far as it is not recalled.
async fn sent_by(
    call: &Call<'_>,
    look: &Look,
    sender: &str,
) -> Result<Vec<v1::StoredMessage>, CommandError> {
    let most = u32::try_from(limits::RECALL_BY_SENDER).unwrap_or(u32::MAX);
    let first = look.first.max(look.last.saturating_sub(most - 1));
    let (mut last, mut found) = (look.last, Vec::new());
    while first <= last {
        let request = v1::ReadGroupRequest {
            log: Some(look.log.clone()),
            first,
            last,
            limit: most,
            ..v1::ReadGroupRequest::default()
        };
        let reply = call.clients.history.clone().read_group(within(CALL_TIME, request)).await;
        let v1::ReadGroupReply { messages, complete } = reply.map_err(unavailable)?.into_inner();
        let lowest = messages.last().map_or(first, |message| message.msg_seq);
        let wanted = |message: &v1::StoredMessage| {
            message.from == sender && message.event != EVENT_TIP && !message.recalled
        };
        found.extend(messages.into_iter().filter(wanted));
        if complete {
            break;
        }
        last = lowest.min(last).saturating_sub(1);
    }
    Ok(found)
}
