//! Presence through its contract, as the other services call it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod support;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use support::{APP, PATIENCE, key, next, next_delivery, quick, start, tracked};
use throng_presence::Config;
use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;
use throng_proto::v1::gateway_message::Message;
use throng_proto::v1::register_reply::Outcome;
use throng_store::{Batch, Key, MemoryStore, Page, Row, Store, StoreError, Table, WriteTime};

const SLOW: Config = Config {
    grace_seconds: 30,
    gateway_lease_ms: 5_000,
    room_memory_seconds: 6 * 3600,
    kick_memory_seconds: 3600,
    write_behind_ms: 10,
    watches_per_session: 10,
    audience_names: 4,
};

fn rooms(reply: &v1::RegisterReply) -> Vec<&str> {
    reply.rooms.iter().map(|room| room.group_id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_survive_a_crash_that_comes_a_moment_after_the_join() {
    let store = Arc::new(MemoryStore::new());
    let mut before = start(store.clone(), SLOW, 10);
    before.login("ann", 1).await;
    before.join("ann", 1, "live").await;
    let began = Instant::now();
    // Each of these is a process that starts over the same store and knows nothing.
    loop {
        let mut after = start(store.clone(), SLOW, 10);
        let reply = after.come_back("ann", 1).await;
        assert_eq!(reply.outcome(), Outcome::Registered);
        if rooms(&reply) == ["live"] {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "the join was never written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_during_a_shutdown_is_written_before_it_ends() {
    let store = Arc::new(MemoryStore::new());
    let mut before = start(store.clone(), SLOW, 10);
    before.login("ann", 1).await;
    before.login("bob", 2).await;
    before.join("ann", 1, "live").await;
    before.join("bob", 2, "live").await;
    before.drain.begin();
    let farewell = |user, inst_id, last_seq| v1::DisconnectRequest {
        session: key(user, inst_id),
        gateway: "g1".to_owned(),
        r#final: false,
        rooms: vec![tracked("live", last_seq)],
        connection: inst_id.into(),
    };
    before.presence.disconnect(farewell("ann", 1, 41)).await.unwrap();
    before.drain.finished().await;
    // A gateway may be slower than the drain.
    before.presence.disconnect(farewell("bob", 2, 42)).await.unwrap();
    let mut after = start(store, SLOW, 10);
    assert_eq!(after.come_back("ann", 1).await.rooms, vec![tracked("live", 41)]);
    assert_eq!(after.come_back("bob", 2).await.rooms, vec![tracked("live", 42)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kick_is_told_to_the_gateway_and_remembered_over_a_crash() {
    let store = Arc::new(MemoryStore::new());
    let mut setup = start(store.clone(), SLOW, 1);
    let mut gateway = setup.gateway("g1").await;
    setup.login("ann", 1).await;
    setup.login("ann", 2).await;
    let Message::Kick(kick) = next(&mut gateway).await else { panic!("no kick") };
    assert_eq!((kick.app, &*kick.user, kick.inst_id, kick.kick_type), (APP, "ann", 1, 1));
    let hello = v1::HelloRequest {
        session: key("ann", 1),
        gateway: "g1".to_owned(),
        ..v1::HelloRequest::default()
    };
    assert_eq!(setup.presence.hello(hello).await.unwrap().into_inner().kick_type, 1);
    setup.drain.begin();
    setup.drain.finished().await;
    let mut after = start(store, SLOW, 1);
    let reply = after.come_back("ann", 1).await;
    assert_eq!((reply.outcome(), reply.kick_type), (Outcome::Kicked, 1));
    assert_eq!(after.come_back("ann", 2).await.outcome(), Outcome::Registered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kick_by_an_administrator_hits_every_session_and_its_rooms() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    let mut gateway = setup.gateway("g1").await;
    setup.login("ann", 1).await;
    setup.login("ann", 2).await;
    setup.join("ann", 2, "live").await;
    let request = v1::KickUserRequest { app: APP, user: "ann".to_owned() };
    setup.presence.kick_user(request).await.unwrap();
    let mut kicked = Vec::new();
    for _ in 0..2 {
        let Message::Kick(kick) = next(&mut gateway).await else { panic!("no kick") };
        kicked.push((kick.inst_id, kick.kick_type));
    }
    kicked.sort_unstable();
    assert_eq!(kicked, [(1, 3), (2, 3)]);
    let detached = setup.next_detached().await;
    assert_eq!((detached.inst_id, &*detached.group_id, &*detached.gateway), (2, "live", "g1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_ends_with_the_grace_period_and_comes_back_even_later() {
    let mut setup = start(Arc::new(MemoryStore::new()), quick(), 10);
    setup.login("ann", 1).await;
    setup.join("ann", 1, "live").await;
    setup.disconnect("ann", 1, false).await;
    let detached = setup.next_detached().await;
    assert_eq!((&*detached.user, detached.inst_id, &*detached.group_id), ("ann", 1, "live"));
    assert_eq!(rooms(&setup.come_back("ann", 1).await), ["live"]);
    setup.disconnect("ann", 1, true).await;
    setup.next_detached().await;
    assert!(rooms(&setup.come_back("ann", 1).await).is_empty(), "closed for good");
}

#[tokio::test(flavor = "multi_thread")]
async fn items_go_to_each_gateway_once() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    let mut gateway = setup.gateway("g1").await;
    setup.login("ann", 1).await;
    setup.login("ann", 2).await;
    setup.login("bob", 3).await;
    let request = v1::DeliverRequest {
        app: APP,
        users: ["ann", "bob", "cid"].map(str::to_owned).to_vec(),
        event_items: Bytes::from_static(b"{}"),
        guarantee: Guarantee::Client.into(),
        except_inst_id: 1,
        part: false,
    };
    assert_eq!(setup.presence.deliver(request).await.unwrap().into_inner().reached, 2);
    let target = |user: &str, inst_ids: &[u32]| v1::DeliveryTarget {
        user: user.to_owned(),
        inst_ids: inst_ids.to_vec(),
    };
    // One message for each partition that has users among them.
    let mut targets = Vec::new();
    while targets.len() < 2 {
        let delivery = next_delivery(&mut gateway).await;
        targets.extend(delivery.targets);
        assert!(delivery.reliable && delivery.event_items == "{}");
        assert_eq!(delivery.except_inst_id, 1);
    }
    targets.sort_by(|one, other| one.user.cmp(&other.user));
    assert_eq!(targets, vec![target("ann", &[]), target("bob", &[])]);
}

/// Until what is used next is used later by the node's clock, which counts milliseconds.
async fn clock_goes_on() {
    let began = Instant::now();
    while began.elapsed().as_millis() < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_audiences_are_bounded_and_the_oldest_make_room() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    setup.login("ann", 1).await;
    let named = |group_id: &str| {
        Some(v1::Audience { app: APP, group_id: group_id.to_owned(), term: 1, version: 1 })
    };
    let registration = |group_id: &str, users: &[&str]| v1::RegisterAudienceRequest {
        audience: named(group_id),
        last: true,
        members: users
            .iter()
            .map(|user| v1::AudienceMember { user: (*user).to_owned(), discards: false })
            .collect(),
        ..v1::RegisterAudienceRequest::default()
    };
    let delivery = |group_id: &str, number| v1::DeliverToAudienceRequest {
        audience: named(group_id),
        from: 1,
        number,
        event_items: Bytes::from_static(b"{}"),
        ..v1::DeliverToAudienceRequest::default()
    };
    let mut presence = setup.presence.clone();
    for (group_id, users) in [("one", &["ann", "bob"]), ("two", &["ann", "cem"])] {
        let request = registration(group_id, users);
        assert!(!presence.register_audience(request).await.unwrap().into_inner().refused);
    }
    clock_goes_on().await;
    for (group_id, number) in [("one", 1), ("two", 1), ("one", 2)] {
        let reply = presence.deliver_to_audience(delivery(group_id, number)).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!((reply.refused, reply.reached), (false, 1), "{group_id}");
        clock_goes_on().await;
    }
    let request = registration("three", &["ann"]);
    assert!(!presence.register_audience(request).await.unwrap().into_inner().refused);
    for (group_id, refused) in [("one", false), ("two", true), ("three", false)] {
        let reply = presence.deliver_to_audience(delivery(group_id, 9)).await.unwrap();
        assert_eq!(reply.into_inner().refused, refused, "{group_id}");
    }
    let request = registration("large", &["a", "b", "c", "d", "e"]);
    assert!(presence.register_audience(request).await.unwrap().into_inner().refused);
    let request = registration("large", &["a", "b", "c", "d"]);
    assert!(!presence.register_audience(request).await.unwrap().into_inner().refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_users_are_filtered_by_room_and_by_presence() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    setup.login("ann", 1).await;
    setup.login("bob", 2).await;
    setup.join("bob", 2, "live").await;
    let users = ["ann", "bob", "cid"].map(str::to_owned).to_vec();
    let group_id = "live".to_owned();
    let request = v1::FilterRoomMembersRequest {
        app: APP,
        group_id,
        users: users.clone(),
        ..Default::default()
    };
    let inside = setup.presence.filter_room_members(request).await.unwrap().into_inner().users;
    assert_eq!(inside, ["bob"]);
    let request = v1::FilterOnlineRequest { app: APP, users, ..Default::default() };
    let online = setup.presence.filter_online(request).await.unwrap().into_inner().users;
    assert_eq!(online, ["ann", "bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_subscribes_hears_of_status_changes() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    setup.login("ann", 1).await;
    let mut gateway = setup.gateway("g1").await;
    let body = json!({ "To_Account": ["bob", "nobody"] });
    let answer = setup.execute("ann", 1, "im_open_status.ws_status_subscribe", &body).await;
    assert_eq!(answer["ErrorCode"], 0);
    assert_eq!(answer["ErrorList"][0]["To_Account"], "nobody");
    assert_eq!(answer["ErrorList"][0]["ErrorCode"], 70107);

    let told = |delivery: v1::UserDelivery| {
        assert_eq!(delivery.targets.len(), 1);
        let item: serde_json::Value = serde_json::from_slice(&delivery.event_items).unwrap();
        assert_eq!(item["Event"], 19);
        (delivery.targets[0].clone(), item["UserStatusList"][0].clone())
    };
    setup.login("bob", 2).await;
    let (target, status) = told(next_delivery(&mut gateway).await);
    assert_eq!((&*target.user, &*target.inst_ids), ("ann", &[1][..]));
    assert_eq!(status, json!({ "To_Account": "bob", "Status": 1, "CustomStatus": "" }));

    let body = json!({ "CustomStatus": "off" });
    setup.execute("bob", 2, "im_open_status.ws_set_custom_status", &body).await;
    let (_, status) = told(next_delivery(&mut gateway).await);
    assert_eq!(status["CustomStatus"], "b2Zm", "plain text in, base64 out");
    let body = json!({ "To_Account": ["bob", "cid"] });
    let answer = setup.execute("ann", 1, "im_open_status.ws_get_user_status", &body).await;
    let expected = json!([
        { "To_Account": "bob", "Status": 1, "CustomStatus": "b2Zm" },
        { "To_Account": "cid", "Status": 2, "CustomStatus": "" },
    ]);
    assert_eq!(answer["UserStatusList"], expected);
    assert_eq!(answer["ErrorList"], json!([]));

    setup.disconnect("bob", 2, true).await;
    let (_, status) = told(next_delivery(&mut gateway).await);
    assert_eq!(status["Status"], 2);
    assert_eq!(setup.login("bob", 3).await.custom_status, "b2Zm", "kept for the next login");
    told(next_delivery(&mut gateway).await);

    let body = json!({ "UnsubscribeAll": 1 });
    setup.execute("ann", 1, "im_open_status.ws_status_unsubscribe", &body).await;
    setup.disconnect("bob", 3, true).await;
    let request = v1::DeliverRequest {
        app: APP,
        users: vec!["ann".to_owned()],
        event_items: Bytes::from_static(b"mark"),
        ..v1::DeliverRequest::default()
    };
    setup.presence.deliver(request).await.unwrap();
    assert_eq!(next_delivery(&mut gateway).await.event_items, "mark", "nothing came before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_ask_who_is_online() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    setup.login("ann", 1).await;
    let body = json!({ "To_Account": ["ann", "bob", "nobody"], "IsNeedDetail": 1 });
    let answer = setup.execute("admin", 0, "openim.query_online_status", &body).await;
    let expected = json!([
        { "To_Account": "ann", "Status": "Online",
          "Detail": [{ "Platform": "Web", "Status": "Online" }] },
        { "To_Account": "bob", "Status": "Offline" },
    ]);
    assert_eq!(answer["QueryResult"], expected);
    assert_eq!(answer["ErrorList"], json!([{ "To_Account": "nobody", "ErrorCode": 70107 }]));
    let body = json!({ "To_Account": ["nobody"] });
    let answer = setup.execute("admin", 0, "openim.querystate", &body).await;
    assert_eq!(answer["ErrorCode"], 70107);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_the_field() {
    let mut setup = start(Arc::new(MemoryStore::new()), SLOW, 10);
    let many: Vec<_> = (0..501).map(|number| format!("user{number}")).collect();
    let wrong = [
        ("openim.query_online_status", json!({ "To_Account": "ann" }), 90001),
        ("openim.query_online_status", json!({ "To_Account": [] }), 90001),
        ("openim.query_online_status", json!({ "To_Account": many }), 90011),
        ("im_open_status.ws_get_user_status", json!({ "To_Account": many }), 70402),
        ("im_open_status.ws_get_user_status", json!({}), 70402),
        ("im_open_status.ws_status_subscribe", json!({ "To_Account": &many[..101] }), 70402),
        ("im_open_status.ws_status_unsubscribe", json!({}), 70402),
        ("im_open_status.ws_set_custom_status", json!({ "CustomStatus": "x".repeat(101) }), 70402),
        ("im_open_status.nonsense", json!({}), 60009),
    ];
    for (command, body, code) in wrong {
        let answer = setup.execute("ann", 1, command, &body).await;
        assert_eq!(answer["ErrorCode"], code, "{command} {answer}");
        let info = answer["ErrorInfo"].as_str().unwrap();
        assert!(code == 60009 || info.contains("Account:") || info.contains("Status:"), "{info}");
    }
    let unnamed = v1::HelloRequest { gateway: "g1".to_owned(), ..v1::HelloRequest::default() };
    let error = setup.presence.hello(unnamed).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::InvalidArgument);
}

/// A store that fails at everything.
#[derive(Debug)]
struct Broken;

#[async_trait::async_trait]
impl Store for Broken {
    fn is_fenced(&self) -> bool {
        false
    }

    async fn write(&self, _: Batch) -> Result<(), StoreError> {
        Err(StoreError::Overloaded)
    }

    async fn put_if_absent(
        &self,
        _: &'static Table,
        _: &Key,
        _: &Key,
        _: Bytes,
    ) -> Result<bool, StoreError> {
        Err(StoreError::Overloaded)
    }

    async fn compare_and_set(
        &self,
        _: &'static Table,
        _: &Key,
        _: &Key,
        _: Option<&[u8]>,
        _: Bytes,
    ) -> Result<bool, StoreError> {
        Err(StoreError::Overloaded)
    }

    async fn get(&self, _: &'static Table, _: &Key, _: &Key) -> Result<Option<Bytes>, StoreError> {
        Err(StoreError::Overloaded)
    }

    async fn page(&self, _: &'static Table, _: &Key, _: Page) -> Result<Vec<Row>, StoreError> {
        Err(StoreError::Overloaded)
    }

    async fn delete_partition(
        &self,
        _: &'static Table,
        _: &Key,
        _: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        Err(StoreError::Overloaded)
    }

    async fn scan_partitions(
        &self,
        _: &'static Table,
        _: Option<&Key>,
        _: usize,
    ) -> Result<Vec<Key>, StoreError> {
        Err(StoreError::Overloaded)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_succeeds_without_the_store() {
    let mut setup = start(Arc::new(Broken), SLOW, 10);
    assert_eq!(setup.come_back("ann", 1).await.outcome(), Outcome::Registered);
    setup.join("ann", 1, "live").await;
    setup.disconnect("ann", 1, false).await;
    assert_eq!(rooms(&setup.come_back("ann", 1).await), ["live"]);
    setup.drain.begin();
    tokio::time::timeout(PATIENCE, setup.drain.finished()).await.expect("the drain hangs");
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let config = Config { room_memory_seconds: 900, ..Config::default() };
    let result = throng_presence::Presence::build(
        config,
        throng_presence::Deps {
            store: Arc::new(Broken),
            bus: Arc::new(throng_bus::LocalBus::new()),
            group_router: throng_proto::Link::unconnected(),
            directory: throng_proto::Link::unconnected(),
            apps: throng_node::apps::Apps::new(throng_proto::Link::unconnected()),
            home: throng_presence::Home::alone(),
        },
    );
    assert!(result.unwrap_err().to_string().starts_with("presence: room_memory_seconds "));
}
