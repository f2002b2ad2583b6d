//! A presence that says what the test told it and remembers what it was told.

use std::sync::Arc;

use parking_lot::Mutex;
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

#[derive(Debug, Default)]
pub(crate) struct FakePresence {
    /// Rooms that a session which comes back is in.
    pub(crate) rooms: Mutex<Vec<v1::TrackedRoom>>,
    /// KickType that re-logins and hellos are answered with; 0 for none.
    pub(crate) kick_type: Mutex<u32>,
    /// Hellos and questions.
    pub(crate) heard: Mutex<Vec<v1::HelloRequest>>,
    pub(crate) registered: Mutex<Vec<v1::RegisterRequest>>,
    pub(crate) unregistered: Mutex<Vec<v1::SessionKey>>,
    pub(crate) disconnected: Mutex<Vec<v1::DisconnectRequest>>,
    /// The next word about rooms arrives only when this is notified.
    pub(crate) stall: Mutex<Option<Arc<Notify>>>,
    pub(crate) tracked: Mutex<Vec<v1::TrackRoomsRequest>>,
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
            ..v1::RegisterReply::default()
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
        self.unregistered.lock().extend(request.into_inner().session);
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
        _request: Request<v1::GatewayBeatRequest>,
    ) -> Result<Response<v1::GatewayBeatReply>, Status> {
        Ok(Response::new(v1::GatewayBeatReply::default()))
    }

    async fn restore(
        &self,
        request: Request<v1::RestoreRequest>,
    ) -> Result<Response<v1::RestoreReply>, Status> {
        let kick_types = vec![0; request.get_ref().sessions.len()];
        Ok(Response::new(v1::RestoreReply { kick_types, ..v1::RestoreReply::default() }))
    }
}
