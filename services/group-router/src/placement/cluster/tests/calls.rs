//! What other nodes ask: leases over gRPC, the placement as they follow it, its description.

use std::time::Duration;

use futures_util::StreamExt as _;
use throng_node::cluster::lease::Lease;
use throng_node::cluster::{Channels, Discovery, LEADER, PlacementLeader, PlacementView};
use throng_node::drain::Drain;
use throng_proto::v1;
use throng_proto::v1::placement_client::PlacementClient;
use throng_proto::v1::placement_server::Placement as _;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Request};

use super::super::service::Service;
use super::super::{observe, watch};
use super::world::{APP, SHARDS, World, config, groups};

const LIMIT: Duration = Duration::from_secs(60);

fn routers(world: &World) -> Discovery {
    let addresses = world.names().into_iter().map(|name| world.node(&name).address.to_string());
    Discovery::start("group-router", &addresses.collect::<Vec<_>>())
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LIMIT, "never: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn presence() -> v1::ClusterNode {
    v1::ClusterNode {
        name: "presence-0".to_owned(),
        role: v1::NodeRole::RolePresence.into(),
        address: "127.0.0.1:9".to_owned(),
        incarnation: 0,
        leaving: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presence_node_has_a_lease_and_is_seen_by_those_who_follow() {
    let mut world = World::started(3, config()).await;
    let drain = Drain::new();
    let view = PlacementView::follow(routers(&world), Channels::default(), &drain);
    let presence_drain = Drain::new();
    let leader = PlacementLeader::new(routers(&world), Channels::default());
    let lease = Lease::keep(presence(), leader, &presence_drain);
    until("a lease", || lease.is_fresh()).await;
    until("it is seen", || view.now().presence().len() == 1).await;
    let incarnation = lease.state().borrow().incarnation;
    assert_eq!(view.now().presence()[0].incarnation, incarnation);

    // It outlives the leader, as the owners of shards do not.
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let old = world.some_leader().await;
    world.kill(&old);
    world.wait_for("balance of two", |world| world.is_balanced(1)).await;
    until("its lease goes on", || lease.is_fresh()).await;
    let leads = world.some_leader().await;
    assert!(world.state(&leads).nodes.contains_key("presence-0"));
    let owners = || {
        groups().iter().all(|group| {
            let hash = throng_protocol::ids::group_hash(APP, group);
            view.now().owner(hash).is_some_and(|owner| {
                world.names().iter().any(|name| world.node(name).address == owner.address)
            })
        })
    };
    until("the view knows the owners", owners).await;

    presence_drain.begin();
    presence_drain.finished().await;
    assert!(!lease.is_fresh());
    until("it is gone", || view.now().presence().is_empty()).await;
    drain.begin();
    world.end().await;
}

/// Whoever stood still for longer than its lease is told, and begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_incarnation_that_was_given_up_is_refused() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let leader = PlacementLeader::new(routers(&world), Channels::default());
    let node = v1::ClusterNode { incarnation: 7, ..presence() };
    let began = Instant::now();
    let reply = loop {
        assert!(began.elapsed() < LIMIT);
        match leader.renew(node.clone(), Duration::from_secs(1)).await {
            Ok(reply) => break reply,
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(reply.granted && reply.lease_ms == 1_000 && reply.placement_version > 0);
    let gone = |world: &World| {
        let leads = world.leader();
        leads.is_some_and(|leads| !world.state(&leads).nodes.contains_key("presence-0"))
    };
    world.wait_for("its lease is over", gone).await;
    let refused = loop {
        match leader.renew(node.clone(), Duration::from_secs(1)).await {
            Ok(reply) => break !reply.granted,
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(refused);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_lead_says_who_does() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    let channels = Channels::default();
    let mut client = PlacementClient::new(channels.get(&world.node(&follower).address).unwrap());
    let node = v1::ClusterNode { incarnation: 7, ..presence() };
    let request = v1::RenewRequest { node: Some(node) };
    let status = client.renew(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.metadata().contains_key(LEADER));
    let bad = v1::RenewRequest { node: Some(v1::ClusterNode::default()) };
    assert_eq!(client.renew(bad).await.unwrap_err().code(), Code::InvalidArgument);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_follower_gets_the_latest_and_one_of_a_node_without_lease_goes_elsewhere() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    let mut updates = Box::pin(watch::updates(world.node(&follower)).unwrap());
    let first = updates.next().await.unwrap().unwrap();
    assert_eq!((first.shards, first.changed.len()), (SHARDS, SHARDS as usize));
    world.start("router-3").await;
    world.wait_for("balance of four", |world| world.is_balanced(1)).await;
    let version = world.state(&follower).version;
    let second = updates.next().await.unwrap().unwrap();
    assert!(second.version >= version && second.nodes.len() == 4);
    assert!(!second.changed.is_empty() && second.changed.len() < SHARDS as usize);

    world.cut(&follower, true);
    let ended = async { while updates.next().await.is_some() {} };
    timeout(LIMIT, ended).await.expect("its followers are sent away");
    assert!(watch::updates(world.node(&follower)).is_err());
    world.cut(&follower, false);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_everybody() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let described = observe::describe(world.node("router-0"));
    assert_eq!(described.voters.len(), 3);
    assert_eq!(described.nodes.iter().map(|node| node.shards).sum::<u32>(), SHARDS);
    assert!(described.voters.contains(&described.leader));
    let text = crate::placement::describe::table(&described);
    for name in world.names() {
        assert!(text.contains(&name), "{text}");
    }
    println!("{text}");
    let service = Service { node: world.node("router-1").clone() };
    let reply = service.describe(Request::new(v1::DescribePlacementRequest {})).await.unwrap();
    assert_eq!(reply.into_inner().answered_by, "router-1");
    world.end().await;
}
