//! The gateway under test and everything around it.

mod client;
mod directory;
mod events;
mod history;
mod owner;
mod presence;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use throng_bus::{Bus, LocalBus, subjects};
use throng_gateway::{BuildError, Config, Deps, Gateway, Links};
use throng_node::apps::Apps;
use throng_node::cluster::{Homes, PlacementView, Placements};
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_node::time::now_seconds;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_server::DirectoryServer;
use throng_proto::v1::group_router_server::GroupRouterServer;
use throng_proto::v1::history_server::HistoryServer;
use throng_proto::v1::presence_server::PresenceServer;
use throng_protocol::ids::AppId;
use throng_protocol::usersig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use client::{Client, Login, body, code};
use history::FakeHistory;
pub(crate) use owner::Owner;
pub(crate) use presence::{FakePresence, answer};

pub(crate) const APP: AppId = AppId(1_400_000_001);
pub(crate) const KEY: &str = "a key that only tests have";
pub(crate) const GATEWAY: &str = "gateway-1";
/// Nothing that is awaited takes longer on the slowest machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A cluster of one gateway.
pub(crate) struct Cluster {
    pub(crate) address: SocketAddr,
    pub(crate) bus: LocalBus,
    pub(crate) owner: Owner,
    pub(crate) presence: Arc<FakePresence>,
    pub(crate) secret: Secret,
    pub(crate) drain: Drain,
    pub(crate) serving: JoinHandle<()>,
    /// Where the gateway looks up owners.
    pub(crate) view: PlacementView,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::at_homes(config, None).await
    }

    /// Whether such a gateway can be built.
    pub(crate) fn build(config: Config) -> Result<Gateway, BuildError> {
        let links = unconnected();
        let deps = Deps {
            apps: Apps::new(links.directory.clone()),
            homes: Homes::one(links.presence.clone()),
            links,
            secret: Secret::new(&[7; 32]),
            bus: Arc::new(LocalBus::new()),
            gateway_id: GATEWAY.to_owned(),
            placement: None,
        };
        Gateway::build(config, deps)
    }

    /// Calls about a session go to one presence, beats to these.
    pub(crate) async fn at_homes(config: Config, homes: Option<Homes>) -> Self {
        let bus = LocalBus::new();
        let view = PlacementView::still(Placements::default());
        let secret = Secret::new(&[7; 32]);
        let owner = Owner::new(bus.clone(), secret.clone());
        let presence = Arc::new(FakePresence::default());
        let links = unconnected();
        links.group_router.connect_server(GroupRouterServer::from_arc(Arc::clone(&owner.0)));
        links.history.connect_server(HistoryServer::new(FakeHistory));
        links.presence.connect_server(PresenceServer::from_arc(Arc::clone(&presence)));
        links.directory.connect_server(DirectoryServer::new(directory::FakeDirectory));
        let homes = homes.unwrap_or_else(|| Homes::one(links.presence.clone()));
        let deps = Deps {
            apps: Apps::new(links.directory.clone()),
            links,
            secret: secret.clone(),
            bus: Arc::new(bus.clone()),
            gateway_id: GATEWAY.to_owned(),
            placement: Some(view.clone()),
            homes,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Drain::new();
        let gateway = Gateway::build(config, deps).unwrap_or_else(|error| panic!("{error}"));
        let serving = tokio::spawn(gateway.serve(listener, drain.clone()));
        Self { address, bus, owner, presence, secret, drain, serving, view }
    }

    /// All groups have a new owner.
    pub(crate) fn succeed(&self, ownership: u64) {
        self.owner.succeed(ownership);
        let changed = v1::ShardPlacement { shard: 0, owner: "new".to_owned(), epoch: ownership };
        self.view.update(v1::PlacementUpdate {
            version: ownership,
            shards: 1,
            nodes: Vec::new(),
            changed: vec![changed],
        });
    }

    /// A new connection of a page.
    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address, "/binfo", "instance-1").await
    }

    /// A client that has logged in.
    pub(crate) async fn login(&self, user: &str) -> Client {
        let instance = format!("instance-of-{user}");
        let mut client = Client::connect(self.address, "/binfo", &instance).await;
        let answer = client.log_in(user, &signature(user)).await;
        assert_eq!(code(&answer), 0, "{answer}");
        client
    }

    /// What presence or owners say to this gateway.
    pub(crate) fn tell(&self, message: v1::gateway_message::Message) {
        let user = match &message {
            v1::gateway_message::Message::Delivery(delivery) => &delivery.targets[0].user,
            v1::gateway_message::Message::Kick(kick) => &kick.user,
        };
        let subject = subjects::gateway(GATEWAY, subjects::gateway_partition(APP, user));
        let message =
            v1::GatewayMessage { message: Some(message), ..v1::GatewayMessage::default() };
        self.bus.publish(&subject, message.encode_to_vec().into()).unwrap();
    }
}

fn unconnected() -> Links {
    Links {
        group_router: Link::unconnected(),
        history: Link::unconnected(),
        presence: Link::unconnected(),
        directory: Link::unconnected(),
    }
}

/// A good signature.
pub(crate) fn signature(user: &str) -> String {
    usersig::sign(APP, KEY, user, now_seconds(), 3600, None)
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, wait).await.is_ok(), "never so: {what}");
}
