//! Lists of groups: `get_appid_group_list` (REST notes 01, 3.1) and `get_joined_group_list`
//! (SDK protocol notes 02, 2.1).

use serde::{Deserialize, Serialize};
use throng_node::time::now_micros;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

use super::entries::{self, Entry, ResponseFilter};
use super::{Answer, Call};
use crate::core::fields::Declared;
use crate::core::rules::Role;
use crate::group::lists;
use crate::storage::{ListingPage, list_groups};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    limit: Option<usize>,
    #[serde(default)]
    next: u64,
    group_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    total_count: usize,
    group_id_list: Vec<GroupEntry>,
    next: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupEntry {
    group_id: String,
}

/// All groups of the app, page by page.
pub(super) async fn get_appid_group_list(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    let group_type = request.group_type.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = group_type.filter(|name| GroupType::parse(name).is_none()) {
        return Err(Code::GROUP_BAD_PARAMETER.with(format!("GroupType: no group type {name:?}")));
    }
    let limit = request.limit.unwrap_or(limits::ALL_GROUPS_PAGE).clamp(1, limits::ALL_GROUPS_PAGE);
    let page = page(call, request.next, group_type, limit).await?;
    let total_count = count(call, group_type, usize::MAX).await?;
    let entry = |(group_id, _)| GroupEntry { group_id };
    call.ok(&Listed {
        total_count,
        next: page.next,
        group_id_list: page.groups.into_iter().map(entry).collect(),
    })
}

async fn page(
    call: &Call<'_>,
    cursor: u64,
    group_type: Option<&str>,
    limit: usize,
) -> Result<ListingPage, CommandError> {
    list_groups(&*call.clients.store, call.context.app, cursor, group_type, limit)
        .await
        .map_err(|error| Code::GROUP_INTERNAL.with(format!("groups: {error}")))
}

/// Counts groups, at most to `most`.
async fn count(
    call: &Call<'_>,
    group_type: Option<&str>,
    most: usize,
) -> Result<usize, CommandError> {
    let (mut counted, mut cursor) = (0, 0);
    loop {
        let page = page(call, cursor, group_type, most.min(limits::ALL_GROUPS_PAGE)).await?;
        counted += page.groups.len();
        if page.next == 0 || counted >= most {
            return Ok(counted);
        }
        cursor = page.next;
    }
}

/// Refuses a live room more than the app may have. Rooms made at the same moment may pass
/// together; the quota is for money, not for safety.
pub(super) async fn check_room_quota(call: &Call<'_>, most: u32) -> Result<(), CommandError> {
    // The default is as good as none; counting that far at each new room would cost too much.
    const COUNTED_UP_TO: u32 = 10_000;
    if most == 0 || most > COUNTED_UP_TO {
        return Ok(());
    }
    let most = most as usize;
    if count(call, Some(GroupType::AvChatRoom.as_str()), most).await? >= most {
        return Err(Code::GROUP_TOO_MANY_LIVE_ROOMS.with(format!("the app has {most} live rooms")));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JoinedRequest {
    #[serde(rename = "Member_Account")]
    user: String,
    limit: Option<u32>,
    #[serde(default)]
    offset: u32,
    group_type: Option<String>,
    #[serde(default)]
    support_topic: u32,
    #[serde(default)]
    with_no_active_groups: u32,
    /// The client asks for custom fields so.
    #[serde(default)]
    need_app_define_data: u32,
    response_filter: Option<ResponseFilter>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JoinedList {
    total_count: u32,
    group_id_list: Vec<Entry>,
}

/// Groups of a user. Live rooms are not among them: a client would take a listed room for joined,
/// never send the join, and count its messages as unread. Communities are asked for by the name of
/// their own service.
pub(super) async fn get_joined_group_list(call: &Call<'_>) -> Answer {
    let request: JoinedRequest = call.parse()?;
    let caller = &call.context.caller;
    if !caller.admin && request.user != caller.user {
        return Err(Code::GROUP_FORBIDDEN.with("Member_Account: is not the caller"));
    }
    if request.support_topic == 1 {
        return call.ok(&JoinedList { total_count: 0, group_id_list: Vec::new() });
    }
    let (group_type, except_type) = listed_types(call, request.group_type.clone());
    let limit = request.limit.filter(|limit| *limit > 0).unwrap_or(u32::MAX);
    let fields = call.fields().await?;
    let mut list = JoinedList { total_count: 0, group_id_list: Vec::new() };
    let mut offset = request.offset;
    loop {
        let page = lists::joined(
            call.rooms,
            call.clients,
            v1::JoinedGroupsRequest {
                app: call.context.app.0,
                user: request.user.clone(),
                offset,
                limit: limit - (offset - request.offset),
                group_type: group_type.clone(),
                except_type: except_type.clone(),
                with_last: false,
                mentions_since: 0,
                with_hidden: request.with_no_active_groups == 1,
            },
        )
        .await?;
        list.total_count = page.total;
        let custom = request.need_app_define_data == 1;
        let entry = |group: &v1::DescribeGroupReply| {
            let role = call.role_in(group.member.as_ref());
            joined_entry(group, request.response_filter.as_ref(), custom, &fields, role)
        };
        list.group_id_list.extend(page.groups.iter().filter_map(entry));
        if !call.context.is_rest() {
            // From here on a client asks for recalls that it missed: it has seen nothing yet, and what
            // was recalled before is so in the history.
            let since = now_micros();
            for entry in &mut list.group_id_list {
                entry.entry("LastRecallTime").or_insert_with(|| since.into());
            }
        }
        let read = page.next_offset.saturating_sub(request.offset);
        if page.next_offset == 0 || read >= limit {
            return call.ok(&list);
        }
        offset = page.next_offset;
    }
}

/// Which type alone is wanted, and which is not; empty for none. Clients ask twice: communities by the
/// name of their own service, the others by the usual one.
fn listed_types(call: &Call<'_>, named: Option<String>) -> (String, String) {
    let community = || GroupType::Community.as_str().to_owned();
    if call.context.service() == "million_group_open_http_svc" {
        (community(), String::new())
    } else if call.context.is_rest() {
        (named.unwrap_or_default(), String::new())
    } else {
        (named.unwrap_or_default(), community())
    }
}

/// Without a filter only the ID is wanted.
fn joined_entry(
    group: &v1::DescribeGroupReply,
    filter: Option<&ResponseFilter>,
    with_custom: bool,
    fields: &Declared,
    role: Role,
) -> Option<Entry> {
    let mut entry = entries::base_info(group.profile.as_ref()?, &fields.group, role);
    entry.remove("ErrorCode");
    entry.remove("ErrorInfo");
    let own = entries::self_info(group.member.as_ref()?, &fields.member, role);
    entry.insert("SelfInfo".to_owned(), own.into());
    let custom = entry.get("AppDefinedData").filter(|_| with_custom).cloned();
    match filter {
        Some(filter) => filter.apply(&mut entry),
        None => entry.retain(|field, _| field == "GroupId"),
    }
    entry.extend(custom.map(|custom| ("AppDefinedData".to_owned(), custom)));
    Some(entry)
}
