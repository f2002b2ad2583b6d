//! Robots: accounts that a live room lists always (REST notes 01, 3.53 and 3.54).

use std::sync::Arc;

use serde::Deserialize;
use throng_protocol::error::Code;
use throng_protocol::limits;

use super::{Answer, Call, check_users};
use crate::storage::{RobotsRow, RowKind, put_row};

/// Robots in one room.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    #[serde(rename = "Member_Account")]
    users: Vec<String>,
}

/// Lists accounts from now on, whether they are online or not.
pub(super) async fn add_robots(call: &Call<'_>) -> Answer {
    let mut request: Request = call.parse()?;
    request.users = check_users("Member_Account", request.users, limits::MARK_USERS)?;
    let known = call.clients.fetch_briefs(call.context.app, request.users.clone()).await?;
    if let Some(unknown) =
        request.users.iter().find(|user| known.iter().all(|info| info.user != **user))
    {
        return Err(
            Code::GROUP_UNKNOWN_ACCOUNT.with(format!("Member_Account: no account {unknown}"))
        );
    }
    change(call, request, |robots, users| {
        robots.extend(users);
        robots.sort();
        robots.dedup();
    })
    .await
}

/// Lists them no more.
pub(super) async fn del_robots(call: &Call<'_>) -> Answer {
    let mut request: Request = call.parse()?;
    request.users = check_users("Member_Account", request.users, limits::MARK_USERS)?;
    change(call, request, |robots, users| robots.retain(|robot| !users.contains(robot))).await
}

async fn change(
    call: &Call<'_>,
    request: Request,
    edit: impl FnOnce(&mut Vec<String>, Vec<String>) + Send + 'static,
) -> Answer {
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.live()?;
            let mut robots = room.robots.clone();
            edit(&mut robots, request.users);
            if robots.len() > MOST {
                let info = format!("Member_Account: at most {MOST} robots in a room");
                return Err(Code::GROUP_BAD_PARAMETER.with(info));
            }
            let listed: Vec<Arc<str>> =
                robots.iter().map(|robot| Arc::from(robot.as_str())).collect();
            if room.marks.add_robots(now.seconds.unsigned_abs(), &listed).is_err() {
                return Err(Code::GROUP_TOO_MANY.with("Member_Account: too many marked users"));
            }
            for robot in room.robots.iter().filter(|robot| !robots.contains(robot)) {
                room.marks.remove_robot(&Arc::from(robot.as_str()));
            }
            unit.ops.push(put_row(RowKind::Robots, "", &RobotsRow { users: robots.clone() }));
            room.robots = robots;
            Ok(())
        })
        .await?;
    call.done()
}
