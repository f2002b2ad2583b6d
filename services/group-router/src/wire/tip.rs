//! Tips: what happened in the room, shown between the messages (SDK protocol notes 02, 3.3).

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use throng_proto::v1;

use super::Encoded;
use super::item::{EVENT_TIP, GroupInfo};
use super::system::{Stamp, system_item};

/// `OpType` of a tip.
pub(crate) mod op {
    pub(crate) const JOINED: u32 = 1;
    pub(crate) const QUIT: u32 = 2;
    pub(crate) const REMOVED: u32 = 3;
    pub(crate) const ADMIN_SET: u32 = 4;
    pub(crate) const ADMIN_REVOKED: u32 = 5;
    pub(crate) const PROFILE: u32 = 6;
    pub(crate) const MEMBER: u32 = 7;
    pub(crate) const BANNED: u32 = 10;
    pub(crate) const UNBANNED: u32 = 11;
    pub(crate) const PINNED: u32 = 16;
    pub(crate) const UNPINNED: u32 = 17;
}

/// Seconds for which a client may rely on an online number that came with a tip.
const ONLINE_NUMBER_VALID: u32 = 60;

/// What a tip shows of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MemberInfo {
    pub(crate) user: String,
    pub(crate) nick: String,
    pub(crate) avatar: String,
}

/// New values of the profile fields that changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ProfileChange {
    #[serde(rename = "Owner_Account", skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(rename = "GroupName", skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(rename = "GroupNotification", skip_serializing_if = "Option::is_none")]
    pub(crate) notification: Option<String>,
    #[serde(rename = "GroupIntroduction", skip_serializing_if = "Option::is_none")]
    pub(crate) introduction: Option<String>,
    #[serde(rename = "GroupFaceUrl", skip_serializing_if = "Option::is_none")]
    pub(crate) face_url: Option<String>,
    #[serde(rename = "GroupApplyJoinOption", skip_serializing_if = "Option::is_none")]
    pub(crate) apply_join_option: Option<String>,
    #[serde(rename = "ShutupAll", skip_serializing_if = "Option::is_none")]
    pub(crate) mute_all: Option<u8>,
    #[serde(rename = "MsgAppDefinedData", skip_serializing_if = "Vec::is_empty")]
    pub(crate) custom: Vec<KeyValue>,
}

impl ProfileChange {
    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct KeyValue {
    #[serde(rename = "Key")]
    pub(crate) key: String,
    #[serde(rename = "Value")]
    pub(crate) value: String,
}

/// One tip.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tip {
    /// [`op`].
    pub(crate) op: u32,
    pub(crate) operator: MemberInfo,
    /// Whom it is about. Not for [`op::QUIT`]: the client would take the nickname from there.
    pub(crate) members: Vec<MemberInfo>,
    /// For [`op::PROFILE`].
    pub(crate) profile: Option<ProfileChange>,
    /// For [`op::MEMBER`]: seconds of mute of each of `members`, 0 = unmuted.
    pub(crate) mute_seconds: Option<u32>,
    /// For [`op::JOINED`]: somebody else took them in.
    pub(crate) invited: bool,
    /// For [`op::REMOVED`].
    pub(crate) reason: Option<String>,
}

/// How many there are; it goes along with every tip, so that clients need not ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) members: u32,
    /// Where nobody is a member who is not online.
    pub(crate) online: Option<u32>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "OpType")]
    op: u32,
    #[serde(rename = "Operator_Account")]
    operator: &'a str,
    #[serde(rename = "List_Account", skip_serializing_if = "Vec::is_empty")]
    users: Vec<&'a str>,
    #[serde(rename = "GroupJoinType", skip_serializing_if = "Option::is_none")]
    join_type: Option<u32>,
    #[serde(rename = "MemberNum")]
    member_num: u32,
    #[serde(rename = "MsgOperatorMemberExtraInfo")]
    operator_info: ExtraInfo<'a>,
    #[serde(rename = "MsgMemberExtraInfo", skip_serializing_if = "Vec::is_empty")]
    member_info: Vec<ExtraInfo<'a>>,
    #[serde(rename = "MsgGroupNewInfo", skip_serializing_if = "Option::is_none")]
    profile: Option<&'a ProfileChange>,
    #[serde(rename = "MsgMemberInfo", skip_serializing_if = "Vec::is_empty")]
    changed: Vec<ChangedMember<'a>>,
    #[serde(rename = "MemberExtraInfo", skip_serializing_if = "Option::is_none")]
    reason: Option<Reason<'a>>,
    #[serde(rename = "OnlineMemberInfo", skip_serializing_if = "Option::is_none")]
    online: Option<Online>,
}

