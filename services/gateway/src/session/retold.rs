//! A session as presence is told of it again, and what comes of that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use throng_proto::v1::{self, attach_member_reply::Outcome, session_effect::Effect};

use super::Session;
use super::auth::Identity;
use super::membership::NOTHING_MISSED;
use crate::rooms::PollSeat;

impl Identity {
    /// Presence knows of this session: the node that has this bond with the gateway.
    pub(crate) fn has_told(&self, bond: u64) {
        self.told.store(bond, Ordering::Release);
    }

    /// Whether that is the node which has this bond with the gateway.
    pub(crate) fn was_told_to(&self, bond: u64) -> bool {
        self.told.load(Ordering::Acquire) == bond
    }

    /// The order to end this session here.
    pub(crate) fn order(&self, kick_type: u32) -> v1::SessionKick {
        v1::SessionKick {
            app: self.token.app.0,
            user: self.token.user.clone(),
            inst_id: self.token.inst_id,
            kick_type,
            connection: 0,
        }
    }
}

impl Session {
    /// Who is logged in on this connection.
    pub(crate) fn online(&self) -> Option<Arc<Identity>> {
        let state = self.state.lock();
        state.identity.as_ref().filter(|identity| identity.logged_in()).map(Arc::clone)
    }

    /// What presence is told: who is here, since when, in which rooms.
    pub(crate) fn as_told(&self, identity: &Identity) -> v1::RegisterRequest {
        v1::RegisterRequest {
            rooms: identity.attendee.rooms(),
            ..self.as_registered(identity, false)
        }
    }

    pub(super) fn as_registered(&self, identity: &Identity, fresh: bool) -> v1::RegisterRequest {
        v1::RegisterRequest {
            session: Some(identity.key()),
            gateway: self.context.gateway_id.clone(),
            instance: self.peer.instance.clone(),
            platform: self.peer.platform,
            issued_at: identity.token.issued_at,
            fresh,
            connection: self.number,
            rooms: Vec::new(),
        }
    }

    /// What presence is told when a session is over: how it was put offline, 0 for a logout.
    pub(super) fn as_over(&self, identity: &Identity, kick_type: u32) -> v1::UnregisterRequest {
        v1::UnregisterRequest {
            session: Some(identity.key()),
            kick_type,
            gateway: self.context.gateway_id.clone(),
            connection: self.number,
        }
    }

    /// Presence was just told that this session is here. If it ended meanwhile, the news of that may
    /// have come first, so they are told again.
    pub(crate) fn doubt(self: &Arc<Self>, identity: &Arc<Identity>) {
        if !self.is_current(identity) {
            let (session, identity) = (Arc::clone(self), Arc::clone(identity));
            tokio::spawn(async move { session.tell_end(&identity, Vec::new(), false).await });
        }
    }

    /// The owners of its rooms think that the session left them: it says that it did not.
    pub(crate) fn sit_again(self: &Arc<Self>, identity: &Arc<Identity>) {
        let (session, identity) = (Arc::clone(self), Arc::clone(identity));
        tokio::spawn(async move {
            let rooms = identity.attendee.rooms();
            join_all(rooms.iter().map(|room| session.stay(&identity, &room.group_id))).await;
        });
    }

    async fn stay(&self, identity: &Arc<Identity>, group: &str) {
        let attendee = &identity.attendee;
        let place = PollSeat { user: attendee.user.clone(), inst_id: attendee.inst_id };
        match self.ask_owner(group, &place, NOTHING_MISSED).await {
            Some(reply) if reply.outcome() != Outcome::Attached => {
                self.push_notice(&reply);
                self.context.hub.leave(attendee, group);
                let left = v1::RoomLeft { group_id: group.to_owned() };
                let left = v1::SessionEffect { effect: Some(Effect::Left(left)) };
                self.track(identity, &[left]).await;
            }
            _ => {}
        }
    }

    /// Presence is told that the session was put offline here, or has moved: whoever ordered it may not
    /// be the user's home any more.
    pub(super) fn confirm_kick(self: &Arc<Self>, identity: Arc<Identity>, kick_type: u32) {
        let session = Arc::clone(self);
        tokio::spawn(async move {
            if kick_type == 0 {
                // Where it has a connection elsewhere, that goes on.
                return session.tell_end(&identity, Vec::new(), false).await;
            }
            let request = session.as_over(&identity, kick_type);
            let mut presence = session.context.forwarder.presence();
            let told = session.in_time(presence.unregister(identity.to_home(request))).await;
            if let Err(status) = told {
                tracing::debug!(%status, "presence was not told of a session that was put offline");
            }
        });
    }
}
