//! Commands of clients and administrators about conversations and what was missed.
//!
//! Live rooms are no conversations of the server's: until the other types of groups and one-to-one
//! messages are kept, everybody's list is empty. The answers have the shapes that the SDKs rely on,
//! so that their start-up goes on.

mod conversations;
mod messages;

use bytes::Bytes;
use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};

/// Answers one command.
pub(crate) fn execute(context: &Context, body: &[u8]) -> Result<Bytes, CommandError> {
    match (context.service(), context.command()) {
        ("recentcontact", "page_get") => conversations::page_get(body),
        ("recentcontact", "get_list") => conversations::get_list(body),
        ("recentcontact", "get_contact_group") => conversations::get_contact_group(body),
        ("recentcontact", "search_contact_group") => conversations::search_contact_group(body),
        ("openim", "getmsg") => messages::getmsg(body),
        ("openim", "authkey") => messages::authkey(body),
        _ => Err(Code::UNKNOWN_COMMAND.with(format!("no such command: {}", context.name))),
    }
}

#[cfg(test)]
mod tests;
