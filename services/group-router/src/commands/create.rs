//! `create_group` (REST notes 01, 3.2; SDK protocol notes 02, 2.1).

use rand::RngExt;
use serde::{Deserialize, Serialize};
use throng_node::time::now_seconds;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::{GroupType, custom_group_id, generated_group_id};
use throng_protocol::limits;

use super::profile::{CustomField, check_profile_texts, custom_fields};
use super::{Answer, Call};
use crate::room::Room;
use crate::storage::ProfileRow;

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
    app_defined_data: Option<Vec<CustomField>>,
    member_list: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created<'a> {
    group_id: &'a str,
    #[serde(rename = "Type")]
    group_type: &'a str,
    huge_group_flag: u32,
}

/// Makes a live room. It does not join anybody: the owner joins like everyone.
pub(super) async fn create_group(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let Some(kind) = GroupType::parse(&request.group_type) else {
        let info = format!("Type: no group type {:?}", request.group_type);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    };
    if kind != GroupType::AvChatRoom {
        let info = format!("Type: groups of type {kind} are not available yet");
        return Err(Code::GROUP_FORBIDDEN.with(info));
    }
    if request.member_list.as_ref().is_some_and(|members| !members.is_empty()) {
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
    let owner = owner(call, request.owner).await?;
    let group_id = match request.group_id.filter(|id| !id.is_empty()) {
        Some(id) => {
            custom_group_id(&id, kind)?;
            id
        }
        None => generated_group_id(kind, rand::rng().random()),
    };
    let policy = call.policy().await?;
    super::listing::check_room_quota(call, policy.max_rooms).await?;
    let mut custom = custom_fields(request.app_defined_data.unwrap_or_default())?;
    custom.retain(|_, value| !value.is_empty());
    let now = now_seconds();
    let profile = ProfileRow {
        group_type: kind.as_str().to_owned(),
        name: request.name,
        introduction: request.introduction.unwrap_or_default(),
        notification: request.notification.unwrap_or_default(),
        face_url: request.face_url.unwrap_or_default(),
        owner: owner.clone(),
        created: now,
        last_info: now,
        info_seq: 1,
        apply_join_option: request
            .apply_join_option
            .filter(|option| !option.is_empty())
            .unwrap_or_else(|| "FreeAccess".to_owned()),
        mute_all: false,
        max_member_num: request.max_member_count.unwrap_or(0),
        custom,
    };
    let (caller, app) = (call.context.caller.user.clone(), call.context.app);
    call.rooms
        .run(app, &group_id, move |turn| {
            if let Some(room) = turn.slot.as_deref() {
                return Err(in_use(room, &caller));
            }
            turn.make_room(policy, profile);
            Ok(())
        })
        .await?;
    metrics::counter!("throng_groups_created_total", "type" => kind.as_str()).increment(1);
    call.ok(&Created { group_id: &group_id, group_type: kind.as_str(), huge_group_flag: 1 })
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
