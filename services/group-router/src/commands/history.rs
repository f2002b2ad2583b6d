//! Messages that are kept: `group_msg_get_simple` for the app's server, `group_msg_get` and
//! `get_huge_group_msg` for clients (REST notes 01, 3.20; SDK protocol notes 02, 1.9 and 2.4): of a live
//! room the last 24 hours, of other groups the whole log. The vendor refuses live rooms in the first
//! one; here it serves what is kept.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::kept::viewer;
use super::{Answer, Call, not_a_member};
use crate::clients::{CALL_TIME, unavailable, within};
use crate::room::{Room, items_array};
use crate::wire::{EVENT_MESSAGE, EVENT_TIP, ItemControl};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimpleRequest {
    group_id: String,
    #[serde(default)]
    req_msg_number: u32,
    #[serde(default)]
    req_msg_seq: u32,
    #[serde(default)]
    with_recalled_msg: u32,
    /// Named messages instead of a page, for clients.
    #[serde(default)]
    req_msg_seq_list: Vec<u32>,
}

/// Reads for one page at most, where most of what is read is recalled.
const MOST_READS: usize = 50;

/// What of a group's messages the caller may see.
enum Kept {
    /// A live room's since it was made.
    Window { created: i64 },
    /// Numbers of a log, both inclusive.
    Log { log: v1::GroupLog, info: Box<v1::GroupProfile>, first: u32, last: u32 },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    group_id: String,
    is_finished: u32,
    rsp_msg_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_req_msg_seq: Option<u32>,
    /// Numbers of a log that are not for the caller's eyes, the greatest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invisible_msg_seq: Vec<u32>,
    /// The lowest number of a log that was looked at.
    #[serde(skip)]
    lowest: Option<u32>,
}

impl Page {
    fn empty(group_id: String) -> Self {
        Self {
            group_id,
            is_finished: 1,
            rsp_msg_list: Vec::new(),
            next_req_msg_seq: None,
            invisible_msg_seq: Vec::new(),
            lowest: None,
        }
    }
}

/// Up to 20 messages, the newest first.
pub(super) async fn group_msg_get_simple(call: &Call<'_>) -> Answer {
    let page = read_page(call, limits::HISTORY_PAGE as u32).await?;
    call.ok(&page)
}

/// The client's form of the same page.
pub(super) async fn group_msg_get(call: &Call<'_>) -> Answer {
    let mut page = read_page(call, limits::HISTORY_PAGE as u32 + 1).await?;
    let oldest = page.rsp_msg_list.last().and_then(|item| item["MsgSeq"].as_u64());
    let oldest = page.lowest.map(u64::from).or(oldest);
    let finished = page.is_finished == 1;
    let next = oldest.and_then(|seq| u32::try_from(seq.saturating_sub(1)).ok()).unwrap_or(0);
    page.next_req_msg_seq = Some(if finished { 0 } else { next });
    page.is_finished = if finished { 2 } else { 0 };
    call.ok(&page)
}

async fn read_page(call: &Call<'_>, most: u32) -> Result<Page, CommandError> {
    let request: SimpleRequest = call.parse()?;
    let number = request.req_msg_number.max(request.req_msg_seq_list.len() as u32);
    if number == 0 || number > most {
        return Err(Code::GROUP_BAD_PARAMETER.with(format!("ReqMsgNumber: 1 to {most}")));
    }
    let context = call.context.clone();
    let kept = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            refuse_banned(room, &context, now.seconds)?;
            match room.log_seen_by(&context) {
                None => Ok(Kept::Window { created: room.profile.created }),
                Some(Some((log, first, last))) => {
                    Ok(Kept::Log { log, info: Box::new(room.describe()), first, last })
                }
                Some(None) => Err(not_a_member(&context.caller.user)),
            }
        })
        .await?;
    match kept {
        Kept::Window { created } => read_window(call, request, created).await,
        Kept::Log { log, info, first, last } if request.req_msg_seq_list.is_empty() => {
            let last = if request.req_msg_seq == 0 { last } else { last.min(request.req_msg_seq) };
            let reading =
                Reading { log, info: &info, with_recalled: request.with_recalled_msg == 1 };
            reading.read(call, first, last, request.req_msg_number).await
        }
        Kept::Log { log, info, first, last } => {
            let mut page = Page::empty(request.group_id);
            let reading =
                Reading { log, info: &info, with_recalled: request.with_recalled_msg == 1 };
            for seq in request.req_msg_seq_list {
                if (first..=last).contains(&seq) {
                    let one = reading.read(call, seq, seq, 1).await?;
                    page.rsp_msg_list.extend(one.rsp_msg_list);
                    page.invisible_msg_seq.extend(one.invisible_msg_seq);
                }
            }
            Ok(page)
        }
    }
}

/// How a log is read for a caller.
struct Reading<'a> {
    log: v1::GroupLog,
    info: &'a v1::GroupProfile,
    with_recalled: bool,
}

