//! Deciding who becomes a member: `get_pendency`, `handle_apply_join_group`,
//! `handle_invite_join_permission_group`, `handle_invite_join_group` (SDK protocol notes 02, 2.1).

mod consent;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_protocol::limits;

use super::{Answer, Call, check_users};
use crate::group::{Arrival, lists};
use crate::room::Room;
use crate::storage::{Pendency, pendencies_of};
use crate::wire::{MemberInfo, Notice, report};
pub(super) use consent::handle_invite_join_group;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    #[serde(default)]
    start_time: u64,
    limit: Option<usize>,
    #[serde(rename = "Handle_Account")]
    user: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    /// Without it the client asks for ever.
    next_start_time: u64,
    pendency_list: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "From_Account")]
    from: String,
    from_user_nick_name: String,
    #[serde(rename = "To_Account")]
    to: String,
    group_id: String,
    group_name: String,
    authentication: &'static str,
    add_time: u64,
    /// 0: waits. Others are not listed.
    handled: u32,
    /// 0: somebody applied; 1: somebody wants to take the caller in; 2: a member wants to bring somebody
    /// in.
    pendency_type: u32,
    apply_invite_msg: String,
}

/// What waits for the caller's decision, the newest first. Clients ask by both names of the service: of
/// communities the one answers, of all other groups the other.
pub(super) async fn get_pendency(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    let user = &call.context.caller.user;
    if request.user.as_ref().is_some_and(|named| !named.is_empty() && named != user) {
        return Err(Code::GROUP_FORBIDDEN.with("Handle_Account: is not the caller"));
    }
    let limit = request.limit.unwrap_or(limits::PENDENCY_PAGE).clamp(1, limits::PENDENCY_PAGE);
    let store = &*call.clients.store;
    let (found, next_start_time) =
        pendencies_of(store, call.context.app, user, request.start_time, limit)
            .await
            .map_err(|error| Code::GROUP_INTERNAL.with(format!("applications: {error}")))?;
    let communities = call.context.service() == "million_group_open_http_svc";
    let wanted = |pendency: &Pendency| {
        (pendency.row.group_type == GroupType::Community.as_str()) == communities
    };
    let listed = found.into_iter().filter(wanted).collect();
    let pendency_list = open_ones(call, listed).await.into_iter().map(entry).collect();
    call.ok(&List { next_start_time, pendency_list })
}

/// Without those that wait for no decision by the caller any more: an owner that died between the row of an
/// application and its entries left them. Those of a group that does not answer stay.
async fn open_ones(call: &Call<'_>, mut listed: Vec<Pendency>) -> Vec<Pendency> {
    let mut groups: BTreeMap<String, Vec<v1::ListedApplication>> = BTreeMap::new();
    for Pendency { group_id, applicant, row } in &listed {
        let added = row.application.as_ref().map_or(0, |application| application.added);
        let application = v1::ListedApplication { applicant: applicant.clone(), added };
        groups.entry(group_id.clone()).or_default().push(application);
    }
    for (group_id, applications) in groups {
        let request = v1::DescribeGroupRequest {
            app: call.context.app.0,
            group_id: group_id.clone(),
            user: call.context.caller.user.clone(),
            applications,
            ..v1::DescribeGroupRequest::default()
        };
        let closed = match lists::describe(call.rooms, call.clients, request).await {
            Ok(group) => Some(group.closed_applications),
            Err(error) if error.code == Code::GROUP_NOT_FOUND => None,
            Err(_) => continue,
        };
        listed.retain(|one| {
            let added = one.row.application.as_ref().map_or(0, |application| application.added);
            let is_open = closed.as_ref().is_some_and(|closed| !closed.contains(&added));
            one.group_id != group_id || is_open
        });
    }
    listed
}

