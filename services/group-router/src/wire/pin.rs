//! Tips 16 and 17: a message was pinned, or is no more (SDK protocol notes 02, 3.3). Clients raise an
//! event of it and show nothing, so it takes no number and is not kept.

use serde::Serialize;
use serde_json::value::RawValue;
use throng_proto::v1;

use super::Encoded;
use super::item::{Digits, GroupInfo};
use super::system::{Stamp, system_item};
use super::tip::{ExtraInfo, MemberInfo, op};
use crate::core::pins::Pin;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "OpType")]
    op: u32,
    #[serde(rename = "Operator_Account")]
    operator: &'a str,
    #[serde(rename = "MsgOperatorMemberExtraInfo")]
    operator_info: ExtraInfo<'a>,
    #[serde(rename = "PinnedMsg", skip_serializing_if = "Option::is_none")]
    pinned: Option<&'a RawValue>,
    #[serde(rename = "SdkGroupMessageId", skip_serializing_if = "Option::is_none")]
    unpinned: Option<Unpinned>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unpinned {
    client_time: i64,
    random: u32,
    sender_tiny_id: Digits,
    server_time: i64,
    msg_seq: u32,
}

/// A message was pinned; the whole of it goes along.
pub(crate) fn pinned_item(
    group_info: GroupInfo<'_>,
    message: &v1::StoredMessage,
    operator: &MemberInfo,
    random: u32,
    time: i64,
) -> Encoded {
    let GroupInfo { group_id, group_name, group_type, .. } = group_info;
    let item = super::stored_item(message, group_id, group_name, group_type).item();
    let item = serde_json::from_slice(&item).expect("an item is JSON");
    pin_item(group_info, operator, Some(item), None, random, time)
}

/// A message is not pinned any more.
pub(crate) fn unpinned_item(
    group_info: GroupInfo<'_>,
    pin: &Pin,
    operator: &MemberInfo,
    random: u32,
    time: i64,
) -> Encoded {
    let unpinned = Unpinned {
        client_time: pin.client_time,
        random: pin.random,
        sender_tiny_id: Digits(pin.tiny_id),
        server_time: pin.time,
        msg_seq: pin.msg_seq,
    };
    pin_item(group_info, operator, None, Some(unpinned), random, time)
}

fn pin_item(
    group_info: GroupInfo<'_>,
    operator: &MemberInfo,
    pinned: Option<&RawValue>,
    unpinned: Option<Unpinned>,
    random: u32,
    time: i64,
) -> Encoded {
    let body = Body {
        op: if pinned.is_some() { op::PINNED } else { op::UNPINNED },
        operator: &operator.user,
        operator_info: ExtraInfo::from(operator),
        pinned,
        unpinned,
    };
    system_item(4, group_info, Stamp { msg_seq: 0, random, time }, body)
}
