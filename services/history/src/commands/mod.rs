//! Commands of clients and administrators about conversations and what was missed.
//!
//! The conversations of a user are the groups that store the user as a member, with what their owners
//! say of them. Live rooms are no conversations of the server's, and one-to-one messages are not
//! kept yet; where nothing else is, answers are empty lists in the shapes that the SDKs rely on.

mod conversations;
mod merged;
mod messages;
mod session_item;

use std::sync::Arc;

use bytes::Bytes;
use throng_node::command::Context;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_protocol::error::{Code, CommandError};

use crate::merged::MergedLists;

/// What commands need.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    /// To the owners of groups, who know a user's conversations.
    pub(crate) groups: GroupRouterClient<Link>,
    pub(crate) merged: Arc<MergedLists>,
    pub(crate) secret: Secret,
}

/// Answers one command.
pub(crate) async fn execute(
    context: &Context,
    body: &[u8],
    commands: &Commands,
) -> Result<Bytes, CommandError> {
    let Commands { groups, merged, secret } = commands;
    match (context.service(), context.command()) {
        ("recentcontact", "page_get") => conversations::page_get(context, body, groups).await,
        ("recentcontact", "get_list") => conversations::get_list(context, body, groups).await,
        ("recentcontact", "get_contact_group") => conversations::get_contact_group(body),
        ("recentcontact", "search_contact_group") => conversations::search_contact_group(body),
        ("openim", "getmsg") => messages::getmsg(context, body, groups).await,
        ("openim", "deletemsg") => messages::deletemsg(context, body, groups).await,
        ("openim", "authkey") => messages::authkey(body),
        ("im_long_msg", "save_relay_json_msg") => {
            merged::save_relay_json_msg(context, body, merged, secret).await
        }
        ("im_long_msg", "get_relay_json_msg") => {
            merged::get_relay_json_msg(context, body, merged).await
        }
        _ => Err(Code::UNKNOWN_COMMAND.with(format!("no such command: {}", context.name))),
    }
}

#[cfg(test)]
mod tests;
