//! `batch_get_group_notify`: the recalls that a client missed while it was away (SDK protocol notes 02,
//! 2.4). Its groups may be anywhere.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Answer, Call, check_list};
use crate::clients::{CALL_TIME, unavailable, within};
use crate::group::lists;

/// `NotifyType` of recalls; there is no other.
const RECALLS: u32 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    notify_req_list: Vec<Wanted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    group_id: String,
    notify_type: u32,
    #[serde(default)]
    limit: u32,
    /// Microseconds since 1970, made of the client's clock: not always whole.
    #[serde(default)]
    begin_time: f64,
    #[serde(default)]
    end_time: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    notify_rsp_list: Vec<OfGroup>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfGroup {
    group_id: String,
    /// Where the client is to go on; 0: it has all.
    next_msg_time: i64,
    notify_msg_list: Vec<Notify>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notify {
    msg_seq: u32,
    random: u32,
    revoker_info: Revoker,
}

#[derive(Serialize)]
struct Revoker {
    #[serde(rename = "Revoker_Account")]
    user: String,
    #[serde(rename = "Reason")]
    reason: String,
}

/// Recalls of several groups, each between two times. Groups that the caller is not in are left out.
pub(super) async fn batch_get_group_notify(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    check_list("NotifyReqList", &request.notify_req_list, limits::NOTIFY_GROUPS)?;
    let wanted = request.notify_req_list.into_iter().filter(|one| one.notify_type == RECALLS);
    let found: Vec<Option<OfGroup>> = stream::iter(wanted.map(|wanted| recalls(call, wanted)))
        .buffered(limits::NOTIFY_GROUPS)
        .try_collect()
        .await?;
    call.ok(&Found { notify_rsp_list: found.into_iter().flatten().collect() })
}

async fn recalls(call: &Call<'_>, wanted: Wanted) -> Result<Option<OfGroup>, CommandError> {
    let request = v1::DescribeGroupRequest {
        app: call.context.app.0,
        group_id: wanted.group_id.clone(),
        user: call.context.caller.user.clone(),
        ..v1::DescribeGroupRequest::default()
    };
    let group = match lists::describe(call.rooms, call.clients, request).await {
        Err(error) if error.code == Code::GROUP_NOT_FOUND => return Ok(None),
        group => group?,
    };
    let (Some(log), Some(member)) = (group.log, group.member) else { return Ok(None) };
    let most = limits::NOTIFY_PAGE as u32;
    let request = v1::ReadRecallsRequest {
        log: Some(log),
        since: micros(wanted.begin_time),
        until: if wanted.end_time > 0.0 { micros(wanted.end_time) } else { i64::MAX },
        limit: if wanted.limit == 0 { most } else { wanted.limit.min(most) },
    };
    let mut history = call.clients.history.clone();
    let reply = history.read_recalls(within(CALL_TIME, request)).await.map_err(unavailable)?;
    let v1::ReadRecallsReply { recalls, next } = reply.into_inner();
    let seen = recalls.into_iter().filter(|recall| recall.msg_seq > member.since);
    let notify = |recall: v1::GroupAmendment| Notify {
        msg_seq: recall.msg_seq,
        random: recall.random,
        revoker_info: Revoker { user: recall.revoker, reason: recall.reason },
    };
    Ok(Some(OfGroup {
        group_id: wanted.group_id,
        next_msg_time: next,
        notify_msg_list: seen.map(notify).collect(),
    }))
}

#[expect(clippy::cast_possible_truncation, reason = "a time, and casts stop at the largest")]
fn micros(time: f64) -> i64 {
    time as i64
}
