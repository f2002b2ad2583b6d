use super::*;
use crate::placement::core::command::Released;

const TERM: u64 = 5;
const SECOND: i64 = 1_000_000;
const WALL: i64 = 1_800_000_000 * SECOND;

/// A leader, the state it sees, and the time. Proposals are applied at once.
struct World {
    leader: Leader,
    state: PlacementState,
    now: Now,
    applied: Vec<Command>,
}

fn incarnation(name: &str, number: u64) -> Incarnation {
    Incarnation { name: name.to_owned(), number }
}

fn node(number: u64) -> Node {
    let address = "127.0.0.1:7082".to_owned();
    Node { role: Role::GroupRouter, address, incarnation: number, leaving: false }
}

impl World {
    fn new(expected_routers: usize) -> Self {
        Self::with(PlacementState::default(), expected_routers, WALL)
    }

    fn with(state: PlacementState, expected_routers: usize, wall: i64) -> Self {
        let now = Now { ms: 10_000, wall };
        let config = LeaderConfig { shards: 6, expected_routers, ..LeaderConfig::default() };
        let leader = Leader::elected(config, TERM, now, &state);
        Self { leader, state, now, applied: Vec::new() }
    }

    /// Three routers that own two shards each.
    fn of_three() -> Self {
        let mut world = Self::new(3);
        world.renew_all(&["a", "b", "c"]);
        // The cluster is founded, then its shards are given out.
        world.pass(100);
        assert!(["a", "b", "c"].iter().all(|name| world.state.owned_by(name) == 2));
        world
    }

    /// Time passes, in steps in which the leader looks at it.
    fn pass(&mut self, ms: u64) {
        let end = self.now.ms + ms;
        while self.now.ms < end {
            let step = (end - self.now.ms).min(50);
            self.skip(step);
            let out = self.leader.tick(self.now, &self.state);
            self.carry_out(out);
        }
    }

    /// Time passes while the leader stands still.
    fn skip(&mut self, ms: u64) {
        self.now.ms += ms;
        self.now.wall += i64::try_from(ms).unwrap() * 1_000;
    }

    fn carry_out(&mut self, out: Vec<Output>) -> Option<Answer> {
        let mut answered = None;
        for output in out {
            match output {
                Output::Propose(proposal) => {
                    self.state.apply(TERM, &proposal);
                    self.applied.push(proposal.command);
                }
                Output::Answer { answer, .. } => answered = Some(answer),
                Output::Confirm => {
                    let out = self.leader.confirmed(self.now, &self.state, true);
                    answered = answered.or(self.carry_out(out));
                }
            }
        }
        answered
    }

    fn renew_all(&mut self, names: &[&str]) {
        for name in names {
            self.renew(name, 1);
        }
    }

    fn renew(&mut self, name: &str, number: u64) -> Answer {
        let out = self.leader.renew(self.now, 1, incarnation(name, number), node(number));
        self.carry_out(out).unwrap()
    }

    fn expired(&self) -> Vec<&str> {
        let nodes = self.applied.iter().filter_map(|command| match command {
            Command::Expire { nodes, .. } => Some(nodes),
            _ => None,
        });
        nodes.flatten().map(|node| node.name.as_str()).collect()
    }
}

#[test]
fn nobody_gets_a_lease_before_a_quorum_has_confirmed() {
    let mut world = World::of_three();
    let ask = |world: &mut World, request, name| {
        world.leader.renew(world.now, request, incarnation(name, 1), node(1))
    };
    assert_eq!(ask(&mut world, 1, "a"), [Output::Confirm]);
    assert_eq!(ask(&mut world, 2, "b"), [], "one question at a time");
    let out = world.leader.confirmed(world.now, &world.state, false);
    let later = |request| Output::Answer { request, answer: Answer::Later };
    assert_eq!(out, [later(1), Output::Confirm], "b asked after the question was put");
    let out = world.leader.confirmed(world.now, &world.state, true);
    let [Output::Answer { request: 2, answer: Answer::Granted(grant) }] = out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(grant.lease_ms, 1_200);
    assert_eq!(grant.placement_version, world.state.version);
    assert_eq!(grant.write_time_limit, world.now.wall + 6_200_000);
}

