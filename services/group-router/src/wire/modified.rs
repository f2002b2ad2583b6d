//! That a message was modified: event 18 (SDK protocol notes 02, 3.1). Clients find the message by its
//! number, `Random` and time.

use serde::Serialize;
use throng_proto::v1;

use super::Encoded;
use super::frame::encode_with_body;

const EVENT_MODIFIED: u32 = 18;

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "ToGroupId")]
    to_group_id: &'a str,
    #[serde(rename = "GroupId")]
    group_id: &'a str,
    #[serde(rename = "MsgSeq")]
    msg_seq: u32,
    #[serde(rename = "MsgRandom")]
    random: u32,
    #[serde(rename = "MsgTimeStamp")]
    time: i64,
    #[serde(rename = "MsgVersion")]
    version: u32,
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: &'a str,
}

/// Encodes what a message is now.
pub(crate) fn modified_item(message: &v1::StoredMessage, group_id: &str) -> Encoded {
    let item = Item {
        from: &message.from,
        to_group_id: group_id,
        group_id,
        msg_seq: message.msg_seq,
        random: message.random,
        time: message.msg_time,
        version: message.msg_version,
        cloud_custom_data: &message.cloud_custom_data,
    };
    encode_with_body(EVENT_MODIFIED, "GroupMsgModNotifys", &item, &message.msg_body)
}
