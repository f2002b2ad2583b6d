//! A group as an entry of the conversation list (SDK protocol notes 3, 11).

use serde::Serialize;
use serde_json::value::RawValue;
use throng_proto::v1;

/// `Type` of a conversation with a group.
const GROUP: u8 = 2;
/// `Event` of a tip.
const TIP: u32 = 4;
/// `LastMsgFlags` of a group's message that is recalled.
const RECALLED: u8 = 2;

/// The entry of a client's list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SessionItem<'a> {
    #[serde(rename = "Type")]
    kind: u8,
    to_account: &'a str,
    group_type: &'a str,
    group_nick: &'a str,
    group_image: &'a str,
    msg_time: i64,
    msg_time_stamp: i64,
    msg_seq: u32,
    group_next_msg_seq: u32,
    #[serde(rename = "MsgGroupFrom_Account")]
    from: &'a str,
    #[serde(rename = "MsgGroupFromNickName")]
    from_nick: &'a str,
    unread_msg_count: u32,
    /// 0 tell and notify, 1 nothing, 2 tell.
    msg_recv_option: u8,
    /// 2: the last message is recalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_msg_flags: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_msg: Option<LastMessage<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum LastMessage<'a> {
    #[serde(rename_all = "PascalCase")]
    Message { msg_body: &'a RawValue, cloud_custom_data: &'a str },
    #[serde(rename_all = "PascalCase")]
    Recalled { msg_body: [(); 0], revoker_info: Revoker<'a> },
    #[serde(rename_all = "PascalCase")]
    Tip { event: u32, group_tips: TipItem<'a> },
}

#[derive(Debug, Serialize)]
struct Revoker<'a> {
    #[serde(rename = "Revoker_Account")]
    user: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TipItem<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    to_group_id: &'a str,
    msg_seq: u32,
    msg_random: u32,
    msg_time_stamp: i64,
    group_info: GroupInfo<'a>,
    msg_body: &'a RawValue,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupInfo<'a> {
    group_id: &'a str,
    group_name: &'a str,
    group_type: &'a str,
}

impl<'a> SessionItem<'a> {
    /// A group without a message that the user may see is no conversation.
    pub(super) fn of(group: &'a v1::DescribeGroupReply) -> Option<Self> {
        let v1::DescribeGroupReply { profile, member, last, .. } = group;
        let (profile, member, last) = (profile.as_ref()?, member.as_ref()?, last.as_ref()?);
        Some(Self {
            kind: GROUP,
            to_account: &profile.group_id,
            group_type: &profile.group_type,
            group_nick: &profile.name,
            group_image: &profile.face_url,
            msg_time: last.msg_time,
            msg_time_stamp: last.msg_time,
            msg_seq: last.msg_seq,
            group_next_msg_seq: profile.next_msg_seq,
            from: &last.from,
            from_nick: &last.nick,
            unread_msg_count: member.unread,
            msg_recv_option: match member.msg_flag.as_str() {
                "Discard" => 1,
                "AcceptNotNotify" => 2,
                _ => 0,
            },
            last_msg_flags: last.recalled.then_some(RECALLED),
            last_msg: last_message(profile, last),
        })
    }
}

fn last_message<'a>(
    profile: &'a v1::GroupProfile,
    last: &'a v1::StoredMessage,
) -> Option<LastMessage<'a>> {
    if last.recalled {
        let revoker_info = Revoker { user: &last.revoker };
        return Some(LastMessage::Recalled { msg_body: [], revoker_info });
    }
    let msg_body: &RawValue = serde_json::from_slice(&last.msg_body).ok()?;
    if last.event != TIP {
        return Some(LastMessage::Message { msg_body, cloud_custom_data: &last.cloud_custom_data });
    }
    let group_info = GroupInfo {
        group_id: &profile.group_id,
        group_name: &profile.name,
        group_type: &profile.group_type,
    };
    let group_tips = TipItem {
        from: &last.from,
        to_group_id: &profile.group_id,
        msg_seq: last.msg_seq,
        msg_random: last.random,
        msg_time_stamp: last.msg_time,
        group_info,
        msg_body,
    };
    Some(LastMessage::Tip { event: TIP, group_tips })
}

/// The entry of an administrator's list (CN 62118).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed<'a> {
    #[serde(rename = "Type")]
    kind: u8,
    group_id: &'a str,
    msg_time: i64,
    top_flag: u8,
}

impl<'a> Listed<'a> {
    pub(super) fn of(group: &'a v1::DescribeGroupReply) -> Option<Self> {
        let profile = group.profile.as_ref()?;
        let msg_time = group.last.as_ref()?.msg_time;
        Some(Self { kind: GROUP, group_id: &profile.group_id, msg_time, top_flag: 0 })
    }
}
