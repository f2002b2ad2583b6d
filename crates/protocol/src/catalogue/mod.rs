//! The catalogue of commands: one row for every command that a client or an app server can send.
//!
//! A client's `servcmd` ("group_open_http_svc.send_group_msg") and a REST path
//! (`/v4/group_open_http_svc/send_group_msg`) name the same row. The gateway needs nothing else to
//! serve a command: who may call it, how often, who owns it and what part of the body says where to
//! send it. A new command is one row here and one handler at its owner.

mod accounts;
mod command;
mod communities;
mod conversations;
mod group_messages;
mod groups;
mod live_rooms;
mod messages;
mod page;
mod relations;
mod routing;
mod sessions;
mod surroundings;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use command::{Callers, Command, Family, Owner, RoutingKey, Support, UserKey};
pub use page::coverage_markdown;
pub use routing::{routing_group, routing_user};

use crate::error::{Code, CommandError};

/// All rows, by file.
static ROWS: &[&[Command]] = &[
    sessions::ROWS,
    groups::ROWS,
    group_messages::ROWS,
    live_rooms::ROWS,
    communities::ROWS,
    accounts::ROWS,
    relations::ROWS,
    conversations::ROWS,
    messages::ROWS,
    surroundings::ROWS,
];

type Index = HashMap<(&'static str, &'static str), &'static Command>;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index::new();
    for command in commands() {
        for name in std::iter::once(&command.name).chain(command.aliases) {
            let (service, rest) = name.split_once('.').expect("a row is named service.command");
            let before = index.insert((canonical(service), rest), command);
            assert!(before.is_none(), "{name} is in the catalogue twice");
        }
    }
    index
});

/// All commands, in the catalogue's order.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    ROWS.iter().copied().flatten()
}

/// The row of a command, whichever of a service's names it was called by.
#[must_use]
pub fn lookup(service: &str, command: &str) -> Option<&'static Command> {
    INDEX.get(&(canonical(service), command)).copied()
}

/// The error for a command that [`lookup`] does not know: 10003 within the group services, 60009
/// elsewhere.
#[must_use]
pub fn unknown(service: &str, command: &str) -> CommandError {
    let code = match canonical(service) {
        GROUP_SERVICE | "openim_msg_ext_http_svc" => Code::GROUP_UNKNOWN_COMMAND,
        _ => Code::UNKNOWN_COMMAND,
    };
    // Strangers choose these names: they are cut before they go into an answer or a log.
    let shown = |name: &str| name.chars().take(64).collect::<String>();
    code.with(format!("{}/{}: no such command", shown(service), shown(command)))
}

const GROUP_SERVICE: &str = "group_open_http_svc";

/// One name for all services that the same group commands are called by: clients choose among them
/// by the type of the group, administrators by the documents' age (SDK protocol notes 02,
/// introduction).
fn canonical(service: &str) -> &str {
    match service {
        "million_group_open_http_svc"
        | "group_open_attr_http_svc"
        | "group_open_avchatroom_http_svc" => GROUP_SERVICE,
        _ => service,
    }
}

#[cfg(test)]
mod tests;
