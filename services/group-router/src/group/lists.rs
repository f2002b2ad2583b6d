//! Descriptions of groups wherever they are: of this node's from their actors, of others' from their
//! owners.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use throng_proto::{Route, v1};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::{AppId, GroupType, group_hash};
use throng_protocol::limits;

use crate::actor::{Rooms, Turn};
use crate::clients::{CALL_TIME, Clients, routed, unavailable};
use crate::core::rules::{Role, Rules};
use crate::storage::{groups_of, membership_entry, pendency_entry};

/// Groups that are asked at the same time.
const SIDE_BY_SIDE: usize = 32;
/// Groups of one page.
const PAGE: usize = 200;
/// Members that one turn of an actor lists.
const MEMBERS: usize = 500;

/// One group, for a user if one is named.
///
/// # Errors
/// 10010 when there is no such group.
pub(crate) async fn describe(
    rooms: &Rooms,
    clients: &Clients,
    request: v1::DescribeGroupRequest,
) -> Result<v1::DescribeGroupReply, CommandError> {
    let app = AppId(request.app);
    if rooms.owns(app, &request.group_id) {
        return describe_own(rooms, clients, request).await;
    }
    let owner = Route::hash(group_hash(app, &request.group_id));
    let not_found = format!("GroupId: no group {} (or it was dismissed)", request.group_id);
    let reply = clients.groups.clone().describe_group(routed(owner, CALL_TIME, request)).await;
    match reply {
        Ok(reply) => Ok(reply.into_inner()),
        Err(status) if status.code() == tonic::Code::NotFound => {
            Err(Code::GROUP_NOT_FOUND.with(not_found))
        }
        Err(status) => Err(unavailable(status)),
    }
}

/// One group of this node.
///
/// # Errors
/// 10010 when there is no such group.
pub(crate) async fn describe_own(
    rooms: &Rooms,
    clients: &Clients,
    request: v1::DescribeGroupRequest,
) -> Result<v1::DescribeGroupReply, CommandError> {
    let v1::DescribeGroupRequest {
        app,
        group_id,
        user,
        with_last,
        listed,
        mentions_since,
        applications,
    } = request;
    let member = user.clone();
    let (mut described, last) = rooms
        .run(AppId(app), &group_id, move |turn| {
            let is_member = turn.slot.as_deref().is_some_and(|room| room.is_member(&member));
            if listed && !is_member {
                // Left by an owner that died between the group's row and the entry.
                turn.out.index.push(membership_entry(&member, &turn.key.group_id, None));
            }
            let closed_applications = turn.close_entries(&member, &applications);
            let (room, now, _) = turn.room()?;
            let member = Some(member.as_str()).filter(|member| !member.is_empty());
            let described = v1::DescribeGroupReply {
                profile: Some(room.describe()),
                member: member.and_then(|member| room.membership(member, now.seconds)),
                last: None,
                log: room.durable.as_ref().map(|durable| durable.log.log(&room.key)),
                mentions: member
                    .filter(|_| mentions_since > 0)
                    .map(|member| room.mentions_of(member, mentions_since))
                    .unwrap_or_default(),
                closed_applications,
            };
            let last = member.filter(|_| with_last).and_then(|member| room.last_seen_by(member));
            Ok((described, last))
        })
        .await?;
    if let Some(last) = last {
        described.last = last.find(clients, &user).await?;
    }
    Ok(described)
}

impl Turn<'_> {
    /// Takes out of a user's list what does not wait for his decision, applications of others and an
    /// invitation of his own, and tells their times.
    fn close_entries(&mut self, user: &str, listed: &[v1::ListedApplication]) -> Vec<u64> {
        let mut closed = Vec::new();
        for v1::ListedApplication { applicant, added } in listed {
            let is_open = self.slot.as_deref().is_some_and(|room| {
                let decides = room.rules.approve.allows(room.role_of(user));
                let application = room.application(applicant).filter(|_| decides);
                let invitation = room.invitation(applicant).filter(|_| applicant == user);
                let mut open = application.into_iter().chain(invitation);
                open.any(|open| open.added == *added)
            });
            if !is_open {
                let group_id = &self.key.group_id;
                self.out.index.push(pendency_entry(user, group_id, applicant, *added, None));
                closed.push(*added);
            }
        }
        closed
    }
}

/// Whether a group is shown to the member that it was described for.
pub(crate) fn is_shown(group: &v1::DescribeGroupReply, with_hidden: bool) -> bool {
    let (Some(profile), Some(member)) = (&group.profile, &group.member) else { return false };
    with_hidden || !is_hidden(profile) || member.role == Role::Owner.wire()
}

