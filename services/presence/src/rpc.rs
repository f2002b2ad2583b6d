//! The contract with the other services: requests in, decisions, effects out.

use std::sync::Arc;

use throng_node::command::{self, Context};
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use throng_protocol::ids::AppId;
use tonic::{Request, Response, Status};

use crate::commands;
use crate::core::{Effect, Gone, Index, Login, Moves, Now, Over, Policy, Registered, Room};
use crate::service::Inner;

type Answer<T> = Result<Response<T>, Status>;

/// Serves the contract.
#[derive(Debug)]
pub struct Rpc {
    inner: Arc<Inner>,
}

impl Rpc {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }
}

#[async_trait::async_trait]
impl Presence for Rpc {
    async fn execute(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandReply> {
        let request = request.into_inner();
        let caller = commands::is_about_caller(&request);
        let caller = caller.map(|user| (request.app, user.to_owned()));
        if let Some((app, user)) = &caller {
            self.inner.home.check(*app, user)?;
        }
        let result = match Context::split(request) {
            Ok((context, body)) => commands::execute(&self.inner, &context, &body).await,
            Err(error) => Err(error),
        };
        if let Some((app, user)) = &caller {
            self.inner.still_at_home(*app, user)?;
        }
        Ok(Response::new(command::reply(result)))
    }

    async fn register(&self, request: Request<v1::RegisterRequest>) -> Answer<v1::RegisterReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        let policy = self.inner.policy(session.app).await;
        let bond = self.inner.heard(&request.gateway);
        let login = Login {
            inst_id: session.inst_id,
            gateway: Arc::from(request.gateway),
            connection: request.connection,
            instance: request.instance.into(),
            platform: request.platform,
            issued_at: request.issued_at,
            fresh: request.fresh,
        };
        let (app, user) = (session.app, session.user.as_str());
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.register(now, app, user, login, policy, out)
        };
        Ok(Response::new(match self.inner.decide(app, user, decision).await? {
            Registered::Online { rooms, custom_status } => v1::RegisterReply {
                outcome: v1::register_reply::Outcome::Registered.into(),
                kick_type: 0,
                rooms: rooms.iter().map(tracked).collect(),
                custom_status: custom_status.to_string(),
                bond,
            },
            Registered::Kicked(kick_type) => v1::RegisterReply {
                outcome: v1::register_reply::Outcome::Kicked.into(),
                kick_type,
                bond,
                ..v1::RegisterReply::default()
            },
        }))
    }

    async fn hello(&self, request: Request<v1::HelloRequest>) -> Answer<v1::HelloReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        self.inner.heard(&request.gateway);
        let gateway = Arc::from(request.gateway);
        let (app, user) = (session.app, session.user.as_str());
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            if request.only_ask {
                let token = (session.inst_id, request.issued_at);
                return index.refused(now, app, user, token, out);
            }
            index.hello(now, app, user, session.inst_id, gateway, out)
        };
        let kicked = self.inner.decide(app, user, decision).await?;
        Ok(Response::new(v1::HelloReply { kick_type: kicked.unwrap_or(0) }))
    }

    async fn unregister(
        &self,
        request: Request<v1::UnregisterRequest>,
    ) -> Answer<v1::UnregisterReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        let (app, user) = (session.app, session.user.as_str());
        let over = Over {
            inst_id: session.inst_id,
            kick_type: request.kick_type,
            gateway: Arc::from(request.gateway),
            connection: request.connection,
        };
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.unregister(now, app, user, &over, out);
        };
        self.inner.decide(app, user, decision).await?;
        Ok(Response::new(v1::UnregisterReply {}))
    }

    async fn disconnect(
        &self,
        request: Request<v1::DisconnectRequest>,
    ) -> Answer<v1::DisconnectReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        self.inner.heard(&request.gateway);
        let gone = Gone {
            inst_id: session.inst_id,
            gateway: Arc::from(request.gateway),
            connection: request.connection,
            last: request.r#final,
            rooms: request.rooms.into_iter().map(room).collect(),
        };
        let (app, user) = (session.app, session.user.as_str());
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.disconnect(now, app, user, gone, out);
        };
        self.inner.decide(app, user, decision).await?;
        Ok(Response::new(v1::DisconnectReply {}))
    }

    async fn track_rooms(
        &self,
        request: Request<v1::TrackRoomsRequest>,
    ) -> Answer<v1::TrackRoomsReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        let moves = Moves {
            inst_id: session.inst_id,
            joined: request.joined.into_iter().map(room).collect(),
            left: request.left,
        };
        let (app, user) = (session.app, session.user.as_str());
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.track_rooms(now, app, user, moves, out);
        };
        self.inner.decide(app, user, decision).await?;
        Ok(Response::new(v1::TrackRoomsReply {}))
    }

    async fn deliver(&self, request: Request<v1::DeliverRequest>) -> Answer<v1::DeliverReply> {
        let reached = self.inner.deliver(request.into_inner()).await?;
        Ok(Response::new(v1::DeliverReply { reached }))
    }

    async fn register_audience(
        &self,
        request: Request<v1::RegisterAudienceRequest>,
    ) -> Answer<v1::AudienceReply> {
        Ok(Response::new(self.inner.register_audience(request.into_inner()).await))
    }

    async fn deliver_to_audience(
        &self,
        request: Request<v1::DeliverToAudienceRequest>,
    ) -> Answer<v1::AudienceReply> {
        Ok(Response::new(self.inner.deliver_to_audience(request.into_inner()).await))
    }

    async fn kick_user(&self, request: Request<v1::KickUserRequest>) -> Answer<v1::KickUserReply> {
        let v1::KickUserRequest { app, user } = request.into_inner();
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.kick_user(now, app, &user, out);
        };
        self.inner.decide(app, &user, decision).await?;
        Ok(Response::new(v1::KickUserReply {}))
    }

    async fn filter_room_members(
        &self,
        request: Request<v1::FilterRoomMembersRequest>,
    ) -> Answer<v1::FilterRoomMembersReply> {
        let users = self.inner.filter_room_members(request.into_inner()).await?;
        Ok(Response::new(v1::FilterRoomMembersReply { users }))
    }

    async fn filter_online(
        &self,
        request: Request<v1::FilterOnlineRequest>,
    ) -> Answer<v1::FilterOnlineReply> {
        Ok(Response::new(self.inner.filter_online(request.into_inner()).await?))
    }

    async fn gateway_beat(
        &self,
        request: Request<v1::GatewayBeatRequest>,
    ) -> Answer<v1::GatewayBeatReply> {
        let request = request.into_inner();
        if request.gateway.is_empty() {
            return Err(Status::invalid_argument("gateway is missing"));
        }
        Ok(Response::new(self.inner.beat(&request)))
    }

    async fn restore(&self, request: Request<v1::RestoreRequest>) -> Answer<v1::RestoreReply> {
        Ok(Response::new(self.inner.restore(request.into_inner()).await?))
    }
}

