//! Presence on a bus in the process, with an owner of rooms and a directory that only take notes.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use throng_bus::{Bus, Delivery, LocalBus, Subscription, subjects};
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_presence::{Config, Deps, Home, Presence};
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_server::{Directory, DirectoryServer};
use throng_proto::v1::gateway_message;
use throng_proto::v1::group_router_server::{GroupRouter, GroupRouterServer};
use throng_proto::v1::presence_client::PresenceClient;
use throng_store::Store;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

pub(crate) const APP: u32 = 1_400_000_001;

/// A running presence and what surrounds it.
pub(crate) struct Setup {
    pub(crate) presence: PresenceClient<Link>,
    pub(crate) bus: Arc<LocalBus>,
    pub(crate) detached: mpsc::Receiver<v1::DetachMemberRequest>,
    pub(crate) drain: Drain,
}

/// Sessions end soon after their connection, so that a test sees it.
pub(crate) fn quick() -> Config {
    Config { grace_seconds: 1, write_behind_ms: 10, ..Config::default() }
}

/// Starts presence over a store.
pub(crate) fn start(store: Arc<dyn Store>, config: Config, web_instances: u32) -> Setup {
    let (group_router, detached) = group_router();
    let directory = directory(web_instances);
    let bus = Arc::new(LocalBus::new());
    let deps = Deps {
        store,
        bus: bus.clone(),
        group_router,
        apps: Apps::new(directory.clone()),
        directory,
        home: Home::alone(),
    };
    let service = Presence::build(config, deps).unwrap();
    let drain = Drain::new();
    service.run(&drain);
    let link = Link::unconnected();
    link.connect_server(service.server());
    Setup { presence: PresenceClient::new(link), bus, detached, drain }
}

/// An owner of rooms that takes notes.
pub(crate) fn group_router() -> (Link, mpsc::Receiver<v1::DetachMemberRequest>) {
    let (noted, detached) = mpsc::channel(1000);
    (Link::to_server(GroupRouterServer::new(Notes { noted })), detached)
}

/// A directory of apps that allow so many sessions of a user.
pub(crate) fn directory(web_instances: u32) -> Link {
    Link::to_server(DirectoryServer::new(FakeDirectory { web_instances }))
}

pub(crate) fn key(user: &str, inst_id: u32) -> Option<v1::SessionKey> {
    Some(v1::SessionKey { app: APP, user: user.to_owned(), inst_id })
}

impl Setup {
    pub(crate) async fn login(&mut self, user: &str, inst_id: u32) -> v1::RegisterReply {
        self.register(user, inst_id, true).await
    }

    pub(crate) async fn come_back(&mut self, user: &str, inst_id: u32) -> v1::RegisterReply {
        self.register(user, inst_id, false).await
    }

    async fn register(&mut self, user: &str, inst_id: u32, fresh: bool) -> v1::RegisterReply {
        let request = v1::RegisterRequest {
            session: key(user, inst_id),
            gateway: "g1".to_owned(),
            instance: format!("{user}-{inst_id}"),
            platform: 7,
            issued_at: 1_800_000_000 + i64::from(inst_id),
            fresh,
            connection: inst_id.into(),
            rooms: Vec::new(),
        };
        self.presence.register(request).await.unwrap().into_inner()
    }

    pub(crate) async fn join(&mut self, user: &str, inst_id: u32, group_id: &str) {
        let joined = vec![tracked(group_id, 0)];
        let request =
            v1::TrackRoomsRequest { session: key(user, inst_id), joined, left: Vec::new() };
        self.presence.track_rooms(request).await.unwrap();
    }

    pub(crate) async fn disconnect(&mut self, user: &str, inst_id: u32, last: bool) {
        let request = v1::DisconnectRequest {
            session: key(user, inst_id),
            gateway: "g1".to_owned(),
            r#final: last,
            rooms: Vec::new(),
            connection: inst_id.into(),
        };
        self.presence.disconnect(request).await.unwrap();
    }

    pub(crate) async fn execute(
        &mut self,
        user: &str,
        inst_id: u32,
        command: &str,
        body: &serde_json::Value,
    ) -> serde_json::Value {
        let request = v1::CommandRequest {
            app: APP,
            caller: Some(v1::Caller { user: user.to_owned(), ..v1::Caller::default() }),
            origin: Some(v1::Origin { inst_id, ..v1::Origin::default() }),
            command: command.to_owned(),
            body: body.to_string().into(),
            ..v1::CommandRequest::default()
        };
        let reply = self.presence.execute(request).await.unwrap().into_inner();
        serde_json::from_slice(&reply.body).unwrap()
    }

