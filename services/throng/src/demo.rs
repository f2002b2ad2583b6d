//! The demo app of a server that was started without any app: made once, kept in the data folder,
//! printed with everything that a client needs.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use rand::RngExt;
use serde_json::json;
use throng_directory::Directory;
use throng_gateway::Links;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_protocol::error::Code;
use throng_protocol::ids::AppId;
use throng_protocol::usersig::sign;

use crate::config::Config;

const ADMIN: &str = "administrator";
const USER: &str = "alice";
/// Signatures to paste are for trying things out.
const VALID_SECONDS: i64 = 30 * 24 * 3600;

/// The demo app, its room, and its key.
pub(crate) struct Demo {
    app: AppId,
    key: String,
    room: String,
}

/// Makes or finds the demo app when there is no other, and turns the demo page on for it.
pub(crate) async fn prepare(
    config: &mut Config,
    directory: &Directory,
) -> anyhow::Result<Option<Demo>> {
    if !config.apps.is_empty() {
        return Ok(None);
    }
    let (app, key) = directory.ensure_demo_app().await?;
    config.gateway.demo.app = Some(app.0);
    Ok(Some(Demo { app, key, room: config.gateway.demo.room.clone() }))
}

/// Makes the demo room unless it is there.
pub(crate) async fn make_room(links: &Links, demo: &Demo) -> anyhow::Result<()> {
    let body = json!({ "Type": "AVChatRoom", "GroupId": demo.room, "Name": "Demo" });
    let request = v1::CommandRequest {
        app: demo.app.0,
        caller: Some(v1::Caller { user: ADMIN.to_owned(), tiny_id: 0, admin: true }),
        origin: Some(v1::Origin { kind: v1::origin::Kind::Rest.into(), ..v1::Origin::default() }),
        command: "group_open_http_svc.create_group".to_owned(),
        body: body.to_string().into(),
        deadline_ms: 10_000,
        trace: String::new(),
        order: None,
    };
    let mut router = GroupRouterClient::new(links.group_router.clone());
    let reply = router.execute(request).await.context("demo room")?.into_inner();
    let there = [0, Code::GROUP_ID_IN_USE.number(), Code::GROUP_ID_IN_USE_BY_SELF.number()];
    if !there.contains(&reply.code) {
        bail!("demo room: {}", String::from_utf8_lossy(&reply.body));
    }
    Ok(())
}

impl Demo {
    /// Prints what to connect with, ready to paste.
    pub(crate) fn print(&self, address: SocketAddr, tls: bool) {
        let s = if tls { "s" } else { "" };
        let sig = |user| sign(self.app, &self.key, user, now_seconds(), VALID_SECONDS, None);
        let random: u32 = rand::rng().random();
        println!("demo page    http{s}://{address}/");
        println!("proxyServer  ws{s}://{address}");
        println!("SDKAppID     {}", self.app);
        println!("secret key   {}", self.key);
        println!("live room    {}", self.room);
        println!("userID       {USER}");
        println!("userSig      {}", sig(USER));
        println!("admin        {ADMIN}");
        println!("admin sig    {}", sig(ADMIN));
        println!(
            "REST         curl -d '{{\"GroupIdList\":[\"{}\"]}}' 'http{s}://{address}/v4/group_open_http_svc/get_group_info?sdkappid={}&identifier={ADMIN}&usersig={}&random={random}&contenttype=json'",
            self.room,
            self.app,
            sig(ADMIN),
        );
    }
}
