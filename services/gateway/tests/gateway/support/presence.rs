//! A presence that says what the test told it and remembers what it was told.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use throng_bus::subjects::GATEWAY_PARTITIONS;
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

#[derive(Debug)]
pub(crate) struct FakePresence {
    /// What beats are answered with; none: not at all.
    pub(crate) answer: Mutex<Option<v1::GatewayBeatReply>>,
    pub(crate) beats: Mutex<Vec<v1::GatewayBeatRequest>>,
    /// Numbered messages that may be asked for, by partition and number.
    pub(crate) sent: Mutex<HashMap<(usize, u64), Bytes>>,
    pub(crate) retold: Mutex<Vec<v1::RestoreRequest>>,
    /// The next telling is answered only when this is notified.
    pub(crate) stall_retelling: Mutex<Option<Arc<Notify>>>,
    /// KickType that sessions of a user are answered with when they are told of again.
    pub(crate) retold_as: Mutex<HashMap<String, u32>>,
    /// Rooms that a session which comes back is in.
    pub(crate) rooms: Mutex<Vec<v1::TrackedRoom>>,
    /// KickType that re-logins and hellos are answered with; 0 for none.
    pub(crate) kick_type: Mutex<u32>,
    /// Hellos and questions.
    pub(crate) heard: Mutex<Vec<v1::HelloRequest>>,
    pub(crate) registered: Mutex<Vec<v1::RegisterRequest>>,
    pub(crate) unregistered: Mutex<Vec<v1::SessionKey>>,
    /// Sessions that the gateway put offline, and how.
    pub(crate) put_offline: Mutex<Vec<(v1::SessionKey, u32)>>,
    pub(crate) disconnected: Mutex<Vec<v1::DisconnectRequest>>,
    /// The next word about rooms arrives only when this is notified.
    pub(crate) stall: Mutex<Option<Arc<Notify>>>,
    pub(crate) tracked: Mutex<Vec<v1::TrackRoomsRequest>>,
}

impl Default for FakePresence {
    fn default() -> Self {
        Self {
            answer: Mutex::new(Some(answer(1))),
            beats: Mutex::default(),
            sent: Mutex::default(),
            retold: Mutex::default(),
            stall_retelling: Mutex::default(),
            retold_as: Mutex::default(),
            rooms: Mutex::default(),
            kick_type: Mutex::default(),
            heard: Mutex::default(),
            registered: Mutex::default(),
            unregistered: Mutex::default(),
            put_offline: Mutex::default(),
            disconnected: Mutex::default(),
            stall: Mutex::default(),
            tracked: Mutex::default(),
        }
    }
}

