//! The group router under test and everything around it.

mod cluster;
mod counts;
mod directory;
mod events;
mod history;
mod presence;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use throng_bus::LocalBus;
use throng_group_router::{Config, Deps, GroupRouter, Placement};
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_server::DirectoryServer;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::history_server::HistoryServer;
use throng_proto::v1::origin::Kind;
use throng_proto::v1::presence_server::PresenceServer;
use throng_protocol::ids::{AppId, tiny_id};

pub use cluster::{Node, Term, not_begun, unknown};
pub use counts::Counts;
pub use directory::FakeDirectory;
pub use events::{Events, entry};
pub use history::{FakeHistory, Mood};
pub use presence::FakePresence;
pub use store::FaultyStore;

pub const APP: AppId = AppId(1_400_000_001);
/// Nothing that is awaited takes longer on the slowest machine.
pub const LONG: Duration = Duration::from_secs(30);

/// What outlives a process.
#[derive(Clone, Default)]
pub struct Around {
    pub bus: LocalBus,
    pub store: Arc<FaultyStore>,
    pub history: Arc<FakeHistory>,
    pub presence: Arc<FakePresence>,
    pub directory: Arc<FakeDirectory>,
    pub counts: Counts,
    epoch: Arc<AtomicU64>,
}

/// One process with a group router.
pub struct World {
    pub around: Around,
    pub router: GroupRouterClient<Link>,
    pub drain: Drain,
    secret: Secret,
}

impl World {
    pub fn new() -> Self {
        Self::with(Config::default(), Around::default())
    }

    pub fn with(config: Config, around: Around) -> Self {
        let epoch = around.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        Self::placed(config, around, Placement::alone(8, epoch))
    }

    /// One of several processes.
    pub fn placed(config: Config, around: Around, placement: Placement) -> Self {
        let [history, presence, directory, owners] = [(); 4].map(|()| Link::unconnected());
        history.connect_server(HistoryServer::from_arc(Arc::clone(&around.history)));
        presence.connect_server(PresenceServer::from_arc(Arc::clone(&around.presence)));
        directory.connect_server(DirectoryServer::from_arc(Arc::clone(&around.directory)));
        let secret = Secret::new(&[7; 32]);
        let drain = Drain::new();
        let deps = Deps {
            store: around.store.clone(),
            bus: Arc::new(around.bus.clone()),
            history,
            presence,
            apps: Apps::new(directory.clone()),
            directory,
            group_router: owners.clone(),
            secret: secret.clone(),
            placement,
        };
        let router = metrics::with_local_recorder(&around.counts, || {
            GroupRouter::build(config, deps, drain.clone())
        });
        owners.connect_server(router.server());
        let router = GroupRouterClient::new(owners);
        Self { around, router, drain, secret }
    }

    /// Ends this process in order and starts another one.
    pub async fn restart(self) -> Self {
        self.drain.begin();
        tokio::time::timeout(LONG, self.drain.finished()).await.unwrap();
        self.crash()
    }

    /// Starts another process on what this one left; nobody calls this one any more.
    pub fn crash(self) -> Self {
        Self::with(Config::default(), self.around)
    }

    pub async fn execute(&self, request: v1::CommandRequest) -> v1::CommandReply {
        self.try_execute(request).await.unwrap()
    }

    pub async fn try_execute(
        &self,
        request: v1::CommandRequest,
    ) -> Result<v1::CommandReply, tonic::Status> {
        let mut call = self.router.clone();
        let answer = tokio::time::timeout(LONG, call.execute(request));
        answer.await.expect("an answer comes in time").map(tonic::Response::into_inner)
    }

    /// A call by the app's server.
    pub async fn rest(&self, command: &str, body: Value) -> Value {
        body_of(&self.execute(request(Kind::Rest, "admin", 0, command, &body)).await)
    }

    /// A call by a logged-in client; users are in one session, numbered by the first letter.
    pub async fn client(&self, user: &str, command: &str, body: Value) -> Value {
        body_of(&self.execute(self.client_request(user, command, &body)).await)
    }

    pub fn client_request(&self, user: &str, command: &str, body: &Value) -> v1::CommandRequest {
        let mut request = request(Kind::Client, user, inst_of(user), command, body);
        let caller = request.caller.as_mut().unwrap();
        caller.tiny_id = tiny_id(self.secret.tiny_key(), APP, user);
        request
    }

    pub async fn guest(&self, inst_id: u32, command: &str, body: Value) -> Value {
        body_of(&self.execute(request(Kind::Guest, "", inst_id, command, &body)).await)
    }

    /// Makes a live room owned by "owner".
    pub async fn create(&self, group_id: &str) {
        let body = json!({ "Type": "AVChatRoom", "Name": "Live", "GroupId": group_id,
            "Owner_Account": "owner" });
        ok(&self.rest("create_group", body).await);
    }

