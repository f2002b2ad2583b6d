//! What a room does when its owner changes: the new one does not know who sits here, so it is told,
//! and says what was stored meanwhile. Nothing of the new owner's stream is delivered before that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use throng_proto::v1::attach_member_reply::Outcome;
use throng_proto::v1::room_event::Membership;
use throng_proto::{Route, v1};
use tokio::sync::Notify;

use super::feed::Feed;
use super::position::Position;
use super::{Hub, Room};
use crate::session::items_frame;

/// Members in one request.
const PART: usize = 5_000;
/// Time for the owner to take one request: long enough for it to become the owner.
const TIME: Duration = Duration::from_secs(5);
/// The `MsgSeq` of who needs nothing.
const NOTHING_MISSED: u32 = u32::MAX;

/// Which owner knows the members here.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    /// The epoch of the owner that knows them; 0 while nobody sits here.
    attached: AtomicU64,
    /// The newest epoch that was heard of.
    wanted: AtomicU64,
    /// Somebody sat down whom that owner does not know.
    again: AtomicBool,
    changed: Notify,
}

impl Takeover {
    /// A member sits that the owner of this epoch knows.
    pub(super) fn sat(&self, epoch: u64) {
        let first =
            self.attached.compare_exchange(0, epoch, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            return;
        }
        if epoch < self.attached.load(Ordering::Acquire) {
            self.again.store(true, Ordering::Release);
            self.changed.notify_one();
        }
        self.heard(epoch);
    }

    /// There is an owner of this epoch.
    pub(super) fn heard(&self, epoch: u64) {
        let attached = self.attached.load(Ordering::Acquire);
        if attached != 0 && epoch > attached {
            self.wanted.fetch_max(epoch, Ordering::AcqRel);
            self.changed.notify_one();
        }
    }

    /// Whether the owner has to be told.
    pub(super) fn is_due(&self) -> bool {
        self.again.load(Ordering::Acquire)
            || self.wanted.load(Ordering::Acquire) > self.attached.load(Ordering::Acquire)
    }

    /// Resolves when the owner has to be told.
    pub(super) async fn due(&self) {
        while !self.is_due() {
            self.changed.notified().await;
        }
    }
}

impl Hub {
    /// Tells rooms of new owners until the process has drained.
    pub(crate) async fn follow_owners(self: Arc<Self>) {
        let Some(view) = self.forwarder.placement().cloned() else { return };
        let mut changes = view.changes();
        loop {
            let now = view.now();
            for room in self.rooms() {
                room.takeover.heard(now.epoch(room.hash));
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// A member of a room sits whose owner said so in this position: it may be another owner than
    /// that of the others.
    pub(super) fn note_owner(&self, room: &Room, position: Position) {
        room.takeover.sat(v1::RoomPosition::from(position).ownership());
        if let Some(view) = self.forwarder.placement() {
            room.takeover.heard(view.now().epoch(room.hash));
        }
    }
}

impl Feed {
    /// Tells the room's owner who sits here.
    ///
    /// # Errors
    /// The owner's, or the transport's; then it has to be told again.
    pub(super) async fn attach(&self) -> Result<(), tonic::Status> {
        let takeover = &self.room.takeover;
        takeover.again.store(false, Ordering::Release);
        let wanted = takeover.wanted.load(Ordering::Acquire);
        let (members, last_seq) = self.room.members();
        let first = members.chunks(PART).take(1).map(|part| (part.to_vec(), last_seq));
        let rest = members.chunks(PART).skip(1).map(|part| (part.to_vec(), NOTHING_MISSED));
        let mut attached = wanted;
        // One after the other: the owner has other gateways to listen to.
        let mut replies = std::pin::pin!(
            stream::iter(first.chain(rest)).then(|(part, seq)| self.tell(part, seq))
        );
        while let Some(reply) = replies.next().await {
            let reply = reply.inspect_err(|_| takeover.again.store(true, Ordering::Release))?;
            attached = attached.min(reply.position.unwrap_or_default().ownership().max(wanted));
            self.take_in(reply);
        }
        self.hub.metrics.room_takeovers.increment(1);
        takeover.attached.fetch_max(attached, Ordering::AcqRel);
        Ok(())
    }

    async fn tell(
        &self,
        members: Vec<v1::GatewayMember>,
        last_seq: u32,
    ) -> Result<v1::AttachGatewayReply, tonic::Status> {
        let request = v1::AttachGatewayRequest {
            app: self.room.app().0,
            group_id: self.room.group().to_owned(),
            gateway: self.hub.gateway_id.clone(),
            members,
            last_seq,
        };
        let mut request = Route::hash(self.room.hash).request(request);
        request.set_timeout(TIME);
        let mut owner = self.hub.forwarder.group_router();
        owner.attach_gateway(request).await.map(tonic::Response::into_inner)
    }

    /// What the owner has to say follows the old stream, which goes on no more.
    fn take_in(&self, reply: v1::AttachGatewayReply) {
        if reply.outcome() == Outcome::Gone {
            return self.follow(v1::RoomEvent {
                frame: items_frame(&reply.notice_items),
                membership: Some(Membership::Closed(v1::RoomClosed {})),
                ..v1::RoomEvent::default()
            });
        }
        for event in reply.missed {
            self.hub.metrics.room_events_recovered.increment(1);
            self.follow(event);
        }
        if !reply.banned.is_empty() {
            let removed = v1::MembersRemoved { users: reply.banned.clone() };
            self.follow(v1::RoomEvent {
                frame: items_frame(&reply.banned_notice_items),
                recipients: reply.banned,
                membership: Some(Membership::Removed(removed)),
                ..v1::RoomEvent::default()
            });
        }
    }

    fn follow(&self, event: v1::RoomEvent) {
        let out = self.room.append(event);
        self.hub.taken_out(&self.room, &out);
    }
}
