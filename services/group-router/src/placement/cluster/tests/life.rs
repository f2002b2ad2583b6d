//! Starting, joining, leaving, coming back.

use std::time::Duration;

use tokio::time::Instant;

use super::super::super::core::state::Shard;
use super::super::{PlacementConfig, observe};
use super::world::{SHARDS, World, config};

#[tokio::test(flavor = "multi_thread")]
async fn shards_are_shared_out_soon_after_the_start() {
    let world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_voter_alone_owns_all_also_after_a_restart() {
    let mut world = World::started(1, config()).await;
    world.wait_for("balance", |world| world.is_balanced(0)).await;
    let before = world.state("router-0");
    world.kill("router-0");
    world.start("router-0").await;
    let again = |world: &World| {
        let now = world.state("router-0");
        let rose = |(new, old): (&Shard, &Shard)| new.epoch > old.epoch && new.floor > old.floor;
        now.shards.len() == before.shards.len() && now.shards.iter().zip(&before.shards).all(rose)
    };
    world.wait_for("new epochs", again).await;
    world.wait_for("balance", |world| world.is_balanced(0)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_starts_without_one_of_three() {
    let mut world = World::new(3, config()).await;
    world.start("router-0").await;
    world.start("router-2").await;
    world.wait_for("balance of two", |world| world.is_balanced(1)).await;
    world.start("router-1").await;
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    assert!(world.node("router-1").gate.is_open());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_beyond_the_voters_owns_shards_comes_and_goes() {
    let mut world = World::started(3, config()).await;
    world.start("router-3").await;
    world.wait_for("balance of four", |world| world.is_balanced(1)).await;
    let learners = |world: &World| observe::describe(world.node("router-0")).learners;
    assert_eq!(learners(&world), ["router-3"]);
    world.kill("router-3");
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    // With another disk and another address.
    world.wipe("router-3");
    world.move_to_another_address("router-3");
    world.start("router-3").await;
    world.wait_for("balance of four again", |world| world.is_balanced(1)).await;
    assert_eq!(learners(&world), ["router-3"]);
    world.end().await;
}

/// With a lease this long, nothing that waits for its end can pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_hands_over_without_anybody_waiting_for_its_lease() {
    let long = PlacementConfig { lease_ms: 200_000, margin_ms: 2_000, ..config() };
    let mut world = World::started(3, long).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    let before = world.state(&follower);
    assert!(before.owned_by(&follower) >= SHARDS as usize / 3);
    let began = Instant::now();
    world.leave(&follower).await;
    world.wait_for("balance of two", |world| world.is_balanced(1)).await;
    assert!(began.elapsed() < Duration::from_secs(100));
    let after = world.state(&world.some_leader().await);
    for (old, new) in before.shards.iter().zip(&after.shards) {
        if old.owner.as_ref() == Some(&follower) {
            // Not above the horizon, as it is for those who did not say where they stopped.
            assert!(new.floor > 0 && new.floor < before.write_time_horizon, "{new:?}");
        }
    }
    // It is free to come back at once.
    world.start(&follower).await;
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_may_leave_too() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let leader = world.some_leader().await;
    world.leave(&leader).await;
    world.wait_for("balance of two", |world| world.is_balanced(1)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_come_back_from_disk() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let before = world.state("router-0");
    for name in world.names() {
        world.kill(&name);
    }
    for name in ["router-0", "router-1", "router-2"] {
        world.start(name).await;
    }
    world.wait_for("balance again", |world| world.is_balanced(1)).await;
    let after = world.state("router-0");
    assert!(after.version > before.version);
    for (old, new) in before.shards.iter().zip(&after.shards) {
        assert!(new.epoch > old.epoch && new.floor > old.floor, "{old:?} {new:?}");
    }
    world.end().await;
}
