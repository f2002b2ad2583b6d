//! The log: cut, sent as a snapshot, lost.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::super::super::core::command::Command;
use super::super::PlacementConfig;
use super::world::{World, config};

fn short_log() -> PlacementConfig {
    PlacementConfig { snapshot_entries: 10, ..config() }
}

/// Writes entries until the leader's log begins behind `index`.
async fn write_until_purged(world: &World, index: u64) {
    let mut until = 0;
    loop {
        let Some(leader) = world.leader() else {
            world.wait_for("a leader", |world| world.leader().is_some()).await;
            continue;
        };
        let node = world.node(&leader);
        if node.raft.metrics().borrow().purged.is_some_and(|purged| purged.index > index) {
            return;
        }
        until = until.max(world.state(&leader).write_time_horizon) + 1;
        let _ = node.asks.propose(Command::Horizon { until }).await;
    }
}

fn last_index(world: &World, name: &str) -> u64 {
    world.node(name).raft.metrics().borrow().last_log_index.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_long_gets_a_snapshot() {
    let mut world = World::started(3, short_log()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    let index = last_index(&world, &follower);
    world.kill(&follower);
    write_until_purged(&world, index).await;
    world.start(&follower).await;
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    let snapshot = world.node(&follower).raft.metrics().borrow().snapshot;
    assert!(snapshot.is_some_and(|snapshot| snapshot.index > index));
    // And from that on disk.
    world.kill(&follower);
    world.start(&follower).await;
    world.wait_for("balance after a restart", |world| world.is_balanced(1)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_joins_late_gets_a_snapshot() {
    let mut world = World::started(3, short_log()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    write_until_purged(&world, 20).await;
    world.start("router-3").await;
    world.wait_for("balance of four", |world| world.is_balanced(1)).await;
    world.end().await;
}

/// openraft #1762: a leader is cut off with entries that others wait for, deposed, and gets a snapshot
/// over them. openraft 0.9 never answers who waits, but goes on.
#[tokio::test(flavor = "multi_thread")]
async fn writers_at_a_leader_that_was_replaced_by_a_snapshot_do_not_wait_for_ever() {
    let world = World::started(3, short_log()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let old = world.some_leader().await;
    world.cut(&old, true);
    let node = world.node(&old).clone();
    let index = last_index(&world, &old);
    let writers: Vec<_> = (0..5)
        .map(|until| {
            let asks = node.asks.clone();
            tokio::spawn(async move { asks.propose(Command::Horizon { until }).await })
        })
        .collect();
    world.wait_for("their entries", |world| last_index(world, &old) >= index + 5).await;
    let index = last_index(&world, &old);
    world.wait_for("another leader", |world| world.leader().is_some_and(|now| now != old)).await;
    write_until_purged(&world, index).await;
    world.cut(&old, false);
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    assert!(node.raft.metrics().borrow().running_state.is_ok());
    // It works as a leader once more.
    let mut leader = world.some_leader().await;
    while leader != old {
        world.cut(&leader, true);
        world
            .wait_for("the next leader", |world| world.leader().is_some_and(|now| now != leader))
            .await;
        world.cut(&leader, false);
        leader = world.some_leader().await;
    }
    let mut until = world.state(&old).write_time_horizon;
    let began = Instant::now();
    loop {
        until += 1;
        let written = world.node(&old).asks.propose(Command::Horizon { until }).await;
        if written.is_ok() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{written:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for writer in writers {
        let written = timeout(Duration::from_secs(10), writer).await.expect("waits").unwrap();
        assert!(written.is_err(), "it was never committed: {written:?}");
    }
    drop(node);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voter_that_lost_its_disk_is_brought_up_to_date_before_it_votes() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let follower = world.follower().await;
    world.kill(&follower);
    world.wipe(&follower);
    world.start(&follower).await;
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    world.wait_for("it votes", |world| world.node(&follower).gate.is_open()).await;
    world.end().await;
}

/// One voter has all entries, one was away when they were committed, one lost its disk: the latter
/// two are a majority, and must not go on without what was committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_voter_that_lost_its_disk_elects_nobody_who_lacks_what_it_promised() {
    let mut world = World::started(3, config()).await;
    world.wait_for("balance", |world| world.is_balanced(1)).await;
    let (late, leader) = (world.follower().await, world.some_leader().await);
    world.kill(&late);
    world.wait_for("balance of two", |world| world.is_balanced(1)).await;
    let before = world.state(&leader);
    let lost = world.follower().await;
    world.kill(&leader);
    world.kill(&lost);
    world.wipe(&lost);
    world.start(&late).await;
    world.start(&lost).await;
    let term = world.node(&late).raft.metrics().borrow().current_term;
    let tries = |world: &World| world.node(&late).raft.metrics().borrow().current_term >= term + 4;
    world.wait_for("some elections in vain", tries).await;
    assert_eq!(world.leader(), None);
    assert!(!world.node(&lost).gate.is_open());
    world.start(&leader).await;
    world.wait_for("balance of three", |world| world.is_balanced(1)).await;
    assert!(world.state(&late).version > before.version);
    world.end().await;
}
