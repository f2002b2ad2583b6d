//! How far somebody has read, for that user's other sessions: a special body of event 5 (SDK protocol
//! notes 02, 3.1).

use serde::Serialize;

use super::item::GroupInfo;
use super::{Encoded, encode_event};

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "ToGroupId")]
    to_group_id: &'a str,
    #[serde(rename = "GroupInfo")]
    group_info: GroupInfo<'a>,
    #[serde(rename = "MsgBody")]
    body: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "GroupReadInfoArray")]
    reads: [Read<'a>; 1],
}

#[derive(Serialize)]
struct Read<'a> {
    #[serde(rename = "GroupId")]
    group_id: &'a str,
    #[serde(rename = "LastReadMsgSeq")]
    seq: u32,
}

/// Encodes the news that everything up to a number was read.
pub(crate) fn read_sync_item(group_info: GroupInfo<'_>, seq: u32) -> Encoded {
    let reads = [Read { group_id: group_info.group_id, seq }];
    let to_group_id = group_info.group_id;
    encode_event(5, "GroupTips", &Item { to_group_id, group_info, body: Body { reads } })
}