    pub async fn join(&self, user: &str, group_id: &str) -> Value {
        let answer = self.client(user, "apply_join_group", join_body(group_id)).await;
        ok(&answer);
        answer
    }

    pub async fn send(&self, user: &str, group_id: &str, random: u32) -> Value {
        self.client(user, "send_group_msg", message(group_id, random)).await
    }

    pub async fn online(&self, group_id: &str) -> u64 {
        let answer = self.rest("get_online_member_num", json!({ "GroupId": group_id })).await;
        ok(&answer)["OnlineMemberNum"].as_u64().unwrap()
    }

    pub async fn attach(&self, user: &str, group_id: &str, last_seq: u32) -> v1::AttachMemberReply {
        let request = v1::AttachMemberRequest {
            app: APP.0,
            group_id: group_id.to_owned(),
            user: user.to_owned(),
            inst_id: inst_of(user),
            gateway: "gateway-1".to_owned(),
            last_seq,
        };
        self.router.clone().attach_member(request).await.unwrap().into_inner()
    }

    pub async fn detach(&self, user: &str, inst_id: u32, group_id: &str) {
        let request = v1::DetachMemberRequest {
            app: APP.0,
            group_id: group_id.to_owned(),
            user: user.to_owned(),
            inst_id,
            gateway: "gateway-1".to_owned(),
        };
        self.router.clone().detach_member(request).await.unwrap();
    }

    pub async fn fetch(
        &self,
        group_id: &str,
        after: v1::RoomPosition,
    ) -> Result<v1::FetchEventsReply, tonic::Status> {
        let group_id = group_id.to_owned();
        let request =
            v1::FetchEventsRequest { app: APP.0, group_id, after: Some(after), limit: 999 };
        self.router.clone().fetch_events(request).await.map(tonic::Response::into_inner)
    }

    pub async fn events(&self, group_id: &str) -> Events {
        Events::of(&self.around.bus, group_id).await
    }
}

pub fn inst_of(user: &str) -> u32 {
    1000 + u32::from(user.as_bytes()[0])
}

pub fn request(
    kind: Kind,
    user: &str,
    inst_id: u32,
    command: &str,
    body: &Value,
) -> v1::CommandRequest {
    let full = |service: &str| match command {
        full if full.contains('.') => full.to_owned(),
        command => format!("{service}.{command}"),
    };
    let service = match (kind, command) {
        (Kind::Guest, "apply_join_group") => "group_open_http_noauth_svc",
        (_, command) if command.contains("key_values") || command.contains("reaction") => {
            "openim_msg_ext_http_svc"
        }
        (_, "modify_group_msg") => "openim",
        _ => "group_open_http_svc",
    };
    v1::CommandRequest {
        app: APP.0,
        caller: Some(v1::Caller { user: user.to_owned(), tiny_id: 0, admin: user == "admin" }),
        origin: Some(v1::Origin { kind: kind.into(), inst_id, ..v1::Origin::default() }),
        command: full(service),
        body: body.to_string().into(),
        ..v1::CommandRequest::default()
    }
}

pub fn body_of(reply: &v1::CommandReply) -> Value {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["ErrorCode"], reply.code, "the envelope and the reply say the same");
    body
}

#[track_caller]
pub fn ok(answer: &Value) -> &Value {
    assert_eq!(answer["ErrorCode"], 0, "{answer}");
    answer
}

#[track_caller]
pub fn refused(answer: &Value, code: u32) {
    assert_eq!(answer["ErrorCode"], code, "{answer}");
    assert_eq!(answer["ActionStatus"], "FAIL", "{answer}");
    assert!(!answer["ErrorInfo"].as_str().unwrap().is_empty(), "{answer}");
}

pub fn join_body(group_id: &str) -> Value {
    json!({ "GroupId": group_id, "WebPushFlag": 1, "HugeGroupHistoryMsgFlag": 1 })
}

pub fn message(group_id: &str, random: u32) -> Value {
    json!({
        "GroupId": group_id, "Random": random, "MsgPriority": "Normal", "MsgClientTime": 1_800_000_000,
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": format!("text {random}") } }],
    })
}

pub fn in_group(group_id: &str) -> Value {
    json!({ "GroupId": group_id })
}

/// A Public group with an owner "owner" and these members.
pub async fn public_group(world: &World, group_id: &str, members: &[&str]) {
    let members: Vec<_> = members.iter().map(|user| json!({ "Member_Account": user })).collect();
    let body = json!({ "Type": "Public", "Name": "Chess", "GroupId": group_id,
        "Owner_Account": "owner", "ApplyJoinOption": "FreeAccess", "MemberList": members });
    ok(&world.rest("create_group", body).await);
}

/// Waits until something is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, wait).await.is_ok(), "never so: {what}");
}
