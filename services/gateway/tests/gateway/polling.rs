//! Live rooms by polls: guests, and members of apps that chose so.

use std::time::Duration;

use serde_json::{Value, json};
use throng_gateway::Config;
use throng_proto::v1::attach_member_reply::Outcome;
use throng_protocol::token::PollKey;
use tokio::time::Instant;

use crate::support::{APP, Client, Cluster, body, code, eventually};

const GUEST_JOIN: &str = "group_open_http_noauth_svc.apply_join_group";
const GUEST_POLL: &str = "group_open_long_polling_http_noauth_svc.get_msg";
const JOIN: &str = "group_open_http_svc.apply_join_group";
const POLL: &str = "group_open_long_polling_http_svc.get_msg";

fn quick() -> Config {
    Config { poll_hold: Duration::from_millis(200), ..Config::default() }
}

fn texts(answer: &Value) -> Vec<String> {
    let items = body(answer)["RspMsgList"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            assert_eq!(item["Event"], 3, "a polled item says what it is");
            item["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn poll(key: &Value, start: &Value) -> Value {
    json!({"USP": 1, "StartSeq": start, "HoldTime": 90, "Key": key, "DownsizeFlag": 0})
}

async fn join(client: &mut Client, command: &str) -> Value {
    let answer = client.ask(command, &json!({"GroupId": "r", "WebPushFlag": 1})).await;
    assert_eq!(code(&answer), 0);
    body(&answer)["LongPollingKey"].clone()
}

#[tokio::test]
async fn a_guest_polls_from_where_it_joined() {
    let cluster = Cluster::start().await;
    let mut guest = cluster.connect().await;
    cluster.owner.say("r", "before");
    let key = join(&mut guest, GUEST_JOIN).await;
    cluster.owner.is_followed("r").await;
    let waiting = guest.send(GUEST_POLL, &poll(&key, &json!(0))).await;
    cluster.owner.say("r", "hello");
    let answer = guest.answer(waiting).await;
    assert_eq!(texts(&answer), ["hello"]);
    assert_eq!(body(&answer)["Key"], key);
    let next = body(&answer)["NextSeq"].clone();
    assert!(next.as_u64().unwrap() < 1 << 53);
    cluster.owner.say("r", "a");
    cluster.owner.say("r", "b");
    let mut got = Vec::new();
    let mut next = next;
    while got.len() < 2 {
        let answer = guest.ask(GUEST_POLL, &poll(&key, &next)).await;
        got.extend(texts(&answer));
        next = body(&answer)["NextSeq"].clone();
    }
    assert_eq!(got, ["a", "b"]);
    let guests = cluster.owner.0.commands.lock()[0].clone();
    assert!(guests.caller.unwrap().user.is_empty());
    assert!(guests.origin.unwrap().inst_id > 0);
}

/// SDK protocol notes 02, 8, trap 6: held too long, the answer is ignored.
#[tokio::test]
async fn an_empty_poll_is_answered_in_time() {
    let cluster = Cluster::with(quick()).await;
    let mut guest = cluster.connect().await;
    let key = join(&mut guest, GUEST_JOIN).await;
    let began = Instant::now();
    let answer = guest.ask(GUEST_POLL, &poll(&key, &json!(0))).await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(texts(&answer), Vec::<String>::new());
    assert_eq!(body(&answer)["Key"], key);
    assert!(body(&answer)["NextSeq"].is_u64());
}

#[tokio::test]
async fn a_member_of_a_polling_app_polls_with_its_own_key_only() {
    let cluster = Cluster::with(quick()).await;
    *cluster.owner.0.poll_mode.lock() = true;
    let mut ann = cluster.login("ann").await;
    let key = join(&mut ann, JOIN).await;
    cluster.owner.is_followed("r").await;
    cluster.owner.say("r", "hello");
    let answer = ann.ask(POLL, &poll(&key, &json!(0))).await;
    assert_eq!(texts(&answer), ["hello"]);
    let mut bob = cluster.login("bob").await;
    assert_eq!(code(&bob.ask(POLL, &poll(&key, &json!(0))).await), 10004);
    assert_eq!(code(&bob.ask(POLL, &poll(&json!("forged"), &json!(0))).await), 10004);
    assert_eq!(code(&bob.ask(POLL, &json!({"StartSeq": 0})).await), 10004);
    let mut guest = cluster.connect().await;
    assert_eq!(code(&guest.ask(GUEST_POLL, &poll(&key, &json!(0))).await), 10004);
}

/// SDK protocol notes 02, 1.3: after a reconnect the poll with the old key is the first frame.
#[tokio::test]
async fn a_poll_goes_on_over_a_new_connection() {
    let cluster = Cluster::with(quick()).await;
    *cluster.owner.0.poll_mode.lock() = true;
    let mut ann = cluster.login("ann").await;
    let key = join(&mut ann, JOIN).await;
    cluster.owner.is_followed("r").await;
    cluster.owner.say("r", "1");
    let answer = ann.ask(POLL, &poll(&key, &json!(0))).await;
    let next = body(&answer)["NextSeq"].clone();
    let login = ann.login.clone();
    ann.close(4001).await;
    eventually("presence knows", || cluster.presence.disconnected.lock().len() == 1).await;
    cluster.owner.say("r", "2");
    let mut again = cluster.connect().await;
    again.login = login.clone();
    let answer = again.ask(POLL, &poll(&key, &next)).await;
    assert_eq!(texts(&answer), ["2"]);
    assert_eq!(cluster.owner.0.attached.lock()[0].user, "ann");
    assert_eq!(code(&again.come_back(&login).await), 0);
}

#[tokio::test]
async fn a_key_that_this_gateway_never_saw_is_taken_to_the_owner() {
    let cluster = Cluster::with(quick()).await;
    cluster.owner.say("r", "1");
    let place = PollKey { app: APP, group_id: "r".to_owned(), user: String::new(), inst_id: 9 };
    let key = json!(place.seal(cluster.secret.token_key()));
    let mut guest = cluster.connect().await;
    let answer = guest.ask(GUEST_POLL, &poll(&key, &json!((5u64 << 32) + 1))).await;
    assert_eq!(texts(&answer), Vec::<String>::new(), "it has the first");
    let next = body(&answer)["NextSeq"].clone();
    cluster.owner.say("r", "2");
    let answer = guest.ask(GUEST_POLL, &poll(&key, &next)).await;
    assert_eq!(texts(&answer), ["2"]);
    let attached = cluster.owner.0.attached.lock().clone();
    assert_eq!((attached.len(), attached[0].inst_id), (1, 9));
}

#[tokio::test]
async fn a_poll_of_a_room_that_is_gone_brings_the_notice() {
    let cluster = Cluster::with(quick()).await;
    *cluster.owner.0.outcome.lock() = Outcome::Gone;
    let place = PollKey { app: APP, group_id: "r".to_owned(), user: String::new(), inst_id: 9 };
    let key = json!(place.seal(cluster.secret.token_key()));
    let mut guest = cluster.connect().await;
    let answer = guest.ask(GUEST_POLL, &poll(&key, &json!(77))).await;
    assert_eq!((code(&answer), &body(&answer)["NextSeq"]), (0, &json!(77)));
    let push = guest.push().await;
    assert_eq!(body(&push)["EventArray"][0]["Event"], 5);
}

#[tokio::test]
async fn a_guest_that_stops_polling_is_gone() {
    let config = Config { guest_idle: Duration::from_millis(100), ..quick() };
    let cluster = Cluster::with(config).await;
    let mut guest = cluster.connect().await;
    join(&mut guest, GUEST_JOIN).await;
    eventually("its owner knows", || cluster.owner.0.detached.lock().len() == 1).await;
    assert!(cluster.owner.0.detached.lock()[0].user.is_empty());
}

#[tokio::test]
async fn a_guest_that_closes_is_gone() {
    let cluster = Cluster::start().await;
    let mut guest = cluster.connect().await;
    let key = join(&mut guest, GUEST_JOIN).await;
    guest.send(GUEST_POLL, &poll(&key, &json!(0))).await;
    guest.close(4000).await;
    eventually("its owner knows", || cluster.owner.0.detached.lock().len() == 1).await;
}
