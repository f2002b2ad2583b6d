//! What has to be done for rooms from time to time: guests that stopped polling leave, owners learn
//! how many members their rooms have here.

use std::sync::{Arc, Weak};

use throng_proto::{Route, v1};
use throng_protocol::ids::{AppId, group_hash};

use super::poll::Looked;
use super::{Hub, Left, PollSeat, Room, Seat};
use crate::connection::Coarse;

/// A guest that may be gone.
#[derive(Debug)]
pub(super) struct Guest {
    room: Weak<Room>,
    inst_id: u32,
    /// Of its place: who leaves and comes back has another one.
    number: u64,
}

impl Hub {
    /// Looks after a guest that has just sat down.
    pub(super) fn watch_guest(&self, room: &Arc<Room>, place: &PollSeat) {
        if place.user.is_empty()
            && let Some(number) = room.watch_guest(place)
        {
            let guest = Guest { room: Arc::downgrade(room), inst_id: place.inst_id, number };
            self.guests.lock().watch(Coarse::now(), guest);
        }
    }

    /// Takes guests out that have not polled for too long. Each is looked at once in that time.
    pub(crate) fn expire_guests(self: &Arc<Self>, now: u32) {
        let limit = self.guests.lock().limit();
        loop {
            let due = self.guests.lock().due(now);
            let Some(due) = due else { return };
            for guest in due {
                let Some(room) = guest.room.upgrade() else { continue };
                let place = PollSeat { user: String::new(), inst_id: guest.inst_id };
                let is_over = |polled| limit.is_over(polled, now);
                match room.look_at_guest(&place, guest.number, is_over) {
                    Looked::Polls(last) => self.guests.lock().watch(last, guest),
                    Looked::Gone => {}
                    Looked::TakenOut => {
                        self.detach(room.app(), room.group().to_owned(), place);
                        self.drop_if_empty(&room);
                    }
                }
            }
        }
    }

    /// Forgets rooms that nobody sits in.
    pub(crate) fn drop_empty_rooms(&self) {
        for room in self.rooms() {
            self.drop_if_empty(&room);
        }
    }

    /// Tells owners that the guests among these are gone; for users presence does.
    pub(crate) fn detach_guests(self: &Arc<Self>, app: AppId, left: &[Left]) {
        for one in left {
            if let Seat::Poll(place) = &one.seat
                && place.user.is_empty()
            {
                self.detach(app, one.group.clone(), place.clone());
            }
        }
    }

    /// Tells a room's owner that a session left it.
    pub(crate) fn detach(self: &Arc<Self>, app: AppId, group_id: String, place: PollSeat) {
        let mut owner = self.forwarder.group_router();
        let gateway = self.gateway_id.clone();
        self.drain.spawn(async move {
            let request = v1::DetachMemberRequest {
                app: app.0,
                group_id,
                user: place.user,
                inst_id: place.inst_id,
                gateway,
            };
            let route = Route::hash(group_hash(app, &request.group_id));
            if let Err(status) = owner.detach_member(route.request(request)).await {
                tracing::debug!(%status, "a room's owner was not told that a member left");
            }
        });
    }
}