impl Inner {
    /// Decides about a user who is at home here, and carries out what comes of it. Every decision may
    /// be made again: where the home changed meanwhile, the new one makes it.
    pub(crate) async fn decide<R>(
        &self,
        app: u32,
        user: &str,
        decision: impl FnOnce(&mut Index, Now, &mut Vec<Effect>) -> R,
    ) -> Result<R, Status> {
        self.home.check(app, user)?;
        let (result, effects) = self.shards.decide(app, user, decision).await;
        self.carry(effects).await;
        self.still_at_home(app, user)?;
        Ok(result)
    }

    /// Refuses where the home changed while something was decided about the user.
    pub(crate) fn still_at_home(&self, app: u32, user: &str) -> Result<(), Status> {
        self.home.check(app, user).inspect_err(|_| {
            // Users of a list of which no conclusions were drawn yet are forgotten then, all together:
            // gateways have to hear of it.
            let here = self.home.now();
            if here.is_concluded() && !here.is_placed_here(app, user) {
                self.carrier.carry(self.shards.forget_user(app, user));
            }
        })
    }

    /// How many sessions the app allows. Without the app's settings a login is not held up.
    pub(crate) async fn policy(&self, app: u32) -> Policy {
        let settings = self.apps.get(AppId(app)).await;
        match settings.ok().and_then(|settings| settings.devices) {
            Some(devices) => Policy {
                web: devices.web_instances as usize,
                other: devices.other_instances as usize,
            },
            None => Policy::NONE,
        }
    }
}

pub(crate) fn key(session: Option<v1::SessionKey>) -> Result<v1::SessionKey, Status> {
    let session = session.ok_or_else(|| Status::invalid_argument("session is missing"))?;
    if session.user.is_empty() || session.inst_id == 0 {
        return Err(Status::invalid_argument("session names no user or no instance"));
    }
    Ok(session)
}

pub(crate) fn room(room: v1::TrackedRoom) -> Room {
    Room { mode: room.mode(), group_id: Arc::from(room.group_id), last_seq: room.last_seq }
}

fn tracked(room: &Room) -> v1::TrackedRoom {
    v1::TrackedRoom {
        group_id: room.group_id.to_string(),
        mode: room.mode.into(),
        last_seq: room.last_seq,
    }
}
