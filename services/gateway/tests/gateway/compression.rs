//! Compressed frames, for clients that can inflate.

use serde_json::json;
use throng_gateway::Config;

use crate::rooms::texts;
use crate::support::{Client, Cluster, signature};

const JOIN: &str = "group_open_http_svc.apply_join_group";

async fn member(cluster: &Cluster, user: &str, path: &str) -> Client {
    let mut client = Client::connect(cluster.address, path, user).await;
    client.log_in(user, &signature(user)).await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    client
}

#[tokio::test]
async fn what_is_long_goes_to_a_room_compressed() {
    let cluster = Cluster::start().await;
    let mut members = [
        member(&cluster, "ann", "/binfo").await,
        member(&cluster, "bob", "/binfo").await,
        member(&cluster, "cid", "/info").await,
    ];
    let long = "so long ".repeat(1000);
    for text in ["short", &long, "short again"] {
        cluster.owner.say("r", text);
        for client in &mut members {
            assert_eq!(texts(client, 1).await, [text]);
        }
    }
    assert_eq!(members.map(|client| client.compressed), [1, 1, 0]);
}

#[tokio::test]
async fn answers_are_compressed_where_that_is_set_and_rooms_where_it_is_not_turned_off() {
    let config = Config { compress_bytes: 0, compress_answer_bytes: 1, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = member(&cluster, "ann", "/binfo").await;
    assert!(client.compressed > 0, "the answer to the login, at least");
    let before = client.compressed;
    let long = "so long ".repeat(1000);
    cluster.owner.say("r", &long);
    assert_eq!(texts(&mut client, 1).await, [long]);
    assert_eq!(client.compressed, before);
}
