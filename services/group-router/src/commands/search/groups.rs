//! Groups by their names and IDs: those that the caller is in, and, by its whole ID, any other that may
//! be found so.

use futures_util::{StreamExt, stream};
use serde::Serialize;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

use super::super::{Answer, Call};
use super::{Page, Search};
use crate::core::rules::{Members, Rules};
use crate::group::lists;
use crate::storage::groups_of;

/// Groups that one search looks at.
const MOST: usize = 512;
/// Groups that are asked at the same time.
const SIDE_BY_SIDE: usize = 32;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    total_count: usize,
    cursor: String,
    groups: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "GroupID")]
    group_id: String,
    group_name: String,
    group_type: String,
    group_face_url: String,
    group_introduction: String,
    #[serde(rename = "GroupOwnerUserID")]
    owner: String,
    group_member_num: u32,
    group_add_option: String,
    group_invite_option: String,
}

impl From<v1::GroupProfile> for Entry {
    fn from(profile: v1::GroupProfile) -> Self {
        Self {
            group_id: profile.group_id,
            group_name: profile.name,
            group_type: profile.group_type,
            group_face_url: profile.face_url,
            group_introduction: profile.introduction,
            owner: profile.owner,
            group_member_num: profile.member_num,
            group_add_option: profile.apply_join_option,
            group_invite_option: profile.invite_join_option,
        }
    }
}

/// A page of groups.
pub(in super::super) async fn search_groups(call: &Call<'_>) -> Answer {
    let search = Search::read(call)?;
    let caller = &call.context.caller.user;
    let _place = call.clients.searches.begin(call.context.app, caller)?;
    let own = own_groups(call).await?;
    let mut page = Page::new(search);
    if page.is_first() {
        page.found = named(call, &page.search, &own).await?;
        page.found.truncate(page.search.count);
    }
    let after = page.search.cursor.group.clone();
    let rest: Vec<&String> = own.iter().filter(|group_id| **group_id > after).collect();
    let mut looked_at = 0;
    for part in rest.chunks(SIDE_BY_SIDE) {
        if !page.goes_on(looked_at, MOST) {
            break;
        }
        let asked = part.iter().map(|group_id| describe(call, group_id, caller));
        let answers: Vec<_> =
            stream::iter(asked.collect::<Vec<_>>()).buffered(SIDE_BY_SIDE).collect().await;
        for (group_id, group) in part.iter().zip(answers) {
            let group = group?.filter(|group| lists::is_shown(group, false));
            if let Some(profile) = group.and_then(|group| group.profile)
                && matches(&page.search, &profile)
            {
                page.put(profile.into());
            }
            page.pass(group_id, None);
        }
        looked_at += part.len();
    }
    let (groups, total_count, cursor) = page.end(looked_at >= rest.len());
    call.ok(&Found { total_count, cursor, groups })
}

/// The groups that store the caller as a member, in the order of their IDs.
pub(super) async fn own_groups(call: &Call<'_>) -> Result<Vec<String>, CommandError> {
    let (app, user) = (call.context.app, &call.context.caller.user);
    let mut own = groups_of(&*call.clients.store, app, user, |_| true, limits::GROUPS_PER_USER)
        .await
        .map_err(|error| Code::GROUP_INTERNAL.with(format!("groups of a user: {error}")))?;
    own.sort_unstable();
    Ok(own)
}

/// Other groups whose ID is one of the words: what `get_group_public_info` shows to anybody, but for live
/// rooms.
async fn named(
    call: &Call<'_>,
    search: &Search,
    own: &[String],
) -> Result<Vec<Entry>, CommandError> {
    let mut found = Vec::new();
    for group_id in search.ids.iter().filter(|id| !own.contains(id)) {
        let Some(group) = describe(call, group_id, "").await? else { continue };
        let Some(profile) = group.profile else { continue };
        let rules = GroupType::parse(&profile.group_type).map(Rules::of);
        let open = |rules: &Rules| rules.public && rules.members == Members::Stored;
        if rules.is_some_and(open) && matches(search, &profile) {
            found.push(profile.into());
        }
    }
    Ok(found)
}

fn matches(search: &Search, profile: &v1::GroupProfile) -> bool {
    search.keywords.are_in(&[&profile.name, &profile.group_id])
}

/// A group, if there is one.
async fn describe(
    call: &Call<'_>,
    group_id: &str,
    user: &str,
) -> Result<Option<v1::DescribeGroupReply>, CommandError> {
    let request = v1::DescribeGroupRequest {
        app: call.context.app.0,
        group_id: group_id.to_owned(),
        user: user.to_owned(),
        ..v1::DescribeGroupRequest::default()
    };
    match lists::describe(call.rooms, call.clients, request).await {
        Ok(group) => Ok(Some(group)),
        Err(error) if [Code::GROUP_NOT_FOUND, Code::GROUP_BAD_ID].contains(&error.code) => Ok(None),
        Err(error) => Err(error),
    }
}
