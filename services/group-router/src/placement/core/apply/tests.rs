use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::placement::core::balance::plan_moves;
use crate::placement::core::state::Role;

const TERM: u64 = 3;

fn run(state: &mut PlacementState, command: Command) -> Response {
    state.apply(TERM, &Proposal { term: TERM, command })
}

fn incarnation(name: &str, number: u64) -> Incarnation {
    Incarnation { name: name.to_owned(), number }
}

fn join(name: &str, incarnation: u64) -> Command {
    let address = format!("{name}:7082");
    let node = Node { role: Role::GroupRouter, address, incarnation, leaving: false };
    Command::Join { name: name.to_owned(), node }
}

/// Routers a, b, c… as incarnations 1, 2, 3…, and all shards given out.
fn cluster(shards: u32, routers: &[&str]) -> PlacementState {
    let mut state = PlacementState::default();
    run(&mut state, Command::Found { shards });
    for (number, name) in (1..).zip(routers) {
        run(&mut state, join(name, number));
    }
    run(&mut state, Command::Horizon { until: 1_000 });
    run(&mut state, Command::Assign { first_epoch: 7 });
    state
}

fn owners(state: &PlacementState) -> Vec<&str> {
    state.shards.iter().map(|shard| shard.owner.as_deref().unwrap_or("-")).collect()
}

#[test]
fn a_fresh_cluster_is_balanced_at_once() {
    let state = cluster(7, &["a", "b", "c"]);
    assert_eq!(owners(&state), ["a", "b", "c", "a", "b", "c", "a"]);
    assert!(state.shards.iter().all(|shard| shard.epoch == 7 && shard.floor == 0));
}

#[test]
fn what_was_decided_in_another_term_is_void() {
    let mut state = cluster(4, &["a", "b"]);
    let before = state.clone();
    let command = Command::Expire { nodes: vec![incarnation("a", 1)], room: 10 };
    let response = state.apply(TERM + 1, &Proposal { term: TERM, command });
    assert_eq!(response.rejected, Some(Rejected::OtherTerm));
    assert_eq!(state, before);
}

#[test]
fn shards_of_the_expired_go_to_others_above_all_write_times() {
    let mut state = cluster(6, &["a", "b", "c"]);
    run(&mut state, Command::Move { moves: vec![Move { shard: 0, epoch: 7, to: "c".to_owned() }] });
    let expire = Command::Expire { nodes: vec![incarnation("a", 1)], room: 50 };
    let response = run(&mut state, expire.clone());
    assert_eq!(owners(&state), ["c", "b", "c", "b", "b", "c"], "where it was on its way to");
    assert_eq!(response.shards, [0, 3]);
    assert_eq!(response.nodes, ["a"]);
    assert_eq!((state.shards[0].epoch, state.shards[0].floor), (8, 1_001));
    assert_eq!((state.write_time_horizon, state.highest_floor), (1_051, 1_001));
    assert_eq!(run(&mut state, expire).rejected, Some(Rejected::NoChange));
}

#[test]
fn expired_nodes_do_not_inherit_from_each_other() {
    let mut state = cluster(6, &["a", "b", "c"]);
    let nodes = vec![incarnation("a", 1), incarnation("b", 2)];
    run(&mut state, Command::Expire { nodes, room: 0 });
    assert_eq!(owners(&state), ["c"; 6]);
    run(&mut state, Command::Expire { nodes: vec![incarnation("c", 3)], room: 0 });
    assert_eq!(owners(&state), ["-"; 6], "nobody is left");
    assert_eq!(state.shards[0].epoch, 8, "the epoch of the last owner");
    run(&mut state, join("d", 4));
    run(&mut state, Command::Assign { first_epoch: 100 });
    assert_eq!(state.shards[0].epoch, 9);
}

#[test]
fn a_node_without_shards_leaves_the_horizon_alone() {
    let mut state = cluster(2, &["a", "b", "c"]);
    run(&mut state, Command::Expire { nodes: vec![incarnation("c", 3)], room: 50 });
    assert_eq!((state.write_time_horizon, state.highest_floor), (1_000, 0));
}

