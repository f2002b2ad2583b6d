//! Tips: what happened in the room, shown between the messages (SDK protocol notes 02, 3.3).

use serde::Serialize;

use super::Encoded;
use super::item::GroupInfo;
use super::system::{Stamp, system_item};

/// `OpType` of a tip.
pub(crate) mod op {
    pub(crate) const JOINED: u32 = 1;
    pub(crate) const QUIT: u32 = 2;
    pub(crate) const ADMIN_SET: u32 = 4;
    pub(crate) const ADMIN_REVOKED: u32 = 5;
    pub(crate) const PROFILE: u32 = 6;
    pub(crate) const MEMBER: u32 = 7;
    pub(crate) const BANNED: u32 = 10;
    pub(crate) const UNBANNED: u32 = 11;
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
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ProfileChange {
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

#[derive(Debug, Clone, Serialize)]
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
    /// Goes along so that clients need not ask for it.
    pub(crate) online: u32,
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
    mutes: Vec<MuteInfo<'a>>,
    #[serde(rename = "OnlineMemberInfo")]
    online: Online,
}

#[derive(Serialize)]
struct ExtraInfo<'a> {
    #[serde(rename = "UserId")]
    user: &'a str,
    #[serde(rename = "NickName")]
    nick: &'a str,
    #[serde(rename = "ImageUrl")]
    avatar: &'a str,
}

#[derive(Serialize)]
struct MuteInfo<'a> {
    #[serde(rename = "User_Account")]
    user: &'a str,
    #[serde(rename = "ShutupTime")]
    seconds: u32,
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
    group_info: GroupInfo<'_>,
    msg_seq: u32,
    random: u32,
    time: i64,
) -> Encoded {
    let named = if tip.op == op::QUIT { &[][..] } else { &tip.members[..] };
    let body = Body {
        op: tip.op,
        operator: &tip.operator.user,
        users: named.iter().map(|member| member.user.as_str()).collect(),
        join_type: match tip.op {
            op::JOINED => Some(1),
            op::QUIT => Some(0),
            _ => None,
        },
        member_num: tip.online,
        operator_info: ExtraInfo::from(&tip.operator),
        member_info: named.iter().map(ExtraInfo::from).collect(),
        profile: tip.profile.as_ref(),
        mutes: match tip.mute_seconds {
            Some(seconds) => {
                named.iter().map(|member| MuteInfo { user: &member.user, seconds }).collect()
            }
            None => Vec::new(),
        },
        online: Online { number: tip.online, valid: ONLINE_NUMBER_VALID },
    };
    system_item(4, group_info, Stamp { msg_seq, random, time }, body)
}
