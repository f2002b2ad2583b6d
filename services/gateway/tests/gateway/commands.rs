//! How requests are answered: echo, order, what is local, what is not known.

use std::time::Duration;

use serde_json::{Value, json};
use throng_gateway::Config;
use throng_proto::v1;

use crate::support::{APP, Client, Cluster, body, code, eventually};

#[tokio::test]
async fn an_answer_echoes_the_command_as_it_was_written() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let servcmd = "million_group_open_http_svc.send_group_msg";
    let answer = client.ask(servcmd, &json!({"GroupId": "g"})).await;
    assert_eq!(answer["head"]["servcmd"], servcmd);
    assert_eq!(cluster.owner.names(), [servcmd]);
    let request = cluster.owner.0.commands.lock()[0].clone();
    assert_eq!(request.app, APP.0);
    assert_eq!(&request.body[..], br#"{"GroupId":"g"}"#);
    let origin = request.origin.unwrap();
    assert_eq!(origin.kind(), v1::origin::Kind::Client);
    assert_eq!((origin.platform, origin.ip.as_str()), (7, "127.0.0.1"));
    assert_eq!(u64::from(origin.inst_id), client.login.inst_id);
}

#[tokio::test]
async fn text_clients_get_text() {
    let cluster = Cluster::start().await;
    let mut client = Client::connect(cluster.address, "/info", "i").await;
    assert_eq!(code(&client.ask("heartbeat.alive", &json!({})).await), 0);
}

/// Commands start in the order they came; a slow one does not hold up the answers of others.
#[tokio::test]
async fn commands_start_in_order_and_answers_leave_when_ready() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let command = "group_open_http_svc.send_group_msg";
    let slow = client.send(command, &json!({"GroupId": "slow"})).await;
    let mut others = Vec::new();
    for number in 0..20 {
        others.push(client.send(command, &json!({"GroupId": "g", "Random": number})).await);
    }
    for seq in others {
        assert_eq!(client.next().await["head"]["seq"], seq);
    }
    let bodies: Vec<Value> = cluster
        .owner
        .0
        .commands
        .lock()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(bodies[0]["GroupId"], "slow");
    let order: Vec<_> = bodies[1..].iter().map(|body| body["Random"].as_u64().unwrap()).collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
    cluster.owner.0.release.notify_one();
    assert_eq!(client.next().await["head"]["seq"], slow);
}

#[tokio::test]
async fn reading_pauses_when_too_much_is_unanswered() {
    let config = Config { in_flight: 3, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.login("ann").await;
    for _ in 0..5 {
        client.send("group_open_http_svc.send_group_msg", &json!({"GroupId": "slow"})).await;
    }
    eventually("three have started", || cluster.owner.names().len() == 3).await;
    tokio::time::timeout(Duration::from_millis(100), client.next()).await.unwrap_err();
    assert_eq!(cluster.owner.names().len(), 3);
    for started in 4..=5 {
        cluster.owner.0.release.notify_one();
        client.next().await;
        eventually("another one started", || cluster.owner.names().len() == started).await;
    }
}

#[tokio::test]
async fn local_commands_are_answered_for_everybody() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    assert_eq!(code(&client.ask("heartbeat.alive", &json!({})).await), 0);
    assert_eq!(code(&client.ask("imopenstat.tim_web_report_v2", &json!({"Event": []})).await), 0);
    let answer = client.ask("im_sdk_config_mgr.fetch_config", &json!({"uint64_version": 0})).await;
    assert!(body(&answer)["uint64_version"].as_u64().unwrap() >= 1);
    assert_eq!(body(&answer)["uint32_expired_time"], 86_400);
    assert_eq!(body(&answer)["int32_error_code"], 0);
    let config: Value =
        serde_json::from_str(body(&answer)["str_json_config"].as_str().unwrap()).unwrap();
    assert_eq!(config["evt_rpt_waiting"], "5000");
    let answer = client.ask("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", &json!({})).await;
    assert_eq!(body(&answer)["str_purchase_bits"], "1".repeat(64));
    assert_eq!(body(&answer)["uint32_expired_time"], 86_400);
}

#[tokio::test]
async fn what_cannot_be_done_has_its_code() {
    let cluster = Cluster::start().await;
    let mut guest = cluster.connect().await;
    let answer = guest.ask("group_open_http_svc.send_group_msg", &json!({"GroupId": "g"})).await;
    assert_eq!(code(&answer), 60004, "not without login");
    let mut client = cluster.login("ann").await;
    let cases = [
        ("no_such_svc.no_such_command", json!({}), 60009),
        ("group_open_http_svc.no_such_command", json!({}), 10003),
        ("group_open_http_svc.send_broadcast_msg", json!({}), 10007),
        ("group_open_http_svc.send_group_msg", json!({}), 10004),
        ("group_open_http_svc.send_group_msg", json!([1]), 10011),
    ];
    for (servcmd, body, expected) in cases {
        let answer = client.ask(servcmd, &body).await;
        assert_eq!(code(&answer), expected, "{servcmd} {answer}");
    }
    let unknown = client.ask("no_such_svc.no_such_command", &json!({})).await;
    assert!(body(&unknown)["ErrorInfo"].as_str().unwrap().contains("no_such_svc"));
    assert!(cluster.owner.names().is_empty());
}

#[tokio::test]
async fn an_owner_that_does_not_answer_is_a_time_out() {
    let config = Config { command_timeout: Duration::from_millis(100), ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.login("ann").await;
    let answer =
        client.ask("im_open_status.ws_set_custom_status", &json!({"CustomStatus": ""})).await;
    assert_eq!(code(&answer), 60008);
    // One that is down is tried again until then.
    let answer = client.ask("profile.portrait_get_all", &json!({"From_Account": "ann"})).await;
    assert_eq!(code(&answer), 40006);
}

#[tokio::test]
async fn a_server_with_too_much_to_do_asks_clients_to_hold_back() {
    let config = Config { max_commands: 1, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.login("ann").await;
    let command = "group_open_http_svc.send_group_msg";
    let slow = client.send(command, &json!({"GroupId": "slow"})).await;
    eventually("the first one runs", || cluster.owner.names().len() == 1).await;
    let answer = client.ask(command, &json!({"GroupId": "g"})).await;
    assert_eq!(code(&answer), 60022);
    let push = client.push().await;
    assert_eq!(push["head"]["servcmd"], "OverLoadPush.notify2");
    assert_eq!(body(&push)["OverLoadServCmd"], command);
    assert!(body(&push)["DelaySecs"].as_u64().unwrap() >= 1);
    cluster.owner.0.release.notify_one();
    assert_eq!(code(&client.answer(slow).await), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let config = Config {
        idle_timeout: Duration::from_secs(1),
        hello_interval: Duration::from_millis(500),
        guest_idle: Duration::from_millis(200),
        ..Config::default()
    };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.connect().await;
    assert_eq!(client.closed().await, (1001, "idle".to_owned()));
}