#[test]
fn a_released_shard_goes_where_it_was_to_go() {
    let mut state = cluster(4, &["a", "b"]);
    run(&mut state, join("c", 3));
    run(&mut state, Command::Move { moves: vec![Move { shard: 0, epoch: 7, to: "c".to_owned() }] });
    let release = |shard, epoch| Command::Release {
        owner: incarnation("a", 1),
        shards: vec![Released { shard, epoch, last_write_time: 500 }],
    };
    assert_eq!(run(&mut state, release(0, 6)).rejected, Some(Rejected::NoChange), "long over");
    run(&mut state, release(0, 7));
    assert_eq!(owners(&state), ["c", "b", "a", "b"]);
    assert_eq!((state.shards[0].epoch, state.shards[0].floor), (8, 501));
    assert_eq!(run(&mut state, release(1, 7)).rejected, Some(Rejected::NoChange), "b has it");
    let stranger = Command::Release { owner: incarnation("a", 9), shards: Vec::new() };
    assert_eq!(run(&mut state, stranger).rejected, Some(Rejected::NotMember));
}

#[test]
fn who_leaves_goes_with_its_last_shard() {
    let mut state = cluster(4, &["a", "b"]);
    let a = incarnation("a", 1);
    run(&mut state, Command::Leave { node: a.clone() });
    assert!(state.is_member(&a));
    for shard in [0, 2] {
        let released = Released { shard, epoch: 7, last_write_time: 0 };
        run(&mut state, Command::Release { owner: a.clone(), shards: vec![released] });
    }
    assert_eq!(owners(&state), ["b"; 4]);
    assert!(state.is_gone(&a));
    assert_eq!(run(&mut state, join("a", 1)).rejected, Some(Rejected::NotMember));
    assert_eq!(run(&mut state, join("a", 5)).rejected, None);
    assert_eq!(run(&mut state, join("a", 6)).rejected, Some(Rejected::NameInUse));
}

#[test]
fn presence_nodes_own_nothing_and_leave_at_once() {
    let mut state = cluster(2, &["a"]);
    let node =
        Node { role: Role::Presence, address: "p:1".to_owned(), incarnation: 9, leaving: false };
    run(&mut state, Command::Join { name: "p".to_owned(), node });
    assert!(plan_moves(&state, 10).is_empty());
    run(&mut state, Command::Leave { node: incarnation("p", 9) });
    assert!(state.is_gone(&incarnation("p", 9)));
}