#[test]
fn newcomers_join_and_come_again() {
    let mut world = World::new(1);
    assert_eq!(world.renew("a", 7), Answer::Later);
    assert!(world.state.is_member(&incarnation("a", 7)));
    world.pass(50);
    assert!(matches!(world.renew("a", 7), Answer::Granted(_)));
    assert_eq!(world.renew("a", 8), Answer::Later, "the other one may still have its lease");
    assert!(world.state.is_member(&incarnation("a", 7)));
    world.pass(1_500);
    assert_eq!(world.renew("a", 8), Answer::Later);
    assert!(world.state.is_member(&incarnation("a", 8)), "{:?}", world.applied);
    assert_eq!(world.renew("a", 7), Answer::GivenUp);
}

#[test]
fn a_lease_is_over_a_margin_after_its_length() {
    let mut world = World::of_three();
    world.pass(1_000);
    let asked = world.now;
    world.renew_all(&["a", "b"]);
    world.pass(549);
    assert_eq!(world.expired(), ["c"], "which asked last 1,550 ms ago");
    assert_eq!(world.state.owned_by("c"), 0);
    world.pass(asked.ms + 1_499 - world.now.ms);
    assert_eq!(world.expired(), ["c"]);
    world.pass(1);
    assert_eq!(world.expired(), ["c", "a", "b"]);
}

#[test]
fn a_lease_counts_from_when_the_leader_was_asked() {
    let mut world = World::of_three();
    world.pass(1_300);
    let who = || incarnation("a", 1);
    assert_eq!(world.leader.renew(world.now, 1, who(), node(1)), [Output::Confirm]);
    world.pass(90);
    let out = world.leader.confirmed(world.now, &world.state, true);
    assert!(matches!(world.carry_out(out), Some(Answer::Granted(_))));
    world.pass(1_409);
    assert!(!world.expired().contains(&"a"));
    world.pass(1);
    assert!(world.expired().contains(&"a"));
}

#[test]
fn who_is_being_given_up_gets_no_more_grants() {
    let mut world = World::of_three();
    world.pass(1_300);
    world.skip(200);
    let out = world.leader.tick(world.now, &world.state);
    assert!(
        out.iter().any(
            |o| matches!(o, Output::Propose(p) if matches!(p.command, Command::Expire { .. }))
        )
    );
    // The entry is not applied yet.
    assert_eq!(world.renew("a", 1), Answer::Later);
    assert_eq!(world.leader.tick(world.now, &world.state), [], "it is proposed once");
    world.carry_out(out);
    assert_eq!(world.renew("a", 1), Answer::GivenUp);
}

#[test]
fn a_new_leader_waits_for_the_leases_of_the_last_one() {
    let before = World::of_three();
    let mut world = World::with(before.state, 3, WALL);
    world.pass(1_499);
    assert_eq!(world.expired(), [""; 0]);
    world.pass(1);
    assert_eq!(world.expired(), ["a", "b", "c"], "in one step");
}

#[test]
fn a_leader_that_stood_still_gives_everybody_the_time_again() {
    let mut world = World::of_three();
    world.skip(5_000);
    world.pass(1_499);
    assert_eq!(world.expired(), [""; 0]);
    world.pass(100);
    assert_eq!(world.expired().len(), 3);
}

#[test]
fn a_cluster_that_starts_waits_a_moment_for_all_its_routers() {
    let mut world = World::new(3);
    world.renew("a", 1);
    world.renew("b", 1);
    world.pass(500);
    assert_eq!(world.state.owned_by("a"), 0);
    world.renew("c", 1);
    world.pass(50);
    assert_eq!(world.state.owned_by("c"), 2, "all are there");

    let mut world = World::new(3);
    for _ in 0..6 {
        world.renew("a", 1);
        world.renew("b", 1);
        world.pass(200);
    }
    assert_eq!((world.state.owned_by("a"), world.state.owned_by("b")), (3, 3), "one is missing");
}

