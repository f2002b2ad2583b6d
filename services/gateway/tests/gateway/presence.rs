//! This gateway and the presence nodes, kept of one mind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use serde_json::json;
use throng_bus::subjects;
use throng_bus::{Bus, subjects::GATEWAY_PARTITIONS};
use throng_gateway::Config;
use throng_node::cluster::{Home, HomeList, Homes};
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::gateway_message::Message;
use throng_proto::v1::presence_server::PresenceServer;
use throng_protocol::ids::user_hash;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::support::{APP, Client, Cluster, FakePresence, GATEWAY, LONG, answer, body, code};
use crate::support::{eventually, signature};

/// Presence nodes whose list a test writes.
struct Nodes {
    list: watch::Sender<Arc<HomeList>>,
    nodes: Vec<(Home, Arc<FakePresence>)>,
}

impl Nodes {
    /// So many nodes; the first one is on the list.
    fn new(count: u64) -> Self {
        let node = |number: u64| {
            let fake = Arc::new(FakePresence::default());
            *fake.answer.lock() = Some(answer(number));
            let link = Link::to_server(PresenceServer::from_arc(Arc::clone(&fake)));
            let name = format!("presence-{number}").into();
            (Home { name, incarnation: number, link }, fake)
        };
        let nodes = (1..=count).map(node).collect();
        let this = Self { list: watch::Sender::new(Arc::default()), nodes };
        this.place(1, &[0]);
        this
    }

    fn place(&self, version: u64, nodes: &[usize]) {
        let nodes = nodes.iter().map(|place| self.nodes[*place].0.clone()).collect();
        self.list.send_replace(Arc::new(HomeList { version, nodes }));
    }

    fn homes(&self) -> Homes {
        Homes::following(self.list.subscribe())
    }

    fn fake(&self, place: usize) -> &FakePresence {
        &self.nodes[place].1
    }

    /// Whether the last list places a user on this node.
    fn is_home(&self, place: usize, user: &str) -> bool {
        let list = self.list.borrow();
        list.of(user_hash(APP, user)).unwrap().name == self.nodes[place].0.name
    }
}

impl FakePresence {
    fn retold_users(&self) -> BTreeSet<String> {
        let retold = self.retold.lock();
        let sessions = retold.iter().flat_map(|request| &request.sessions);
        sessions.map(|session| session.session.clone().unwrap().user).collect()
    }

    fn last_told(&self) -> u64 {
        self.beats.lock().last().map_or(0, |beat| beat.told)
    }
}

#[tokio::test]
async fn a_gateway_beats_until_it_ends_in_order() {
    let config = Config { drain_window: Duration::from_millis(10), ..Config::default() };
    let cluster = Cluster::with(config).await;
    let client = cluster.login("ann").await;
    eventually("it beats", || cluster.presence.beats.lock().len() >= 3).await;
    let beat = cluster.presence.beats.lock().last().cloned().unwrap();
    assert_eq!((beat.gateway.as_str(), beat.leaving, beat.stream), (GATEWAY, false, 1));
    assert_eq!(beat.received.len(), usize::from(GATEWAY_PARTITIONS));
    assert_eq!(beat.told, 1, "the list that a single node has");
    assert!(cluster.presence.retold.lock().is_empty(), "its login told of it");
    cluster.drain.begin();
    timeout(LONG, cluster.serving).await.unwrap().unwrap();
    assert!(cluster.presence.beats.lock().last().unwrap().leaving);
    assert_eq!(cluster.presence.disconnected.lock().len(), 1);
    drop(client);
}

#[tokio::test]
async fn a_node_that_takes_users_over_is_told_of_them_and_of_their_rooms() {
    let nodes = Nodes::new(2);
    let cluster = Cluster::at_homes(Config::default(), Some(nodes.homes())).await;
    let users: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    let mut clients = Vec::new();
    for user in &users {
        let mut client = cluster.login(user).await;
        let join = json!({"GroupId": "r"});
        assert_eq!(code(&client.ask("group_open_http_svc.apply_join_group", &join).await), 0);
        clients.push(client);
    }
    let _guest = cluster.connect().await;
    nodes.place(2, &[0, 1]);
    let moved = || users.iter().filter(|user| nodes.is_home(1, user)).cloned().collect();
    let moved: BTreeSet<String> = moved();
    assert!(!moved.is_empty() && moved.len() < users.len());
    eventually("all that moved are told of", || nodes.fake(1).last_told() == 2).await;
    assert_eq!(nodes.fake(1).retold_users(), moved);
    eventually("the other node has nothing to hear", || nodes.fake(0).last_told() == 2).await;
    assert!(nodes.fake(0).retold.lock().is_empty());
    let retold = nodes.fake(1).retold.lock()[0].clone();
    assert_eq!((retold.gateway.as_str(), retold.round, retold.last), (GATEWAY, 0, false));
    let session = &retold.sessions[0];
    assert!(!session.fresh && session.connection > 0 && session.issued_at > 0);
    assert_eq!((session.rooms.len(), session.rooms[0].group_id.as_str()), (1, "r"));

    // The new node is lost, and its users come back to where they were.
    nodes.place(3, &[0]);
    eventually("they are told of again", || nodes.fake(0).last_told() == 3).await;
    assert_eq!(nodes.fake(0).retold_users(), moved);
    let retold = nodes.fake(0).retold.lock().len();
    // A placement in which only shards of groups changed.
    nodes.place(4, &[0]);
    eventually("nothing is left to tell", || nodes.fake(0).last_told() == 4).await;
    assert_eq!(nodes.fake(0).retold.lock().len(), retold);
}