fn entry(pendency: Pendency) -> Entry {
    let Pendency { group_id, applicant, row } = pendency;
    let application = row.application.unwrap_or_default();
    let invited = !application.inviter.is_empty();
    let (from, to) =
        if invited { (application.inviter, applicant) } else { (applicant, String::new()) };
    Entry {
        from,
        from_user_nick_name: if invited && !row.own { String::new() } else { application.nick },
        to,
        group_id,
        group_name: row.group_name,
        authentication: "",
        add_time: application.added,
        handled: 0,
        pendency_type: match (row.own, invited) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 0,
        },
        apply_invite_msg: application.text,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DecideRequest {
    group_id: String,
    #[serde(rename = "Applicant_Account")]
    applicant: String,
    /// Where the applicant is a member who wants to bring somebody in.
    #[serde(rename = "Invited_Account")]
    invited: Option<String>,
    handle_msg: String,
    #[serde(default)]
    approval_msg: String,
    #[serde(default)]
    msg_key: u64,
}

/// Decides about an application; or about an invitation of the caller's, which clients list among those.
pub(super) async fn handle_apply_join_group(call: &Call<'_>) -> Answer {
    let request: DecideRequest = call.parse()?;
    if consent::is_asked(call, &request.group_id, &request.applicant).await? {
        return consent::answer(call, request.into()).await;
    }
    decide(call, DecideRequest { invited: None, ..request }).await
}

/// Decides whether a member may bring somebody in.
pub(super) async fn handle_invite_join_permission_group(call: &Call<'_>) -> Answer {
    let request: DecideRequest = call.parse()?;
    if request.invited.is_none() {
        return Err(Code::GROUP_BAD_PARAMETER.with("Invited_Account: missing"));
    }
    decide(call, request).await
}

/// Reads a decision.
fn agreed(handle_msg: &str) -> Result<bool, CommandError> {
    match handle_msg {
        "Agree" => Ok(true),
        "Reject" => Ok(false),
        other => {
            let info = format!("HandleMsg: {other:?} is neither Agree nor Reject");
            Err(Code::GROUP_BAD_PARAMETER.with(info))
        }
    }
}

async fn decide(call: &Call<'_>, request: DecideRequest) -> Answer {
    let agreed = agreed(&request.handle_msg)?;
    let user = request.invited.unwrap_or(request.applicant);
    let users = check_users("Applicant_Account", vec![user.clone()], 1)?;
    let applicant = call.known_users("Applicant_Account", users).await?.pop().unwrap_or_default();
    let inviter = inviter_of(call, &request.group_id, &user).await?;
    if agreed {
        call.check_groups_of(&user).await?;
    }
    let operator = call.operator(None).await?;
    let consent = call.group_policy().await?.invite_consent;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.permit(&context, room.rules.approve, "decide about applications to groups")?;
            room.check_open(&user, request.msg_key)?;
            if agreed {
                room.refuse_banned(&user, now.seconds)?;
                room.refuse_when_full(1)?;
            }
            let Some(application) = room.take_application(&user, unit) else { return Ok(()) };
            let invited = !application.inviter.is_empty();
            if invited && agreed && consent {
                // Who is brought in has the last word, and the inviter hears of that.
                let inviter = inviter.unwrap_or(operator);
                room.invite(&user, &inviter, now, unit);
                return Ok(());
            }
            let report = match (invited, agreed) {
                (false, true) => report::ACCEPTED,
                (false, false) => report::REFUSED,
                (true, true) => report::INVITATION_ACCEPTED,
                (true, false) => report::INVITATION_REFUSED,
            };
            let notice = Notice {
                report,
                operator: &operator.user,
                remark: &request.approval_msg,
                ..Notice::default()
            };
            let asked = if invited { application.inviter.clone() } else { user.clone() };
            room.notify(vec![asked], &notice, now, unit);
            if agreed {
                let arrival = if invited {
                    Arrival::Added { operator: inviter.unwrap_or(operator), silently: false }
                } else {
                    Arrival::Joined
                };
                room.admit(vec![applicant], &arrival, now, unit);
            }
            Ok(())
        })
        .await?;
    call.done()
}

/// What tips show of the member who wants to bring a user in.
async fn inviter_of(
    call: &Call<'_>,
    group_id: &str,
    user: &str,
) -> Result<Option<MemberInfo>, CommandError> {
    let user = user.to_owned();
    let inviter = call
        .rooms
        .run(call.context.app, group_id, move |turn| {
            let application = turn.room()?.0.application(&user);
            Ok(application.map(|application| application.inviter.clone()))
        })
        .await?;
    match inviter.filter(|inviter| !inviter.is_empty()) {
        Some(inviter) => {
            Ok(call.clients.fetch_briefs(call.context.app, vec![inviter]).await?.pop())
        }
        None => Ok(None),
    }
}

impl Room {
    /// Refuses a decision about what does not wait for one any more.
    fn check_open(&self, user: &str, msg_key: u64) -> Result<(), CommandError> {
        let open = self.application(user);
        if open.is_some_and(|open| msg_key == 0 || msg_key == open.added) {
            return Ok(());
        }
        let info = format!("Applicant_Account: no application of {user} waits for a decision");
        Err(Code::GROUP_ALREADY_HANDLED.with(info))
    }
}
