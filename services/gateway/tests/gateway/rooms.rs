//! Live rooms by push.

use std::sync::Arc;

use serde_json::{Value, json};
use throng_proto::v1;
use throng_proto::v1::attach_member_reply::Outcome;
use throng_proto::v1::room_event::Membership;
use tokio::sync::Notify;

use crate::support::{Client, Cluster, code, eventually};

const JOIN: &str = "group_open_http_svc.apply_join_group";
const QUIT: &str = "group_open_http_svc.quit_group";

fn text(push: &Value) -> &str {
    let all = all_texts(push);
    assert_eq!(all.len(), 1, "{push}");
    all[0]
}

fn all_texts(push: &Value) -> Vec<&str> {
    let entries = push["body"]["EventArray"].as_array().unwrap();
    let messages = entries.iter().flat_map(|entry| entry["GroupMsgArray"].as_array().unwrap());
    messages.map(|message| message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap()).collect()
}

pub(crate) async fn texts(client: &mut Client, number: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < number {
        let push = client.push().await;
        texts.extend(all_texts(&push).into_iter().map(str::to_owned));
    }
    texts
}

fn room(group: &str, last_seq: u32) -> v1::TrackedRoom {
    v1::TrackedRoom { group_id: group.to_owned(), mode: v1::RoomMode::Push.into(), last_seq }
}

/// SDK protocol notes 02, 1.2: what comes before the answer to the join is dropped by the client.
#[tokio::test]
async fn the_answer_to_a_join_comes_before_the_first_message() {
    let cluster = Cluster::start().await;
    let mut other = cluster.login("bob").await;
    other.ask(JOIN, &json!({"GroupId": "r"})).await;
    for round in 0..20 {
        let mut client = cluster.login(&format!("user{round}")).await;
        *cluster.owner.0.at_join.lock() = Some(format!("welcome {round}"));
        let seq = client.send(JOIN, &json!({"GroupId": "r"})).await;
        assert_eq!(client.next().await["head"]["seq"], seq);
        assert_eq!(text(&client.next().await), format!("welcome {round}"));
    }
}

#[tokio::test]
async fn what_happens_before_the_gateway_listens_is_fetched() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    cluster.owner.say("r", "before the join");
    *cluster.owner.0.at_join.lock() = Some("nobody listens yet".to_owned());
    client.ask(JOIN, &json!({"GroupId": "r", "WebPushFlag": 1})).await;
    assert_eq!(texts(&mut client, 1).await, ["nobody listens yet"]);
    cluster.owner.say("r", "now");
    assert_eq!(texts(&mut client, 1).await, ["now"]);
    let tracked = cluster.presence.tracked.lock()[0].clone();
    assert_eq!(tracked.joined, [room("r", 0)]);
}

#[tokio::test]
async fn everybody_gets_the_same_in_the_same_order() {
    let cluster = Cluster::start().await;
    let mut clients = Vec::new();
    for user in ["ann", "bob", "eve"] {
        let mut client = cluster.login(user).await;
        client.ask(JOIN, &json!({"GroupId": "r"})).await;
        clients.push(client);
    }
    cluster.owner.is_followed("r").await;
    let said: Vec<String> = (0..50).map(|number| format!("message {number}")).collect();
    for text in &said {
        cluster.owner.say("r", text);
    }
    for client in &mut clients {
        assert_eq!(texts(client, 50).await, said);
    }
}

#[tokio::test]
async fn a_message_that_the_bus_lost_is_fetched() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.say("r", "1");
    assert_eq!(texts(&mut client, 1).await, ["1"]);
    cluster.owner.say_unheard("r", "2");
    cluster.owner.say_unheard("r", "3");
    cluster.owner.say("r", "4");
    cluster.owner.say("r", "5");
    assert_eq!(texts(&mut client, 4).await, ["2", "3", "4", "5"]);
}