/// The answer to a beat of a node whose bond and stream have this number.
pub(crate) fn answer(number: u64) -> v1::GatewayBeatReply {
    let sent = vec![v1::StreamState::default(); usize::from(GATEWAY_PARTITIONS)];
    v1::GatewayBeatReply { bond: number, stream: number, sent, missed: Vec::new() }
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Presence for FakePresence {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        // Never answers.
        std::future::pending().await
    }

    async fn register(&self, request: Request<v1::RegisterRequest>) -> Reply<v1::RegisterReply> {
        let request = request.into_inner();
        let kick_type = if request.fresh { 0 } else { *self.kick_type.lock() };
        let rooms = if request.fresh { Vec::new() } else { self.rooms.lock().clone() };
        self.registered.lock().push(request);
        let outcome = match kick_type {
            0 => v1::register_reply::Outcome::Registered,
            _ => v1::register_reply::Outcome::Kicked,
        };
        Ok(Response::new(v1::RegisterReply {
            outcome: outcome.into(),
            kick_type,
            rooms,
            custom_status: "c3RhdHVz".to_owned(),
            bond: self.answer.lock().as_ref().map_or(0, |answer| answer.bond),
        }))
    }

    async fn hello(&self, request: Request<v1::HelloRequest>) -> Reply<v1::HelloReply> {
        self.heard.lock().push(request.into_inner());
        Ok(Response::new(v1::HelloReply { kick_type: *self.kick_type.lock() }))
    }

    async fn unregister(
        &self,
        request: Request<v1::UnregisterRequest>,
    ) -> Reply<v1::UnregisterReply> {
        let v1::UnregisterRequest { session, kick_type, .. } = request.into_inner();
        match kick_type {
            0 => self.unregistered.lock().extend(session),
            _ => self.put_offline.lock().extend(session.map(|session| (session, kick_type))),
        }
        Ok(Response::new(Default::default()))
    }

    async fn disconnect(
        &self,
        request: Request<v1::DisconnectRequest>,
    ) -> Reply<v1::DisconnectReply> {
        self.disconnected.lock().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }

    async fn track_rooms(
        &self,
        request: Request<v1::TrackRoomsRequest>,
    ) -> Reply<v1::TrackRoomsReply> {
        let stall = self.stall.lock().take();
        if let Some(stall) = stall {
            stall.notified().await;
        }
        self.tracked.lock().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }

    async fn register_audience(
        &self,
        _: Request<v1::RegisterAudienceRequest>,
    ) -> Reply<v1::AudienceReply> {
        Ok(Response::new(v1::AudienceReply::default()))
    }

    async fn deliver_to_audience(
        &self,
        _: Request<v1::DeliverToAudienceRequest>,
    ) -> Reply<v1::AudienceReply> {
        Ok(Response::new(v1::AudienceReply::default()))
    }

    async fn deliver(&self, _: Request<v1::DeliverRequest>) -> Reply<v1::DeliverReply> {
        Ok(Response::new(Default::default()))
    }

    async fn kick_user(&self, _: Request<v1::KickUserRequest>) -> Reply<v1::KickUserReply> {
        Ok(Response::new(Default::default()))
    }

    async fn filter_room_members(
        &self,
        _: Request<v1::FilterRoomMembersRequest>,
    ) -> Reply<v1::FilterRoomMembersReply> {
        Ok(Response::new(Default::default()))
    }

    async fn filter_online(
        &self,
        _: Request<v1::FilterOnlineRequest>,
    ) -> Reply<v1::FilterOnlineReply> {
        Ok(Response::new(Default::default()))
    }

    async fn gateway_beat(
        &self,
        request: Request<v1::GatewayBeatRequest>,
    ) -> Reply<v1::GatewayBeatReply> {
        let request = request.into_inner();
        let reply = self.answer.lock().clone();
        let mut reply = reply.ok_or_else(|| Status::unavailable("not on the list"))?;
        // What is missing comes with the answer.
        for (partition, position) in request.received.iter().enumerate() {
            let sent = self.sent.lock();
            let missing = position.missing.iter();
            let messages = missing.filter_map(|number| sent.get(&(partition, *number)));
            reply.missed.extend(messages.cloned());
        }
        self.beats.lock().push(request);
        Ok(Response::new(reply))
    }

    async fn restore(&self, request: Request<v1::RestoreRequest>) -> Reply<v1::RestoreReply> {
        let request = request.into_inner();
        let bond = self.answer.lock().as_ref().map_or(0, |answer| answer.bond);
        let mut reply = v1::RestoreReply { bond, ..v1::RestoreReply::default() };
        for (place, session) in (0..).zip(&request.sessions) {
            let user = session.session.as_ref().map_or("", |session| &session.user);
            reply.kick_types.push(self.retold_as.lock().get(user).copied().unwrap_or(0));
            match user {
                "moved" => reply.moved.push(place),
                "returned" => reply.returned.push(place),
                _ => {}
            }
        }
        self.retold.lock().push(request);
        let stall = self.stall_retelling.lock().take();
        if let Some(stall) = stall {
            stall.notified().await;
        }
        Ok(Response::new(reply))
    }
}
