//! What a session's token is good for, and when it is good for nothing any more.

use std::time::Duration;

use serde_json::json;
use throng_gateway::Config;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_proto::v1::gateway_message::Message;
use throng_protocol::token::{A2, instance};

use crate::support::{APP, Client, Cluster, Login, body, code, eventually, signature};

const SEND: &str = "group_open_http_svc.send_group_msg";
const POLL: &str = "group_open_long_polling_http_svc.get_msg";
const LOGOUT: &str = "im_open_status.wslogout";

/// A connection that has a session's token and has not logged in.
async fn with_token(cluster: &Cluster, login: &Login) -> Client {
    let mut client = cluster.connect().await;
    client.login = login.clone();
    client
}

/// Requests are answered before the login of their connection; a client that was kicked could go on
/// without one for ever.
#[tokio::test]
async fn the_token_of_a_kicked_session_is_good_for_nothing_on_a_new_connection() {
    let cluster = Cluster::start().await;
    let login = cluster.login("ann").await.login;
    *cluster.presence.kick_type.lock() = 3;
    for (servcmd, body) in [
        (SEND, json!({"GroupId": "g"})),
        (POLL, json!({"StartSeq": 0, "Key": "k"})),
        ("im_open_status.wshello", json!({})),
        ("profile.portrait_set", json!({"From_Account": "ann"})),
    ] {
        let mut again = with_token(&cluster, &login).await;
        let answer = again.ask(servcmd, &body).await;
        let got = (code(&answer), super::support::body(&answer)["KickType"].as_u64());
        assert_eq!(got, (1002, Some(3)), "{servcmd}");
        assert_eq!(code(&again.ask(LOGOUT, &json!({"wslogout_type": 1})).await), 0);
    }
    assert!(cluster.owner.names().is_empty());
    assert!(cluster.presence.unregistered.lock().is_empty(), "it has ended already");
}

/// Presence forgets in time what an administrator revoked, accounts do not.
#[tokio::test]
async fn a_token_that_was_revoked_long_ago_neither_acts_nor_logs_in() {
    let cluster = Cluster::start().await;
    let token = A2 {
        app: APP,
        user: "revoked".to_owned(),
        tiny_id: 1,
        inst_id: 7,
        issued_at: now_seconds(),
        instance: instance("i"),
    };
    let a2 = token.seal(cluster.secret.token_key());
    let login = Login { a2, tiny_id: "1".to_owned(), inst_id: 7 };
    let mut client = with_token(&cluster, &login).await;
    let answer = client.ask(SEND, &json!({"GroupId": "g"})).await;
    assert_eq!((code(&answer), body(&answer)["KickType"].as_u64()), (1002, Some(3)));
    let answer = with_token(&cluster, &login).await.come_back(&login).await;
    assert_eq!((code(&answer), body(&answer)["KickType"].as_u64()), (1002, Some(3)));
    assert!(cluster.owner.names().is_empty() && cluster.presence.registered.lock().is_empty());
}

#[tokio::test]
async fn a_token_is_good_for_nothing_after_the_logout() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let login = client.login.clone();
    assert_eq!(code(&client.ask(LOGOUT, &json!({"wslogout_type": 0})).await), 0);
    assert_eq!(code(&client.ask(SEND, &json!({"GroupId": "g"})).await), 60004, "no kick: it knows");
    assert_eq!(code(&client.come_back(&login).await), 1002);
    assert!(cluster.owner.names().is_empty());
}

/// Presence is asked once for all requests that come before the login, and they keep their order.
#[tokio::test]
async fn requests_before_the_login_are_vouched_for_once_and_stay_in_order() {
    let cluster = Cluster::start().await;
    let login = cluster.login("ann").await.login;
    let mut again = with_token(&cluster, &login).await;
    let mut sent = Vec::new();
    for number in 0..20 {
        sent.push(again.send(SEND, &json!({"GroupId": "g", "Random": number})).await);
    }
    assert_eq!(code(&again.come_back(&login).await), 0);
    for seq in sent {
        assert_eq!(code(&again.answer(seq).await), 0);
    }
    let numbers: Vec<u64> = cluster
        .owner
        .0
        .commands
        .lock()
        .iter()
        .map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).unwrap())
        .map(|body| body["Random"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    let heard = cluster.presence.heard.lock().clone();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].only_ask && heard[0].issued_at > 0);
}