#[tokio::test]
async fn after_a_quit_nothing_comes() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let mut other = cluster.login("bob").await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    other.ask(JOIN, &json!({"GroupId": "r"})).await;
    client.ask(QUIT, &json!({"GroupId": "r"})).await;
    eventually("presence knows", || {
        cluster.presence.tracked.lock().iter().any(|request| request.left == ["r"])
    })
    .await;
    cluster.owner.say("r", "for bob");
    assert_eq!(texts(&mut other, 1).await, ["for bob"]);
    let answer = client.ask("heartbeat.alive", &json!({})).await;
    assert_eq!(code(&answer), 0, "and nothing before it");
}

/// SDK protocol notes 02, 8, trap 2: a client that joins a room which it is in quits it right after.
#[tokio::test]
async fn a_rejoin_does_not_end_in_a_quit() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    let answer = client.ask(QUIT, &json!({"GroupId": "r"})).await;
    assert_eq!(code(&answer), 0);
    assert_eq!(cluster.owner.names(), [JOIN, JOIN], "the quit went no further");
    cluster.owner.say("r", "still here");
    assert_eq!(texts(&mut client, 1).await, ["still here"]);
    // The user means the next one.
    client.ask(QUIT, &json!({"GroupId": "r"})).await;
    assert_eq!(cluster.owner.names(), [JOIN, JOIN, QUIT]);
}

/// The same trap the other way round: whoever leaves a room right after the first join is out.
#[tokio::test]
async fn a_quit_after_the_first_join_is_a_quit() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    client.ask(QUIT, &json!({"GroupId": "r"})).await;
    assert_eq!(cluster.owner.names(), [JOIN, QUIT]);
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    client.ask(QUIT, &json!({"GroupId": "other"})).await;
    assert_eq!(cluster.owner.names(), [JOIN, QUIT, JOIN, QUIT]);
}

/// SDK protocol notes 02, 1.6: the client does not join again, and wants nothing to be missing.
#[tokio::test]
async fn a_session_that_comes_back_is_in_its_room_and_misses_nothing() {
    let cluster = Cluster::start().await;
    let mut other = cluster.login("bob").await;
    other.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.is_followed("r").await;
    let mut client = cluster.login("ann").await;
    client.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.say("r", "1");
    assert_eq!(texts(&mut client, 1).await, ["1"]);
    let login = client.login.clone();
    client.close(4001).await;
    let gone = || cluster.presence.disconnected.lock().first().cloned();
    eventually("presence knows", || gone().is_some()).await;
    let rooms = gone().unwrap().rooms;
    assert_eq!(rooms, [room("r", 0)], "what was sent just now may not have arrived");
    cluster.owner.say("r", "2");
    cluster.owner.say("r", "3");
    *cluster.presence.rooms.lock() = vec![room("r", 1)];

    let mut again = cluster.connect().await;
    assert_eq!(code(&again.come_back(&login).await), 0);
    assert_eq!(texts(&mut again, 2).await, ["2", "3"]);
    cluster.owner.say("r", "4");
    assert_eq!(texts(&mut again, 1).await, ["4"]);
    let attached = cluster.owner.0.attached.lock().clone();
    assert_eq!(attached.len(), 1);
    assert_eq!(attached[0].last_seq, u32::MAX, "the owner had no work with it");
}

#[tokio::test]
async fn a_gateway_that_knows_nothing_asks_the_owner() {
    let cluster = Cluster::start().await;
    for number in 1..=3 {
        cluster.owner.say("r", &number.to_string());
    }
    let client = cluster.login("ann").await;
    let login = client.login.clone();
    client.close(4001).await;
    *cluster.presence.rooms.lock() = vec![room("r", 0)];
    let mut again = cluster.connect().await;
    again.come_back(&login).await;
    assert_eq!(texts(&mut again, 3).await, ["1", "2", "3"]);
    cluster.owner.say("r", "4");
    assert_eq!(texts(&mut again, 1).await, ["4"]);
    // What the owner told beside the stream may be lost with the connection, as well as the stream.
    let told_before = cluster.presence.disconnected.lock().len();
    again.close(4001).await;
    let told = || cluster.presence.disconnected.lock().get(told_before).cloned();
    eventually("presence knows", || told().is_some()).await;
    assert_eq!(told().unwrap().rooms, [room("r", 0)]);
}

