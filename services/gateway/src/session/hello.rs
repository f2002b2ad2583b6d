//! `wshello`: the session says that it is still there (SDK protocol notes 01, 3.1).

use throng_proto::v1;
use throng_protocol::error::Code;

use super::Session;
use super::dispatch::{Answer, Caller, Request};

impl Session {
    pub(super) async fn hello(&self, request: &Request) -> Answer {
        let Caller::Session(identity) = &request.caller else {
            return Answer::ok(&());
        };
        if let Err(why) = self.vouch(identity).await {
            return why.into();
        }
        if !identity.logged_in() {
            return Answer::ok(&());
        }
        let hello = v1::HelloRequest {
            session: Some(identity.key()),
            gateway: self.context.gateway_id.clone(),
            ..v1::HelloRequest::default()
        };
        let mut presence = self.context.forwarder.presence();
        match self.in_time(presence.hello(identity.to_home(hello))).await {
            Ok(reply) => match reply.into_inner().kick_type {
                0 => Answer::ok(&()),
                kick_type => {
                    // The order to end it was lost.
                    self.expel(identity, kick_type);
                    Answer::kicked(kick_type)
                }
            },
            Err(status) => {
                tracing::debug!(%status, "presence did not take a hello");
                Answer::fail(&Code::ACCOUNT_INTERNAL.with("presence is not available: try again"))
            }
        }
    }
}
