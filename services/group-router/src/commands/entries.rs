//! Groups as entries of answers: profiles, what the caller is there, and the filters that say what of
//! it is wanted (REST notes 01, 3.3 and 5.1; SDK protocol notes 02, 2.1).

use serde::Deserialize;
use serde_json::{Map, Value, json};
use throng_proto::v1;
use throng_protocol::error::CommandError;

use super::custom::listed;
use crate::core::fields::Fields;
use crate::core::rules::Role;

/// An entry.
pub(super) type Entry = Map<String, Value>;

/// What an answer may hold.
#[derive(Deserialize, Clone)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResponseFilter {
    group_base_info_filter: Option<Vec<String>>,
    self_info_filter: Option<Vec<String>>,
    member_info_filter: Option<Vec<String>>,
    #[serde(rename = "AppDefinedDataFilter_GroupMember")]
    member_custom: Option<Vec<String>>,
    #[serde(rename = "AppDefinedDataFilter_Group")]
    custom: Option<Vec<String>>,
}

impl ResponseFilter {
    fn keeps(&self, field: &str) -> bool {
        match field {
            "GroupId" | "ErrorCode" | "ErrorInfo" => true,
            "SelfInfo" => self.self_info_filter.is_some(),
            "AppDefinedData" => self.custom.is_some() || self.group_base_info_filter.is_none(),
            // One field with two names: either asks for both.
            "MuteAllMember" | "ShutUpAllMember" => {
                self.group_base_info_filter.as_ref().is_none_or(|names| {
                    names.iter().any(|name| name == "MuteAllMember" || name == "ShutUpAllMember")
                })
            }
            _ => self
                .group_base_info_filter
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| name == field)),
        }
    }

    /// Leaves out what is not asked for.
    pub(super) fn apply(&self, entry: &mut Entry) {
        entry.retain(|field, _| self.keeps(field));
        self.keep_custom(entry);
        if let (Some(wanted), Some(Value::Object(own))) =
            (&self.self_info_filter, entry.get_mut("SelfInfo"))
        {
            own.retain(|field, _| wanted.iter().any(|name| name == field));
        }
    }

    /// Whether a list of members is asked for.
    pub(super) fn wants_members(&self) -> bool {
        self.member_info_filter.is_some() || self.member_custom.is_some()
    }

    /// A member with what is asked for; who it is always is.
    pub(super) fn member(&self, user: &str, member: &v1::Membership) -> Entry {
        let mut entry = self_info(member, &Fields::default(), Role::AppAdmin);
        entry.insert("LastSendMsgTime".to_owned(), member.spoke.into());
        let custom = entry.remove("AppMemberDefinedData");
        let names = self.member_info_filter.as_deref().unwrap_or_default();
        entry.retain(|field, _| match field.as_str() {
            "MuteUntil" | "ShutUpUntil" => {
                names.iter().any(|name| name == "MuteUntil" || name == "ShutUpUntil")
            }
            field => names.iter().any(|name| name == field),
        });
        entry.insert("Member_Account".to_owned(), user.into());
        if let (Some(wanted), Some(Value::Array(mut custom))) = (&self.member_custom, custom) {
            custom.retain(|field| {
                wanted.is_empty() || wanted.iter().any(|key| field["Key"] == **key)
            });
            entry.insert("AppMemberDefinedData".to_owned(), custom.into());
        }
        entry
    }

    /// Leaves out custom fields that are not named. Clients name none when they want them all.
    pub(super) fn keep_custom(&self, entry: &mut Entry) {
        if let (Some(wanted), Some(Value::Array(fields))) =
            (self.custom.as_ref().filter(|keys| !keys.is_empty()), entry.get_mut("AppDefinedData"))
        {
            fields.retain(|field| wanted.iter().any(|key| field["Key"] == **key));
        }
    }
}

/// The entry of a group that has no description.
pub(super) fn failed(group_id: &str, error: &CommandError) -> Entry {
    object(json!({
        "GroupId": group_id,
        "ErrorCode": error.code.number(),
        "ErrorInfo": error.info,
    }))
}

/// A group's profile, with the custom fields that somebody with this role sees.
pub(super) fn base_info(profile: &v1::GroupProfile, fields: &Fields, role: Role) -> Entry {
    let mute_all = if profile.mute_all { "On" } else { "Off" };
    let shown = profile.custom.iter().filter(|(key, _)| fields.shows(key, role));
    let mut custom: Vec<_> = shown.collect();
    custom.sort();
    let custom: Vec<Value> =
        custom.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    object(json!({
        "GroupId": profile.group_id,
        "ErrorCode": 0,
        "ErrorInfo": "",
        "Type": profile.group_type,
        "Name": profile.name,
        "Introduction": profile.introduction,
        "Notification": profile.notification,
        "FaceUrl": profile.face_url,
        "Owner_Account": profile.owner,
        "CreateTime": profile.created,
        "InfoSeq": profile.info_seq,
        "LastInfoTime": profile.last_info,
        "LastMsgTime": profile.last_message,
        "NextMsgSeq": profile.next_msg_seq,
        "MemberNum": profile.member_num,
        "MaxMemberNum": profile.max_member_num,
        "ApplyJoinOption": profile.apply_join_option,
        "InviteJoinOption": profile.invite_join_option,
        "ShutUpAllMember": mute_all,
        "MuteAllMember": mute_all,
        "SupportTopic": 0,
        "AppDefinedData": custom,
    }))
}

/// What somebody with this role is in a group, for himself.
pub(super) fn self_info(member: &v1::Membership, fields: &Fields, role: Role) -> Entry {
    let custom = member.custom.iter().filter(|(key, _)| fields.shows_own(key, role));
    object(json!({
        "Role": member.role,
        "JoinTime": member.joined,
        "MsgFlag": member.msg_flag,
        "MsgSeq": member.read_seq,
        "NameCard": member.name_card,
        "ShutUpUntil": member.muted_until,
        "MuteUntil": member.muted_until,
        "AppMemberDefinedData": listed(custom),
    }))
}

fn object(value: Value) -> Entry {
    match value {
        Value::Object(entry) => entry,
        _ => unreachable!("made as an object"),
    }
}
