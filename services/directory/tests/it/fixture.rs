//! A directory with one app, and short ways to call it.

use std::sync::Arc;

use serde_json::Value;
use throng_bus::{Bus, LocalBus};
use throng_directory::config::AppConfig;
use throng_directory::{Config, Deps, Directory};
use throng_node::drain::Drain;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_proto::v1::presence_server::PresenceServer;
use throng_proto::{Link, v1};
use throng_protocol::ids::AppId;
use throng_store::{MemoryStore, Store};

use crate::presence::FakePresence;

pub(crate) const APP: AppId = AppId(1_400_000_009);
pub(crate) const ADMIN: &str = "administrator";

pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) presence: FakePresence,
    pub(crate) client: DirectoryClient<Link>,
    pub(crate) directory: Directory,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()), Arc::new(LocalBus::new()))
    }

    /// A directory that shares its store and bus with others.
    pub(crate) fn over(store: Arc<dyn Store>, bus: Arc<dyn Bus>) -> Self {
        let presence = FakePresence::default();
        let presence_link = Link::unconnected();
        presence_link.connect_server(PresenceServer::new(presence.clone()));
        let deps =
            Deps { store: Arc::clone(&store), bus: Arc::clone(&bus), presence: presence_link };
        let config = Config { apps: vec![AppConfig::new(APP, "key")] };
        let directory = Directory::build(&config, deps).unwrap();
        let link = Link::unconnected();
        link.connect_server(directory.server());
        Self { store, bus, presence, client: DirectoryClient::new(link), directory }
    }

    pub(crate) fn run(&self) -> Drain {
        let drain = Drain::new();
        self.directory.run(&drain);
        drain
    }

    pub(crate) async fn account(&self, user: &str) {
        let request = v1::EnsureAccountRequest { app: APP.0, user: user.to_owned(), issued_at: 0 };
        self.client.clone().ensure_account(request).await.unwrap();
    }

    /// Second from which signatures of a user count.
    pub(crate) async fn not_before(&self, user: &str) -> i64 {
        let request = v1::EnsureAccountRequest { app: APP.0, user: user.to_owned(), issued_at: 0 };
        self.client.clone().ensure_account(request).await.unwrap().into_inner().not_before
    }

    /// Calls a command as an administrator over REST.
    pub(crate) async fn rest(&self, command: &str, body: &str) -> Value {
        let origin = v1::Origin { kind: v1::origin::Kind::Rest.into(), ..v1::Origin::default() };
        self.call(command, body, ADMIN, true, origin).await
    }

    /// Calls a command as a logged-in user whose session is instance 5.
    pub(crate) async fn client(&self, user: &str, command: &str, body: &str) -> Value {
        let kind = v1::origin::Kind::Client.into();
        let origin = v1::Origin { kind, inst_id: 5, ..v1::Origin::default() };
        self.call(command, body, user, false, origin).await
    }

    async fn call(
        &self,
        command: &str,
        body: &str,
        user: &str,
        admin: bool,
        origin: v1::Origin,
    ) -> Value {
        let request = v1::CommandRequest {
            app: APP.0,
            caller: Some(v1::Caller { user: user.to_owned(), tiny_id: 1, admin }),
            origin: Some(origin),
            command: command.to_owned(),
            body: body.as_bytes().to_vec().into(),
            deadline_ms: 1000,
            trace: String::new(),
            order: None,
        };
        let reply = self.client.clone().execute(request).await.unwrap().into_inner();
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(answer["ErrorCode"], reply.code, "{answer}");
        assert_eq!(answer["ActionStatus"], if reply.code == 0 { "OK" } else { "FAIL" });
        answer
    }

    pub(crate) async fn briefs(&self, users: &[&str]) -> Vec<v1::UserBrief> {
        let users = users.iter().map(|&user| user.to_owned()).collect();
        let request = v1::GetBriefsRequest { app: APP.0, users };
        self.client.clone().get_briefs(request).await.unwrap().into_inner().briefs
    }
}
