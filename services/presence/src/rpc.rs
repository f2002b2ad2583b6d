//! The contract with the other services: requests in, decisions, effects out.

use std::sync::Arc;

use throng_node::command::{self, Context};
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use throng_protocol::ids::AppId;
use tonic::{Request, Response, Status};

use crate::commands;
use crate::core::{Gone, Login, Moves, Policy, Registered, Room, Routes};
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

    /// How many sessions the app allows. Without the app's settings a login is not held up.
    async fn policy(&self, app: u32) -> Policy {
        let settings = self.inner.apps.get(AppId(app)).await;
        match settings.ok().and_then(|settings| settings.devices) {
            Some(devices) => Policy {
                web: devices.web_instances as usize,
                other: devices.other_instances as usize,
            },
            None => Policy::NONE,
        }
    }

    fn heard(&self, gateway: &str) {
        self.inner.heard.note(gateway, self.inner.shards.now().mono);
    }
}

#[async_trait::async_trait]
impl Presence for Rpc {
    async fn execute(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandReply> {
        let result = match Context::split(request.into_inner()) {
            Ok((context, body)) => commands::execute(&self.inner, &context, &body).await,
            Err(error) => Err(error),
        };
        Ok(Response::new(command::reply(result)))
    }

    async fn register(&self, request: Request<v1::RegisterRequest>) -> Answer<v1::RegisterReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        self.heard(&request.gateway);
        let policy = self.policy(session.app).await;
        let login = Login {
            inst_id: session.inst_id,
            gateway: Arc::from(request.gateway),
            connection: request.connection,
            instance: request.instance.into(),
            platform: request.platform,
            issued_at: request.issued_at,
            fresh: request.fresh,
        };
        let (app, user) = (session.app, session.user);
        let decision = self.inner.shards.decide(app, &user, |index, now, out| {
            index.register(now, app, &user, login, policy, out)
        });
        let (registered, effects) = decision.await;
        self.inner.carry(effects).await;
        Ok(Response::new(match registered {
            Registered::Online { rooms, custom_status } => v1::RegisterReply {
                outcome: v1::register_reply::Outcome::Registered.into(),
                kick_type: 0,
                rooms: rooms.iter().map(tracked).collect(),
                custom_status: custom_status.to_string(),
                bond: 0,
            },
            Registered::Kicked(kick_type) => v1::RegisterReply {
                outcome: v1::register_reply::Outcome::Kicked.into(),
                kick_type,
                rooms: Vec::new(),
                custom_status: String::new(),
                bond: 0,
            },
        }))
    }

