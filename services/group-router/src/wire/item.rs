//! A group message as clients receive it, pushed or polled (SDK protocol notes 02, 3.2).

use serde::Serialize;
use throng_proto::v1;

use super::Encoded;
use super::frame::encode_with_body;

/// `Event` of an ordinary group message.
pub(crate) const EVENT_MESSAGE: u32 = 3;
/// `Event` of a tip.
pub(crate) const EVENT_TIP: u32 = 4;
/// `Event` of a message to all live rooms.
pub(crate) const EVENT_BROADCAST: u32 = 17;

/// What an item says of its group and of the sender. Without it the client throws and loses the
/// whole frame.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct GroupInfo<'a> {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group_id: &'a str,
    /// The group's name.
    #[serde(rename = "GroupName")]
    pub group_name: &'a str,
    /// The group's type; without it a client that is not in yet files the room wrongly.
    #[serde(rename = "GroupType")]
    pub group_type: &'a str,
    /// Nickname of the sender.
    #[serde(rename = "From_AccountNick", skip_serializing_if = "Option::is_none")]
    pub nick: Option<&'a str>,
    /// Avatar of the sender.
    #[serde(rename = "From_AccountHeadurl", skip_serializing_if = "Option::is_none")]
    pub avatar: Option<&'a str>,
}

/// The fields of a message beside its body.
#[derive(Debug, Clone, Copy)]
pub struct ItemHead<'a> {
    /// The sender.
    pub from: &'a str,
    /// The sender's number; first part of the message ID.
    pub tiny_id: u64,
    /// Sequence in the room.
    pub msg_seq: u32,
    /// `Random` of the request; last part of the message ID.
    pub random: u32,
    /// Seconds since 1970, the server's.
    pub time: i64,
    /// Seconds since 1970, the client's; middle part of the message ID.
    pub client_time: i64,
    /// `ClientSeq` of the request.
    pub client_seq: u64,
    /// 1 High to 4 Lowest.
    pub priority: u32,
    /// Opaque to the server.
    pub cloud_custom_data: &'a str,
    /// What its sender asked for beside.
    pub wants: Wants,
    /// How clients are to treat it.
    pub control: ItemControl<'a>,
}

/// What a message is to have beside its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    /// Its sender wants to know who reads it.
    pub receipts: bool,
    /// Members may put keys and values on it.
    pub extensions: bool,
}

impl Wants {
    /// Of a message that is kept.
    pub(crate) fn of(message: &v1::StoredMessage) -> Self {
        Self { receipts: message.need_read_receipt, extensions: message.support_message_extension }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(flag: &u8) -> bool {
    *flag == 0
}

/// How clients are to treat a message, where that is not the usual way.
#[derive(Debug, Clone, Copy, Default)]
pub struct ItemControl<'a> {
    /// Shown, and that is all.
    pub online_only: bool,
    /// Nobody has to have read it.
    pub no_unread: bool,
    /// Not the conversation's last message.
    pub no_last: bool,
    /// Whom it mentions.
    pub mentions: &'a [String],
    /// It mentions all.
    pub mentions_all: bool,
    /// How often it was modified.
    pub version: u32,
}

impl<'a> ItemControl<'a> {
    /// Of a message that is kept.
    pub(crate) fn of(message: &'a v1::StoredMessage) -> Self {
        Self {
            online_only: false,
            no_unread: message.no_unread || !message.recipients.is_empty(),
            no_last: message.no_last,
            mentions: &message.mentions,
            mentions_all: message.mentions_all,
            version: message.msg_version,
        }
    }

    /// `SendMsgControl`, if there is something to say. Requests have a list there, items an object.
    pub(crate) fn send_control(&self) -> Option<SendControl> {
        let (no_unread, no_last) = (self.no_unread.into(), self.no_last.into());
        (self.no_unread || self.no_last).then_some(SendControl { no_unread, no_last })
    }

    /// `GroupAtInfo`.
    pub(crate) fn at_info(&self) -> Vec<AtInfo<'a>> {
        let named = self.mentions.iter().map(|user| AtInfo { all: 0, user: Some(user) });
        named.chain(self.mentions_all.then_some(AtInfo { all: 1, user: None })).collect()
    }
}

