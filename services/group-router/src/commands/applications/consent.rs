//! `handle_invite_join_group`: who was taken in by somebody agrees, or does not.

use serde::Deserialize;
use throng_protocol::error::{Code, CommandError};

use super::{Answer, Call, DecideRequest, agreed};
use crate::group::Arrival;
use crate::room::Room;
use crate::wire::{MemberInfo, Notice, report};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Consent {
    group_id: String,
    #[serde(rename = "Inviter_Account")]
    inviter: String,
    handle_msg: String,
    #[serde(default)]
    approval_msg: String,
    #[serde(default)]
    msg_key: u64,
}

impl From<DecideRequest> for Consent {
    fn from(request: DecideRequest) -> Self {
        Self {
            group_id: request.group_id,
            inviter: request.applicant,
            handle_msg: request.handle_msg,
            approval_msg: request.approval_msg,
            msg_key: request.msg_key,
        }
    }
}

/// The caller decides about an invitation of his own. To agree once more changes nothing.
pub(in super::super) async fn handle_invite_join_group(call: &Call<'_>) -> Answer {
    answer(call, call.parse()?).await
}

/// Whether this user waits for the caller's word about an invitation.
pub(super) async fn is_asked(
    call: &Call<'_>,
    group_id: &str,
    inviter: &str,
) -> Result<bool, CommandError> {
    let (caller, inviter) = (call.context.caller.user.clone(), inviter.to_owned());
    call.rooms
        .run(call.context.app, group_id, move |turn| {
            let invitation = turn.room()?.0.invitation(&caller);
            Ok(invitation.is_some_and(|invitation| invitation.inviter == inviter))
        })
        .await
}

pub(super) async fn answer(call: &Call<'_>, request: Consent) -> Answer {
    let agreed = agreed(&request.handle_msg)?;
    let invited = call.operator(None).await?;
    if agreed {
        call.check_groups_of(&invited.user).await?;
    }
    let known = call.clients.fetch_briefs(call.context.app, vec![request.inviter.clone()]).await?;
    let inviter = known.into_iter().next();
    let inviter = inviter
        .unwrap_or_else(|| MemberInfo { user: request.inviter.clone(), ..MemberInfo::default() });
    let group_id = request.group_id.clone();
    call.rooms
        .run(call.context.app, &group_id, move |turn| {
            let (room, now, unit) = turn.with_roster(Code::GROUP_FORBIDDEN)?;
            if agreed && room.is_member(&invited.user) {
                return Ok(());
            }
            room.check_invited(&invited.user, &request)?;
            if agreed {
                room.refuse_banned(&invited.user, now.seconds)?;
                room.refuse_when_full(1)?;
            }
            room.take_invitation(&invited.user, unit);
            let report =
                if agreed { report::INVITATION_ACCEPTED } else { report::INVITATION_REFUSED };
            let notice = Notice {
                report,
                operator: &invited.user,
                remark: &request.approval_msg,
                ..Notice::default()
            };
            room.notify(vec![inviter.user.clone()], &notice, now, unit);
            if agreed {
                let arrival = Arrival::Added { operator: inviter, silently: false };
                room.admit(vec![invited], &arrival, now, unit);
            }
            Ok(())
        })
        .await?;
    call.done()
}

impl Room {
    /// Refuses a word about an invitation that there is not, or not any more.
    fn check_invited(&self, user: &str, request: &Consent) -> Result<(), CommandError> {
        let open = self.invitation(user).filter(|open| {
            open.inviter == request.inviter
                && (request.msg_key == 0 || request.msg_key == open.added)
        });
        let info = || format!("Inviter_Account: no invitation by {} waits", request.inviter);
        open.map(|_| ()).ok_or_else(|| Code::GROUP_ALREADY_HANDLED.with(info()))
    }
}
