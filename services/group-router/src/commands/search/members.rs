//! Members by their names, IDs and name cards, in groups that the caller is in.

use std::collections::HashMap;

use serde::Serialize;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};

use super::super::{Answer, Call};
use super::groups::own_groups;
use super::{Page, Search};
use crate::group::lists;
use crate::wire::MemberInfo;

/// Members that one search looks at.
const MOST: usize = 2_000;
/// Members that one turn of a group's actor lists, and whose names one question is about.
const AT_ONCE: u32 = 200;
/// A group costs as much as some members.
const GROUP_COSTS: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    total_count: usize,
    cursor: String,
    group_members: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "GroupID")]
    group_id: String,
    group_name: String,
    group_type: String,
    group_face_url: String,
    #[serde(rename = "GroupMemberUserID")]
    user: String,
    #[serde(rename = "GroupMemberUserName")]
    nick: String,
    #[serde(rename = "GroupMemberNameCard")]
    name_card: String,
    #[serde(rename = "GroupMemberAvatar")]
    avatar: String,
}

/// A page of members.
pub(in super::super) async fn search_members(call: &Call<'_>) -> Answer {
    let search = Search::read(call)?;
    let _place = call.clients.searches.begin(call.context.app, &call.context.caller.user)?;
    let mut groups = own_groups(call).await?;
    if !search.group_ids.is_empty() {
        groups.retain(|group_id| search.group_ids.contains(group_id));
    }
    let (from, mut within) = (search.cursor.group.clone(), search.cursor.member.clone());
    groups.retain(|group_id| *group_id > from || (*group_id == from && within.is_some()));
    let mut page = Page::new(search);
    let (mut names, mut looked_at, mut complete) = (HashMap::new(), 0, true);
    'groups: for group_id in &groups {
        let mut place = within.take().filter(|_| *group_id == from);
        loop {
            if !page.goes_on(looked_at, MOST) {
                complete = false;
                break 'groups;
            }
            let list = list(call, group_id, place.take()).await?;
            looked_at += GROUP_COSTS + list.members.len();
            learn_names(call, &mut names, &list.members).await?;
            let profile = list.profile.unwrap_or_default();
            for listed in list.members {
                let member = listed.member.unwrap_or_default();
                let last = (member.joined, listed.user.clone());
                let info = names.get(&listed.user).cloned().unwrap_or_default();
                if page.search.keywords.are_in(&[&listed.user, &info.nick, &member.name_card]) {
                    page.put(Entry {
                        group_id: group_id.clone(),
                        group_name: profile.name.clone(),
                        group_type: profile.group_type.clone(),
                        group_face_url: profile.face_url.clone(),
                        user: listed.user,
                        nick: info.nick,
                        name_card: member.name_card,
                        avatar: info.avatar,
                    });
                }
                page.pass(group_id, Some(last.clone()));
                place = Some(last);
            }
            if !list.more {
                page.pass(group_id, None);
                break;
            }
        }
    }
    let (group_members, total_count, cursor) = page.end(complete);
    call.ok(&Found { total_count, cursor, group_members })
}

/// The next members of a group; none where the caller is none of them.
async fn list(
    call: &Call<'_>,
    group_id: &str,
    behind: Option<(i64, String)>,
) -> Result<v1::ListMembersReply, CommandError> {
    let caller = &call.context.caller.user;
    let request = v1::ListMembersRequest {
        app: call.context.app.0,
        group_id: group_id.to_owned(),
        for_member: caller.clone(),
        behind: behind.map(|(joined, user)| v1::MemberPlace { joined, user }),
        limit: AT_ONCE,
    };
    match lists::members(call.clients, request).await {
        Ok(list) => {
            let hidden =
                |profile: &v1::GroupProfile| lists::is_hidden(profile) && profile.owner != *caller;
            let hidden = list.profile.as_ref().is_some_and(hidden);
            Ok(if hidden { v1::ListMembersReply::default() } else { list })
        }
        Err(error) if error.code == Code::GROUP_NOT_FOUND => Ok(v1::ListMembersReply::default()),
        Err(error) => Err(error),
    }
}

/// Asks for the names of those members that are not known yet.
async fn learn_names(
    call: &Call<'_>,
    names: &mut HashMap<String, MemberInfo>,
    members: &[v1::ListedMember],
) -> Result<(), CommandError> {
    let unknown = members.iter().map(|member| &member.user);
    let unknown: Vec<String> = unknown.filter(|user| !names.contains_key(*user)).cloned().collect();
    if !unknown.is_empty() {
        let infos = call.clients.fetch_briefs(call.context.app, unknown).await?;
        names.extend(infos.into_iter().map(|info| (info.user.clone(), info)));
    }
    Ok(())
}
