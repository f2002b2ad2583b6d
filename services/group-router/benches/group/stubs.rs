//! The services around a group that have no part in what is measured: a directory that knows
//! everybody, and a presence that counts what it has to deliver.

use std::sync::atomic::{AtomicU64, Ordering};

use throng_proto::v1;
use throng_proto::v1::directory_server::Directory;
use throng_proto::v1::presence_server::Presence;
use tonic::{Request, Response, Status};

type Reply<T> = Result<Response<T>, Status>;

fn never<T>() -> Reply<T> {
    Err(Status::unimplemented("nobody asks"))
}

/// A directory with every app, whose limit is out of the way, and every account.
#[derive(Debug)]
pub(crate) struct StubDirectory {
    pub(crate) keep_history: bool,
}

#[tonic::async_trait]
impl Directory for StubDirectory {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        never()
    }

    async fn get_app(&self, request: Request<v1::GetAppRequest>) -> Reply<v1::AppSettings> {
        let rooms = v1::RoomPolicy {
            messages_per_second: 100_000,
            keep_history: self.keep_history,
            mode: v1::RoomMode::Push.into(),
            latest_members: 30,
            rooms_per_session: 10,
            max_rooms: 0,
            recall_seconds: 120,
        };
        Ok(Response::new(v1::AppSettings {
            app: request.get_ref().app,
            admins: vec!["admin".to_owned()],
            rooms: Some(rooms),
            ..v1::AppSettings::default()
        }))
    }

    async fn ensure_account(
        &self,
        _: Request<v1::EnsureAccountRequest>,
    ) -> Reply<v1::EnsureAccountReply> {
        never()
    }

    async fn filter_accounts(
        &self,
        _: Request<v1::FilterAccountsRequest>,
    ) -> Reply<v1::FilterAccountsReply> {
        never()
    }

    async fn get_briefs(
        &self,
        request: Request<v1::GetBriefsRequest>,
    ) -> Reply<v1::GetBriefsReply> {
        let brief = |user: String| v1::UserBrief {
            nick: format!("Nick of {user}"),
            avatar: "https://cdn.example.com/avatars/10442.png".to_owned(),
            level: 0,
            user,
        };
        let briefs = request.into_inner().users.into_iter().map(brief).collect();
        Ok(Response::new(v1::GetBriefsReply { briefs }))
    }
}

/// A presence that takes everything.
#[derive(Debug, Default)]
pub(crate) struct StubPresence {
    /// Calls that came.
    pub(crate) calls: AtomicU64,
}

#[tonic::async_trait]
impl Presence for StubPresence {
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
        _: Request<v1::FilterOnlineRequest>,
    ) -> Reply<v1::FilterOnlineReply> {
        never()
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
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(v1::AudienceReply::default()))
    }

    async fn deliver(&self, _: Request<v1::DeliverRequest>) -> Reply<v1::DeliverReply> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(v1::DeliverReply { reached: 1 }))
    }

    async fn filter_room_members(
        &self,
        _: Request<v1::FilterRoomMembersRequest>,
    ) -> Reply<v1::FilterRoomMembersReply> {
        never()
    }
    async fn gateway_beat(
        &self,
        _: Request<v1::GatewayBeatRequest>,
    ) -> Reply<v1::GatewayBeatReply> {
        never()
    }
    async fn restore(&self, _: Request<v1::RestoreRequest>) -> Reply<v1::RestoreReply> {
        never()
    }
}