#[derive(Serialize)]
pub(super) struct ExtraInfo<'a> {
    #[serde(rename = "UserId")]
    user: &'a str,
    #[serde(rename = "NickName")]
    nick: &'a str,
    #[serde(rename = "ImageUrl")]
    avatar: &'a str,
}

#[derive(Serialize)]
struct ChangedMember<'a> {
    #[serde(rename = "User_Account")]
    user: &'a str,
    #[serde(rename = "ShutupTime", skip_serializing_if = "Option::is_none")]
    mute_seconds: Option<u32>,
}

#[derive(Serialize)]
struct Reason<'a> {
    #[serde(rename = "Reason")]
    reason: &'a str,
}

#[derive(Serialize)]
struct Online {
    #[serde(rename = "OnlineMemberNum")]
    number: u32,
    #[serde(rename = "ExpireTime")]
    valid: u32,
}

impl<'a> From<&'a MemberInfo> for ExtraInfo<'a> {
    fn from(member: &'a MemberInfo) -> Self {
        Self { user: &member.user, nick: &member.nick, avatar: &member.avatar }
    }
}

/// Encodes a tip and its frame.
pub(crate) fn tip_item(
    tip: &Tip,
    counts: Counts,
    group_info: GroupInfo<'_>,
    msg_seq: u32,
    random: u32,
    time: i64,
) -> Encoded {
    system_item(4, group_info, Stamp { msg_seq, random, time }, body(tip, counts))
}

/// A tip as the log has it, and its frame.
pub(crate) fn stored_tip_item(tip: &v1::StoredMessage, group_info: GroupInfo<'_>) -> Encoded {
    let body: &RawValue = serde_json::from_slice(&tip.msg_body).unwrap_or(RawValue::NULL);
    let stamp = Stamp { msg_seq: tip.msg_seq, random: tip.random, time: tip.msg_time };
    system_item(EVENT_TIP, group_info, stamp, body)
}

/// The `MsgBody` of a tip, for a log that keeps it.
pub(crate) fn tip_body(tip: &Tip, counts: Counts) -> Bytes {
    let body = serde_json::to_vec(&body(tip, counts));
    body.expect("tips hold only strings and numbers").into()
}

fn body(tip: &Tip, counts: Counts) -> Body<'_> {
    let named = if tip.op == op::QUIT { &[][..] } else { &tip.members[..] };
    // A reason alone makes the client throw: who was removed has to be there twice.
    let changes = tip.mute_seconds.is_some() || tip.reason.is_some();
    Body {
        op: tip.op,
        operator: &tip.operator.user,
        users: named.iter().map(|member| member.user.as_str()).collect(),
        join_type: match tip.op {
            op::JOINED => Some(if tip.invited { 2 } else { 1 }),
            op::QUIT => Some(0),
            _ => None,
        },
        member_num: counts.members,
        operator_info: ExtraInfo::from(&tip.operator),
        member_info: named.iter().map(ExtraInfo::from).collect(),
        profile: tip.profile.as_ref(),
        changed: named
            .iter()
            .filter(|_| changes)
            .map(|member| ChangedMember { user: &member.user, mute_seconds: tip.mute_seconds })
            .collect(),
        reason: tip.reason.as_deref().map(|reason| Reason { reason }),
        online: counts.online.map(|number| Online { number, valid: ONLINE_NUMBER_VALID }),
    }
}
