//! `create_group` and `import_group` (REST notes 01, 3.2 and 3.24; SDK protocol notes 02, 2.1).

use std::collections::HashMap;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use throng_node::time::now_seconds;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::{GroupType, custom_group_id, generated_group_id};
use throng_protocol::limits;

use super::custom::{CustomField, group_fields, member_fields};
use super::profile::{check_invite_option, check_profile_texts};
use super::{Answer, Call, check_users};
use crate::core::fields::Declared;
use crate::core::rules::{Members, Role, Rules};
use crate::group::Founder;
use crate::room::Room;
use crate::storage::ProfileRow;
use crate::wire::MemberInfo;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "Type")]
    group_type: String,
    name: String,
    group_id: Option<String>,
    #[serde(rename = "Owner_Account")]
    owner: Option<String>,
    introduction: Option<String>,
    notification: Option<String>,
    face_url: Option<String>,
    max_member_count: Option<u32>,
    apply_join_option: Option<String>,
    invite_join_option: Option<String>,
    #[serde(default)]
    support_topic: u32,
    app_defined_data: Option<Vec<CustomField>>,
    #[serde(default)]
    member_list: Vec<NewMember>,
    /// Of a group that is moved here: seconds since 1970.
    create_time: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewMember {
    #[serde(rename = "Member_Account")]
    user: String,
    role: Option<String>,
    #[serde(default)]
    app_member_defined_data: Vec<CustomField>,
}

/// How a group comes to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It begins now, and those who are in it hear of it.
    New,
    /// It was elsewhere before, and nobody hears of it.
    Imported,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created<'a> {
    group_id: &'a str,
    #[serde(rename = "Type")]
    group_type: &'a str,
    huge_group_flag: u32,
}

/// Makes a group. A live room has no members then: its owner joins like everyone. Any other group
/// has its owner and those who are named.
pub(super) async fn create_group(call: &Call<'_>) -> Answer {
    make(call, Way::New).await
}

/// Makes a group that was elsewhere until now: members and messages are imported by calls of their own.
/// Not a live room, of which nothing is kept.
pub(super) async fn import_group(call: &Call<'_>) -> Answer {
    make(call, Way::Imported).await
}