#[test]
fn write_times_go_on_when_the_wall_clock_does_not() {
    let first = World::of_three();
    let horizon = first.state.write_time_horizon;
    assert!((WALL + 11 * SECOND..=WALL + 17 * SECOND).contains(&horizon), "{horizon}");
    // The next leader's clock is an hour behind; owners may have used times up to the last limit.
    let last_limit = first.now.wall + 6_200_000;
    let mut world = World::with(first.state, 3, WALL - 3_600 * SECOND);
    let mut limits = Vec::new();
    for _ in 0..40 {
        world.pass(300);
        for name in ["a", "b", "c"] {
            let Answer::Granted(grant) = world.renew(name, 1) else {
                panic!("{:?}", world.applied)
            };
            assert!(grant.write_time_limit <= world.state.write_time_horizon);
            limits.push(grant.write_time_limit);
        }
    }
    assert!(limits.is_sorted() && limits[0] > last_limit - 5 * SECOND, "{limits:?}");
    let gone = limits[limits.len() - 1] - limits[0];
    assert!((11 * SECOND..=12 * SECOND).contains(&gone), "about real time: {gone}");
}

#[test]
fn deaths_do_not_carry_write_times_away() {
    let mut world = World::of_three();
    for life in 1..50 {
        for _ in 0..20 {
            world.pass(300);
            world.renew_all(&["b", "c"]);
        }
        assert_eq!(world.renew("a", life), Answer::GivenUp);
        world.renew("a", life + 1);
        for _ in 0..10 {
            world.pass(300);
            world.renew_all(&["b", "c"]);
            world.renew("a", life + 1);
            hand_over(&mut world);
        }
    }
    let ahead = world.state.write_time_horizon - world.now.wall;
    assert!(ahead < 20 * SECOND, "{ahead}");
}

/// Owners release what is to go.
fn hand_over(world: &mut World) {
    for (shard, placed) in (0..).zip(world.state.shards.clone()) {
        if let (Some(owner), Some(_)) = (placed.owner, placed.next) {
            let owner = incarnation(&owner, world.state.nodes[&owner].incarnation);
            let released = Released { shard, epoch: placed.epoch, last_write_time: placed.floor };
            let command = Command::Release { owner, shards: vec![released] };
            world.carry_out(vec![Output::Propose(world.leader.proposal(command))]);
        }
    }
}

#[test]
fn shards_move_to_a_newcomer_once_it_has_settled() {
    let mut world = World::of_three();
    world.renew("d", 1);
    let pass = |world: &mut World, times: usize| {
        for _ in 0..times {
            world.pass(300);
            world.renew_all(&["a", "b", "c", "d"]);
        }
    };
    pass(&mut world, 6);
    assert_eq!(world.state.moving(), 0);
    pass(&mut world, 2);
    assert_eq!(world.state.moving(), 1, "6 shards on 4 routers: 2, 2, 1, 1");
    pass(&mut world, 10);
    let moves = world.applied.iter().filter(|command| matches!(command, Command::Move { .. }));
    assert_eq!(moves.count(), 1, "nothing moves while that one is on its way");
    hand_over(&mut world);
    pass(&mut world, 10);
    assert_eq!((world.state.moving(), world.state.owned_by("d")), (0, 1));
}

#[test]
fn nothing_moves_while_a_router_does_not_answer() {
    let mut world = World::of_three();
    world.renew("d", 1);
    for _ in 0..2 {
        world.pass(300);
        world.renew_all(&["a", "b", "c", "d"]);
    }
    // c is late from here on, and not yet given up when it is time to move something.
    for _ in 0..4 {
        world.pass(300);
        world.renew_all(&["a", "b", "d"]);
    }
    assert_eq!(world.state.moving(), 0);
    world.pass(299);
    assert_eq!((world.state.moving(), world.expired().len()), (0, 0));
    world.renew_all(&["a", "b", "c", "d"]);
    world.pass(50);
    assert_eq!(world.state.moving(), 1, "it was only late");
}

#[test]
fn a_new_cluster_begins_above_the_epochs_of_a_lost_one() {
    assert_eq!(first_epoch(0), 1);
    let at = |year: i64| first_epoch((1_735_689_600 + year * 365 * 86_400) * SECOND);
    assert_eq!(at(1), 365 * 24 * 60);
    assert!(at(25) < 1 << 24);
}