/// SDK protocol notes 02, 8, trap 2: a client whose membership was lost has to be told to leave.
#[tokio::test]
async fn a_session_whose_room_is_gone_gets_the_notice() {
    let cluster = Cluster::start().await;
    let client = cluster.login("ann").await;
    let login = client.login.clone();
    client.close(4001).await;
    *cluster.presence.rooms.lock() = vec![room("r", 1)];
    *cluster.owner.0.outcome.lock() = Outcome::Gone;
    let mut again = cluster.connect().await;
    let seq = again.send("heartbeat.alive", &json!({})).await;
    again.answer(seq).await;
    again.come_back(&login).await;
    let push = again.push().await;
    assert_eq!(push["head"]["servcmd"], "im_open_push.msg_push");
    assert_eq!(push["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"]["ReportType"], 5);
    eventually("presence knows", || {
        cluster.presence.tracked.lock().iter().any(|request| request.left == ["r"])
    })
    .await;
}

/// Presence heard of a join after the quit that followed it, or of a quit after the next join: the
/// session lost its room with the connection, or was brought back into one that it had left.
#[tokio::test]
async fn presence_hears_last_how_it_is() {
    let cluster = Cluster::start().await;
    for (steps, is_in) in [([JOIN, QUIT], false), ([QUIT, JOIN], true)] {
        let user = if is_in { "bob" } else { "ann" };
        let mut client = cluster.login(user).await;
        if is_in {
            client.ask(JOIN, &json!({"GroupId": "r"})).await;
            eventually("it is in", || !cluster.presence.tracked.lock().is_empty()).await;
        }
        cluster.presence.tracked.lock().clear();
        let stall = Arc::new(Notify::new());
        *cluster.presence.stall.lock() = Some(Arc::clone(&stall));
        for step in steps {
            assert_eq!(code(&client.ask(step, &json!({"GroupId": "r"})).await), 0);
        }
        stall.notify_one();
        eventually("both arrived", || cluster.presence.tracked.lock().len() == 2).await;
        let last = cluster.presence.tracked.lock()[1].clone();
        assert_eq!((last.joined.len(), last.left.len()), if is_in { (1, 0) } else { (0, 1) });
    }
}

#[tokio::test]
async fn who_is_removed_is_out() {
    let cluster = Cluster::start().await;
    let mut ann = cluster.login("ann").await;
    let mut bob = cluster.login("bob").await;
    ann.ask(JOIN, &json!({"GroupId": "r"})).await;
    bob.ask(JOIN, &json!({"GroupId": "r"})).await;
    cluster.owner.is_followed("r").await;
    let removed = v1::MembersRemoved { users: vec!["ann".to_owned()] };
    cluster.owner.say_and("r", "ann is banned", Membership::Removed(removed));
    cluster.owner.say_and("r", "closed", Membership::Closed(v1::RoomClosed {}));
    assert_eq!(texts(&mut ann, 1).await, ["ann is banned"]);
    assert_eq!(texts(&mut bob, 2).await, ["ann is banned", "closed"]);
    eventually("presence knows of both", || {
        let tracked = cluster.presence.tracked.lock();
        tracked.iter().filter(|request| request.left == ["r"]).count() == 2
    })
    .await;
    assert_eq!(code(&ann.ask("heartbeat.alive", &json!({})).await), 0);
}

#[tokio::test]
async fn a_session_in_too_many_rooms_leaves_the_oldest() {
    let cluster = Cluster::start().await;
    let mut ann = cluster.login("ann").await;
    for room in 1..=11 {
        ann.ask(JOIN, &json!({"GroupId": format!("r{room}")})).await;
    }
    eventually("the owner and presence know", || {
        let detached = cluster.owner.0.detached.lock();
        let tracked = cluster.presence.tracked.lock();
        detached.iter().any(|request| request.group_id == "r1" && request.user == "ann")
            && tracked.iter().any(|request| request.left == ["r1"])
    })
    .await;
    assert!(cluster.owner.0.detached.lock().iter().all(|request| request.group_id == "r1"));
}
