//! A front door with one app, and short ways to knock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use throng_node::apps::Apps;
use throng_node::secret::Secret;
use throng_node::time::now_seconds;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_server::{Directory, DirectoryServer};
use throng_protocol::ids::AppId;
use throng_protocol::{envelope, usersig};
use tonic::Status;
use tower::ServiceExt as _;

use crate::forward::{Forwarder, Links};
use crate::rest::{RestConfig, router};

pub(crate) const APP: AppId = AppId(1_400_000_009);
pub(crate) const KEYS: [&str; 2] = ["first-key", "second-key"];
pub(crate) const ADMIN: &str = "administrator";

/// A directory that knows one app, and executes commands by remembering them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeDirectory {
    pub(crate) executed: Arc<Mutex<Vec<v1::CommandRequest>>>,
    pub(crate) not_before: Arc<AtomicI64>,
    /// Never answer a command.
    pub(crate) stuck: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl Directory for FakeDirectory {
    async fn execute(
        &self,
        request: tonic::Request<v1::CommandRequest>,
    ) -> Result<tonic::Response<v1::CommandReply>, Status> {
        if self.stuck.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.executed.lock().push(request.into_inner());
        let body = envelope::ok(&json!({"Echo": true}));
        Ok(tonic::Response::new(v1::CommandReply { code: 0, body, effects: Vec::new() }))
    }

    async fn get_app(
        &self,
        request: tonic::Request<v1::GetAppRequest>,
    ) -> Result<tonic::Response<v1::AppSettings>, Status> {
        if request.into_inner().app != APP.0 {
            return Err(Status::not_found("no such app"));
        }
        let settings = v1::AppSettings {
            app: APP.0,
            keys: KEYS.map(str::to_owned).to_vec(),
            admins: vec![ADMIN.to_owned()],
            ..v1::AppSettings::default()
        };
        Ok(tonic::Response::new(settings))
    }

    async fn ensure_account(
        &self,
        _: tonic::Request<v1::EnsureAccountRequest>,
    ) -> Result<tonic::Response<v1::EnsureAccountReply>, Status> {
        let not_before = self.not_before.load(Ordering::Relaxed);
        Ok(tonic::Response::new(v1::EnsureAccountReply { created: false, not_before }))
    }

    async fn filter_accounts(
        &self,
        _: tonic::Request<v1::FilterAccountsRequest>,
    ) -> Result<tonic::Response<v1::FilterAccountsReply>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn get_briefs(
        &self,
        _: tonic::Request<v1::GetBriefsRequest>,
    ) -> Result<tonic::Response<v1::GetBriefsReply>, Status> {
        Err(Status::unimplemented("not in this test"))
    }
}

impl FakeDirectory {
    /// A forwarder that reaches nobody else.
    pub(crate) fn forwarder(&self) -> Forwarder {
        let link = Link::unconnected();
        link.connect_server(DirectoryServer::new(self.clone()));
        let links = Links {
            group_router: Link::unconnected(),
            history: Link::unconnected(),
            presence: Link::unconnected(),
            directory: link.clone(),
        };
        Forwarder::new(links, Apps::new(link), Secret::new(&[7; 32]), None)
    }
}

pub(crate) struct Fixture {
    pub(crate) directory: FakeDirectory,
    pub(crate) router: Router,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(&RestConfig::default())
    }

    pub(crate) fn with(config: &RestConfig) -> Self {
        let directory = FakeDirectory::default();
        let router = router(config, directory.forwarder());
        Self { directory, router }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        uri: &str,
        body: impl Into<Body>,
    ) -> Response<Body> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("x-forwarded-for", "198.51.100.4")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 9], 4000))))
            .body(body.into())
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn post(&self, uri: &str, body: impl Into<Body>) -> Value {
        let response = self.send(Method::POST, uri, body).await;
        assert_eq!(response.status(), StatusCode::OK, "{uri}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["access-control-allow-headers"], "X-Requested-With");
        assert_eq!(response.headers()["access-control-allow-methods"], "POST");
        json_of(response).await
    }

    pub(crate) async fn code(&self, uri: &str, body: impl Into<Body>) -> u64 {
        let answer = self.post(uri, body).await;
        let code = answer["ErrorCode"].as_u64().unwrap();
        assert_eq!(answer["ActionStatus"], if code == 0 { "OK" } else { "FAIL" });
        assert_eq!(answer["ErrorInfo"] == "", code == 0, "{answer}");
        code
    }
}

pub(crate) async fn json_of(response: Response<Body>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

pub(crate) fn sign(key: &str, user: &str) -> String {
    usersig::sign(APP, key, user, now_seconds(), 600, None)
}

pub(crate) fn uri(command: &str, user: &str, sig: &str) -> String {
    let app = APP.0;
    format!(
        "/v4/{command}?sdkappid={app}&identifier={user}&usersig={sig}&random=1&contenttype=json"
    )
}

pub(crate) fn good(command: &str) -> String {
    uri(command, ADMIN, &sign(KEYS[0], ADMIN))
}
