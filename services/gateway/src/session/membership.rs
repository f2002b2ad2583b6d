//! Live rooms of the session: what a join or a quit changes here, and how a session that comes back
//! gets its rooms again without joining (SDK protocol notes 02, 1.6).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use throng_proto::Route;
use throng_proto::v1::{self, attach_member_reply::Outcome, session_effect::Effect};
use throng_protocol::ids::group_hash;
use tokio::time::{Instant, sleep, timeout};

use super::Session;
use super::auth::Identity;
use super::push::items_frame;
use crate::rooms::{Attendee, Left, PollSeat, Position, Seat, Since, Standing};

/// Pauses between attempts to bring a room back; the client waits and does not know.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 20;
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
/// The `MsgSeq` of a member that needs nothing from the owner.
pub(super) const NOTHING_MISSED: u32 = u32::MAX;

impl Session {
    /// What changes before the answer goes out: rooms that were left.
    pub(super) fn before_answer(&self, attendee: &Attendee, effects: &[v1::SessionEffect]) {
        for effect in effects {
            if let Some(Effect::Left(room)) = &effect.effect {
                self.context.hub.leave(attendee, &room.group_id);
            }
        }
    }

    /// What changes once the answer is on its way: rooms that were joined. A client drops what
    /// arrives before it (SDK protocol notes 02, 1.2).
    pub(super) fn after_answer(&self, attendee: &Arc<Attendee>, effects: &[v1::SessionEffect]) {
        for effect in effects {
            if let Some(Effect::Joined(room)) = &effect.effect {
                let seat = seat_of(attendee, room.mode());
                let position = Position::from(room.position.unwrap_or_default());
                let since = Since::Joined(position);
                self.context.hub.sit(attendee, &room.group_id, &seat, since);
            }
        }
    }

    /// Tells presence which of these rooms the session is in: where it sits here, whatever the effect
    /// was. A join and a quit may be told at the same time, and an event may have ended what the join
    /// began.
    pub(super) async fn track(&self, identity: &Arc<Identity>, effects: &[v1::SessionEffect]) {
        let attendee = &identity.attendee;
        // In another session's name nobody sits down here.
        let here = self.is_current(identity);
        let _turn = attendee.telling.lock().await;
        let mut request = v1::TrackRoomsRequest {
            session: Some(identity.key()),
            joined: Vec::new(),
            left: Vec::new(),
        };
        for effect in effects {
            let (group, told) = match &effect.effect {
                Some(Effect::Joined(room)) => (&room.group_id, Some(room.mode())),
                Some(Effect::Left(room)) => (&room.group_id, None),
                None => continue,
            };
            let is = match attendee.standing(group) {
                Standing::Sits(mode) if here => Some(mode),
                Standing::Out if here => None,
                _ => told,
            };
            match is {
                Some(mode) => request.joined.push(v1::TrackedRoom {
                    group_id: group.clone(),
                    mode: mode.into(),
                    last_seq: 0,
                }),
                None => request.left.push(group.clone()),
            }
        }
        let mut presence = self.context.forwarder.presence();
        if let Err(status) = self.in_time(presence.track_rooms(identity.to_home(request))).await {
            tracing::warn!(%status, "presence was not told of a session's rooms");
        }
    }

    /// Brings a session that has come back into its rooms again.
    pub(super) async fn bring_back(
        self: &Arc<Self>,
        identity: &Arc<Identity>,
        rooms: Vec<v1::TrackedRoom>,
    ) {
        let missing = rooms.iter().filter(|room| !identity.attendee.is_pushed(&room.group_id));
        join_all(missing.map(|room| self.attach(identity, room))).await;
    }

    async fn attach(&self, identity: &Arc<Identity>, room: &v1::TrackedRoom) {
        let attendee = &identity.attendee;
        let place = PollSeat { user: attendee.user.clone(), inst_id: attendee.inst_id };
        let hub = &self.context.hub;
        let here = hub.can_replay(attendee.app, &room.group_id, room.last_seq);
        let last_seq = if here { NOTHING_MISSED } else { room.last_seq };
        let Some(reply) = self.ask_owner(&room.group_id, &place, last_seq).await else {
            return;
        };
        if reply.outcome() == Outcome::Attached {
            let attached = Position::from(reply.position.unwrap_or_default());
            let since = if here {
                Since::Back { seq: room.last_seq, attached }
            } else {
                if !reply.missed_items.is_empty() {
                    let _ = self.outbox.control(&items_frame(&reply.missed_items));
                }
                Since::Told { seq: room.last_seq, attached, at: Instant::now() }
            };
            let seat = seat_of(attendee, room.mode());
            if hub.sit(attendee, &room.group_id, &seat, since)
                || attendee.standing(&room.group_id) == Standing::Over
            {
                return;
            }
        } else {
            self.push_notice(&reply);
        }
        let left = v1::SessionEffect {
            effect: Some(Effect::Left(v1::RoomLeft { group_id: room.group_id.clone() })),
        };
        self.track(identity, &[left]).await;
    }

    /// Asks a room's owner whether somebody who was a member still is.
    pub(crate) async fn ask_owner(
        &self,
        group: &str,
        place: &PollSeat,
        last_seq: u32,
    ) -> Option<v1::AttachMemberReply> {
        let request = v1::AttachMemberRequest {
            app: self.peer.app.0,
            group_id: group.to_owned(),
            user: place.user.clone(),
            inst_id: place.inst_id,
            gateway: self.context.gateway_id.clone(),
            last_seq,
        };
        let route = Route::hash(group_hash(self.peer.app, group));
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            let mut owner = self.context.forwarder.group_router();
            let mut request = route.request(request.clone());
            request.set_timeout(TRY_TIMEOUT);
            match timeout(TRY_TIMEOUT, owner.attach_member(request)).await {
                Ok(Ok(reply)) => return Some(reply.into_inner()),
                Ok(Err(status)) => tracing::debug!(%status, "a room's owner did not answer"),
                Err(_) => tracing::debug!("a room's owner did not answer in time"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        tracing::warn!("a member could not be brought back into its room");
        None
    }

    /// Pushes the notice that makes a client leave a room it is no longer in.
    pub(crate) fn push_notice(&self, reply: &v1::AttachMemberReply) {
        if !reply.notice_items.is_empty() {
            let _ = self.outbox.control(&items_frame(&reply.notice_items));
        }
    }
}

fn seat_of(attendee: &Attendee, mode: v1::RoomMode) -> Seat {
    match mode {
        v1::RoomMode::Poll => {
            Seat::Poll(PollSeat { user: attendee.user.clone(), inst_id: attendee.inst_id })
        }
        v1::RoomMode::Push | v1::RoomMode::Unspecified => Seat::Push,
    }
}

/// A seat as presence remembers it; guests are not remembered.
pub(super) fn tracked(left: &Left) -> Option<v1::TrackedRoom> {
    let mode = match &left.seat {
        Seat::Push => v1::RoomMode::Push,
        Seat::Poll(place) if place.user.is_empty() => return None,
        Seat::Poll(_) => v1::RoomMode::Poll,
    };
    Some(v1::TrackedRoom {
        group_id: left.group.clone(),
        mode: mode.into(),
        last_seq: left.last_seq,
    })
}
