//! What has to be done for rooms from time to time: guests that stopped polling leave, owners learn
//! how many members their rooms have here.

use std::sync::Arc;
use std::time::Duration;

use throng_proto::{Route, v1};
use throng_protocol::ids::{AppId, group_hash};
use tokio::time::Instant;

use super::{Hub, Left, PollSeat, Seat};

impl Hub {
    /// Takes guests out that have not polled for so long.
    pub(crate) fn expire_guests(self: &Arc<Self>, idle: Duration) {
        let Some(before) = Instant::now().checked_sub(idle) else {
            return;
        };
        for room in self.rooms() {
            for guest in room.expire_guests(before) {
                self.detach(room.app(), room.group().to_owned(), guest);
            }
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
