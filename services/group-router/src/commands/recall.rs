//! `group_msg_recall` (REST notes 01, 3.18; SDK protocol notes 02, 2.4) and
//! `delete_group_msg_by_sender` (REST notes 01, 3.19).

mod kept;

pub(super) use kept::delete_group_msg_by_sender;

use serde::{Deserialize, Serialize};
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::kept::Look;
use super::{Answer, Call, check_list};
use crate::actor::Turn;
use crate::clients::{CALL_TIME, unavailable, within};
use crate::core::recall_window::{Message, Refusal, Standing, Windows, check};
use crate::placement::Tenure;
use crate::room::{Extra, Role};
use crate::wire::{EVENT_TIP, poll_recall_item, push_recall_item};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    msg_seq_list: Vec<SeqEntry>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SeqEntry {
    msg_seq: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Recalled {
    recall_ret_list: Vec<RecallResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecallResult {
    msg_seq: u32,
    ret_code: u32,
}

/// What a group looks like to somebody who recalls.
enum Place {
    Live { role: Role, created: i64, tenure: Tenure },
    Log(Box<Look>),
}

/// Recalls stored messages: their sender for two minutes (a setting), owner, admins and app
/// administrators as long as they are stored, in live rooms for an hour. Who is online sees them
/// vanish; history and later joiners do not get them any more.
pub(super) async fn group_msg_recall(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    check_list("MsgSeqList", &request.msg_seq_list, limits::RECALL_MESSAGES)?;
    if request.reason.len() > limits::RECALL_REASON_BYTES {
        let info = format!("Reason: over {} bytes", limits::RECALL_REASON_BYTES);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    let (app, group_id) = (call.context.app, request.group_id);
    let context = call.context.clone();
    let msg_seqs: Vec<u32> = request.msg_seq_list.iter().map(|entry| entry.msg_seq).collect();
    let place = call
        .rooms
        .run(app, &group_id, move |turn| {
            let tenure = turn.tenure.clone();
            let (room, now, _) = turn.room()?;
            Ok(match Look::at(room, &context, &tenure, now.seconds)? {
                Some(look) => Place::Log(Box::new(look)),
                None => {
                    Place::Live { role: room.role(&context), created: room.profile.created, tenure }
                }
            })
        })
        .await?;
    let (role, created, tenure) = match place {
        Place::Live { role, created, tenure } => (role, created, tenure),
        Place::Log(look) => {
            return kept::recall(call, &group_id, &msg_seqs, &request.reason, *look).await;
        }
    };
    let fetch = v1::GetRoomMessagesRequest {
        app: app.0,
        group_id: group_id.clone(),
        msg_seqs: msg_seqs.clone(),
    };
    let mut history = call.clients.history.clone();
    let fetched = history.get_room_messages(within(CALL_TIME, fetch)).await.map_err(unavailable)?;
    let mut stored = fetched.into_inner().messages;
    // Not those of a dismissed group that had the same ID.
    stored.retain(|message| message.msg_time >= created);
    let windows = Windows { own: call.policy().await?.recall_seconds.into(), ..Windows::LIVE_ROOM };
    let (results, recalled) =
        judge_all(&msg_seqs, stored, &call.context.caller.user, role, windows)?;
    if !recalled.is_empty() {
        recall(call, &group_id, &tenure, recalled, request.reason).await?;
    }
    call.ok(&Recalled { recall_ret_list: results })
}

/// What each of the named messages is answered with, and those that may be recalled.
///
/// # Errors
/// That of the only message, if only one is named.
fn judge_all(
    msg_seqs: &[u32],
    stored: Vec<v1::StoredMessage>,
    user: &str,
    role: Role,
    windows: Windows,
) -> Result<(Vec<RecallResult>, Vec<v1::StoredMessage>), CommandError> {
    let verdict = |msg_seq: u32| {
        let message = stored.iter().find(|message| message.msg_seq == msg_seq);
        judge(message, user, role, windows)
    };
    if let [only] = msg_seqs[..] {
        verdict(only)?;
    }
    let result = |msg_seq: &u32| RecallResult {
        msg_seq: *msg_seq,
        ret_code: verdict(*msg_seq).map_or_else(|error| error.code.number(), |()| 0),
    };
    let results: Vec<RecallResult> = msg_seqs.iter().map(result).collect();
    let allowed = |msg_seq: u32| {
        results.iter().any(|result| result.msg_seq == msg_seq && result.ret_code == 0)
    };
    let recalled = stored.into_iter().filter(|message| allowed(message.msg_seq)).collect();
    Ok((results, recalled))
}

fn judge(
    message: Option<&v1::StoredMessage>,
    user: &str,
    role: Role,
    windows: Windows,
) -> Result<(), CommandError> {
    // Who repeats a recall, as clients do that get no answer, has what he wants.
    if message.is_some_and(|message| message.recalled && message.revoker == user) {
        return Ok(());
    }
    let known = message.map(|message| Message {
        own: message.from == user,
        sent: message.msg_time.unsigned_abs(),
        recalled: message.recalled,
    });
    if message.is_some_and(|message| message.event == EVENT_TIP) {
        return Err(Code::GROUP_RECALL_IMPOSSIBLE.with("MsgSeq: a tip cannot be recalled"));
    }
    let standing = match role {
        Role::AppAdmin => Standing::AppAdmin,
        Role::Owner | Role::Admin => Standing::Moderator,
        Role::Member | Role::Stranger => Standing::Member,
    };
    check(windows, standing, known, now_seconds().unsigned_abs()).map_err(|refusal| match refusal {
        Refusal::NotFound => Code::GROUP_RECALL_NOT_FOUND.with("MsgSeq: no such message"),
        Refusal::TooLate => Code::GROUP_RECALL_TOO_LATE.with("MsgSeq: too old to be recalled"),
        Refusal::AlreadyRecalled => Code::GROUP_RECALL_IMPOSSIBLE.with("MsgSeq: recalled already"),
        Refusal::NotAllowed => Code::GROUP_FORBIDDEN.with("MsgSeq: somebody else's message"),
    })
}

/// Marks them in history, then tells the room, unless it was told before. One that it was not told of,
/// because its owner died in between, is made again. A caller that gives up in between changes nothing.
async fn recall(
    call: &Call<'_>,
    group_id: &str,
    tenure: &Tenure,
    mut messages: Vec<v1::StoredMessage>,
    reason: String,
) -> Result<(), CommandError> {
    let (app, group_id) = (call.context.app, group_id.to_owned());
    let revoker = call.context.caller.user.clone();
    let (rooms, mut history) = (call.rooms.clone(), call.clients.history.clone());
    let fence = rooms.fence(tenure)?;
    let whole = tokio::spawn(async move {
        let msg_seqs: Vec<u32> = messages.iter().map(|message| message.msg_seq).collect();
        let request = v1::RecallRoomMessagesRequest {
            app: app.0,
            group_id: group_id.clone(),
            msg_seqs: msg_seqs.clone(),
            revoker: revoker.clone(),
            fence: Some(fence),
        };
        history.recall_room_messages(within(CALL_TIME, request)).await.map_err(unavailable)?;
        let tell = move |turn: &mut Turn<'_>| {
            let (room, _, unit) = turn.live()?;
            room.recent.remove(&msg_seqs);
            messages.retain(|message| !room.recalls_told.contains(&message.msg_seq));
            if messages.is_empty() {
                return Ok(());
            }
            room.recalls_told.extend(&msg_seqs);
            let info = room.group_info();
            let pushed = push_recall_item(info, &messages, &revoker, &reason);
            let poll_item = poll_recall_item(info, &messages, &revoker, &reason);
            room.emit(pushed, 0, Extra { poll_item, ..Extra::default() }, unit);
            Ok(())
        };
        rooms.run(app, &group_id, tell).await
    });
    whole.await.unwrap_or_else(|_| Err(Code::GROUP_INTERNAL.with("the recall failed")))
}
