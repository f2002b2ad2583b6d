//! What has to be done for rooms from time to time: guests that stopped polling leave, owners learn
//! how many members their rooms have here.

use std::sync::Arc;
use std::time::Duration;

use throng_proto::v1;
use throng_protocol::ids::AppId;
use tokio::time::Instant;

use super::{Hub, Left, PollSeat, Seat};

/// Rooms in one report.
const REPORT_ROOMS: usize = 10_000;

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

    fn detach(self: &Arc<Self>, app: AppId, group_id: String, place: PollSeat) {
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
            if let Err(status) = owner.detach_member(request).await {
                tracing::debug!(%status, "a room's owner was not told that a member left");
            }
        });
    }

    /// Tells owners how many members each room has here.
    pub(crate) async fn report(&self) {
        let counts: Vec<v1::RoomCount> = self
            .rooms()
            .iter()
            .map(|room| v1::RoomCount {
                app: room.app().0,
                group_id: room.group().to_owned(),
                members: u32::try_from(room.size()).unwrap_or(u32::MAX),
            })
            .collect();
        for rooms in counts.chunks(REPORT_ROOMS) {
            let request = v1::ReportMembersRequest {
                gateway: self.gateway_id.clone(),
                rooms: rooms.to_vec(),
            };
            if let Err(status) = self.forwarder.group_router().report_members(request).await {
                tracing::debug!(%status, "owners were not told how many members rooms have here");
            }
        }
    }
}