/// Whether nobody but its owner is shown a group yet.
pub(crate) fn is_hidden(profile: &v1::GroupProfile) -> bool {
    let rules = GroupType::parse(&profile.group_type).map(Rules::of);
    rules.is_some_and(|rules| rules.starts_hidden) && profile.next_msg_seq <= 1
}

/// A page of the stored members of a group, wherever it is.
///
/// # Errors
/// 10010 when there is no such group.
pub(crate) async fn members(
    clients: &Clients,
    request: v1::ListMembersRequest,
) -> Result<v1::ListMembersReply, CommandError> {
    let owner = Route::hash(group_hash(AppId(request.app), &request.group_id));
    let not_found = format!("GroupId: no group {} (or it was dismissed)", request.group_id);
    match clients.groups.clone().list_members(routed(owner, CALL_TIME, request)).await {
        Ok(reply) => Ok(reply.into_inner()),
        Err(status) if status.code() == tonic::Code::NotFound => {
            Err(Code::GROUP_NOT_FOUND.with(not_found))
        }
        Err(status) => Err(unavailable(status)),
    }
}

/// The same of a group of this node.
///
/// # Errors
/// 10010 when there is no such group.
pub(crate) async fn members_own(
    rooms: &Rooms,
    request: v1::ListMembersRequest,
) -> Result<v1::ListMembersReply, CommandError> {
    let v1::ListMembersRequest { app, group_id, for_member, behind, limit } = request;
    let limit = (limit as usize).min(MEMBERS);
    rooms
        .run(AppId(app), &group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            let mut reply = v1::ListMembersReply {
                profile: Some(room.describe()),
                refused: !for_member.is_empty() && !room.is_member(&for_member),
                ..v1::ListMembersReply::default()
            };
            let Some(durable) = room.durable.as_ref().filter(|_| !reply.refused) else {
                return Ok(reply);
            };
            let behind = behind.as_ref().map(|place| (place.joined, place.user.as_str()));
            let mut members = durable.roster.behind(behind);
            let listed = |(user, _): (&Arc<str>, _)| v1::ListedMember {
                user: user.to_string(),
                member: room.membership(user, now.seconds),
            };
            reply.members = members.by_ref().take(limit).map(listed).collect();
            reply.more = members.next().is_some();
            Ok(reply)
        })
        .await
}

/// A page of the groups that store a user as a member.
pub(crate) async fn joined(
    rooms: &Rooms,
    clients: &Clients,
    request: v1::JoinedGroupsRequest,
) -> Result<v1::JoinedGroupsReply, CommandError> {
    let v1::JoinedGroupsRequest { app, user, offset, limit, with_last, with_hidden, .. } = request;
    let mentions_since = request.mentions_since;
    let wanted = |name: &str| {
        (request.group_type.is_empty() || request.group_type == name)
            && (request.except_type.is_empty() || request.except_type != name)
    };
    let most = limits::GROUPS_PER_USER;
    let all = groups_of(&*clients.store, AppId(app), &user, wanted, most)
        .await
        .map_err(|error| Code::GROUP_INTERNAL.with(format!("groups of a user: {error}")))?;
    let (total, start) = (all.len(), offset as usize);
    let page = all.into_iter().skip(start).take((limit as usize).min(PAGE));
    let end = start.saturating_add((limit as usize).min(PAGE)).min(total);
    let asked = page.map(|group_id| {
        let user = user.clone();
        let asked = v1::DescribeGroupRequest {
            app,
            group_id,
            user,
            with_last,
            listed: true,
            mentions_since,
            ..v1::DescribeGroupRequest::default()
        };
        describe(rooms, clients, asked)
    });
    let answers = stream::iter(asked.collect::<Vec<_>>()).buffered(SIDE_BY_SIDE);
    // An entry may be left of a group that is gone, or that the user is no member of.
    let groups = answers.map(|answer| match answer {
        Err(error) if error.code == Code::GROUP_NOT_FOUND => Ok(None),
        Ok(group) => Ok(group.member.is_some().then_some(group)),
        Err(error) => Err(error),
    });
    let groups: Vec<Option<_>> = groups.try_collect().await?;
    let wrong = groups.iter().filter(|group| group.is_none()).count();
    let shown = |group: &v1::DescribeGroupReply| {
        is_shown(group, with_hidden) && (mentions_since == 0 || !group.mentions.is_empty())
    };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(v1::JoinedGroupsReply {
        groups: groups.into_iter().flatten().filter(shown).collect(),
        total: number(total - wrong),
        // Wrong entries are gone by now, and those behind them have moved up.
        next_offset: if end < total { number((end - wrong).max(start + 1)) } else { 0 },
    })
}