/// No kick reaches a session that never logs in where it is: it may not stay.
#[tokio::test]
async fn who_acts_for_a_session_logs_in_or_goes() {
    let config = Config { login_timeout: Duration::from_millis(300), ..Config::default() };
    let cluster = Cluster::with(config).await;
    let login = cluster.login("ann").await.login;
    let mut lurker = with_token(&cluster, &login).await;
    assert_eq!(code(&lurker.ask(SEND, &json!({"GroupId": "g"})).await), 0);
    let mut honest = with_token(&cluster, &cluster.login("bob").await.login).await;
    let said = honest.send(SEND, &json!({"GroupId": "g"})).await;
    let bob = honest.login.clone();
    assert_eq!(code(&honest.come_back(&bob).await), 0);
    let mut guest = cluster.connect().await;
    assert_eq!(lurker.closed().await, (1008, "log in first".to_owned()));
    assert_eq!(code(&honest.answer(said).await), 0);
    assert_eq!(code(&honest.ask(SEND, &json!({"GroupId": "g"})).await), 0);
    assert_eq!(code(&guest.ask("heartbeat.alive", &json!({})).await), 0);
}

#[tokio::test]
async fn a_connection_serves_the_session_that_logged_in_and_no_other() {
    let cluster = Cluster::start().await;
    let bob = cluster.login("bob").await.login;
    let mut client = cluster.login("ann").await;
    let ann = client.login.clone();
    client.login = bob;
    assert_eq!(code(&client.ask(SEND, &json!({"GroupId": "g"})).await), 60004);
    let ended = cluster.presence.unregistered.lock().len();
    assert_eq!(code(&client.ask(LOGOUT, &json!({"wslogout_type": 0})).await), 0);
    assert_eq!(cluster.presence.unregistered.lock().len(), ended, "not bob's connection");
    client.login = ann;
    assert_eq!(code(&client.ask(SEND, &json!({"GroupId": "g"})).await), 0);
}

#[tokio::test]
async fn who_tries_signatures_has_to_connect_again_now_and_then() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    for _ in 0..20 {
        assert_eq!(code(&client.log_in("ann", "rubbish").await), 70003);
    }
    assert_eq!(client.closed().await, (1008, "too many failed logins".to_owned()));
}

/// It stayed open at the gateway that it had left, and no kick reached it there.
#[tokio::test]
async fn a_connection_whose_session_moved_to_another_gateway_is_closed() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let inst_id = u32::try_from(client.login.inst_id).unwrap();
    let registered = cluster.presence.registered.lock()[0].connection;
    let moved = |connection| {
        let user = "ann".to_owned();
        let (app, kick_type) = (APP.0, 0);
        cluster.tell(Message::Kick(v1::SessionKick { app, user, inst_id, kick_type, connection }));
    };
    // News of an older connection, which the session came back from.
    moved(registered - 1);
    assert_eq!(code(&client.ask(SEND, &json!({"GroupId": "g"})).await), 0);
    moved(registered);
    assert_eq!(client.closed().await.0, 1000);
    // Presence takes that for what it is: the session goes on elsewhere.
    eventually("it is confirmed", || cluster.presence.disconnected.lock().len() == 1).await;
    assert_eq!(cluster.presence.disconnected.lock()[0].connection, registered);
}

/// The order to end a session may be lost; its next hello is answered all the same.
#[tokio::test]
async fn a_hello_that_hears_of_a_kick_ends_the_session() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    *cluster.presence.kick_type.lock() = 1;
    assert_eq!(code(&client.ask("im_open_status.wshello", &json!({})).await), 1002);
    *cluster.presence.kick_type.lock() = 0;
    let answer = client.ask(SEND, &json!({"GroupId": "g"})).await;
    assert_eq!((code(&answer), body(&answer)["KickType"].as_u64()), (1002, Some(1)));
}

/// What one user has not acknowledged went out again to the next one on the same connection.
#[tokio::test]
async fn pushes_of_a_session_end_with_it() {
    let config = Config { ack_timeout: Duration::from_millis(200), ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.login("ann").await;
    cluster.tell(Message::Delivery(v1::UserDelivery {
        app: APP.0,
        targets: vec![v1::DeliveryTarget { user: "ann".to_owned(), inst_ids: Vec::new() }],
        event_items: "{\"Event\":5}".into(),
        reliable: true,
        ..v1::UserDelivery::default()
    }));
    client.push().await;
    client.ask(LOGOUT, &json!({"wslogout_type": 0})).await;
    client.login = Login::default();
    assert_eq!(code(&client.log_in("bob", &signature("bob")).await), 0);
    let quiet = tokio::time::timeout(Duration::from_millis(500), client.push()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

/// Two logins at once on one connection left a session behind that presence never heard the end of.
#[tokio::test]
async fn logins_of_one_connection_are_carried_out_one_after_the_other() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    for user in ["ann", "bob", "cid"] {
        client.send_login(user, &signature(user)).await;
    }
    eventually("all have logged in", || cluster.presence.registered.lock().len() == 3).await;
    let users =
        |keys: Vec<v1::SessionKey>| keys.into_iter().map(|key| key.user).collect::<Vec<_>>();
    let registered = cluster.presence.registered.lock().clone();
    let registered = registered.into_iter().filter_map(|one| one.session).collect();
    assert_eq!(users(registered), ["ann", "bob", "cid"]);
    assert_eq!(users(cluster.presence.unregistered.lock().clone()), ["ann", "bob"]);
}
