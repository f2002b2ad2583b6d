//! Commands of clients and administrators about status.

mod query;
mod status;

use bytes::Bytes;
use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};

pub(crate) use status::status_item;

use crate::service::Inner;

/// Answers one command.
pub(crate) async fn execute(
    inner: &Inner,
    context: &Context,
    body: &[u8],
) -> Result<Bytes, CommandError> {
    match context.command() {
        "query_online_status" | "querystate" => {
            query::query_online_status(inner, context, body).await
        }
        "ws_get_user_status" => status::get_user_status(inner, context, body).await,
        "ws_set_custom_status" => status::set_custom_status(inner, context, body).await,
        "ws_status_subscribe" => status::subscribe(inner, context, body).await,
        "ws_status_unsubscribe" => status::unsubscribe(inner, context, body),
        _ => Err(Code::UNKNOWN_COMMAND.with(format!("no such command: {}", context.name))),
    }
}

/// Which of these accounts the directory does not know.
///
/// Where the directory does not answer, all count as known: a status is better than none.
async fn unknown<'a>(inner: &Inner, context: &Context, users: &'a [String]) -> Vec<&'a str> {
    let app = context.app.0;
    // Whoever is online has an account.
    let doubtful: Vec<&str> = users
        .iter()
        .map(String::as_str)
        .filter(|user| !inner.shards.look(app, user, |index| index.is_online(app, user)))
        .collect();
    if doubtful.is_empty() {
        return doubtful;
    }
    let names = doubtful.iter().map(|user| (*user).to_owned()).collect();
    let request = throng_proto::v1::FilterAccountsRequest { app, users: names };
    let known = match inner.directory.clone().filter_accounts(request).await {
        Ok(reply) => reply.into_inner().users,
        Err(status) => {
            tracing::warn!(error = status.message(), "accounts could not be checked");
            return Vec::new();
        }
    };
    let known: std::collections::HashSet<&str> = known.iter().map(String::as_str).collect();
    doubtful.into_iter().filter(|user| !known.contains(user)).collect()
}
