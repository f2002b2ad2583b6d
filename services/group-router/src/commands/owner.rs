//! `change_group_owner` (REST notes 01, 3.15; SDK protocol notes 02, 2.1).

use serde::Deserialize;
use throng_protocol::error::Code;

use super::{Answer, Call, check_users};
use crate::core::roster::Member;
use crate::room::Extra;
use crate::storage::{RowKind, put_row};
use crate::wire::{ProfileChange, Tip, op};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    #[serde(rename = "NewOwner_Account")]
    user: String,
    #[serde(rename = "From_Account")]
    from: Option<String>,
}

/// Gives a group to one of its members, or an owner to a group that has none. Who was the owner stays a
/// member.
pub(super) async fn change_group_owner(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let users = check_users("NewOwner_Account", vec![request.user], 1)?;
    let operator = call.operator(request.from.as_deref()).await?;
    let mut infos = call.clients.fetch_briefs(call.context.app, users.clone()).await?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.permit(&context, room.rules.transfer, "give away groups")?;
            let Some(new) = infos.pop().filter(|info| room.is_member(&info.user)) else {
                let info = format!("NewOwner_Account: {} is not in this group", users[0]);
                return Err(Code::GROUP_BAD_PARAMETER.with(info));
            };
            if room.profile.owner == new.user {
                return Ok(());
            }
            // Whoever owned or helped is an ordinary member but for what it owns.
            let demote = |member: &mut Member| member.admin = false;
            room.change_member(&new.user, demote, unit);
            let before = std::mem::replace(&mut room.profile.owner, new.user.clone());
            for user in [&before, &new.user] {
                room.review_decider(user, unit);
            }
            room.profile.info_seq = room.profile.info_seq.saturating_add(1);
            room.profile.last_info = now.seconds;
            unit.ops.push(put_row(RowKind::Profile, "", &room.profile));
            let change =
                ProfileChange { owner: Some(new.user.clone()), ..ProfileChange::default() };
            let tip = Tip {
                op: op::PROFILE,
                operator,
                members: vec![new],
                profile: Some(change),
                ..Tip::default()
            };
            room.emit_tip(&tip, Extra::default(), now, unit);
            Ok(())
        })
        .await?;
    call.done()
}
