//! `msg_read_report` and `openim.read_all_unread_msg`: how far a member has read (SDK protocol notes 02,
//! 2.4; 03, 8).

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use throng_proto::{Route, v1};
use throng_protocol::envelope;
use throng_protocol::error::Code;
use throng_protocol::ids::group_hash;
use throng_protocol::limits;

use super::{Answer, Call, not_a_member};
use crate::clients::{CALL_TIME, routed, unavailable};

/// Groups that are told at the same time.
const SIDE_BY_SIDE: usize = 32;

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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AllRequest {
    #[serde(rename = "C2CReadAllMsg", default)]
    one_to_one: u32,
    #[serde(default)]
    group_read_info: Vec<ReadInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadInfo {
    group_id: String,
    msg_seq: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllRead {
    /// 1: the client forgets what is unread of one-to-one chats.
    #[serde(rename = "C2CReadAllMsg")]
    one_to_one: u32,
    group_read_info_array: Vec<Read>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Read {
    group_id: String,
    msg_seq: u32,
    ret_code: u32,
}

/// Reports of many groups at once, each to its owner, with a code each.
pub(super) async fn read_all_unread_msg(call: &Call<'_>) -> Answer {
    let request: AllRequest = envelope::parse(&call.body, Code::MESSAGE_BAD_PACKET)?;
    let most = limits::GROUPS_PER_USER;
    if request.group_read_info.len() > most {
        let info = format!("GroupReadInfo: over {most} entries");
        return Err(Code::MESSAGE_BAD_PACKET.with(info));
    }
    let reads = stream::iter(request.group_read_info).map(|info| async move {
        let ret_code = report(call, &info).await;
        Read { group_id: info.group_id, msg_seq: info.msg_seq, ret_code }
    });
    let group_read_info_array = reads.buffered(SIDE_BY_SIDE).collect().await;
    call.ok(&AllRead { one_to_one: request.one_to_one, group_read_info_array })
}

/// One report, as if the client had sent it; what it is answered with.
async fn report(call: &Call<'_>, info: &ReadInfo) -> u32 {
    let context = &call.context;
    let request = v1::CommandRequest {
        app: context.app.0,
        caller: Some(context.caller.clone()),
        origin: Some(context.origin.clone()),
        command: "group_open_http_svc.msg_read_report".to_owned(),
        body: json!({ "GroupId": info.group_id, "MsgReadedSeq": info.msg_seq }).to_string().into(),
        deadline_ms: millis(CALL_TIME),
        ..v1::CommandRequest::default()
    };
    let owner = Route::hash(group_hash(context.app, &info.group_id));
    match call.clients.groups.clone().execute(routed(owner, CALL_TIME, request)).await {
        Ok(reply) => reply.into_inner().code,
        Err(status) => unavailable(status).code.number(),
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
