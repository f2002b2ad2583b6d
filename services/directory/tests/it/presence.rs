//! A presence that keeps nothing and remembers every order.

use std::sync::Arc;

use parking_lot::Mutex;
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use tonic::{Request, Response, Status};

#[derive(Debug, Clone, Default)]
pub(crate) struct FakePresence {
    pub(crate) delivered: Arc<Mutex<Vec<v1::DeliverRequest>>>,
    pub(crate) kicked: Arc<Mutex<Vec<String>>>,
    /// Refuse everything.
    pub(crate) broken: Arc<Mutex<bool>>,
}

impl FakePresence {
    fn check(&self) -> Result<(), Status> {
        if *self.broken.lock() { Err(Status::internal("broken")) } else { Ok(()) }
    }
}

/// Methods that the directory has no use for.
macro_rules! unused {
    ($($method:ident($request:ident) -> $reply:ident;)*) => {
        #[tonic::async_trait]
        impl Presence for FakePresence {
            async fn deliver(
                &self,
                request: Request<v1::DeliverRequest>,
            ) -> Result<Response<v1::DeliverReply>, Status> {
                self.check()?;
                self.delivered.lock().push(request.into_inner());
                Ok(Response::new(v1::DeliverReply { reached: 1 }))
            }

            async fn kick_user(
                &self,
                request: Request<v1::KickUserRequest>,
            ) -> Result<Response<v1::KickUserReply>, Status> {
                self.check()?;
                self.kicked.lock().push(request.into_inner().user);
                Ok(Response::new(v1::KickUserReply {}))
            }

            $(async fn $method(
                &self,
                _: Request<v1::$request>,
            ) -> Result<Response<v1::$reply>, Status> {
                Err(Status::unimplemented("not in this test"))
            })*
        }
    };
}

unused! {
    execute(CommandRequest) -> CommandReply;
    gateway_beat(GatewayBeatRequest) -> GatewayBeatReply;
    restore(RestoreRequest) -> RestoreReply;
    register(RegisterRequest) -> RegisterReply;
    hello(HelloRequest) -> HelloReply;
    unregister(UnregisterRequest) -> UnregisterReply;
    disconnect(DisconnectRequest) -> DisconnectReply;
    track_rooms(TrackRoomsRequest) -> TrackRoomsReply;
    filter_room_members(FilterRoomMembersRequest) -> FilterRoomMembersReply;
    filter_online(FilterOnlineRequest) -> FilterOnlineReply;
    register_audience(RegisterAudienceRequest) -> AudienceReply;
    deliver_to_audience(DeliverToAudienceRequest) -> AudienceReply;
}
