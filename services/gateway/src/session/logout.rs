//! The end of a session: by `wslogout`, or because its connection is gone (SDK protocol notes 01,
//! 3.2 and 3.5).

use std::sync::Arc;
use std::time::Duration;

use throng_proto::v1;
use tokio::time::{sleep, timeout};

use super::auth::Identity;
use super::dispatch::{Answer, Caller, Request};
use super::membership::tracked;
use super::{Kicked, Session};

/// How long presence may take to hear of the end of a connection. Otherwise it learns of it when the
/// gateway tells of all its sessions again.
const TELL_PRESENCE: Duration = Duration::from_secs(10);

impl Session {
    /// Always succeeds: a client that logs out is out, whatever the server says.
    pub(super) async fn logout(&self, request: &Request) -> Answer {
        // After a kick the caller is nobody: a newer session is not touched.
        if let Caller::Session(identity) = &request.caller {
            // A login of this session that came before is carried out before.
            let _turn = self.turn.lock().await;
            // What the client asked for just before is still answered, as it expects.
            self.sign_off(identity).await;
            let over = Kicked { inst_id: identity.token.inst_id, kick_type: None };
            self.end_identity(&identity.token.user, over);
        }
        Answer::ok(&())
    }

    /// Ends a session for good, its memberships too. Pushes that it has not acknowledged are not the
    /// next one's.
    pub(super) async fn sign_off(&self, identity: &Identity) {
        self.close_seats(identity);
        self.acks.lock().clear();
        self.drop_catch_up();
        let token = &identity.token;
        self.context.sessions.remove(token.app, &token.user, token.inst_id, self);
        let request = self.as_over(identity, 0);
        let mut presence = self.context.forwarder.presence();
        if let Err(status) = self.in_time(presence.unregister(identity.to_home(request))).await {
            tracing::warn!(%status, "presence was not told of a logout");
        }
    }

    /// The connection is over. The session waits for another one, unless the client closed for good.
    pub(crate) async fn end(&self, for_good: bool) {
        if let Some(line) = &self.capture {
            line.end(for_good);
        }
        let (identity, guest) = {
            let mut state = self.state.lock();
            state.ended = true;
            (state.identity.take(), state.guest.take())
        };
        self.acks.lock().clear();
        if let Some(guest) = guest {
            let left = self.context.hub.leave_all(&guest);
            self.context.hub.detach_guests(guest.app, &left);
        }
        let Some(identity) = identity else { return };
        let token = &identity.token;
        let left = self.close_seats(&identity);
        let was_here = self.context.sessions.remove(token.app, &token.user, token.inst_id, self);
        if !was_here && left.is_empty() {
            return;
        }
        self.tell_end(&identity, left, for_good).await;
    }

    /// Tells presence that a session has no connection here any more.
    pub(super) async fn tell_end(
        &self,
        identity: &Identity,
        rooms: Vec<v1::TrackedRoom>,
        for_good: bool,
    ) {
        let request = v1::DisconnectRequest {
            session: Some(identity.key()),
            gateway: self.context.gateway_id.clone(),
            r#final: for_good,
            rooms,
            connection: self.number,
        };
        let told = timeout(TELL_PRESENCE, async {
            let mut pause = Duration::from_millis(50);
            while let Err(status) = self
                .context
                .forwarder
                .presence()
                .disconnect(identity.to_home(request.clone()))
                .await
            {
                tracing::debug!(%status, "presence was not told of a connection's end");
                sleep(pause).await;
                pause *= 2;
            }
        });
        if told.await.is_err() {
            tracing::warn!("presence could not be told of a connection's end");
        }
    }

    /// Takes the session out of its rooms here; returns them as presence remembers them.
    pub(super) fn close_seats(&self, identity: &Identity) -> Vec<v1::TrackedRoom> {
        let left = self.context.hub.leave_all(&identity.attendee);
        self.context.hub.detach_guests(identity.attendee.app, &left);
        left.iter().filter_map(tracked).collect()
    }

    /// The same session has a newer connection here: it takes the rooms along.
    pub(super) fn hand_over(
        self: &Arc<Self>,
        token: &throng_protocol::token::A2,
        rooms: &mut Vec<v1::TrackedRoom>,
    ) {
        let identity = {
            let mut state = self.state.lock();
            state.identity.take_if(|identity| identity.is(token))
        };
        if let Some(identity) = identity {
            for room in self.close_seats(&identity) {
                match rooms.iter_mut().find(|known| known.group_id == room.group_id) {
                    Some(known) => known.last_seq = room.last_seq,
                    None => rooms.push(room),
                }
            }
        }
        self.outbox.close(crate::connection::Close::REPLACED);
    }
}
