//! Group profiles: `get_group_self_member_info`, `get_group_public_info`, `get_group_info`,
//! `modify_group_base_info` (SDK protocol notes 02, 2.1; REST notes 01, 3.3 and 3.6).

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

use super::custom::{CustomField, change_group_fields, group_fields};
use super::entries::{self, Entry, ResponseFilter};
use super::{Answer, Call, check_list, not_a_member};
use crate::core::fields::Fields;
use crate::core::rules::{Right, Role, Rules};
use crate::group::lists;
use crate::room::Extra;
use crate::storage::{RowKind, put_row};
use crate::wire::{KeyValue, ProfileChange, Tip, op};

/// Members of one group in `get_group_info`; `get_group_member_info` has them all.
const MEMBERS_SHOWN: u32 = 500;
/// Groups whose members are asked for at the same time.
const GROUPS_AT_ONCE: usize = 8;

/// Checks the texts of a profile against their limits in bytes; the error names the field.
pub(super) fn check_profile_texts(
    name: Option<&str>,
    introduction: Option<&str>,
    notification: Option<&str>,
    face_url: Option<&str>,
    apply_join_option: Option<&str>,
) -> Result<(), CommandError> {
    let fields = [
        ("Name", name, limits::GROUP_NAME_BYTES),
        ("Introduction", introduction, limits::GROUP_INTRODUCTION_BYTES),
        ("Notification", notification, limits::GROUP_NOTIFICATION_BYTES),
        ("FaceUrl", face_url, limits::GROUP_FACE_URL_BYTES),
    ];
    for (field, text, most) in fields {
        if let Some(text) = text.filter(|text| text.len() > most) {
            let info = format!("{field}: {} bytes, at most {most}", text.len());
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
    }
    match apply_join_option {
        None | Some("" | "FreeAccess" | "NeedPermission" | "DisableApply") => Ok(()),
        Some(option) => {
            Err(Code::GROUP_BAD_PARAMETER.with(format!("ApplyJoinOption: no option {option:?}")))
        }
    }
}

/// Refuses what is no `InviteJoinOption`.
pub(super) fn check_invite_option(option: Option<&str>) -> Result<(), CommandError> {
    match option {
        None | Some("" | "FreeAccess" | "NeedPermission" | "DisableInvite") => Ok(()),
        Some(option) => {
            Err(Code::GROUP_BAD_PARAMETER.with(format!("InviteJoinOption: no option {option:?}")))
        }
    }
}

/// Reads `On` or `Off`.
fn switch(field: &str, text: Option<&str>) -> Result<Option<bool>, CommandError> {
    match text {
        None => Ok(None),
        Some("On") => Ok(Some(true)),
        Some("Off") => Ok(Some(false)),
        Some(other) => {
            Err(Code::GROUP_BAD_PARAMETER.with(format!("{field}: {other:?} is neither On nor Off")))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetRequest {
    group_id_list: Vec<String>,
    response_filter: Option<ResponseFilter>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Infos {
    group_info: Vec<Entry>,
}

/// The profile call of the client. Answered for a live room whoever asks: an error here makes a
/// client that was in the room join and then quit it. Of other groups only members learn.
pub(super) async fn get_group_self_member_info(call: &Call<'_>) -> Answer {
    let request: GetRequest = call.parse()?;
    let user = &call.context.caller.user;
    let fields = call.fields().await?;
    let mut infos = entries(call, &request.group_id_list, user, |group| {
        let role = call.role_in(group.member.as_ref());
        let mut entry = entries::base_info(group.profile.as_ref()?, &fields.group, role);
        if let Some(own) = &group.member {
            let own = entries::self_info(own, &fields.member, role);
            let mut member = own.clone();
            member.insert("Member_Account".to_owned(), user.as_str().into());
            // Never an empty list: the client reads the first entry and throws.
            let members = Value::Array(vec![Value::Object(member)]);
            entry.insert("MemberList".to_owned(), members);
            entry.insert("SelfInfo".to_owned(), Value::Object(own));
        } else if !user.is_empty() {
            let group_id = &group.profile.as_ref()?.group_id;
            return Some(entries::failed(group_id, &not_a_member(user)));
        }
        Some(entry)
    })
    .await?;
    if let Some(filter) = &request.response_filter {
        infos.iter_mut().for_each(|entry| filter.keep_custom(entry));
    }
    call.ok(&Infos { group_info: infos })
}

/// What anybody may know of a group. A Private one is for its members alone.
pub(super) async fn get_group_public_info(call: &Call<'_>) -> Answer {
    let request: GetRequest = call.parse()?;
    let user = &call.context.caller.user;
    let fields = call.fields().await?.group;
    let infos = entries(call, &request.group_id_list, user, |group| {
        let profile = group.profile.as_ref()?;
        let public =
            GroupType::parse(&profile.group_type).is_some_and(|kind| Rules::of(kind).public);
        if public || group.member.is_some() {
            return Some(entries::base_info(profile, &fields, call.role_in(None)));
        }
        Some(entries::failed(&profile.group_id, &not_a_member(user)))
    })
    .await?;
    call.ok(&Infos { group_info: infos })
}

/// Profiles for administrators; a filter leaves out what it does not name.
pub(super) async fn get_group_info(call: &Call<'_>) -> Answer {
    let request: GetRequest = call.parse()?;
    let app = call.context.app.0;
    let fields = Fields::default();
    let mut infos = entries(call, &request.group_id_list, "", |group| {
        let mut entry = entries::base_info(group.profile.as_ref()?, &fields, Role::AppAdmin);
        entry.insert("Appid".to_owned(), app.into());
        Some(entry)
    })
    .await?;
    if let Some(filter) = &request.response_filter {
        for entry in &mut infos {
            filter.apply(entry);
        }
        if filter.wants_members() {
            add_members(call, filter, &mut infos).await?;
        }
    }
    call.ok(&Infos { group_info: infos })
}

/// Puts members into entries of groups: the first ones of each, and none of a type that may have any
/// number of them.
async fn add_members(
    call: &Call<'_>,
    filter: &ResponseFilter,
    infos: &mut [Entry],
) -> Result<(), CommandError> {
    let groups: Vec<String> = infos
        .iter()
        .filter(|entry| entry["ErrorCode"] == 0)
        .filter_map(|entry| Some(entry["GroupId"].as_str()?.to_owned()))
        .collect();
    let (app, clients) = (call.context.app.0, call.clients);
    let lists = groups.into_iter().map(|group_id| {
        let limit = MEMBERS_SHOWN;
        let request = v1::ListMembersRequest { app, group_id, limit, ..Default::default() };
        lists::members(clients, request)
    });
    let mut lists = stream::iter(lists.collect::<Vec<_>>()).buffered(GROUPS_AT_ONCE);
    for entry in infos.iter_mut().filter(|entry| entry["ErrorCode"] == 0) {
        let Some(list) = lists.next().await else { break };
        let list = match list {
            Ok(list) => list,
            Err(error) if error.code == Code::GROUP_NOT_FOUND => continue,
            Err(error) => return Err(error),
        };
        let kind = list.profile.as_ref().and_then(|profile| GroupType::parse(&profile.group_type));
        if matches!(kind, None | Some(GroupType::Community | GroupType::AvChatRoom)) {
            continue;
        }
        let members = list
            .members
            .into_iter()
            .map(|listed| filter.member(&listed.user, &listed.member.unwrap_or_default()).into());
        entry.insert("MemberList".to_owned(), Value::Array(members.collect()));
    }
    Ok(())
}

/// One entry a group, as seen by a user if one is named; errors inside the entries.
async fn entries(
    call: &Call<'_>,
    group_ids: &[String],
    user: &str,
    entry: impl Fn(&v1::DescribeGroupReply) -> Option<Entry>,
) -> Result<Vec<Entry>, CommandError> {
    check_list("GroupIdList", group_ids, limits::GROUPS_PER_REQUEST)?;
    let mut list = Vec::with_capacity(group_ids.len());
    for group_id in group_ids {
        let request = v1::DescribeGroupRequest {
            app: call.context.app.0,
            group_id: group_id.clone(),
            user: user.to_owned(),
            ..v1::DescribeGroupRequest::default()
        };
        list.push(match lists::describe(call.rooms, call.clients, request).await {
            Ok(group) => entry(&group).unwrap_or_default(),
            Err(error) => entries::failed(group_id, &error),
        });
    }
    Ok(list)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifyRequest {
    group_id: String,
    #[serde(rename = "From_Account")]
    from: Option<String>,
    name: Option<String>,
    introduction: Option<String>,
    notification: Option<String>,
    face_url: Option<String>,
    max_member_num: Option<u32>,
    apply_join_option: Option<String>,
    invite_join_option: Option<String>,
    #[serde(alias = "ShutUpAllMember")]
    mute_all_member: Option<String>,
    history_msg_before_join: Option<String>,
    app_defined_data: Option<Vec<CustomField>>,
}

impl ModifyRequest {
    /// Whether it is about more than texts, pictures and custom fields.
    fn changes_settings(&self) -> bool {
        self.max_member_num.is_some()
            || self.apply_join_option.is_some()
            || self.invite_join_option.is_some()
            || self.mute_all_member.is_some()
            || self.history_msg_before_join.is_some()
    }

    fn changes_texts(&self) -> bool {
        let texts = [&self.name, &self.introduction, &self.notification, &self.face_url];
        texts.into_iter().any(Option::is_some)
    }

    /// What the caller has to have the right to; nothing more than the fields, where the app says who
    /// writes those.
    fn needs(&self, fields: &Fields) -> Needs {
        let custom = self.app_defined_data.is_some();
        if self.changes_settings() || (custom && !fields.is_declared()) {
            Needs::Settings
        } else if !custom || self.changes_texts() {
            Needs::Texts
        } else {
            Needs::Fields
        }
    }
}

/// The rights that a change needs.
#[derive(Clone, Copy)]
enum Needs {
    Settings,
    Texts,
    Fields,
}

impl Needs {
    /// Who may, in groups with these rules.
    fn right(self, rules: &Rules) -> Option<Right> {
        match self {
            Self::Settings => Some(rules.edit_settings),
            Self::Texts => Some(rules.edit_texts),
            Self::Fields => None,
        }
    }
}

/// Changes a profile. Members get a tip with the new values.
pub(super) async fn modify_group_base_info(call: &Call<'_>) -> Answer {
    let request: ModifyRequest = call.parse()?;
    check_profile_texts(
        request.name.as_deref(),
        request.introduction.as_deref(),
        request.notification.as_deref(),
        request.face_url.as_deref(),
        request.apply_join_option.as_deref(),
    )?;
    if request.name.as_deref() == Some("") {
        return Err(Code::GROUP_BAD_PARAMETER.with("Name: empty"));
    }
    check_invite_option(request.invite_join_option.as_deref())?;
    let mute_all = switch("MuteAllMember (ShutUpAllMember)", request.mute_all_member.as_deref())?;
    let sees_before_join =
        switch("HistoryMsgBeforeJoin", request.history_msg_before_join.as_deref())?;
    let fields = call.fields().await?.group;
    let needs = request.needs(&fields);
    let custom = group_fields(request.app_defined_data.unwrap_or_default())?;
    let operator = call.operator(request.from.as_deref()).await?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            if let Some(right) = needs.right(room.rules) {
                room.permit(&context, right, "change this of a group")?;
            }
            fields.check_write(custom.keys(), room.role(&context))?;
            let mut profile = room.profile.clone();
            let change = ProfileChange {
                owner: None,
                name: replace(&mut profile.name, request.name),
                introduction: replace(&mut profile.introduction, request.introduction),
                notification: replace(&mut profile.notification, request.notification),
                face_url: replace(&mut profile.face_url, request.face_url),
                apply_join_option: replace(
                    &mut profile.apply_join_option,
                    request.apply_join_option.filter(|option| !option.is_empty()),
                ),
                mute_all: mute_all.filter(|on| *on != profile.mute_all).map(u8::from),
                custom: custom
                    .iter()
                    .filter(|(key, value)| profile.custom.get(*key) != Some(*value))
                    // The tip is for all members.
                    .filter(|(key, _)| fields.shows(key, Role::Member))
                    .map(|(key, value)| KeyValue { key: key.clone(), value: value.clone() })
                    .collect(),
            };
            profile.mute_all = mute_all.unwrap_or(profile.mute_all);
            profile.max_member_num = match request.max_member_num {
                Some(most) => room.rules.check_max_members(most)?,
                None => profile.max_member_num,
            };
            replace(
                &mut profile.invite_join_option,
                request.invite_join_option.filter(|option| !option.is_empty()),
            );
            profile.sees_before_join = sees_before_join.or(profile.sees_before_join);
            let hidden_only =
                change.is_empty() && custom.keys().any(|key| !fields.shows(key, Role::Member));
            change_group_fields(&mut profile.custom, custom)?;
            if profile == room.profile {
                return Ok(());
            }
            profile.info_seq = profile.info_seq.saturating_add(1);
            profile.last_info = now.seconds;
            unit.ops.push(put_row(RowKind::Profile, "", &profile));
            room.profile = profile;
            if hidden_only {
                return Ok(());
            }
            let tip = Tip { op: op::PROFILE, operator, profile: Some(change), ..Tip::default() };
            room.emit_tip(&tip, Extra::default(), now, unit);
            Ok(())
        })
        .await?;
    call.done()
}

/// Puts a new value in its place; what it returns is what changed.
fn replace(place: &mut String, new: Option<String>) -> Option<String> {
    let new = new.filter(|new| new != place)?;
    place.clone_from(&new);
    Some(new)
}
