//! Recalls. The pushed form is a special body of event 5, the polled one is event 20: neither is
//! understood the other way (SDK protocol notes 02, 3.1).

use bytes::Bytes;
use serde::Serialize;
use throng_proto::v1;

use super::{Encoded, encode_event};
use crate::wire::item::{Digits, GroupInfo};

#[derive(Serialize)]
struct Item<'a, B> {
    #[serde(rename = "Event")]
    event: u32,
    #[serde(rename = "ToGroupId")]
    to_group_id: &'a str,
    #[serde(rename = "GroupInfo")]
    group_info: GroupInfo<'a>,
    #[serde(rename = "RevokerInfo")]
    revoker: Revoker<'a>,
    #[serde(rename = "MsgBody")]
    body: B,
}

#[derive(Serialize)]
struct Revoker<'a> {
    #[serde(rename = "Revoker_Account")]
    user: &'a str,
    #[serde(rename = "Reason")]
    reason: &'a str,
}

#[derive(Serialize)]
struct PushedBody<'a> {
    #[serde(rename = "GroupWithdrawInfoArray")]
    messages: Vec<Recalled<'a>>,
}

#[derive(Serialize)]
struct Recalled<'a> {
    #[serde(rename = "GroupId")]
    group_id: &'a str,
    #[serde(rename = "MsgSeq")]
    msg_seq: u32,
    #[serde(rename = "MsgRandom")]
    random: u32,
    #[serde(rename = "MsgTimeStamp")]
    time: i64,
    #[serde(rename = "MsgClientTime")]
    client_time: i64,
    #[serde(rename = "TinyId")]
    tiny_id: Digits,
}

#[derive(Serialize)]
struct PolledBody<'a> {
    #[serde(rename = "RevokeMsgList")]
    messages: Vec<Recalled<'a>>,
}

fn recalled<'a>(group_id: &'a str, messages: &[v1::StoredMessage]) -> Vec<Recalled<'a>> {
    let one = |message: &v1::StoredMessage| Recalled {
        group_id,
        msg_seq: message.msg_seq,
        random: message.random,
        time: message.msg_time,
        client_time: message.client_time,
        tiny_id: Digits(message.tiny_id),
    };
    messages.iter().map(one).collect()
}

/// The recall as members in push mode get it.
pub(crate) fn push_recall_item(
    group_info: GroupInfo<'_>,
    messages: &[v1::StoredMessage],
    revoker: &str,
    reason: &str,
) -> Encoded {
    let body = PushedBody { messages: recalled(group_info.group_id, messages) };
    encode_event(5, "GroupTips", &item(5, group_info, Revoker { user: revoker, reason }, body))
}

/// The recall as members that poll get it.
pub(crate) fn poll_recall_item(
    group_info: GroupInfo<'_>,
    messages: &[v1::StoredMessage],
    revoker: &str,
    reason: &str,
) -> Bytes {
    let body = PolledBody { messages: recalled(group_info.group_id, messages) };
    let item = item(20, group_info, Revoker { user: revoker, reason }, body);
    serde_json::to_vec(&item).expect("items hold only strings and numbers").into()
}

fn item<'a, B>(
    event: u32,
    group_info: GroupInfo<'a>,
    revoker: Revoker<'a>,
    body: B,
) -> Item<'a, B> {
    Item { event, to_group_id: group_info.group_id, group_info, revoker, body }
}
