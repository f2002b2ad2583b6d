//! `get_msg` of a live room: the poll waits in the hub; here its key's place is found again when this
//! gateway does not know it (SDK protocol notes 02, 1.3 and 1.6).

use std::sync::Arc;
use std::time::Duration;

use throng_proto::v1::attach_member_reply::Outcome;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::token::PollKey;

use tokio::time::timeout;

use super::Session;
use super::dispatch::{Answer, Caller, Request};
use super::membership::NOTHING_MISSED;
use crate::rooms::{Attendee, PollRequest, PollSeat, Polled, Position};

/// An empty poll is answered when its hold ends, not refused.
const GRACE: Duration = Duration::from_secs(1);

impl Session {
    pub(super) async fn poll(self: &Arc<Self>, request: Request) {
        let Request { command, caller, body, echo, credentials: _, place: _, record: _ } = request;
        let opened = PollRequest::open(&body, self.context.forwarder.secret().token_key());
        // A poll waits for long: it must not keep the frame that it came in.
        let echo = echo.detached();
        drop(body);
        let answer = match opened {
            Ok((poll, key)) => {
                // The hold is part of it; what comes later the client does not hear.
                let limit = self.context.config.command_timeout.max(self.context.config.poll_hold);
                let served = timeout(limit + GRACE, self.serve_poll(&poll, &key, &caller)).await;
                served
                    .unwrap_or_else(|_| Err(Code::TIMEOUT.with("the room did not answer in time")))
            }
            Err(error) => Err(error),
        };
        let answer = match answer {
            Ok(body) => Answer { code: 0, body },
            Err(error) => Answer::fail(&error),
        };
        self.answer(command, &echo, &answer);
    }

    async fn serve_poll(
        self: &Arc<Self>,
        poll: &PollRequest,
        key: &PollKey,
        caller: &Caller,
    ) -> Result<bytes::Bytes, CommandError> {
        let attendee = self.holder(key, caller)?;
        let hub = &self.context.hub;
        let hold = self.context.config.poll_hold;
        if let Polled::Answer(body) = hub.poll(poll, key, &attendee, hold).await {
            return Ok(body);
        }
        // Another gateway had this place, or this one before a restart.
        let place = PollSeat { user: key.user.clone(), inst_id: key.inst_id };
        let failed = || Code::GROUP_INTERNAL.with("the room is not available: try again");
        let asked = Box::pin(self.ask_owner(&key.group_id, &place, NOTHING_MISSED));
        let reply = asked.await.ok_or_else(failed)?;
        if reply.outcome() != Outcome::Attached {
            self.push_notice(&reply);
            return Ok(poll.answer(b"", poll.start_seq));
        }
        let position = Position::from(reply.position.unwrap_or_default());
        if !hub.sit_at(&attendee, key, position) {
            return Err(failed());
        }
        match hub.poll(poll, key, &attendee, hold).await {
            Polled::Answer(body) => Ok(body),
            Polled::Unknown => Err(failed()),
        }
    }

    /// Who polls: the session that the key was given to, or anybody with a guest's key.
    fn holder(&self, key: &PollKey, caller: &Caller) -> Result<Arc<Attendee>, CommandError> {
        let bad = |info: &str| Err(Code::GROUP_BAD_PARAMETER.with(info));
        if key.app != self.peer.app {
            return bad("Key: of another app");
        }
        match caller {
            Caller::Guest if key.user.is_empty() => Ok(self.guest()),
            Caller::Session(identity) if key.user.is_empty() || key.user == identity.token.user => {
                Ok(Arc::clone(&identity.attendee))
            }
            _ => bad("Key: of another user"),
        }
    }
}
