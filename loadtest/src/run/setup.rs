//! Before the first client: the app's server makes the rooms, over REST.

use std::io;

use serde::Deserialize;
use serde_json::json;
use throng_protocol::usersig;

use super::http::HttpLine;
use crate::client::address::Gateway;
use crate::client::common::Common;
use crate::plan::Plan;
use crate::profile::RoomKind;

/// What went wrong over REST.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The connection.
    #[error("{command}: {error}")]
    Io {
        /// The command.
        command: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The answer.
    #[error("{command} is refused: {code} {info}")]
    Refused {
        /// The command.
        command: &'static str,
        /// Its `ErrorCode`, or the HTTP status.
        code: i64,
        /// Its `ErrorInfo`.
        info: String,
    },
}

/// An administrator of the app on one connection.
pub(super) struct Admin {
    line: HttpLine,
    query: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Answer {
    error_code: i64,
    error_info: String,
}

impl Admin {
    pub(super) fn connect(
        gateways: &[Gateway],
        common: &Common,
        admin: &str,
        now_s: i64,
    ) -> io::Result<Self> {
        let line = HttpLine::connect_to_any(gateways)?;
        let sig = usersig::sign(common.app, &common.key, admin, now_s, 86_400, None);
        let app = common.app;
        let query =
            format!("sdkappid={app}&identifier={admin}&usersig={sig}&random=1&contenttype=json");
        Ok(Self { line, query })
    }

    /// Calls a command with a JSON body.
    pub(super) fn call(
        &mut self,
        command: &'static str,
        body: &serde_json::Value,
    ) -> Result<(), RestError> {
        let path = format!("/v4/{command}?{}", self.query);
        let (status, answer) = self
            .line
            .exchange(&path, Some(body.to_string().as_bytes()))
            .map_err(|error| RestError::Io { command, error })?;
        let refused = |code, info| Err(RestError::Refused { command, code, info });
        if status != 200 {
            return refused(i64::from(status), String::from_utf8_lossy(&answer).into_owned());
        }
        match serde_json::from_slice::<Answer>(&answer) {
            Ok(answer) if answer.error_code == 0 => Ok(()),
            Ok(answer) => refused(answer.error_code, answer.error_info),
            Err(error) => refused(-1, error.to_string()),
        }
    }
}

/// Makes all rooms.
pub(super) fn make_rooms(
    gateways: &[Gateway],
    common: &Common,
    admin: &str,
    now_s: i64,
    plan: &Plan,
) -> Result<(), RestError> {
    let command = "group_open_http_svc/create_group";
    let mut rest = Admin::connect(gateways, common, admin, now_s)
        .map_err(|error| RestError::Io { command, error })?;
    let members = plan.members_of_rooms();
    for ((room, kind), members) in (0..).zip(&plan.kinds).zip(members) {
        let mut body = json!({
            "Type": kind.wire(),
            "GroupId": common.group(room),
            "Name": format!("load {room}"),
        });
        if *kind == RoomKind::Public {
            body["ApplyJoinOption"] = "FreeAccess".into();
            body["MaxMemberCount"] = members.into();
        }
        rest.call(command, &body)?;
    }
    Ok(())
}

/// Removes them again, as far as that goes.
pub(super) fn remove_rooms(
    gateways: &[Gateway],
    common: &Common,
    admin: &str,
    now_s: i64,
    count: u32,
) {
    if let Ok(mut rest) = Admin::connect(gateways, common, admin, now_s) {
        for room in 0..count {
            let body = json!({ "GroupId": common.group(room) });
            let _ = rest.call("group_open_http_svc/destroy_group", &body);
        }
    }
}
