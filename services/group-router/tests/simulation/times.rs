//! How long the placement takes, with its default times: what is measured here is what the decisions
//! cost, without the time of real networks, disks and processes.

use crate::env::{MS, Time};
use crate::profile::Profile;
use crate::world::World;

const SEEDS: u64 = 100;

impl World {
    fn calm(seed: u64) -> Self {
        Self::new(seed, Profile::calm(), false)
    }

    /// Goes on until something is so; how long that took, milliseconds.
    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Time {
        let since = self.env.now;
        while !is_so(self) {
            self.step();
            assert!(self.env.now < since + 20_000 * MS, "{what}: {:?}", self.unwell());
            assert_eq!(self.env.oracle.violation(), None);
        }
        (self.env.now - since) / MS
    }

    fn all_served(&self) -> bool {
        let shards = 0..self.env.profile.shards;
        shards.into_iter().all(|shard| self.owner(shard).is_some())
    }

    fn owner(&self, shard: u32) -> Option<usize> {
        self.routers.iter().position(|router| router.tenure(&self.env, shard).is_some())
    }

    fn leader(&self) -> Option<usize> {
        self.routers.iter().position(|router| router.up && router.raft.leads())
    }

    /// A router that does not lead.
    fn follower(&self) -> usize {
        let leader = self.leader();
        (0..self.routers.len()).find(|router| Some(*router) != leader).expect("there are three")
    }

    /// A cluster in which everything has been well for a while, other than a multiple of any period.
    fn settled(seed: u64) -> Self {
        let mut world = Self::calm(seed);
        world.until("well", |world| world.unwell().is_none());
        let pause = world.env.now + (1_000 + seed * 37 % 1_000) * MS;
        world.until("later", |world| world.env.now >= pause);
        world
    }

    /// Kills a router for good.
    fn kill(&mut self, router: usize) {
        self.routers[router].crash(&mut self.env);
    }
}

/// Median and longest of many runs, milliseconds.
fn times(what: &str, run: impl Fn(u64) -> Time) -> (Time, Time) {
    let mut times: Vec<_> = (0..SEEDS).map(run).collect();
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    eprintln!("{what}: {median} ms (median), {longest} ms (longest of {SEEDS})");
    (median, longest)
}

#[test]
fn a_fresh_cluster_serves_balanced_within_two_seconds() {
    let (_, longest) = times("fresh cluster", |seed| {
        let mut world = World::calm(seed);
        world.until("served", World::all_served);
        assert_eq!(world.unwell(), None, "balanced at once");
        world.env.now / MS
    });
    assert!(longest < 2_000);
}

#[test]
fn shards_of_a_dead_owner_are_served_within_two_seconds() {
    let (_, longest) = times("death of an owner that does not lead", |seed| {
        let mut world = World::settled(seed);
        let victim = world.follower();
        world.kill(victim);
        world.until("taken over", World::all_served)
    });
    assert!(longest < 2_000);
}

/// An election and a lease. Votes are split at times; then it takes one more round.
#[test]
fn shards_of_a_dead_leader_are_served_within_three_seconds() {
    let (median, longest) = times("death of the leader", |seed| {
        let mut world = World::settled(seed);
        let victim = world.leader().expect("a settled cluster has a leader");
        world.kill(victim);
        world.until("taken over", World::all_served)
    });
    assert!(median < 2_500 && longest < 4_000);
}

#[test]
fn a_router_that_leaves_hands_its_shards_over_at_once() {
    let (_, longest) = times("a router gives up all its shards", |seed| {
        let mut world = World::settled(seed);
        let leaving = world.follower();
        world.routers[leaving].draining = true;
        world.until("left", |world| !world.routers[leaving].up)
            + world.until("served", World::all_served)
    });
    assert!(longest < 500);
}