#[derive(Serialize)]
pub(crate) struct SendControl {
    #[serde(rename = "NoUnread")]
    no_unread: u8,
    #[serde(rename = "NoLastMsg")]
    no_last: u8,
}

impl SendControl {
    pub(super) fn no_unread() -> Self {
        Self { no_unread: 1, no_last: 0 }
    }
}

#[derive(Serialize)]
pub(crate) struct AtInfo<'a> {
    #[serde(rename = "GroupAtAllFlag")]
    all: u8,
    #[serde(rename = "GroupAt_Account", skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
}

#[derive(Serialize)]
struct Item<'a> {
    /// Polling clients need it inside the item; pushed ones do not mind.
    #[serde(rename = "Event")]
    event: u32,
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "TinyId")]
    tiny_id: Digits,
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
    #[serde(rename = "MsgClientTime")]
    client_time: i64,
    #[serde(rename = "ClientSeq")]
    client_seq: u64,
    #[serde(rename = "MsgPriority")]
    priority: u32,
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: &'a str,
    #[serde(rename = "NeedReadReceipt", skip_serializing_if = "is_zero")]
    need_read_receipt: u8,
    #[serde(rename = "SupportMessageExtension", skip_serializing_if = "is_zero")]
    support_message_extension: u8,
    #[serde(rename = "OnlineOnlyFlag", skip_serializing_if = "Option::is_none")]
    online_only: Option<u8>,
    #[serde(rename = "SendMsgControl", skip_serializing_if = "Option::is_none")]
    control: Option<SendControl>,
    #[serde(rename = "MsgVersion", skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(rename = "GroupAtInfo", skip_serializing_if = "Vec::is_empty")]
    at_info: Vec<AtInfo<'a>>,
    #[serde(rename = "GroupInfo")]
    group_info: GroupInfo<'a>,
}

/// A 64-bit number as a string of digits, which is how clients keep all of it.
#[derive(Clone, Copy)]
pub(super) struct Digits(pub(super) u64);

impl Serialize for Digits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Encodes a message and its frame. `body` is the checked JSON text of `MsgBody`; it goes in as it
/// is.
#[must_use]
pub fn message_item(
    event: u32,
    head: &ItemHead<'_>,
    group_info: GroupInfo<'_>,
    body: &[u8],
) -> EncodedItem {
    EncodedItem(encode_with_body(
        event,
        "GroupMsgArray",
        &Item {
            event,
            from: head.from,
            tiny_id: Digits(head.tiny_id),
            to_group_id: group_info.group_id,
            group_id: group_info.group_id,
            msg_seq: head.msg_seq,
            random: head.random,
            time: head.time,
            client_time: head.client_time,
            client_seq: head.client_seq,
            priority: head.priority,
            cloud_custom_data: head.cloud_custom_data,
            need_read_receipt: head.wants.receipts.into(),
            support_message_extension: head.wants.extensions.into(),
            online_only: head.control.online_only.then_some(1),
            control: head.control.send_control(),
            version: Some(head.control.version).filter(|version| *version > 0),
            at_info: head.control.at_info(),
            group_info,
        },
        body,
    ))
}

/// A message item in its finished frame.
#[derive(Debug, Clone)]
pub struct EncodedItem(pub(crate) Encoded);

impl EncodedItem {
    /// The finished client frame.
    #[must_use]
    pub fn frame(&self) -> &bytes::Bytes {
        &self.0.frame
    }
}

/// The item of a stored message, for those who come later.
pub(crate) fn stored_item(
    message: &v1::StoredMessage,
    group_id: &str,
    group_name: &str,
    group_type: &str,
) -> Encoded {
    let head = ItemHead {
        from: &message.from,
        tiny_id: message.tiny_id,
        msg_seq: message.msg_seq,
        random: message.random,
        time: message.msg_time,
        client_time: message.client_time,
        client_seq: message.client_seq,
        priority: message.priority,
        cloud_custom_data: &message.cloud_custom_data,
        wants: Wants::of(message),
        control: ItemControl::of(message),
    };
    let group_info = GroupInfo {
        group_id,
        group_name,
        group_type,
        nick: Some(&message.nick),
        avatar: Some(&message.avatar),
    };
    message_item(EVENT_MESSAGE, &head, group_info, &message.msg_body).0
}
