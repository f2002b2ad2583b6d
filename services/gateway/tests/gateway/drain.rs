//! The end of the process.

use std::time::Duration;

use serde_json::json;
use throng_gateway::Config;
use tokio::time::timeout;

use crate::support::{Client, Cluster, LONG, code};

#[tokio::test]
async fn all_connections_are_closed_within_the_window() {
    let config = Config { drain_window: Duration::from_millis(300), ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut clients = Vec::new();
    for number in 0..10 {
        clients.push(cluster.login(&format!("user{number}")).await);
    }
    let slow =
        clients[0].send("group_open_http_svc.send_group_msg", &json!({"GroupId": "slow"})).await;
    let release = cluster.owner.0.clone();
    crate::support::eventually("it runs", || !release.commands.lock().is_empty()).await;
    cluster.drain.begin();
    release.release.notify_one();
    assert_eq!(code(&clients[0].answer(slow).await), 0, "what had begun is answered");
    for client in &mut clients {
        assert_eq!(client.closed().await, (1001, "going away".to_owned()));
    }
    drop(clients);
    timeout(LONG, cluster.serving).await.expect("it ends").unwrap();
    timeout(LONG, cluster.drain.finished()).await.expect("everything ends");
    assert!(Client::try_connect(cluster.address, "/binfo", "i").await.is_err());
    assert_eq!(cluster.presence.disconnected.lock().len(), 10);
}
