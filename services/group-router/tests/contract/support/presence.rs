//! A presence that knows the members that the test named, and remembers what it had to deliver.

use std::collections::HashSet;

use parking_lot::Mutex;
use serde_json::Value;
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use tonic::{Request, Response, Status};

#[derive(Default)]
pub struct FakePresence {
    /// Users who are in all rooms as far as presence knows.
    pub members: Mutex<HashSet<String>>,
    pub delivered: Mutex<Vec<v1::DeliverRequest>>,
    /// Users who are online; `None`: it cannot say.
    pub online: Mutex<Option<HashSet<String>>>,
    /// How many users each question named.
    pub asked: Mutex<Vec<usize>>,
}

impl FakePresence {
    /// What there was to deliver, in order: users and entry.
    pub fn told(&self) -> Vec<(Vec<String>, Value)> {
        let entries = |request: v1::DeliverRequest| {
            let text = [b"[".as_slice(), &request.event_items, b"]"].concat();
            let entries: Vec<Value> = serde_json::from_slice(&text).unwrap();
            entries.into_iter().map(move |entry| (request.users.clone(), entry))
        };
        self.delivered.lock().clone().into_iter().flat_map(entries).collect()
    }
}

type Reply<T> = Result<Response<T>, Status>;

fn never<T>() -> Reply<T> {
    Err(Status::unimplemented("nobody asks"))
}

#[tonic::async_trait]
impl Presence for FakePresence {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        never()
    }
    async fn register(&self, _: Request<v1::RegisterRequest>) -> Reply<v1::RegisterReply> {
        never()
    }
    async fn hello(&self, _: Request<v1::HelloRequest>) -> Reply<v1::HelloReply> {
        never()
    }
    async fn unregister(&self, _: Request<v1::UnregisterRequest>) -> Reply<v1::UnregisterReply> {
        never()
    }
    async fn disconnect(&self, _: Request<v1::DisconnectRequest>) -> Reply<v1::DisconnectReply> {
        never()
    }
    async fn track_rooms(&self, _: Request<v1::TrackRoomsRequest>) -> Reply<v1::TrackRoomsReply> {
        never()
    }
    async fn kick_user(&self, _: Request<v1::KickUserRequest>) -> Reply<v1::KickUserReply> {
        never()
    }
    async fn filter_online(
        &self,
        request: Request<v1::FilterOnlineRequest>,
    ) -> Reply<v1::FilterOnlineReply> {
        let asked = request.into_inner().users;
        self.asked.lock().push(asked.len());
        let online = self.online.lock().clone().ok_or_else(|| Status::unavailable("down"))?;
        let users = asked.into_iter().filter(|user| online.contains(user)).collect();
        Ok(Response::new(v1::FilterOnlineReply { users, ..v1::FilterOnlineReply::default() }))
    }

    async fn deliver(&self, request: Request<v1::DeliverRequest>) -> Reply<v1::DeliverReply> {
        self.delivered.lock().push(request.into_inner());
        Ok(Response::new(v1::DeliverReply { reached: 1 }))
    }

    async fn filter_room_members(
        &self,
        request: Request<v1::FilterRoomMembersRequest>,
    ) -> Reply<v1::FilterRoomMembersReply> {
        let members = self.members.lock();
        let users =
            request.into_inner().users.into_iter().filter(|user| members.contains(user)).collect();
        Ok(Response::new(v1::FilterRoomMembersReply { users }))
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
