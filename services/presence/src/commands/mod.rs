//! Commands of clients and administrators about status.

mod query;
mod status;

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use throng_node::command::Context;
use throng_proto::v1;
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
        "ws_status_unsubscribe" => status::unsubscribe(inner, context, body).await,
        _ => Err(Code::UNKNOWN_COMMAND.with(format!("no such command: {}", context.name))),
    }
}

/// The caller of a command that changes something about the calling session or its user.
pub(crate) fn is_about_caller(request: &v1::CommandRequest) -> Option<&str> {
    let name = request.command.rsplit('.').next()?;
    let about = ["ws_set_custom_status", "ws_status_subscribe", "ws_status_unsubscribe"];
    let caller = request.caller.as_ref()?;
    about.contains(&name).then_some(caller.user.as_str())
}

/// What is known of users who were asked for.
struct Known {
    online: HashMap<String, v1::OnlineStatus>,
    /// No account has this name.
    unknown: HashSet<String>,
}

impl Known {
    /// Asks the homes who is online, and the directory who of the others exists.
    async fn of(inner: &Inner, context: &Context, users: &[String]) -> Self {
        let reply = inner.statuses(context.app.0, users).await;
        let online: HashMap<_, _> = reply.users.into_iter().zip(reply.statuses).collect();
        // Whoever is online has an account.
        let doubtful = users.iter().filter(|user| !online.contains_key(*user));
        let unknown = unknown(inner, context, doubtful.cloned().collect()).await;
        Self { online, unknown }
    }
}

/// Which of these accounts the directory does not know.
///
/// Where the directory does not answer, all count as known: a status is better than none.
async fn unknown(inner: &Inner, context: &Context, users: Vec<String>) -> HashSet<String> {
    if users.is_empty() {
        return HashSet::new();
    }
    let request = v1::FilterAccountsRequest { app: context.app.0, users: users.clone() };
    match inner.directory.clone().filter_accounts(request).await {
        Ok(reply) => {
            let known: HashSet<String> = reply.into_inner().users.into_iter().collect();
            users.into_iter().filter(|user| !known.contains(user)).collect()
        }
        Err(status) => {
            tracing::warn!(error = status.message(), "accounts could not be checked");
            HashSet::new()
        }
    }
}