#[derive(Debug, Clone)]
enum Step {
    Join(usize),
    Expire(Vec<usize>),
    Leave(usize),
    Assign,
    Balance(usize),
    /// The owners of so many moving shards, or of shards of leaving nodes, release them.
    Release(usize),
    /// Nonsense and late repetitions.
    Move(u32, u64, usize),
    ReleaseAny(usize, u32, u64),
    Horizon(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = 0..NAMES.len();
    let step = prop_oneof![
        4 => node.clone().prop_map(Step::Join),
        2 => prop::collection::vec(node.clone(), 1..3).prop_map(Step::Expire),
        1 => node.clone().prop_map(Step::Leave),
        4 => Just(Step::Assign),
        4 => (1..6_usize).prop_map(Step::Balance),
        4 => (1..6_usize).prop_map(Step::Release),
        1 => (0..20_u32, 0..12_u64, node.clone()).prop_map(|(s, e, n)| Step::Move(s, e, n)),
        1 => (node, 0..20_u32, 0..12_u64).prop_map(|(n, s, e)| Step::ReleaseAny(n, s, e)),
        1 => (0..100_000_i64).prop_map(Step::Horizon),
    ];
    prop::collection::vec(step, 0..80)
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Shards that their owners give up now, if they are as good as the placement expects.
fn released(state: &PlacementState, most: usize) -> Vec<(Incarnation, Released)> {
    let shards = (0..).zip(&state.shards).filter_map(|(shard, placed)| {
        let name = placed.owner.as_ref()?;
        let node = state.nodes.get(name)?;
        let owner = incarnation(name, node.incarnation);
        let last_write_time = state.write_time_horizon - 1;
        let released = Released { shard, epoch: placed.epoch, last_write_time };
        (placed.next.is_some() || node.leaving).then_some((owner, released))
    });
    shards.take(most).collect()
}

fn commands(state: &PlacementState, step: Step, number: u64) -> Vec<Command> {
    let current = |node: usize| {
        let known = state.nodes.get(NAMES[node]);
        incarnation(NAMES[node], known.map_or(0, |node| node.incarnation))
    };
    match step {
        Step::Join(node) => vec![join(NAMES[node], number)],
        Step::Expire(nodes) => {
            vec![Command::Expire { nodes: nodes.into_iter().map(current).collect(), room: 10 }]
        }
        Step::Leave(node) => vec![Command::Leave { node: current(node) }],
        Step::Assign => vec![Command::Assign { first_epoch: 5 }],
        Step::Balance(limit) => vec![Command::Move { moves: plan_moves(state, limit) }],
        Step::Release(most) => released(state, most)
            .into_iter()
            .map(|(owner, released)| Command::Release { owner, shards: vec![released] })
            .collect(),
        Step::Move(shard, epoch, to) => {
            vec![Command::Move { moves: vec![Move { shard, epoch, to: NAMES[to].to_owned() }] }]
        }
        Step::ReleaseAny(node, shard, epoch) => {
            let last_write_time = state.write_time_horizon - 1;
            let shards = vec![Released { shard, epoch, last_write_time }];
            vec![Command::Release { owner: current(node), shards }]
        }
        Step::Horizon(until) => vec![Command::Horizon { until }],
    }
}

/// What holds in every state.
fn check(state: &PlacementState) -> Result<(), TestCaseError> {
    for shard in &state.shards {
        let router = |name: &String| {
            state.nodes.get(name).is_some_and(|node| node.role == Role::GroupRouter)
        };
        prop_assert!(shard.owner.iter().chain(&shard.next).all(router));
        prop_assert!(shard.next.is_none() || shard.next != shard.owner);
        prop_assert!(shard.floor <= state.highest_floor);
    }
    prop_assert!(state.highest_floor <= state.write_time_horizon);
    let kept = serde_json::to_vec(state).unwrap();
    prop_assert_eq!(&serde_json::from_slice::<PlacementState>(&kept).unwrap(), state);
    Ok(())
}

/// The fewest hand-overs after which all loads are within one of each other.
fn fewest_moves(state: &PlacementState) -> usize {
    let routers = state.nodes.iter().filter(|(_, node)| !node.leaving);
    let mut loads: Vec<_> = routers.map(|(name, _)| state.owned_by(name)).collect();
    loads.sort_unstable_by(|a, b| b.cmp(a));
    let (each, over) = (state.shards.len() / loads.len(), state.shards.len() % loads.len());
    let target = |place: usize| each + usize::from(place < over);
    loads.iter().enumerate().map(|(place, load)| load.saturating_sub(target(place))).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked in whatever order: one owner a shard, and a new epoch for each
    /// (`owners_follow` panics otherwise); and once nodes stay as they are, all shards have owners
    /// and loads are equal, with no more moves than that takes.
    #[test]
    fn any_history_keeps_the_rules_and_can_be_balanced(shards in 1..20_u32, history in steps()) {
        let mut state = PlacementState::default();
        run(&mut state, Command::Found { shards });
        run(&mut state, Command::Horizon { until: 1_000 });
        let mut epochs: BTreeMap<(u32, u64), String> = BTreeMap::new();
        for (number, step) in (1..).zip(history) {
            for command in commands(&state, step, number) {
                let before = state.clone();
                let response = run(&mut state, command);
                prop_assert_eq!(response.rejected.is_some(), state == before);
                let rose = u64::from(response.rejected.is_none());
                prop_assert_eq!(state.version, before.version + rose);
                check(&state)?;
            }
            for (shard, placed) in (0..).zip(&state.shards) {
                let Some(owner) = &placed.owner else { continue };
                let owner = format!("{owner} {}", state.nodes[owner].incarnation);
                let first = epochs.entry((shard, placed.epoch)).or_insert(owner.clone());
                prop_assert_eq!(first, &owner, "two owners in one epoch of shard {}", shard);
            }
        }

        run(&mut state, join("z", 1_000));
        let settle = |state: &mut PlacementState| {
            run(state, Command::Assign { first_epoch: 5 });
            while let Some((owner, released)) = released(state, 1).pop() {
                run(state, Command::Release { owner, shards: vec![released] });
            }
        };
        settle(&mut state);
        let fewest = fewest_moves(&state);
        let mut moved = 0;
        loop {
            let moves = plan_moves(&state, 3);
            if moves.is_empty() {
                break;
            }
            moved += moves.len();
            run(&mut state, Command::Move { moves });
            settle(&mut state);
            check(&state)?;
        }
        prop_assert_eq!(moved, fewest);
        prop_assert!(Loads::of(&state).spread() <= 1);
        prop_assert!(state.shards.iter().all(|shard| shard.owner.is_some()));
    }
}
