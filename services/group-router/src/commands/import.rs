//! What moves in from elsewhere: `import_group_msg` (REST notes 01, 3.25) and `set_unread_msg_num` (3.27).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_protocol::elements::MsgBody;
use throng_protocol::error::Code;
use throng_protocol::limits;

use super::{Answer, Call, check_list, check_users, kept, not_a_member};
use crate::group::{Import, Imported};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    group_id: String,
    #[serde(default)]
    recent_contact_flag: u32,
    #[serde(borrow)]
    msg_list: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(rename = "From_Account")]
    from: String,
    send_time: i64,
    random: Option<u32>,
    #[serde(borrow)]
    msg_body: &'a RawValue,
    #[serde(default)]
    cloud_custom_data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Results {
    import_msg_result: Vec<ImportResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportResult {
    msg_seq: u32,
    msg_time: i64,
    result: u32,
}

/// Puts messages of earlier times behind those that are there. Nobody is told, and all members have read
/// them.
pub(super) async fn import_group_msg(call: &Call<'_>) -> Answer {
    let request: Request<'_> = call.parse()?;
    check_list("MsgList", &request.msg_list, limits::IMPORT_MESSAGES)?;
    let senders = request.msg_list.iter().map(|entry| entry.from.clone()).collect();
    let senders = check_users("MsgList.From_Account", senders, limits::IMPORT_MESSAGES)?;
    let senders = call.known_users("MsgList.From_Account", senders).await?;
    let senders: HashMap<_, _> =
        senders.into_iter().map(|sender| (sender.user.clone(), sender)).collect();
    let mut imports = Vec::with_capacity(request.msg_list.len());
    for entry in &request.msg_list {
        let Some(sender) = senders.get(&entry.from) else {
            return Err(Code::GROUP_UNKNOWN_ACCOUNT.with("MsgList.From_Account: no such account"));
        };
        let body = MsgBody::parse(entry.msg_body, limits::MESSAGE_BYTES, Code::GROUP_BAD_PARAMETER);
        let body = match body {
            Ok(body) if body.len() + entry.cloud_custom_data.len() <= limits::MESSAGE_BYTES => {
                Some(body.json().to_owned().into_bytes().into())
            }
            Err(error) if error.code != Code::MESSAGE_TOO_LONG => return Err(error),
            _ => None,
        };
        imports.push(Import {
            sender: sender.clone(),
            tiny_id: call.clients.tiny_id(call.context.app, &entry.from),
            time: entry.send_time,
            random: entry.random,
            body,
            cloud_custom_data: entry.cloud_custom_data.clone(),
        });
    }
    let recent = request.recent_contact_flag == 1;
    let imported = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            if room.durable.is_none() {
                return Err(kept::not_for(room));
            }
            Ok(room.import(imports, recent, now, unit))
        })
        .await?;
    let result = |Imported { msg_seq, msg_time, refused }| ImportResult {
        msg_seq,
        msg_time,
        result: refused.map_or(0, Code::number),
    };
    call.ok(&Results { import_msg_result: imported.into_iter().map(result).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UnreadRequest {
    group_id: String,
    #[serde(rename = "Member_Account")]
    member: String,
    unread_msg_num: u32,
}

/// Sets how much a member has not read, at most all. Without effect where nobody counts that.
pub(super) async fn set_unread_msg_num(call: &Call<'_>) -> Answer {
    let request: UnreadRequest = call.parse()?;
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, _, unit) = turn.room()?;
            if !room.rules.unread {
                return Ok(());
            }
            let set = room.set_unread(&request.member, request.unread_msg_num, unit);
            set.ok_or_else(|| not_a_member(&request.member))
        })
        .await?;
    call.done()
}
