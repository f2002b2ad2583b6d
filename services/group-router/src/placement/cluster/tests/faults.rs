//! Nodes that die, stand apart, and lose their disks.

use std::time::Duration;

use tokio::time::Instant;

use super::world::{World, config};

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_dies_others_own_its_shards() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let leader = world.some_leader().await;
    let began = Instant::now();
    world.kill(&leader);
    world
        .wait_for("all shards are served", |world| world.served_by().iter().all(Option::is_some))
        .await;
    println!("served again after {:?}", began.elapsed());
    world.wait_for("balance of two", |world| world.is_balanced(1)).await;
    world.start(&leader).await;
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    world.end().await;
}

/// A restart that is faster than the lease: the old incarnation's is waited for all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_quick_restart_begins_anew() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    let before = world.state(&follower).nodes[&follower].incarnation;
    world.kill(&follower);
    world.start(&follower).await;
    let joined = |world: &World| {
        let state = world.state(&follower);
        state.nodes.get(&follower).is_some_and(|node| node.incarnation != before)
    };
    world.wait_for("the new incarnation", joined).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_stops_serving_within_its_lease() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let old = world.some_leader().await;
    world.cut(&old, true);
    let ownership = &world.node(&old).ownership;
    let (cut, lease) = (ownership.now(), config().lease_ms);
    world.wait_for("another leader", |world| world.leader().is_some_and(|now| now != old)).await;
    let others_own_all = |world: &World| {
        let Some(now) = world.leader() else { return false };
        let state = world.state(&now);
        !state.nodes.contains_key(&old) && state.shards.iter().all(|shard| shard.owner.is_some())
    };
    world.wait_for("others own all", others_own_all).await;
    let until = world.node(&old).lease_until.load(std::sync::atomic::Ordering::Relaxed);
    assert!(until <= cut + lease, "a lease until {until}, cut off at {cut}");
    assert!(!world.placement(&old).has_lease());
    // It still takes itself for the leader, and grants nothing.
    assert!(world.state(&old).nodes.contains_key(&old));

    world.cut(&old, false);
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_cut_off_comes_back() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    world.cut(&follower, true);
    let given_up = |world: &World| {
        let Some(leader) = world.leader() else { return false };
        !world.state(&leader).nodes.contains_key(&follower)
    };
    world.wait_for("it is given up", given_up).await;
    let others_serve_all = |world: &World| {
        let by = world.served_by();
        by.iter().all(|by| by.as_ref().is_some_and(|by| *by != follower))
    };
    world.wait_for("others serve all", others_serve_all).await;
    world.cut(&follower, false);
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    world.end().await;
}

/// Nobody can say anything while there is no majority; afterwards nobody is given up for that.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_nobody_serves_and_with_it_all_goes_on() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    for name in world.names() {
        world.cut(&name, true);
    }
    world.wait_for("silence", |world| world.served_by().iter().all(Option::is_none)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    for name in world.names() {
        world.cut(&name, false);
    }
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    world.end().await;
}