impl Reading<'_> {
    /// Messages between two numbers, the newest first. Where recalled ones are left out, others come in
    /// their place.
    async fn read(
        &self,
        call: &Call<'_>,
        first: u32,
        mut last: u32,
        limit: u32,
    ) -> Result<Page, CommandError> {
        let mut page = Page::empty(self.info.group_id.clone());
        let rest = call.context.is_rest();
        for _ in 0..MOST_READS {
            if first > last {
                break;
            }
            let wanted = limit.saturating_sub(page.rsp_msg_list.len() as u32);
            let read = v1::ReadGroupRequest {
                log: Some(self.log.clone()),
                first,
                last,
                limit: wanted,
                ascending: false,
                viewer: viewer(&call.context),
            };
            let mut history = call.clients.history.clone();
            let reply = history.read_group(within(CALL_TIME, read)).await.map_err(unavailable)?;
            let v1::ReadGroupReply { messages, complete } = reply.into_inner();
            page.is_finished = u32::from(complete);
            let (before, lowest) = (last, messages.last().map(|message| message.msg_seq));
            page.lowest = lowest.or(page.lowest);
            last = lowest.map_or(0, |lowest| lowest.saturating_sub(1)).min(last);
            let mut left_out = false;
            for message in &messages {
                if message.hidden {
                    page.invisible_msg_seq.push(message.msg_seq);
                } else if message.recalled && !self.with_recalled {
                    left_out = true;
                } else {
                    page.rsp_msg_list.push(log_item(self.info, message, rest));
                }
            }
            let full = page.rsp_msg_list.len() as u32 >= limit;
            if complete || full || !left_out || last >= before {
                break;
            }
        }
        Ok(page)
    }
}

/// One of a log. Clients take a tip's body as it was pushed, app servers expect an array.
fn log_item(info: &v1::GroupProfile, message: &v1::StoredMessage, rest: bool) -> Value {
    let mut item = history_item(&info.group_id, message);
    let tip = message.event == EVENT_TIP;
    if tip {
        item["IsSystemMsg"] = json!(1);
    }
    if tip && rest {
        item["MsgBody"] = json!([]);
    }
    if message.recalled && !rest {
        // The SDK leaves out what has no element.
        item["MsgBody"] = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "" } }]);
    }
    if message.msg_version > 0 {
        item["MsgVersion"] = json!(message.msg_version);
    }
    let control = ItemControl::of(message);
    if let Some(control) = control.send_control() {
        item["SendMsgControl"] = json!(control);
    }
    let at_info = control.at_info();
    if !at_info.is_empty() {
        item["GroupAtInfo"] = json!(at_info);
    }
    if rest && !message.recipients.is_empty() {
        item["To_Account"] = json!(message.recipients);
    }
    item["Event"] = json!(if tip { EVENT_TIP } else { EVENT_MESSAGE });
    item["GroupInfo"] = json!({
        "GroupId": info.group_id,
        "GroupName": info.name,
        "GroupType": info.group_type,
        "From_AccountNick": message.nick,
        "From_AccountHeadurl": message.avatar,
    });
    item
}

async fn read_window(
    call: &Call<'_>,
    request: SimpleRequest,
    created: i64,
) -> Result<Page, CommandError> {
    let (app, group_id) = (call.context.app, request.group_id);
    let read = v1::ReadRoomRequest {
        app: app.0,
        group_id: group_id.clone(),
        before_or_at: request.req_msg_seq,
        limit: request.req_msg_number,
        // Not those of a dismissed room that had the same ID.
        not_before: created,
        skip_recalled: request.with_recalled_msg == 0,
        ..v1::ReadRoomRequest::default()
    };
    let mut history = call.clients.history.clone();
    let reply = history.read_room(within(CALL_TIME, read)).await.map_err(unavailable)?;
    let v1::ReadRoomReply { messages, complete } = reply.into_inner();
    Ok(Page {
        is_finished: u32::from(complete),
        rsp_msg_list: messages.iter().map(|message| history_item(&group_id, message)).collect(),
        next_req_msg_seq: None,
        invisible_msg_seq: Vec::new(),
        lowest: None,
        group_id,
    })
}

/// Who is banned learns nothing of what is said.
fn refuse_banned(room: &Room, context: &Context, now: i64) -> Result<(), CommandError> {
    if context.caller.admin { Ok(()) } else { room.refuse_banned(&context.caller.user, now) }
}

/// One message of a page: 0 normal, 2 recalled, whose body nobody sees any more.
fn history_item(group_id: &str, message: &v1::StoredMessage) -> Value {
    let body: Value = if message.recalled {
        json!([])
    } else {
        serde_json::from_slice(&message.msg_body).unwrap_or_else(|_| json!([]))
    };
    let mut item = json!({
        "From_Account": message.from,
        "ToGroupId": group_id,
        "TinyId": message.tiny_id.to_string(),
        "IsPlaceMsg": if message.recalled { 2 } else { 0 },
        "IsSystemMsg": 0,
        "MsgBody": body,
        "MsgPriority": message.priority,
        "MsgRandom": message.random,
        "MsgSeq": message.msg_seq,
        "MsgTimeStamp": message.msg_time,
        "MsgClientTime": message.client_time,
        "ClientSeq": message.client_seq,
        "CloudCustomData": message.cloud_custom_data,
    });
    if message.need_read_receipt {
        item["NeedReadReceipt"] = json!(1);
    }
    if message.support_message_extension {
        item["SupportMessageExtension"] = json!(1);
    }
    if message.recalled {
        item["RevokerInfo"] =
            json!({ "Revoker_Account": message.revoker, "Reason": message.recall_reason });
    }
    item
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HugeRequest {
    group_id: String,
    #[serde(default)]
    pull_pre_seq: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HugeMessages {
    rsp_msg_list: Box<RawValue>,
}

/// Recent messages for a client that is about to poll.
pub(super) async fn get_huge_group_msg(call: &Call<'_>) -> Answer {
    let request: HugeRequest = call.parse()?;
    let context = call.context.clone();
    let rsp_msg_list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.live()?;
            refuse_banned(room, &context, now.seconds)?;
            let horizon = now.seconds.saturating_sub_unsigned(limits::LIVE_HISTORY_SECONDS);
            let most = limits::LIVE_HISTORY_MESSAGES;
            let newest = room.recent.newest(most, horizon, request.pull_pre_seq);
            Ok(items_array(newest.into_iter()))
        })
        .await?;
    call.ok(&HugeMessages { rsp_msg_list })
}