async fn make(call: &Call<'_>, way: Way) -> Answer {
    let request: Request = call.parse()?;
    let Some(kind) = GroupType::parse(&request.group_type) else {
        let info = format!("Type: no group type {:?}", request.group_type);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    };
    let rules = Rules::of(kind);
    if request.support_topic == 1 {
        let info = "SupportTopic: communities with topics are not available yet";
        return Err(Code::COMMUNITY_OFF.with(info));
    }
    if way == Way::Imported {
        check_import(&request, rules)?;
    }
    if rules.members == Members::Sessions && !request.member_list.is_empty() {
        return Err(Code::GROUP_FORBIDDEN.with("MemberList: a live room is joined, not filled"));
    }
    if request.name.is_empty() {
        return Err(Code::GROUP_BAD_PARAMETER.with("Name: empty"));
    }
    check_profile_texts(
        Some(&request.name),
        request.introduction.as_deref(),
        request.notification.as_deref(),
        request.face_url.as_deref(),
        request.apply_join_option.as_deref(),
    )?;
    check_invite_option(request.invite_join_option.as_deref())?;
    let owner = owner(call, request.owner).await?;
    let group_id = match request.group_id.filter(|id| !id.is_empty()) {
        Some(id) => {
            custom_group_id(&id, kind)?;
            id
        }
        None => own_group_id(call, kind),
    };
    let policy = call.policy().await?;
    if kind == GroupType::AvChatRoom {
        super::listing::check_room_quota(call, policy.max_rooms).await?;
    }
    if rules.members == Members::Stored && !owner.is_empty() {
        call.check_groups_of(&owner).await?;
    }
    let policy_of_groups = call.group_policy().await?;
    let fields = Declared::from(&policy_of_groups);
    // Who makes a group owns it.
    let role = if call.context.caller.admin { Role::AppAdmin } else { Role::Owner };
    let founders = founders(call, rules, &owner, request.member_list).await?;
    let most_admins = policy_of_groups.admins as usize;
    if most_admins > 0 && founders.iter().filter(|founder| founder.admin).count() > most_admins {
        let info = format!("MemberList.Role: a group has {most_admins} admins at most");
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    for founder in &founders {
        fields.member.check_write(founder.custom.keys(), role)?;
    }
    let max_member_num = match request.max_member_count {
        Some(most) => rules.check_max_members(most)?,
        None => rules.max_members,
    };
    if max_member_num > 0 && founders.len() > max_member_num as usize {
        let info = format!("MemberList: the group has {max_member_num} members at most");
        return Err(Code::GROUP_MEMBERS_OVER_LIMIT.with(info));
    }
    let mut custom = group_fields(request.app_defined_data.unwrap_or_default())?;
    custom.retain(|_, value| !value.is_empty());
    fields.group.check_write(custom.keys(), role)?;
    let now = now_seconds();
    let created = request.create_time.filter(|_| way == Way::Imported).unwrap_or(now);
    let profile = ProfileRow {
        group_type: kind.as_str().to_owned(),
        name: request.name,
        introduction: request.introduction.unwrap_or_default(),
        notification: request.notification.unwrap_or_default(),
        face_url: request.face_url.unwrap_or_default(),
        owner: owner.clone(),
        created,
        last_info: now,
        info_seq: 1,
        apply_join_option: request
            .apply_join_option
            .filter(|option| !option.is_empty())
            .unwrap_or_else(|| rules.apply_join_option.to_owned()),
        mute_all: false,
        max_member_num,
        custom,
        incarnation: 0,
        invite_join_option: request.invite_join_option.unwrap_or_default(),
        sees_before_join: None,
        ..ProfileRow::default()
    };
    let (caller, app) = (call.context.caller.user.clone(), call.context.app);
    let inst_id = call.context.origin.inst_id;
    call.rooms
        .run(app, &group_id, move |turn| {
            if let Some(room) = turn.slot.as_deref() {
                return Err(in_use(room, &caller));
            }
            let (room, now, unit) = turn.make_room(policy, profile)?;
            if room.rules.members == Members::Stored {
                let told_but = (way == Way::New).then_some(inst_id);
                room.found(founders, told_but, now, unit);
            }
            Ok(())
        })
        .await?;
    let label = kind.as_str().to_ascii_lowercase();
    metrics::counter!("throng_group_router_groups_created_total", "type" => label).increment(1);
    let huge_group_flag = u32::from(kind == GroupType::AvChatRoom);
    call.ok(&Created { group_id: &group_id, group_type: kind.as_str(), huge_group_flag })
}

fn check_import(request: &Request, rules: &Rules) -> Result<(), CommandError> {
    if rules.members == Members::Sessions {
        let info = format!("Type: groups of type {} are not imported", rules.kind);
        return Err(Code::GROUP_FORBIDDEN.with(info));
    }
    if !request.member_list.is_empty() {
        let info = "MemberList: members are imported by import_group_member";
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    if request.create_time.is_some_and(|time| !(1..=now_seconds()).contains(&time)) {
        return Err(Code::GROUP_BAD_PARAMETER.with("CreateTime: not a time of the past"));
    }
    Ok(())
}

/// An ID that makes the group this node's, where there are others.
fn own_group_id(call: &Call<'_>, kind: GroupType) -> String {
    // With a hundred nodes one in a hundred IDs will do.
    const TRIES: usize = 10_000;
    let mut made = generated_group_id(kind, rand::rng().random());
    for _ in 0..TRIES {
        if call.rooms.owns(call.context.app, &made) {
            break;
        }
        made = generated_group_id(kind, rand::rng().random());
    }
    made
}

/// Those who are members from the beginning, the owner first.
async fn founders(
    call: &Call<'_>,
    rules: &Rules,
    owner: &str,
    named: Vec<NewMember>,
) -> Result<Vec<Founder>, CommandError> {
    if rules.members == Members::Sessions {
        return Ok(Vec::new());
    }
    if named.len() > limits::CREATE_MEMBERS {
        let info = format!("MemberList: over {} members", limits::CREATE_MEMBERS);
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    let mut named_as = HashMap::new();
    let mut users: Vec<String> =
        Some(owner.to_owned()).filter(|owner| !owner.is_empty()).into_iter().collect();
    for NewMember { user, role, app_member_defined_data } in named {
        let admin = match role.as_deref() {
            None | Some("" | "Member") => false,
            Some("Admin") if rules.has_admins() => true,
            Some("Admin") => {
                let info = format!("MemberList.Role: groups of type {} have no admins", rules.kind);
                return Err(Code::GROUP_BAD_PARAMETER.with(info));
            }
            Some(role) => {
                let info = format!("MemberList.Role: {role:?} is not Admin");
                return Err(Code::GROUP_BAD_PARAMETER.with(info));
            }
        };
        let mut custom = member_fields(app_member_defined_data)?;
        custom.retain(|_, value| !value.is_empty());
        named_as.insert(user.clone(), (admin && user != owner, custom));
        users.push(user);
    }
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let users = check_users("MemberList.Member_Account", users, limits::CREATE_MEMBERS + 1)?;
    let infos = call.known_users("MemberList.Member_Account", users).await?;
    let founder = |info: MemberInfo| {
        let (admin, custom) = named_as.remove(&info.user).unwrap_or_default();
        Founder { info, admin, custom }
    };
    Ok(infos.into_iter().map(founder).collect())
}

/// A client owns what it makes; over REST the owner is named, or there is none.
async fn owner(call: &Call<'_>, named: Option<String>) -> Result<String, CommandError> {
    if !call.context.is_rest() {
        return Ok(call.context.caller.user.clone());
    }
    let Some(owner) = named.filter(|owner| !owner.is_empty()) else {
        return Ok(String::new());
    };
    if owner.len() > limits::USER_ID_BYTES {
        return Err(Code::GROUP_BAD_PARAMETER.with("Owner_Account: too long"));
    }
    call.clients.brief(call.context.app, &owner).await.map_err(|error| {
        if error.code == Code::GROUP_UNKNOWN_ACCOUNT {
            Code::GROUP_UNKNOWN_ACCOUNT.with(format!("Owner_Account: no account {owner}"))
        } else {
            error
        }
    })?;
    Ok(owner)
}

fn in_use(room: &Room, caller: &str) -> CommandError {
    if !caller.is_empty() && room.profile.owner == caller {
        Code::GROUP_ID_IN_USE_BY_SELF.with("GroupId: you own a group with this ID already")
    } else {
        Code::GROUP_ID_IN_USE.with("GroupId: in use")
    }
}
