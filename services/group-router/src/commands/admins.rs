//! Admins of a live room: `modify_admin`, `get_admin_list` (REST notes 01, 3.51 and 3.52).

use serde::{Deserialize, Serialize};
use throng_protocol::error::Code;
use throng_protocol::limits;

use super::{Answer, Call, check_users};
use crate::room::Extra;
use crate::storage::{AdminsRow, RowKind, put_row};
use crate::wire::{MemberInfo, Notice, Tip, op, report};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifyRequest {
    group_id: String,
    command_type: u32,
    #[serde(rename = "Admin_Account")]
    users: Vec<String>,
}

/// Sets (1) or unsets (2) admins. They need not be in the room and keep the role when they leave.
pub(super) async fn modify_admin(call: &Call<'_>) -> Answer {
    let mut request: ModifyRequest = call.parse()?;
    request.users = check_users("Admin_Account", request.users, limits::LIVE_ADMINS)?;
    let set = match request.command_type {
        1 => true,
        2 => false,
        other => {
            let info = format!("CommandType: {other} is neither 1 (set) nor 2 (unset)");
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
    };
    let operator = call.operator(None).await?;
    let infos = call.clients.fetch_briefs(call.context.app, request.users.clone()).await?;
    let unknown = request.users.iter().find(|user| infos.iter().all(|info| info.user != **user));
    if let Some(unknown) = unknown.filter(|_| set) {
        return Err(
            Code::GROUP_UNKNOWN_ACCOUNT.with(format!("Admin_Account: no account {unknown}"))
        );
    }
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.live()?;
            let mut admins = room.admins.clone();
            if set {
                admins.extend(
                    request.users.iter().filter(|user| !room.admins.contains(user)).cloned(),
                );
            } else {
                admins.retain(|admin| !request.users.contains(admin));
            }
            if admins.len() > limits::LIVE_ADMINS {
                let info = format!("Admin_Account: at most {} admins", limits::LIVE_ADMINS);
                return Err(Code::GROUP_BAD_PARAMETER.with(info));
            }
            let changed =
                |info: &MemberInfo| room.admins.contains(&info.user) != admins.contains(&info.user);
            let members: Vec<_> = infos.into_iter().filter(changed).collect();
            if members.is_empty() {
                return Ok(());
            }
            unit.ops.push(put_row(RowKind::Admins, "", &AdminsRow { users: admins.clone() }));
            room.admins = admins;
            let users = members.iter().map(|member| member.user.clone()).collect();
            let kind = if set { report::BECAME_ADMIN } else { report::NO_LONGER_ADMIN };
            let notice = Notice { report: kind, operator: &operator.user, ..Notice::default() };
            room.notify(users, &notice, now, unit);
            let op = if set { op::ADMIN_SET } else { op::ADMIN_REVOKED };
            let tip = Tip { op, operator, members, ..Tip::default() };
            room.emit_tip(&tip, Extra::default(), now, unit);
            Ok(())
        })
        .await?;
    call.done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    group_id: String,
}

#[derive(Serialize)]
struct Admins {
    #[serde(rename = "Admin_List")]
    admins: Vec<AdminEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AdminEntry {
    #[serde(rename = "Admin_Account")]
    user: String,
    nick_name: String,
    avatar: String,
}

/// The admins of a live room.
pub(super) async fn get_admin_list(call: &Call<'_>) -> Answer {
    let request: ListRequest = call.parse()?;
    let admins = call
        .rooms
        .run(call.context.app, &request.group_id, |turn| Ok(turn.live()?.0.admins.clone()))
        .await?;
    let infos = if admins.is_empty() {
        Vec::new()
    } else {
        call.clients.fetch_briefs(call.context.app, admins).await?
    };
    let entry = |info: MemberInfo| AdminEntry {
        user: info.user,
        nick_name: info.nick,
        avatar: info.avatar,
    };
    call.ok(&Admins { admins: infos.into_iter().map(entry).collect() })
}