    pub(crate) async fn gateway(&self, name: &str) -> Subscription {
        let mut partitions = Vec::new();
        for partition in 0..subjects::GATEWAY_PARTITIONS {
            let subject = subjects::gateway(name, partition);
            partitions.push(self.bus.subscribe(&subject).await.unwrap());
        }
        Subscription::joined(partitions)
    }

    /// The next end of a membership that the rooms' owner hears of.
    pub(crate) async fn next_detached(&mut self) -> v1::DetachMemberRequest {
        tokio::time::timeout(PATIENCE, self.detached.recv()).await.expect("nothing ended").unwrap()
    }
}

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The next message for a gateway.
pub(crate) async fn next(subscription: &mut Subscription) -> gateway_message::Message {
    let delivery = tokio::time::timeout(PATIENCE, subscription.recv()).await;
    match delivery.expect("nothing came").unwrap() {
        Delivery::Message(bytes) => v1::GatewayMessage::decode(bytes).unwrap().message.unwrap(),
        Delivery::Lagged(count) => panic!("lost {count}"),
    }
}

pub(crate) async fn next_delivery(subscription: &mut Subscription) -> v1::UserDelivery {
    match next(subscription).await {
        gateway_message::Message::Delivery(delivery) => delivery,
        gateway_message::Message::Kick(kick) => panic!("{kick:?}"),
    }
}

pub(crate) fn tracked(group_id: &str, last_seq: u32) -> v1::TrackedRoom {
    let mode = v1::RoomMode::Push.into();
    v1::TrackedRoom { group_id: group_id.to_owned(), mode, last_seq }
}

#[derive(Debug)]
struct Notes {
    noted: mpsc::Sender<v1::DetachMemberRequest>,
}

#[async_trait::async_trait]
impl GroupRouter for Notes {
    async fn execute(
        &self,
        _: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn attach_member(
        &self,
        _: Request<v1::AttachMemberRequest>,
    ) -> Result<Response<v1::AttachMemberReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn detach_member(
        &self,
        request: Request<v1::DetachMemberRequest>,
    ) -> Result<Response<v1::DetachMemberReply>, Status> {
        self.noted.send(request.into_inner()).await.map_err(|_| Status::cancelled(""))?;
        Ok(Response::new(v1::DetachMemberReply {}))
    }

    async fn forget_mentions(
        &self,
        _: Request<v1::ForgetMentionsRequest>,
    ) -> Result<Response<v1::ForgetMentionsReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn fetch_events(
        &self,
        _: Request<v1::FetchEventsRequest>,
    ) -> Result<Response<v1::FetchEventsReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn describe_group(
        &self,
        _: Request<v1::DescribeGroupRequest>,
    ) -> Result<Response<v1::DescribeGroupReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_members(
        &self,
        _: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn joined_groups(
        &self,
        _: Request<v1::JoinedGroupsRequest>,
    ) -> Result<Response<v1::JoinedGroupsReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn attach_gateway(
        &self,
        _request: Request<v1::AttachGatewayRequest>,
    ) -> Result<Response<v1::AttachGatewayReply>, Status> {
        Err(Status::unimplemented("AttachGateway"))
    }
}

/// Knows every user but those whose names begin with "no".
#[derive(Debug)]
struct FakeDirectory {
    web_instances: u32,
}

#[async_trait::async_trait]
impl Directory for FakeDirectory {
    async fn execute(
        &self,
        _: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_app(
        &self,
        request: Request<v1::GetAppRequest>,
    ) -> Result<Response<v1::AppSettings>, Status> {
        let web_instances = self.web_instances;
        Ok(Response::new(v1::AppSettings {
            app: request.into_inner().app,
            devices: Some(v1::DevicePolicy { web_instances, other_instances: 1 }),
            ..v1::AppSettings::default()
        }))
    }

    async fn ensure_account(
        &self,
        _: Request<v1::EnsureAccountRequest>,
    ) -> Result<Response<v1::EnsureAccountReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn filter_accounts(
        &self,
        request: Request<v1::FilterAccountsRequest>,
    ) -> Result<Response<v1::FilterAccountsReply>, Status> {
        let mut users = request.into_inner().users;
        users.retain(|user| !user.starts_with("no"));
        Ok(Response::new(v1::FilterAccountsReply { users }))
    }

    async fn get_briefs(
        &self,
        _: Request<v1::GetBriefsRequest>,
    ) -> Result<Response<v1::GetBriefsReply>, Status> {
        Err(Status::unimplemented(""))
    }
}
