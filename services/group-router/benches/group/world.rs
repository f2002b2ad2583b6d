//! One process's group router and history over an embedded store, with one group in it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use throng_bus::{Bus, LocalBus, subjects};
use throng_group_router::{Config, Deps, GroupRouter, Placement};
use throng_history::History;
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_server::DirectoryServer;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::origin::Kind as Caller;
use throng_proto::v1::presence_server::PresenceServer;
use throng_protocol::ids::{AppId, tiny_id};
use throng_store::EmbeddedStore;

use crate::slow::SlowDisk;
use crate::stubs::{StubDirectory, StubPresence};

const APP: AppId = AppId(1_400_000_001);
const GROUP: &str = "final";
/// Users who come in at the same time.
const ARRIVALS: usize = 64;

/// What the group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A live room.
    Room {
        /// Its messages go into history.
        keeps: bool,
    },
    /// A group with a log (Public).
    Durable,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Room { keeps: false } => "live room",
            Self::Room { keeps: true } => "live room, kept",
            Self::Durable => "durable",
        }
    }
}

/// What it is measured with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) members: u32,
    /// Of each text.
    pub(crate) bytes: usize,
    /// Than the disk is.
    pub(crate) slower_by: Duration,
}

/// The process.
pub(crate) struct World {
    router: GroupRouterClient<Link>,
    store: Arc<EmbeddedStore>,
    drain: Drain,
    secret: Secret,
    members: u32,
    text: String,
    presence: Arc<StubPresence>,
}

impl World {
    /// Starts it, makes the group and brings its members in.
    pub(crate) async fn start(dir: &Path, kind: Kind, size: Size) -> anyhow::Result<Arc<Self>> {
        let Size { members, bytes, slower_by } = size;
        let embedded = Arc::new(EmbeddedStore::open(dir)?);
        let store = Arc::new(SlowDisk { store: embedded.clone(), by: slower_by });
        let bus = LocalBus::default();
        let [history, presence, directory, owners] = [(); 4].map(|()| Link::unconnected());
        let (secret, drain) = (Secret::new(&[7; 32]), Drain::new());
        let deps = throng_history::Deps {
            store: store.clone(),
            group_router: owners.clone(),
            secret: secret.clone(),
        };
        let server = History::build(&throng_history::Config::default(), deps)?.server();
        history.connect_server(server);
        let stub = Arc::new(StubPresence::default());
        presence.connect_server(PresenceServer::from_arc(Arc::clone(&stub)));
        let keep_history = kind != Kind::Room { keeps: false };
        directory.connect_server(DirectoryServer::new(StubDirectory { keep_history }));
        let deps = Deps {
            store: store.clone(),
            bus: Arc::new(bus.clone()),
            history,
            presence,
            apps: Apps::new(directory.clone()),
            directory,
            group_router: owners.clone(),
            secret: secret.clone(),
            placement: Placement::alone(8, 1),
        };
        let router = GroupRouter::build(Config::default(), deps, drain.clone());
        owners.connect_server(router.server());
        // The one gateway of the process, that takes the room's events.
        let mut events = bus.subscribe(&subjects::room(APP, GROUP)).await?;
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        let router = GroupRouterClient::new(owners);
        let text = "What a match! ".repeat(bytes / 14 + 1)[..bytes].to_owned();
        let world = Self { router, store: embedded, drain, secret, members, text, presence: stub };
        world.fill(kind).await?;
        Ok(Arc::new(world))
    }

    async fn fill(&self, kind: Kind) -> anyhow::Result<()> {
        let kind = if kind == Kind::Durable { "Public" } else { "AVChatRoom" };
        let group = json!({ "Type": kind, "Name": "The final", "GroupId": GROUP,
            "Owner_Account": "owner", "ApplyJoinOption": "FreeAccess", "MaxMemberCount": 2000 });
        self.call(self.request(Caller::Rest, "admin", 0, "create_group", group.to_string()))
            .await?;
        let arrivals = (0..self.members).map(|member| {
            let body = json!({ "GroupId": GROUP, "WebPushFlag": 1 }).to_string();
            let user = user(member);
            self.call(self.request(Caller::Client, &user, member + 1, "apply_join_group", body))
        });
        stream::iter(arrivals).buffer_unordered(ARRIVALS).try_collect::<Vec<_>>().await?;
        Ok(())
    }

    /// Sends a message of one connection and waits for its answer. Connections are shared out among
    /// the members; `number` counts the messages of one from 1 on.
    pub(crate) async fn send(&self, connection: u32, number: u32) -> anyhow::Result<()> {
        let member = connection % self.members;
        let user = user(member);
        // As the client writes it (SDK protocol notes 02, 2.3).
        let body = format!(
            r#"{{"From_Account":"{user}","GroupId":"{GROUP}","Random":{random},"ClientSeq":{number},"MsgPriority":"Normal","MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}],"CloudCustomData":"","OnlineOnlyFlag":0,"OfflinePushInfo":{{"PushFlag":0,"Title":"","Desc":"","Ext":"","ApnsInfo":{{}},"AndroidInfo":{{}}}},"GroupAtInfo":[],"MsgClientTime":1795166233,"NeedReadReceipt":0,"SupportMessageExtension":0,"IsRelayMsg":0}}"#,
            random = (connection << 20).wrapping_add(number),
            text = self.text,
        );
        let mut request = self.request(Caller::Client, &user, member + 1, "send_group_msg", body);
        let stream = u64::from(connection) + 1;
        request.order = Some(v1::SendOrder { stream, number, settled: number - 1 });
        let answer = self.call(request).await?;
        ensure!(answer.get("MsgDropReason").is_none(), "a message was dropped: {answer}");
        Ok(())
    }

    fn request(
        &self,
        kind: Caller,
        user: &str,
        inst_id: u32,
        command: &str,
        body: String,
    ) -> v1::CommandRequest {
        let tiny_id = tiny_id(self.secret.tiny_key(), APP, user);
        v1::CommandRequest {
            app: APP.0,
            caller: Some(v1::Caller { user: user.to_owned(), tiny_id, admin: user == "admin" }),
            origin: Some(v1::Origin { kind: kind.into(), inst_id, ..v1::Origin::default() }),
            command: format!("group_open_http_svc.{command}"),
            body: body.into(),
            ..v1::CommandRequest::default()
        }
    }

    async fn call(&self, request: v1::CommandRequest) -> anyhow::Result<Value> {
        let reply = self.router.clone().execute(request).await?.into_inner();
        let answer = serde_json::from_slice(&reply.body).context("an answer")?;
        ensure!(reply.code == 0, "refused: {answer}");
        Ok(answer)
    }

    /// Calls that presence got so far, each with items for all members.
    pub(crate) fn calls(&self) -> u64 {
        self.presence.calls.load(Ordering::Relaxed)
    }

    /// Ends it in order, so that the next one has the disk to itself.
    pub(crate) async fn end(&self) {
        self.drain.begin();
        self.drain.finished().await;
        self.store.close().await;
    }
}

fn user(member: u32) -> String {
    format!("viewer-{member}")
}
