//! `modify_user_info`: marks of members (REST notes 01, 3.50; SDK protocol notes 02, 1.9).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Answer, Call, check_list, check_users};
use crate::core::marks::{self, ALWAYS_ONLINE, By, Refusal};
use crate::room::Role;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    command_type: u32,
    member_list: Vec<Marked>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Marked {
    #[serde(rename = "Member_Account")]
    user: String,
    marks: Vec<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    command_type: u32,
    member_list: Vec<Marked>,
}

/// Sets (1) or removes (2) marks. Members who are not in the room are left out of the answer; none
/// at all is a failure.
pub(super) async fn modify_user_info(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    check_list("MemberList", &request.member_list, limits::MARK_USERS)?;
    for entry in &request.member_list {
        check_users("MemberList.Member_Account", vec![entry.user.clone()], 1)?;
        check_list("MemberList.Marks", &entry.marks, limits::MARKS_PER_GROUP + 2)?;
    }
    let set = match request.command_type {
        1 => true,
        2 => false,
        other => {
            let info = format!("CommandType: {other} is neither 1 (set) nor 2 (remove)");
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
    };
    let context = call.context.clone();
    let done = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.live()?;
            let role = room.require(&context, Role::Admin, "mark members of this group")?;
            let by = if role == Role::AppAdmin { By::Admin } else { By::Client };
            for entry in &request.member_list {
                marks::check(by, &entry.marks).map_err(refusal)?;
            }
            let mut done = Vec::new();
            for entry in request.member_list {
                let user: Arc<str> = Arc::from(entry.user.as_str());
                let inside = room.members.contains_user(&user);
                let joined = room.latest.joined(&*user).unwrap_or_default();
                let changed = if !set {
                    room.marks.remove(by, &user, &entry.marks)
                } else if inside || entry.marks.iter().all(|mark| *mark == ALWAYS_ONLINE) {
                    let at = now.seconds.unsigned_abs();
                    room.marks.set(at, by, &user, joined, &entry.marks).map(|()| true)
                } else {
                    Ok(false)
                };
                if changed.map_err(refusal)? {
                    done.push(entry);
                }
            }
            Ok(done)
        })
        .await?;
    if done.is_empty() {
        return Err(Code::GROUP_BAD_PARAMETER.with("MemberList: none of them is in the group"));
    }
    call.ok(&Done { command_type: request.command_type, member_list: done })
}

fn refusal(refusal: Refusal) -> CommandError {
    match refusal {
        Refusal::BadMark => Code::GROUP_BAD_PARAMETER.with("Marks: 1000 and above"),
        Refusal::AdminOnly => {
            Code::GROUP_FORBIDDEN.with("Marks: 500 and 600 are for app administrators")
        }
        Refusal::TooManyMarks => Code::GROUP_TOO_MANY.with("Marks: at most 10 in a group"),
        Refusal::TooManyUsers => Code::GROUP_TOO_MANY.with("MemberList: at most 1000 with a mark"),
    }
}