#[tokio::test]
async fn a_node_that_may_have_forgotten_is_told_of_everybody_again() {
    let cluster = Cluster::start().await;
    let _ann = cluster.login("ann").await;
    let _bob = cluster.login("bob").await;
    eventually("it knows", || cluster.presence.last_told() == 1).await;
    *cluster.presence.answer.lock() = Some(answer(7));
    eventually("it is told", || cluster.presence.retold_users().len() == 2).await;
    eventually("and hears that this was all", || {
        let beats = cluster.presence.beats.lock();
        beats.last().is_some_and(|beat| (beat.stream, beat.told) == (7, 1))
    })
    .await;
    assert_eq!(cluster.presence.retold.lock().len(), 1, "once");
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_told_as_soon_as_it_does() {
    let nodes = Nodes::new(2);
    *nodes.fake(1).answer.lock() = None;
    let cluster = Cluster::at_homes(Config::default(), Some(nodes.homes())).await;
    let users: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    let mut clients = Vec::new();
    for user in &users {
        clients.push(cluster.login(user).await);
    }
    nodes.place(2, &[0, 1]);
    eventually("the others are told", || nodes.fake(0).last_told() == 2).await;
    assert!(nodes.fake(1).retold.lock().is_empty());
    *nodes.fake(1).answer.lock() = Some(answer(2));
    eventually("it is told", || nodes.fake(1).last_told() == 2).await;
    assert!(nodes.fake(1).retold_users().iter().all(|user| nodes.is_home(1, user)));
}

#[tokio::test]
async fn what_presence_says_of_sessions_it_is_told_of_is_carried_out() {
    let cluster = Cluster::start().await;
    let mut kicked = cluster.login("kicked").await;
    let mut moved = cluster.login("moved").await;
    let mut returned = cluster.login("returned").await;
    let join = json!({"GroupId": "r"});
    returned.ask("group_open_http_svc.apply_join_group", &join).await;
    cluster.presence.retold_as.lock().insert("kicked".to_owned(), 2);
    *cluster.presence.answer.lock() = Some(answer(7));
    let push = kicked.push().await;
    let item = &body(&push)["EventArray"][0]["C2cNotifyMsgArray"][0];
    assert_eq!(item["KickoutMsgNotify"]["KickType"], 2);
    assert!(cluster.presence.put_offline.lock().is_empty(), "it knows");
    assert_eq!(moved.closed().await.0, 1000);
    // The owners of its rooms had been told that it left.
    eventually("it says that it stays", || cluster.owner.0.attached.lock().len() == 1).await;
    cluster.owner.say("r", "hello");
    assert!(returned.push().await.to_string().contains("hello"));
}

/// The news of its end may have come before it was told that the session is here.
#[tokio::test]
async fn the_end_of_a_session_that_is_being_told_of_is_told_after_that() {
    let cluster = Cluster::start().await;
    let client = cluster.login("ann").await;
    let stall = Arc::new(Notify::new());
    *cluster.presence.stall_retelling.lock() = Some(Arc::clone(&stall));
    *cluster.presence.answer.lock() = Some(answer(7));
    eventually("it is told of", || cluster.presence.retold.lock().len() == 1).await;
    client.close(4001).await;
    eventually("its end is told", || cluster.presence.disconnected.lock().len() == 1).await;
    stall.notify_one();
    eventually("and once more", || cluster.presence.disconnected.lock().len() == 2).await;
    let told = cluster.presence.disconnected.lock().clone();
    assert_eq!(told[0].connection, told[1].connection);
}

#[tokio::test]
async fn from_time_to_time_all_sessions_are_told_of() {
    let round = Duration::from_millis(300);
    let config = Config { presence_round: round, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let _ann = cluster.login("ann").await;
    let ended = || {
        let retold = cluster.presence.retold.lock();
        let rounds = retold.iter().filter(|request| request.last).map(|request| request.round);
        rounds.collect::<Vec<_>>()
    };
    eventually("two rounds end", || ended() == [1, 2]).await;
    let retold = cluster.presence.retold.lock().clone();
    let first: Vec<_> = retold.iter().filter(|request| request.round == 1).collect();
    assert!(first[0].sessions.is_empty() && !first[0].last, "it begins before it looks");
    assert_eq!(first.iter().map(|request| request.sessions.len()).sum::<usize>(), 1);
    assert!(first.last().unwrap().last);
}

#[tokio::test]
async fn a_session_that_was_put_offline_is_confirmed() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let inst_id = u32::try_from(client.login.inst_id).unwrap();
    cluster.tell(Message::Kick(v1::SessionKick {
        app: APP.0,
        user: "ann".to_owned(),
        inst_id,
        kick_type: 1,
        connection: 0,
    }));
    client.push().await;
    eventually("presence hears of it", || !cluster.presence.put_offline.lock().is_empty()).await;
    let (session, kick_type) = cluster.presence.put_offline.lock()[0].clone();
    assert_eq!((session.inst_id, kick_type), (inst_id, 1));
}

/// A numbered message for one user.
fn numbered(user: &str, number: u64, item: &str) -> (usize, Bytes) {
    let partition = subjects::gateway_partition(APP, user);
    let target = v1::DeliveryTarget { user: user.to_owned(), inst_ids: Vec::new() };
    let delivery = v1::UserDelivery {
        app: APP.0,
        targets: vec![target],
        event_items: item.to_owned().into(),
        ..v1::UserDelivery::default()
    };
    let message = v1::GatewayMessage {
        message: Some(Message::Delivery(delivery)),
        stream: 1,
        number,
        partition: partition.into(),
    };
    (usize::from(partition), message.encode_to_vec().into())
}

async fn next_event(client: &mut Client) -> u64 {
    body(&client.push().await)["EventArray"][0]["Event"].as_u64().unwrap()
}

#[tokio::test]
async fn messages_that_the_bus_lost_come_with_a_beat_and_all_once_and_in_order() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let messages: Vec<_> =
        (1..=5).map(|number| numbered("ann", number, &format!("{{\"Event\":{number}}}"))).collect();
    let partition = messages[0].0;
    for (number, (partition, payload)) in (1..).zip(&messages) {
        cluster.presence.sent.lock().insert((*partition, number), payload.clone());
    }
    let subject = subjects::gateway(GATEWAY, u16::try_from(partition).unwrap());
    let publish = |number: usize| {
        cluster.bus.publish(&subject, messages[number - 1].1.clone()).unwrap();
    };
    for number in [1, 3, 3, 1] {
        publish(number);
    }
    // The bus loses 2, and 5 after which nothing more comes.
    publish(4);
    for event in 1..=4 {
        assert_eq!(next_event(&mut client).await, event);
    }
    let mut reply = answer(1);
    reply.sent[partition].last = 5;
    *cluster.presence.answer.lock() = Some(reply);
    assert_eq!(next_event(&mut client).await, 5);
    eventually("all is acknowledged", || {
        let beats = cluster.presence.beats.lock();
        let received = beats.last().map(|beat| beat.received[partition].clone());
        received == Some(v1::StreamPosition { complete: 5, missing: Vec::new() })
    })
    .await;
    publish(2);
    cluster.bus.publish(&subject, numbered("ann", 6, "{\"Event\":6}").1).unwrap();
    assert_eq!(next_event(&mut client).await, 6, "nothing comes twice");
}

