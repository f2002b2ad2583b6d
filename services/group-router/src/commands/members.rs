//! Who is in a live room, or online in another group: `get_online_member_num`, `get_members`,
//! `check_members` (REST notes 01, 3.47 to 3.49; SDK protocol notes 02, 1.9),
//! `get_specified_group_member_info`.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use throng_protocol::error::CommandError;
use throng_protocol::limits;

use super::{Answer, Call, check_users, not_a_member, roster};
use crate::actor::Turn;
use crate::room::ListedMember;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NumberRequest {
    group_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlineNumber {
    online_member_num: u32,
    expire_time: u64,
}

/// Who there is to count.
enum Counted {
    /// In a live room its owner has counted.
    Here(u32),
    Few(Arc<[String]>),
    /// Whose names are asked for where nobody has counted them of late.
    Many,
}

/// How many are in the room, guests included; guests may ask too. Of a group that stores its members,
/// how many of them are online; for them alone.
pub(super) async fn get_online_member_num(call: &Call<'_>) -> Answer {
    let request: NumberRequest = call.parse()?;
    let (app, context) = (call.context.app, call.context.clone());
    let counted = call
        .rooms
        .run(app, &request.group_id, move |turn| {
            let (room, _, _) = turn.room()?;
            let (user, most) = (&context.caller.user, room.audience_size);
            if room.durable.is_some() && !context.caller.admin && !room.is_member(user) {
                return Err(not_a_member(user));
            }
            Ok(match &mut room.durable {
                None => Counted::Here(room.members.online()),
                Some(durable) if durable.roster.len() > most => Counted::Many,
                Some(durable) => Counted::Few(durable.roster.names()),
            })
        })
        .await?;
    let online = match counted {
        Counted::Here(online) => online,
        Counted::Few(members) => call.clients.count_online(app, &members).await?,
        Counted::Many => {
            let members = all_members(call, &request.group_id);
            call.clients.online_of_large(app, &request.group_id, members).await?
        }
    };
    call.ok(&OnlineNumber { online_member_num: online, expire_time: limits::ONLINE_NUMBER_SECONDS })
}

async fn all_members(call: &Call<'_>, group_id: &str) -> Result<Arc<[String]>, CommandError> {
    let names = |turn: &mut Turn<'_>| {
        let (room, _, _) = turn.room()?;
        Ok(room.durable.as_mut().map(|durable| durable.roster.names()).unwrap_or_default())
    };
    call.rooms.run(call.context.app, group_id, names).await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MembersRequest {
    group_id: String,
    #[serde(default)]
    timestamp: u32,
    mark: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MembersPage {
    member_list: Vec<MemberEntry>,
    next_timestamp: u32,
}

/// One member, in the spellings of the client and of REST.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MemberEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    nick_name: String,
    face_url: String,
    avatar: String,
    role: &'static str,
    join_time: u32,
    marks: Vec<u32>,
}

/// The latest members, the newest first, robots before all others.
pub(super) async fn get_members(call: &Call<'_>) -> Answer {
    let request: MembersRequest = call.parse()?;
    let page = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.live()?;
            Ok(room.members_page(request.timestamp, request.mark, now.seconds))
        })
        .await?;
    let users = page.members.iter().map(|member| member.user.to_string()).collect();
    let infos: HashMap<_, _> = call
        .clients
        .fetch_briefs(call.context.app, users)
        .await?
        .into_iter()
        .map(|info| (info.user.clone(), info))
        .collect();
    let entry = |member: ListedMember| {
        let info = infos.get(&*member.user).cloned().unwrap_or_default();
        MemberEntry {
            user: member.user.to_string(),
            nick_name: info.nick,
            face_url: info.avatar.clone(),
            avatar: info.avatar,
            role: member.role.wire(),
            join_time: member.joined,
            marks: member.marks,
        }
    };
    let member_list = page.members.into_iter().map(entry).collect();
    call.ok(&MembersPage { member_list, next_timestamp: page.next })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckRequest {
    group_id: String,
    #[serde(rename = "Member_Account")]
    users: Vec<String>,
}

#[derive(Serialize)]
struct Checked {
    #[serde(rename = "Member_Account")]
    users: Vec<String>,
}

/// Which of some users are in the room now.
pub(super) async fn check_members(call: &Call<'_>) -> Answer {
    let request: CheckRequest = call.parse()?;
    let mut users = check_users("Member_Account", request.users, limits::ROLE_USERS)?;
    let users = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, _, _) = turn.live()?;
            users.retain(|user| room.members.contains_user(user));
            Ok(users)
        })
        .await?;
    call.ok(&Checked { users })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SpecifiedRequest {
    group_id: String,
    #[serde(rename = "Member_List_Account")]
    users: Vec<String>,
    #[serde(default)]
    member_info_filter: Vec<String>,
    #[serde(rename = "AppDefinedDataFilter_GroupMember")]
    custom: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Specified {
    group_id: String,
    member_list: Vec<roster::MemberEntry>,
}

/// What the room knows of some users; who is not in is left out.
pub(super) async fn get_specified_group_member_info(call: &Call<'_>) -> Answer {
    let request: SpecifiedRequest = call.parse()?;
    let group_id = request.group_id;
    let users = check_users("Member_List_Account", request.users, limits::SPECIFIED_MEMBERS)?;
    let filter = request.member_info_filter;
    let fields = call.fields().await?.member;
    let context = call.context.clone();
    let mut member_list: Vec<_> = call
        .rooms
        .run(call.context.app, &group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            let role = room.role(&context);
            let entry = |user: &String| {
                let mut entry = roster::member_entry(room, user, now.seconds)?;
                entry.keep_shown(&fields, &context.caller.user, role);
                entry.keep_custom(request.custom.as_deref());
                Some(entry)
            };
            Ok(users.iter().filter_map(entry).collect())
        })
        .await?;
    call.add_online(&filter, &mut member_list).await;
    call.ok(&Specified { group_id, member_list })
}
