//! What the system itself says in a room: the item around a tip, a notice, or a change of attributes
//! and counters (SDK protocol notes 02, 3.2 and 3.3).

use serde::Serialize;
use throng_protocol::ids::GroupType;

use super::item::{GroupInfo, SendControl};
use super::{EVENT_TIP, Encoded, SYSTEM, encode_event};
use crate::core::rules::Rules;

/// What tells one item of the system from another: clients drop repetitions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// Sequence in the room; 0 for what clients handle before they look at it.
    pub(super) msg_seq: u32,
    pub(super) random: u32,
    /// Seconds since 1970.
    pub(super) time: i64,
}

#[derive(Serialize)]
struct Item<'a, B> {
    /// Polling clients need it inside the item.
    #[serde(rename = "Event")]
    event: u32,
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "ToGroupId")]
    to_group_id: &'a str,
    #[serde(rename = "MsgSeq")]
    msg_seq: u32,
    #[serde(rename = "MsgRandom")]
    random: u32,
    #[serde(rename = "MsgTimeStamp")]
    time: i64,
    #[serde(rename = "MsgClientTime")]
    client_time: i64,
    #[serde(rename = "SendMsgControl", skip_serializing_if = "Option::is_none")]
    send_control: Option<SendControl>,
    #[serde(rename = "GroupInfo")]
    group_info: GroupInfo<'a>,
    #[serde(rename = "MsgBody")]
    body: B,
}

/// Encodes an item of the system with its frame. `event` is 4 for tips, 5 for notices, 6 for what is
/// for those online alone.
pub(super) fn system_item(
    event: u32,
    group_info: GroupInfo<'_>,
    stamp: Stamp,
    body: impl Serialize,
) -> Encoded {
    let Stamp { msg_seq, random, time } = stamp;
    let item = Item {
        event,
        from: SYSTEM,
        to_group_id: group_info.group_id,
        msg_seq,
        random,
        time,
        client_time: time,
        send_control: send_control(event, group_info.group_type),
        group_info,
        body,
    };
    encode_event(event, "GroupTips", &item)
}

/// Of the system's items clients count tips.
fn send_control(event: u32, group_type: &str) -> Option<SendControl> {
    let rules = GroupType::parse(group_type).map(Rules::of)?;
    (event == EVENT_TIP && rules.tells_no_unread()).then(SendControl::no_unread)
}
