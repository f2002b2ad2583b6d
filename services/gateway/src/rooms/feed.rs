//! The task of one room: receives its events, notices holes and has them filled by the room's owner.

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use rand::RngExt;
use throng_bus::{Delivery, Subscription, subjects};
use throng_proto::Route;
use throng_proto::v1;
use throng_protocol::ids::user_hash;
use tokio::time::{sleep, timeout};

use super::Hub;
use super::attendee::{Attendee, Standing};
use super::position::Position;
use super::room::{Offered, Room};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The time that one question to the owner may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// The time that presence may take to hear that somebody is out of a room.
const TELL_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a hole is asked for before the events in it count as lost.
const FETCH_TRIES: u32 = 5;

/// Serves the room until it is empty.
pub(super) async fn run(hub: Arc<Hub>, room: Arc<Room>) {
    let stop = room.stop.clone();
    let _ = stop.run_until_cancelled(Feed { hub, room }.run()).await;
}

pub(super) struct Feed {
    pub(super) hub: Arc<Hub>,
    pub(super) room: Arc<Room>,
}

impl Feed {
    async fn run(self) {
        let mut subscription = self.subscribe().await;
        self.fill().await;
        loop {
            let received = tokio::select! {
                received = subscription.recv() => received,
                () = self.room.takeover.due() => {
                    self.attach_in_time().await;
                    continue;
                }
            };
            match received {
                Some(Delivery::Message(payload)) => match v1::RoomEvent::decode(payload) {
                    Ok(event) => self.take(event).await,
                    Err(error) => {
                        tracing::error!(%error, "an event of a room does not decode");
                    }
                },
                Some(Delivery::Lagged(_)) => {
                    self.hub.metrics.room_holes.increment(1);
                    self.recover().await;
                }
                None => {
                    sleep(jittered(LONGEST_PAUSE)).await;
                    subscription = self.subscribe().await;
                    self.recover().await;
                }
            }
        }
    }

    async fn subscribe(&self) -> Subscription {
        let subject = subjects::room(self.room.app(), self.room.group());
        let mut pause = FIRST_PAUSE;
        loop {
            match self.hub.bus.subscribe(&subject).await {
                Ok(subscription) => return subscription,
                Err(error) => tracing::warn!(%error, "cannot subscribe to a room"),
            }
            pause = wait(pause).await;
        }
    }

    /// Fetches what the owner's ring holds, until it is there: members wait for it.
    async fn fill(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.fetch(Position::default()).await {
                Ok(reply) => {
                    let head = Position::from(reply.head.unwrap_or_default());
                    let out = self.room.make_ready(reply.events, head);
                    return self.hub.taken_out(&self.room, &out);
                }
                Err(status) => tracing::debug!(%status, "cannot fetch a room's events"),
            }
            pause = wait(pause).await;
        }
    }

    async fn take(&self, event: v1::RoomEvent) {
        let position = event.position.unwrap_or_default();
        self.room.takeover.heard(position.ownership());
        if self.room.takeover.is_due() {
            self.attach_in_time().await;
        }
        if event.beacon {
            if Position::from(position) > self.room.head() {
                self.hub.metrics.room_holes.increment(1);
                self.recover().await;
            }
            return;
        }
        self.hub.metrics.room_events.increment(1);
        let event = match self.room.offer(event) {
            Offered::Old => return,
            Offered::Delivered(out) => return self.hub.taken_out(&self.room, &out),
            Offered::Hole(event) => event,
        };
        self.hub.metrics.room_holes.increment(1);
        self.recover().await;
        match self.room.offer(event) {
            Offered::Old => {}
            Offered::Delivered(out) => self.hub.taken_out(&self.room, &out),
            Offered::Hole(event) => {
                self.hub.metrics.room_holes_unfilled.increment(1);
                let out = self.room.force(event);
                self.hub.taken_out(&self.room, &out);
            }
        }
    }

    /// Tells the owner who sits here. When it cannot be told, the stream goes on all the same, and it
    /// is told later.
    async fn attach_in_time(&self) {
        if let Err(status) = self.attach().await {
            tracing::debug!(%status, "a room's owner was not told of its members");
            sleep(jittered(FIRST_PAUSE)).await;
        }
    }

    /// Fetches what came after the last event here.
    async fn recover(&self) {
        let mut pause = FIRST_PAUSE;
        for _ in 0..FETCH_TRIES {
            match self.fetch(self.room.head()).await {
                Ok(reply) => {
                    let mut out = Vec::new();
                    for event in reply.events {
                        self.hub.metrics.room_events_recovered.increment(1);
                        out.extend(self.room.force(event));
                    }
                    if !reply.complete {
                        self.hub.metrics.room_holes_unfilled.increment(1);
                    }
                    self.room.advance(Position::from(reply.head.unwrap_or_default()));
                    return self.hub.taken_out(&self.room, &out);
                }
                Err(status) => tracing::debug!(%status, "cannot fetch a room's events"),
            }
            pause = wait(pause).await;
        }
    }

    async fn fetch(&self, after: Position) -> Result<v1::FetchEventsReply, tonic::Status> {
        let request = v1::FetchEventsRequest {
            app: self.room.app().0,
            group_id: self.room.group().to_owned(),
            after: Some(after.into()),
            limit: u32::try_from(self.hub.ring_events).unwrap_or(u32::MAX),
        };
        let mut owner = self.hub.forwarder.group_router();
        let mut request = Route::hash(self.room.hash).request(request);
        request.set_timeout(FETCH_TIMEOUT);
        match timeout(FETCH_TIMEOUT, owner.fetch_events(request)).await {
            Ok(reply) => reply.map(tonic::Response::into_inner),
            Err(_) => Err(tonic::Status::deadline_exceeded("the owner did not answer in time")),
        }
    }
}

impl Hub {
    /// Members that an event took out of the room: presence forgets the room for them.
    pub(super) fn taken_out(self: &Arc<Self>, room: &Arc<Room>, out: &[Arc<Attendee>]) {
        if out.is_empty() {
            return;
        }
        self.drop_if_empty(room);
        let out: Vec<Arc<Attendee>> =
            out.iter().filter(|attendee| !attendee.user.is_empty()).map(Arc::clone).collect();
        let mut presence = self.forwarder.presence();
        let group = room.group().to_owned();
        // A task of its own: the room goes on, or ends now that nobody sits in it.
        self.drain.spawn(async move {
            for attendee in out {
                let _turn = attendee.telling.lock().await;
                if matches!(attendee.standing(&group), Standing::Sits(_)) {
                    continue;
                }
                let session = v1::SessionKey {
                    app: attendee.app.0,
                    user: attendee.user.clone(),
                    inst_id: attendee.inst_id,
                };
                let request = v1::TrackRoomsRequest {
                    session: Some(session),
                    joined: Vec::new(),
                    left: vec![group.clone()],
                };
                let home = Route::hash(user_hash(attendee.app, &attendee.user));
                let telling = presence.track_rooms(home.request(request));
                let told = timeout(TELL_TIMEOUT, telling).await;
                if !matches!(told, Ok(Ok(_))) {
                    tracing::debug!("presence was not told of a room that was left");
                }
            }
        });
    }
}

/// Waits about so long; returns how long to wait the next time.
async fn wait(pause: Duration) -> Duration {
    sleep(jittered(pause)).await;
    (pause * 2).min(LONGEST_PAUSE)
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.5..1.5))
}
