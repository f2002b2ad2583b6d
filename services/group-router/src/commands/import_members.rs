//! `import_group_member`: members of a group that was elsewhere before (REST notes 01, 3.26). Nobody is
//! told anything.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Answer, Call, check_users};
use crate::core::roster::Member;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    member_list: Vec<Imported>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Imported {
    #[serde(rename = "Member_Account")]
    user: String,
    role: Option<String>,
    join_time: Option<i64>,
    #[serde(default)]
    unread_msg_num: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Results {
    member_list: Vec<ResultEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResultEntry {
    #[serde(rename = "Member_Account")]
    user: String,
    /// 0 failed, 1 imported, 2 was a member.
    result: u32,
}

/// Makes users members, with what they were before. They may read everything.
pub(super) async fn import_group_member(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let names = request.member_list.iter().map(|member| member.user.clone()).collect();
    let users = check_users("MemberList.Member_Account", names, limits::ADD_MEMBERS)?;
    for member in &request.member_list {
        check_role(member.role.as_deref())?;
    }
    let known = call.clients.fetch_briefs(call.context.app, users.clone()).await?;
    let mut named: HashMap<String, Imported> =
        request.member_list.into_iter().map(|member| (member.user.clone(), member)).collect();
    named.retain(|user, _| known.iter().any(|info| info.user == *user));
    let member_list = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.with_roster(Code::GROUP_FORBIDDEN)?;
            let head = room.next_seq() - 1;
            let times = room.profile.created..=now.seconds;
            let mut results = Vec::with_capacity(users.len());
            for user in users {
                let result = match named.get(&user) {
                    _ if room.is_member(&user) => 2,
                    Some(imported)
                        if imported.join_time.is_none_or(|time| times.contains(&time))
                            && room.refuse_when_full(1).is_ok() =>
                    {
                        let unread = imported.unread_msg_num.min(head);
                        let admin = imported.role.as_deref() == Some("Admin");
                        let member = Member {
                            admin: admin && room.rules.has_admins(),
                            joined: imported.join_time.unwrap_or(now.seconds),
                            read: head - unread,
                            receive: room.rules.receive,
                            ..Member::default()
                        };
                        room.put_member(&user, member, unit);
                        1
                    }
                    _ => 0,
                };
                results.push(ResultEntry { user, result });
            }
            Ok(results)
        })
        .await?;
    call.ok(&Results { member_list })
}

fn check_role(role: Option<&str>) -> Result<(), CommandError> {
    match role {
        None | Some("" | "Member" | "Admin") => Ok(()),
        Some(role) => {
            let info = format!("MemberList.Role: {role:?} is not Admin");
            Err(Code::GROUP_BAD_PARAMETER.with(info))
        }
    }
}
