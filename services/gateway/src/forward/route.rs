//! Which node of its owner a command goes to.

use throng_proto::{Route, v1};
use throng_protocol::catalogue::{self, Command, Owner};
use throng_protocol::error::CommandError;
use throng_protocol::ids::{AppId, group_hash, user_hash};

/// The route of a command.
///
/// # Errors
/// As [`catalogue::routing_group`], for a command that has to name a group and does not.
pub(super) fn route(
    command: &Command,
    request: &v1::CommandRequest,
) -> Result<Route, CommandError> {
    let app = AppId(request.app);
    let route = match command.owner {
        Owner::GroupRouter => {
            let group = catalogue::routing_group(command.key, &request.body)?;
            if group.is_empty() { Route::ANY } else { Route::hash(group_hash(app, &group)) }
        }
        // A session's commands about status go where its user is at home; an administrator's name
        // users of every home.
        Owner::Presence => match (&request.caller, &request.origin) {
            (Some(caller), Some(origin)) if origin.inst_id != 0 => {
                Route::hash(user_hash(app, &caller.user))
            }
            _ => Route::ANY,
        },
        Owner::History | Owner::Directory | Owner::Gateway => Route::ANY,
    };
    Ok(if command.repeatable { route } else { route.once() })
}
