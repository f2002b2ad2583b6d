//! Descriptions of groups wherever they are: of this node's from their actors, of others' from their
//! owners.

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
        return describe_own(rooms, request).await;
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
    request: v1::DescribeGroupRequest,
) -> Result<v1::DescribeGroupReply, CommandError> {
    let v1::DescribeGroupRequest { app, group_id, user, with_last, listed, applications } = request;
    rooms
        .run(AppId(app), &group_id, move |turn| {
            let is_member = turn.slot.as_deref().is_some_and(|room| room.is_member(&user));
            if listed && !is_member {
                // Left by an owner that died between the group's row and the entry.
                turn.out.index.push(membership_entry(&user, &turn.key.group_id, None));
            }
            let closed_applications = turn.close_entries(&user, &applications);
            let (room, now, _) = turn.room()?;
            let user = Some(user.as_str()).filter(|user| !user.is_empty());
            Ok(v1::DescribeGroupReply {
                profile: Some(room.describe()),
                member: user.and_then(|user| room.membership(user, now.seconds)),
                last: user.filter(|_| with_last).and_then(|user| room.last_seen_by(user)),
                log: room.durable.as_ref().map(|durable| durable.log.log(&room.key)),
                closed_applications,
            })
        })
        .await
}

impl Turn<'_> {
    /// Takes out of a user's list the applications that do not wait for his decision, and tells their times.
    fn close_entries(&mut self, user: &str, listed: &[v1::ListedApplication]) -> Vec<u64> {
        let mut closed = Vec::new();
        for v1::ListedApplication { applicant, added } in listed {
            let is_open = self.slot.as_deref().is_some_and(|room| {
                let application = room.application(applicant);
                room.rules.approve.allows(room.role_of(user))
                    && application.is_some_and(|application| application.added == *added)
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
fn is_shown(group: &v1::DescribeGroupReply, with_hidden: bool) -> bool {
    let (Some(profile), Some(member)) = (&group.profile, &group.member) else { return false };
    let rules = GroupType::parse(&profile.group_type).map(Rules::of);
    let hidden = rules.is_some_and(|rules| rules.starts_hidden) && profile.next_msg_seq <= 1;
    with_hidden || !hidden || member.role == Role::Owner.wire()
}

/// A page of the groups that store a user as a member.
pub(crate) async fn joined(
    rooms: &Rooms,
    clients: &Clients,
    request: v1::JoinedGroupsRequest,
) -> Result<v1::JoinedGroupsReply, CommandError> {
    let v1::JoinedGroupsRequest { app, user, offset, limit, with_last, with_hidden, .. } = request;
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
        let listed = true;
        let applications = Vec::new();
        let request =
            v1::DescribeGroupRequest { app, group_id, user, with_last, listed, applications };
        describe(rooms, clients, request)
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
    let shown = |group: &v1::DescribeGroupReply| is_shown(group, with_hidden);
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(v1::JoinedGroupsReply {
        groups: groups.into_iter().flatten().filter(shown).collect(),
        total: number(total - wrong),
        // Wrong entries are gone by now, and those behind them have moved up.
        next_offset: if end < total { number((end - wrong).max(start + 1)) } else { 0 },
    })
}
