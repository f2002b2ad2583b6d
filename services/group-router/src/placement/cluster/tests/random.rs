//! Any order of deaths, restarts, cuts and departures. What has to be so all the while is checked by
//! the witness; at the end, when everything works, the cluster has to work too.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IteratorRandom as _;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::super::PlacementConfig;
use super::world::{World, config};

const STEPS: usize = 14;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_no_shard_has_two_owners_and_all_have_one_in_the_end() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let config = PlacementConfig { snapshot_entries: 30, ..config() };
    let mut world = World::started(3, config).await;
    world.start("router-3").await;
    let voters = ["router-0", "router-1", "router-2"];
    let all = [voters[0], voters[1], voters[2], "router-3"];
    for _ in 0..STEPS {
        let running = world.names();
        let some = running.iter().choose(&mut rng).cloned();
        let stopped = all.into_iter().filter(|name| !running.iter().any(|r| r == name));
        let stopped = stopped.choose(&mut rng);
        match (rng.random_range(0..10), some, stopped) {
            (0..=2, Some(name), _) if running.len() > 1 => world.kill(&name),
            (3..=6, _, Some(name)) => {
                // A voter would be one of too many, in some order of things.
                if name == "router-3" && rng.random_bool(0.5) {
                    world.wipe(name);
                }
                world.start(name).await;
            }
            (7, _, _) => world.cut(voters.into_iter().choose(&mut rng).unwrap_or_default(), true),
            (8, _, _) => voters.iter().for_each(|name| world.cut(name, false)),
            (9, Some(name), _) if world.is_balanced(2) && running.len() > 2 => {
                world.leave(&name).await;
            }
            _ => {}
        }
        // Long enough for something to come of it, or to be interrupted half way.
        sleep(Duration::from_millis(rng.random_range(0..1_500))).await;
    }
    voters.iter().for_each(|name| world.cut(name, false));
    for name in all {
        if !world.names().iter().any(|running| running == name) {
            world.start(name).await;
        }
    }
    world.wait_for("balance of four", |world| world.is_balanced(1)).await;
    world.end().await;
}
