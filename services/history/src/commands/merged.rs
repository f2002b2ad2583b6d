//! `im_long_msg.*`: the lists of long merged messages (SDK protocol notes 3, 16).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use throng_node::command::Context;
use throng_node::secret::Secret;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::tiny_id;
use throng_protocol::limits;
use throng_store::StoreError;

use crate::merged::MergedLists;

const BAD: Code = Code::MESSAGE_BAD_PACKET;

/// Keeps a list and answers with its key. Each entry gets the number of its sender, without which
/// clients could not tell the messages' IDs.
pub(super) async fn save_relay_json_msg(
    context: &Context,
    body: &[u8],
    lists: &MergedLists,
    secret: &Secret,
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        msg_list: Vec<Map<String, Value>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        json_msg_key: &'a str,
        pb_msg_key: &'a str,
    }
    let mut request: Request = envelope::parse(body, BAD)?;
    if request.msg_list.is_empty() || request.msg_list.len() > limits::MERGED_MESSAGES {
        return Err(BAD.with(format!("MsgList: 1 to {} entries", limits::MERGED_MESSAGES)));
    }
    for entry in &mut request.msg_list {
        let Some(sender) = entry.get("From_Account").and_then(Value::as_str) else {
            return Err(BAD.with("MsgList.From_Account: missing field"));
        };
        if !entry.get("MsgBody").is_some_and(Value::is_array) {
            return Err(BAD.with("MsgList.MsgBody: not an array"));
        }
        let number = tiny_id(secret.tiny_key(), context.app, sender);
        entry.insert("TinyId".to_owned(), number.to_string().into());
    }
    let list = serde_json::to_vec(&request.msg_list)
        .map_err(|error| Code::MESSAGE_INTERNAL.with(error.to_string()))?;
    lists.admit(context.app, &context.caller.user)?;
    let key = lists.keep(context.app, list.into()).await.map_err(|error| failed(&error))?;
    Ok(envelope::ok(&Answer { json_msg_key: &key, pb_msg_key: &key }))
}

/// The list of a key.
pub(super) async fn get_relay_json_msg(
    context: &Context,
    body: &[u8],
    lists: &MergedLists,
) -> Result<Bytes, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        json_msg_key: String,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        msg_list: &'a RawValue,
    }
    let Request { json_msg_key: key } = envelope::parse(body, BAD)?;
    let list = lists.find(context.app, &key).await.map_err(|error| failed(&error))?;
    let list = list.ok_or_else(|| Code::MESSAGE_NOT_FOUND.with("JsonMsgKey: no such list"))?;
    let msg_list = serde_json::from_slice(&list)
        .map_err(|error| Code::MESSAGE_INTERNAL.with(format!("a list cannot be read: {error}")))?;
    Ok(envelope::ok(&Answer { msg_list }))
}

fn failed(error: &StoreError) -> CommandError {
    tracing::warn!(%error, "a list of merged messages");
    Code::MESSAGE_INTERNAL.into()
}