/// SDK protocol notes 01, 3.4: the client logs in again on the same connection, and fetches.
#[tokio::test]
async fn clients_are_asked_to_fetch_what_nobody_has_any_more() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    let user = |partition: u16| {
        let mut names = (0..1000).map(|number| format!("user-{number}"));
        names.find(|user| subjects::gateway_partition(APP, user) == partition).unwrap()
    };
    let partition = subjects::gateway_partition(APP, "ann");
    let mut other = cluster.login(&user((partition + 1) % GATEWAY_PARTITIONS)).await;
    let mut reply = answer(1);
    reply.sent[usize::from(partition)] = v1::StreamState { last: 3, forgotten: 2 };
    *cluster.presence.answer.lock() = Some(reply);
    assert_eq!(client.push().await["head"]["servcmd"], "StatSvc.KickOther");
    let login = client.login.clone();
    assert_eq!(code(&client.come_back(&login).await), 0);
    assert_eq!(cluster.presence.registered.lock().len(), 3);
    // Who lost nothing is left in peace.
    let mut again = Client::connect(cluster.address, "/binfo", "again").await;
    assert_eq!(code(&again.log_in("ann", &signature("ann")).await), 0);
    assert_eq!(code(&other.ask("heartbeat.alive", &json!({})).await), 0);
    assert!(timeout(Duration::from_millis(50), other.push()).await.is_err());
}
