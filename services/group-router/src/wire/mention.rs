//! That somebody was mentioned: event 12, by which clients mark the conversation (SDK protocol notes 02,
//! 3.1).

use serde::Serialize;

use super::item::GroupInfo;
use super::{Encoded, encode_event};

const EVENT_MENTION: u32 = 12;

/// `AtFlagList` of who is mentioned by name.
pub(crate) const AT_ME: u8 = 1;
/// `AtFlagList` of who is mentioned with all.
pub(crate) const AT_ALL: u8 = 2;

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "ToGroupId")]
    to_group_id: &'a str,
    #[serde(rename = "GroupInfo")]
    group_info: GroupInfo<'a>,
    #[serde(rename = "MsgRandom")]
    random: u32,
    #[serde(rename = "ClientSeq")]
    client_seq: u64,
    #[serde(rename = "GroupAtTips")]
    tip: Tip<'a>,
}

#[derive(Serialize)]
struct Tip<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "GroupId")]
    group_id: &'a str,
    #[serde(rename = "AtMsgSeq")]
    msg_seq: u32,
    #[serde(rename = "AtFlagList")]
    flags: &'a [u8],
}

/// Encodes the tip about a message of `from`, with the message's own `random`.
pub(crate) fn mention_item(
    group_info: GroupInfo<'_>,
    from: &str,
    msg_seq: u32,
    random: u32,
    flags: &[u8],
) -> Encoded {
    let group_id = group_info.group_id;
    let tip = Tip { from, group_id, msg_seq, flags };
    let client_seq = u64::from(msg_seq);
    let item = Item { to_group_id: group_id, group_info, random, client_seq, tip };
    encode_event(EVENT_MENTION, "GroupTips", &item)
}
