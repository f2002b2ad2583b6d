//! The envelope of a command as a handler sees it, and the way back into a reply.

use bytes::Bytes;
use throng_proto::v1;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;

/// Who called what, from where. The body travels beside it.
#[derive(Debug, Clone)]
pub struct Context {
    /// The app that the caller belongs to.
    pub app: AppId,
    /// Authenticated by the gateway.
    pub caller: v1::Caller,
    /// Connection or REST.
    pub origin: v1::Origin,
    /// "service.command".
    pub name: String,
}

impl Context {
    /// Splits a request into its context and the body's JSON text.
    ///
    /// # Errors
    /// [`Code::UNKNOWN_COMMAND`] when the command has no service or the envelope is incomplete.
    pub fn split(request: v1::CommandRequest) -> Result<(Self, Bytes), CommandError> {
        let (Some(caller), Some(origin)) = (request.caller, request.origin) else {
            return Err(Code::UNKNOWN_COMMAND.with("the request names no caller"));
        };
        if !request.command.contains('.') {
            return Err(Code::UNKNOWN_COMMAND.with(format!("no such command: {}", request.command)));
        }
        let context = Self { app: AppId(request.app), caller, origin, name: request.command };
        Ok((context, request.body))
    }

    /// The part of the name before the dot.
    #[must_use]
    pub fn service(&self) -> &str {
        self.name.split_once('.').map_or("", |(service, _)| service)
    }

    /// The part of the name after the dot.
    #[must_use]
    pub fn command(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, command)| command)
    }

    /// Called over REST, by an administrator.
    #[must_use]
    pub fn is_rest(&self) -> bool {
        self.origin.kind() == v1::origin::Kind::Rest
    }

    /// Called by somebody who is not logged in.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.origin.kind() == v1::origin::Kind::Guest
    }
}

/// Turns a handler's result into the reply, envelope included.
#[must_use]
pub fn reply(result: Result<Bytes, CommandError>) -> v1::CommandReply {
    match result {
        Ok(body) => v1::CommandReply { code: 0, body, effects: Vec::new() },
        Err(error) => v1::CommandReply {
            code: error.code.number(),
            body: envelope::fail(&error),
            effects: Vec::new(),
        },
    }
}
