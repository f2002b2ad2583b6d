//! What members add to messages, as others hear of it (SDK protocol notes 02, 3.1): who has read,
//! extensions, reactions. None of it takes a number.

use serde::Serialize;

use super::item::{Digits, GroupInfo};
use super::{Encoded, encode_event, encode_object};
use crate::core::extensions::Pair;
use crate::core::reactions::Reaction;
use crate::core::receipts::{MessageId, News};

const EVENT_RECEIPTS: u32 = 5;
const EVENT_EXTENSIONS: u32 = 19;
const EVENT_REACTIONS: u32 = 23;
const EVENT_OWN_REACTION: u32 = 25;
/// Users that a push names of each reaction; clients ask for more.
const SHOWN: usize = 10;

#[derive(Serialize)]
struct ReceiptsItem<'a> {
    #[serde(rename = "ToGroupId")]
    to_group_id: &'a str,
    #[serde(rename = "GroupInfo")]
    group_info: GroupInfo<'a>,
    #[serde(rename = "MsgBody")]
    body: ReceiptsBody,
}

#[derive(Serialize)]
struct ReceiptsBody {
    #[serde(rename = "GroupMsgReceiptList")]
    receipts: Vec<Receipt>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Receipt {
    #[serde(flatten)]
    id: Id,
    msg_seq: u32,
    read_num: u32,
    unread_num: u32,
}

/// The parts of a message's ID as clients put it together.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Id {
    tiny_id: Digits,
    msg_client_time: i64,
    msg_random: u32,
}

impl From<MessageId> for Id {
    fn from(id: MessageId) -> Self {
        Self { tiny_id: Digits(id.tiny_id), msg_client_time: id.client_time, msg_random: id.random }
    }
}

/// How many have read messages, for their sender.
pub(crate) fn receipts_item(group_info: GroupInfo<'_>, news: &[News]) -> Encoded {
    let receipt = |news: &News| Receipt {
        id: news.id.into(),
        msg_seq: news.id.msg_seq,
        read_num: news.read,
        unread_num: news.unread,
    };
    let body = ReceiptsBody { receipts: news.iter().map(receipt).collect() };
    let to_group_id = group_info.group_id;
    encode_event(EVENT_RECEIPTS, "GroupTips", &ReceiptsItem { to_group_id, group_info, body })
}

/// What happened to a message's extensions.
pub(crate) enum ExtensionChange {
    /// These keys have new values.
    Set(Vec<Pair>),
    /// These are gone.
    Deleted(Vec<Pair>),
    /// Everything with a number up to this one is.
    Cleared(u64),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExtensionNotify<'a> {
    extension_group_msg_info: ExtensionMessage<'a>,
    tiny_id: Digits,
    msg_opt_type: u32,
    msg_last_seq: u64,
    #[serde(rename = "SetKVInfo", skip_serializing_if = "Option::is_none")]
    set: Option<[KeyValues<'a>; 1]>,
    #[serde(rename = "DeleteKVInfo", skip_serializing_if = "Option::is_none")]
    deleted: Option<[KeyValues<'a>; 1]>,
    #[serde(rename = "ClearKVInfo", skip_serializing_if = "Option::is_none")]
    cleared: Option<[Cleared; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExtensionMessage<'a> {
    group_id: &'a str,
    msg_seq: u32,
    msg_random: u32,
    msg_client_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValues<'a> {
    msg_key_value: Vec<KeyValue<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValue<'a> {
    key: &'a str,
    value: &'a str,
    seq: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cleared {
    clear_msg_seq: u64,
}

fn key_values(pairs: &[Pair]) -> Option<[KeyValues<'_>; 1]> {
    let msg_key_value = pairs
        .iter()
        .map(|pair| KeyValue { key: &pair.key, value: &pair.value, seq: pair.seq })
        .collect();
    Some([KeyValues { msg_key_value }])
}

/// A change of a message's extensions, for all members.
pub(crate) fn extensions_item(
    group_id: &str,
    id: MessageId,
    latest: u64,
    change: &ExtensionChange,
) -> Encoded {
    let (msg_opt_type, set, deleted, cleared) = match change {
        ExtensionChange::Set(pairs) => (1, key_values(pairs), None, None),
        ExtensionChange::Deleted(pairs) => (2, None, key_values(pairs), None),
        ExtensionChange::Cleared(seq) => (3, None, None, Some([Cleared { clear_msg_seq: *seq }])),
    };
    let notify = ExtensionNotify {
        extension_group_msg_info: ExtensionMessage {
            group_id,
            msg_seq: id.msg_seq,
            msg_random: id.random,
            msg_client_time: id.client_time,
        },
        tiny_id: Digits(id.tiny_id),
        msg_opt_type,
        msg_last_seq: latest,
        set,
        deleted,
        cleared,
    };
    encode_object(EVENT_EXTENSIONS, "MsgExtensionNotify", &notify)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReactionNotify<'a> {
    group_msg_info: Id,
    msg_reaction_summary: [Summary<'a>; 1],
}

/// One reaction of a summary. Without users the client takes it for gone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary<'a> {
    reaction: &'a str,
    count: usize,
    #[serde(rename = "Reaction_Account", skip_serializing_if = "Option::is_none")]
    users: Option<Vec<&'a str>>,
    #[serde(rename = "ReactedByMe", skip_serializing_if = "Option::is_none")]
    by_me: Option<u8>,
}

impl<'a> Summary<'a> {
    /// A reaction with its first users, and whether the one who gets this is among them all.
    pub(crate) fn of(reaction: &'a Reaction, users: usize, by_me: Option<bool>) -> Self {
        Self {
            reaction: &reaction.name,
            count: reaction.users.len(),
            users: Some(reaction.page(0, users).0),
            by_me: by_me.map(u8::from),
        }
    }
}

/// What a reaction has come to. `by_me`: whether those who get this gave it; `None` where that is not
/// the same for all.
pub(crate) fn reaction_item(
    id: MessageId,
    name: &str,
    reaction: Option<&Reaction>,
    by_me: Option<bool>,
) -> Encoded {
    let gone = Summary { reaction: name, count: 0, users: None, by_me: by_me.map(u8::from) };
    let summary = reaction.map_or(gone, |reaction| Summary::of(reaction, SHOWN, by_me));
    let notify = ReactionNotify { group_msg_info: id.into(), msg_reaction_summary: [summary] };
    encode_event(EVENT_REACTIONS, "MsgReactionNotifyList", &notify)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OwnReaction<'a> {
    group_msg_info: Id,
    reaction: &'a str,
    msg_opt_type: u32,
}

/// A user gave a reaction or took it back, for that user's other sessions.
pub(crate) fn own_reaction_item(id: MessageId, name: &str, given: bool) -> Encoded {
    let msg_opt_type = if given { 1 } else { 2 };
    let notify = OwnReaction { group_msg_info: id.into(), reaction: name, msg_opt_type };
    encode_object(EVENT_OWN_REACTION, "MsgReactionNotify", &notify)
}