    async fn hello(&self, request: Request<v1::HelloRequest>) -> Answer<v1::HelloReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        self.heard(&request.gateway);
        let gateway = Arc::from(request.gateway);
        let (app, user) = (session.app, session.user);
        let decision = self.inner.shards.decide(app, &user, |index, now, out| {
            if request.only_ask {
                let token = (session.inst_id, request.issued_at);
                return index.refused(now, app, &user, token, out);
            }
            index.hello(now, app, &user, session.inst_id, gateway, out)
        });
        let (kicked, effects) = decision.await;
        self.inner.carry(effects).await;
        Ok(Response::new(v1::HelloReply { kick_type: kicked.unwrap_or(0) }))
    }

    async fn unregister(
        &self,
        request: Request<v1::UnregisterRequest>,
    ) -> Answer<v1::UnregisterReply> {
        let session = key(request.into_inner().session)?;
        let (app, user) = (session.app, session.user);
        let decision = self.inner.shards.decide(app, &user, |index, now, out| {
            index.unregister(now, app, &user, session.inst_id, out);
        });
        let ((), effects) = decision.await;
        self.inner.carry(effects).await;
        Ok(Response::new(v1::UnregisterReply {}))
    }

    async fn disconnect(
        &self,
        request: Request<v1::DisconnectRequest>,
    ) -> Answer<v1::DisconnectReply> {
        let request = request.into_inner();
        let session = key(request.session)?;
        self.heard(&request.gateway);
        let gone = Gone {
            inst_id: session.inst_id,
            gateway: Arc::from(request.gateway),
            connection: request.connection,
            last: request.r#final,
            rooms: request.rooms.into_iter().map(room).collect(),
        };
        let (app, user) = (session.app, session.user);
        let decision = self.inner.shards.decide(app, &user, |index, now, out| {
            index.disconnect(now, app, &user, gone, out);
        });
        let ((), effects) = decision.await;
        self.inner.carry(effects).await;
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
        let (app, user) = (session.app, session.user);
        let decision = self.inner.shards.decide(app, &user, |index, now, out| {
            index.track_rooms(now, app, &user, moves, out);
        });
        let ((), effects) = decision.await;
        self.inner.carry(effects).await;
        Ok(Response::new(v1::TrackRoomsReply {}))
    }

    async fn deliver(&self, request: Request<v1::DeliverRequest>) -> Answer<v1::DeliverReply> {
        let request = request.into_inner();
        let mut routes = Routes::default();
        for user in &request.users {
            self.inner.shards.look(request.app, user, |index| {
                index.route_user(request.app, user, request.except_inst_id, &mut routes);
            });
        }
        let reached = routes.reached;
        let (items, reliable) = (request.event_items, request.reliable);
        self.inner.carrier.deliver(request.app, routes, &items, reliable);
        Ok(Response::new(v1::DeliverReply { reached }))
    }

    async fn kick_user(&self, request: Request<v1::KickUserRequest>) -> Answer<v1::KickUserReply> {
        let v1::KickUserRequest { app, user } = request.into_inner();
        let decision = self.inner.shards.decide(app, &user, |index, now, out| {
            index.kick_user(now, app, &user, out);
        });
        let ((), effects) = decision.await;
        self.inner.carry(effects).await;
        Ok(Response::new(v1::KickUserReply {}))
    }

    async fn filter_room_members(
        &self,
        request: Request<v1::FilterRoomMembersRequest>,
    ) -> Answer<v1::FilterRoomMembersReply> {
        let v1::FilterRoomMembersRequest { app, group_id, users, .. } = request.into_inner();
        let mut inside = Vec::with_capacity(users.len());
        for user in users {
            // After a restart the store alone may know: a client repeats its pending sends before
            // it logs in again.
            let decision = self.inner.shards.decide(app, &user, |index, now, out| {
                index.user_in_room(now, app, &user, &group_id, out)
            });
            let (is_in, effects) = decision.await;
            self.inner.carry(effects).await;
            if is_in {
                inside.push(user);
            }
        }
        Ok(Response::new(v1::FilterRoomMembersReply { users: inside }))
    }

    async fn filter_online(
        &self,
        request: Request<v1::FilterOnlineRequest>,
    ) -> Answer<v1::FilterOnlineReply> {
        let v1::FilterOnlineRequest { app, users, .. } = request.into_inner();
        let shards = &self.inner.shards;
        let online = |user: &String| shards.look(app, user, |index| index.is_online(app, user));
        let users = users.into_iter().filter(online).collect();
        Ok(Response::new(v1::FilterOnlineReply { users, statuses: Vec::new() }))
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
        Ok(Response::new(v1::RestoreReply { kick_types, ..Default::default() }))
    }
}

fn key(session: Option<v1::SessionKey>) -> Result<v1::SessionKey, Status> {
    let session = session.ok_or_else(|| Status::invalid_argument("session is missing"))?;
    if session.user.is_empty() || session.inst_id == 0 {
        return Err(Status::invalid_argument("session names no user or no instance"));
    }
    Ok(session)
}

fn room(room: v1::TrackedRoom) -> Room {
    Room { mode: room.mode(), group_id: Arc::from(room.group_id), last_seq: room.last_seq }
}

fn tracked(room: &Room) -> v1::TrackedRoom {
    v1::TrackedRoom {
        group_id: room.group_id.to_string(),
        mode: room.mode.into(),
        last_seq: room.last_seq,
    }
}
