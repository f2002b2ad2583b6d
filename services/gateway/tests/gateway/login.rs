//! Logins, sessions that come back, and their ends.

use std::time::Duration;

use serde_json::json;
use throng_gateway::Config;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::ids;
use throng_protocol::usersig;

use crate::support::{APP, Client, Cluster, KEY, body, code, eventually, signature};

#[tokio::test]
async fn a_first_login_gets_everything_the_client_needs() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    let answer = client.log_in("ann", &signature("ann")).await;
    let body = body(&answer);
    assert_eq!(body["ErrorCode"], 0);
    let tiny_id = ids::tiny_id(cluster.secret.tiny_key(), APP, "ann").to_string();
    assert_eq!(body["TinyId"], tiny_id.as_str(), "a string, the same for ever");
    assert!(body["InstId"].as_u64().unwrap() > 0);
    assert_eq!(body["HelloInterval"], 120);
    assert!((body["TimeStamp"].as_i64().unwrap() - now_seconds()).abs() < 5);
    assert_eq!(body["CustomStatus"], "c3RhdHVz");
    assert_eq!(body["PurchaseBits"], "1".repeat(64));
    let registered = cluster.presence.registered.lock()[0].clone();
    assert!(registered.fresh);
    assert_eq!(registered.gateway, crate::support::GATEWAY);
    assert_eq!((registered.platform, registered.instance.as_str()), (7, "instance-1"));
}

#[tokio::test]
async fn a_bad_login_is_told_why() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    let expired = usersig::sign(APP, KEY, "ann", now_seconds() - 100, 10, None);
    let forged = usersig::sign(APP, "another key", "ann", now_seconds(), 100, None);
    let good = signature("ann");
    let revoked = signature("revoked");
    let cases = [
        ("ann", expired.as_str(), 70001),
        ("ann", forged.as_str(), 70009),
        ("bob", good.as_str(), 70013),
        ("ann", "rubbish", 70003),
        ("ann", "", 70003),
        ("", good.as_str(), 70402),
        ("revoked", revoked.as_str(), 70052),
    ];
    for (user, signature, expected) in cases {
        let answer = client.log_in(user, signature).await;
        assert_eq!(code(&answer), expected, "{user} {answer}");
    }
    assert!(cluster.presence.registered.lock().is_empty());
    // The connection is as good as new.
    assert_eq!(code(&client.log_in("ann", &good).await), 0);
}

/// SDK protocol notes 01, 7, traps 1 and 2: requests that were pending come again before the
/// re-login, and the session's token and number never change.
#[tokio::test]
async fn requests_come_again_before_the_login_does() {
    let cluster = Cluster::start().await;
    let client = cluster.login("ann").await;
    let login = client.login.clone();
    client.close(4001).await;

    let mut again = cluster.connect().await;
    again.login = login.clone();
    let answer = again.ask("group_open_http_svc.send_group_msg", &json!({"GroupId": "g"})).await;
    assert_eq!(code(&answer), 0);
    let caller = cluster.owner.0.commands.lock()[0].caller.clone().unwrap();
    assert_eq!((caller.user.as_str(), caller.admin), ("ann", false));
    let answer = again.come_back(&login).await;
    assert_eq!(body(&answer)["A2Key"], login.a2.as_str());
    assert_eq!(body(&answer)["InstId"], login.inst_id);
    let registered = cluster.presence.registered.lock().clone();
    assert_eq!(registered.iter().map(|one| one.fresh).collect::<Vec<_>>(), [true, false]);
    assert!(registered[0].connection != registered[1].connection);
}

#[tokio::test]
async fn a_token_that_is_not_ours_ends_the_session() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    client.login.a2 = "bm90IGEgdG9rZW4".to_owned();
    let answer = client.ask("group_open_http_svc.send_group_msg", &json!({"GroupId": "g"})).await;
    assert_eq!(code(&answer), 70001);
    let login = client.login.clone();
    assert_eq!(code(&client.come_back(&login).await), 70001);
}

#[tokio::test]
async fn a_session_that_was_kicked_while_away_is_told_so() {
    let cluster = Cluster::start().await;
    let client = cluster.login("ann").await;
    let login = client.login.clone();
    client.close(4001).await;
    *cluster.presence.kick_type.lock() = 3;
    let mut again = cluster.connect().await;
    let answer = again.come_back(&login).await;
    assert_eq!((code(&answer), body(&answer)["KickType"].as_u64()), (1002, Some(3)));
    let answer = again.ask("im_open_status.wshello", &json!({})).await;
    assert_eq!((code(&answer), body(&answer)["KickType"].as_u64()), (1002, Some(3)));
}

#[tokio::test]
async fn presence_hears_how_a_connection_ended() {
    let cluster = Cluster::start().await;
    for (user, close, is_final) in [("ann", 4001, false), ("bob", 4000, true)] {
        cluster.login(user).await.close(close).await;
        eventually("presence heard of it", || {
            cluster.presence.disconnected.lock().iter().any(|one| {
                one.session.as_ref().is_some_and(|session| session.user == user)
                    && one.r#final == is_final
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_newer_connection_of_the_session_replaces_the_older() {
    let cluster = Cluster::start().await;
    let mut old = cluster.login("ann").await;
    let login = old.login.clone();
    old.ask("group_open_http_svc.apply_join_group", &json!({"GroupId": "r"})).await;
    let mut new = cluster.connect().await;
    assert_eq!(code(&new.come_back(&login).await), 0);
    assert_eq!(old.closed().await.0, 1000);
    // Presence knew of no room; the older connection did.
    eventually("the room moved", || cluster.owner.0.attached.lock().len() == 1).await;
    cluster.owner.say("r", "hello");
    let push = new.push().await;
    assert!(push.to_string().contains("hello"), "{push}");
    assert!(cluster.presence.disconnected.lock().is_empty(), "the session goes on");
}

#[tokio::test]
async fn a_logout_ends_the_session_and_another_user_may_log_in() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    client.ask("group_open_http_svc.apply_join_group", &json!({"GroupId": "r"})).await;
    let ann = client.login.inst_id;
    let answer = client.ask("im_open_status.wslogout", &json!({"wslogout_type": 0})).await;
    assert_eq!(code(&answer), 0);
    let gone = cluster.presence.unregistered.lock().clone();
    assert_eq!(
        gone,
        [v1::SessionKey {
            app: APP.0,
            user: "ann".to_owned(),
            inst_id: u32::try_from(ann).unwrap(),
        }]
    );
    client.login = crate::support::Login::default();
    assert_eq!(code(&client.log_in("bob", &signature("bob")).await), 0);
    assert_eq!(
        cluster.presence.registered.lock().last().unwrap().session.as_ref().unwrap().user,
        "bob"
    );
    // Nobody here is in the room any more.
    cluster.owner.say("r", "hello");
    let answer = client.ask("heartbeat.alive", &json!({})).await;
    assert_eq!(code(&answer), 0);
}

#[tokio::test]
async fn too_many_connections_are_refused() {
    let config = Config { max_connections_per_address: 2, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let first = cluster.connect().await;
    let _second = cluster.connect().await;
    assert!(Client::try_connect(cluster.address, "/binfo", "i").await.is_err());
    first.close(4000).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while Client::try_connect(cluster.address, "/binfo", "i").await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the place is free again");
    }
}
