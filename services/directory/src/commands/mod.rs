//! Commands of the outside interface, one file a family. A command is named by the part after the
//! dot: services that alias each other share their handlers.

mod accounts;
mod profile;
mod relations;

use bytes::Bytes;
use serde::Serialize;
use throng_node::command::{self, Context};
use throng_proto::v1;
use throng_protocol::catalogue;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};

use crate::directory::Inner;
use crate::rows::RowError;

/// Executes one command; every failure is an answer.
pub(crate) async fn execute(inner: &Inner, request: v1::CommandRequest) -> v1::CommandReply {
    let (context, body) = match Context::split(request) {
        Ok(parts) => parts,
        Err(error) => return command::reply(Err(error)),
    };
    let call = Call { inner, context, body };
    let result = dispatch(&call).await;
    match (call.context.service(), result) {
        ("profile" | "sns", Err(error)) => v1::CommandReply {
            code: error.code.number(),
            body: envelope::fail_with(&error, &Display::default()),
            effects: Vec::new(),
        },
        (_, result) => command::reply(result),
    }
}

async fn dispatch(call: &Call<'_>) -> Result<Bytes, CommandError> {
    match call.context.command() {
        "account_import" => accounts::account_import(call).await,
        "multiaccount_import" => accounts::multiaccount_import(call).await,
        "account_check" => accounts::account_check(call).await,
        "account_delete" => accounts::account_delete(call).await,
        "kick" => accounts::kick(call).await,
        "portrait_get" => profile::portrait_get(call).await,
        "portrait_get_all" => profile::portrait_get_all(call).await,
        "portrait_set" => profile::portrait_set(call).await,
        "black_list_get" => relations::black_list_get(call).await,
        "friend_get" => relations::friend_get(call).await,
        "group_get" => relations::group_get(call).await,
        "pendency_get" => relations::pendency_get(call).await,
        "get_c2c_peer_mute_notifications" => relations::get_c2c_peer_mute_notifications(call),
        command => {
            let service = call.context.service();
            Err(match catalogue::lookup(service, command) {
                Some(known) => known.not_yet(),
                None => catalogue::unknown(service, command),
            })
        }
    }
}

/// One command on its way through its handler.
struct Call<'a> {
    inner: &'a Inner,
    context: Context,
    body: Bytes,
}

/// The field that services `profile` and `sns` add to the envelope: a text for the end user.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Display {
    error_display: &'static str,
}

/// Maps a failure of the store to the internal error of a family.
fn internal(code: Code) -> impl Fn(RowError) -> CommandError {
    move |error| {
        tracing::warn!(%error, "the directory's store failed");
        code.into()
    }
}
