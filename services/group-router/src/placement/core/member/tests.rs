use super::*;
use crate::placement::core::state::{Node, Role, Shard};

fn me(number: u64) -> Incarnation {
    Incarnation { name: "a".to_owned(), number }
}

fn state(version: u64, owners: &[(&str, u64)]) -> PlacementState {
    let node = |incarnation| Node {
        role: Role::GroupRouter,
        address: String::new(),
        incarnation,
        leaving: false,
    };
    let shard = |(owner, epoch): &(&str, u64)| Shard {
        owner: Some((*owner).to_owned()),
        epoch: *epoch,
        floor: 100 * i64::try_from(*epoch).unwrap(),
        next: None,
    };
    PlacementState {
        version,
        shards: owners.iter().map(shard).collect(),
        nodes: [("a".to_owned(), node(1)), ("b".to_owned(), node(2))].into(),
        ..PlacementState::default()
    }
}

fn granted(version: u64, limit: i64) -> Answer {
    Answer::Granted(Grant { lease_ms: 1_200, placement_version: version, write_time_limit: limit })
}

fn ticket(sent: u64) -> Ticket {
    Ticket { incarnation: 1, sent }
}

/// A member with a lease until 2,200 and write times below 1,000.
fn member(state: &PlacementState) -> Member {
    let mut member = Member::new(Timing::default(), me(1));
    member.applied(1_000, state);
    member.answered(1_010, ticket(1_000), granted(state.version, 1_000));
    member
}

#[test]
fn it_asks_four_times_a_lease_and_more_often_without_one() {
    let mut member = Member::new(Timing::default(), me(1));
    assert_eq!(member.tick(1_000), [Output::Renew(ticket(1_000))]);
    assert_eq!(member.next_tick(), 1_075);
    assert_eq!(member.tick(1_074), []);
    assert_eq!(member.tick(1_075), [Output::Renew(ticket(1_075))]);
    member.applied(1_080, &state(1, &[]));
    member.answered(1_080, ticket(1_075), granted(1, 0));
    assert_eq!(member.tick(1_150), [Output::Renew(ticket(1_150))]);
    assert_eq!(member.next_tick(), 1_450);
    member.not_answered(1_160, ticket(1_150));
    assert_eq!(member.next_tick(), 1_235);
}

#[test]
fn the_lease_counts_from_the_question_and_waits_for_the_placement() {
    let mut member = Member::new(Timing::default(), me(1));
    member.applied(0, &state(4, &[]));
    assert_eq!(member.answered(1_900, ticket(1_000), granted(5, 70)), []);
    assert!(!member.has_lease(1_900));
    let lease = Output::Lease { until: 2_200, write_time_limit: 70 };
    assert_eq!(member.applied(1_901, &state(5, &[])), [lease]);
    assert!(member.has_lease(2_199) && !member.has_lease(2_200));
    // Answers may overtake each other, and a new leader's clock may be behind.
    let lease = Output::Lease { until: 2_300, write_time_limit: 70 };
    assert_eq!(member.answered(1_950, ticket(1_100), granted(5, 60)), [lease]);
    assert_eq!(member.answered(1_960, ticket(1_050), granted(5, 65)), []);
}

#[test]
fn each_epoch_is_served_once() {
    let mut member = Member::new(Timing::default(), me(1));
    let serve =
        |epoch| Output::Serve { shard: 0, epoch, floor: 100 * i64::try_from(epoch).unwrap() };
    assert_eq!(member.applied(0, &state(1, &[("a", 7), ("b", 7)])), [serve(7)]);
    assert_eq!(member.applied(0, &state(2, &[("a", 7), ("b", 8)])), []);
    let out = member.applied(0, &state(3, &[("b", 8), ("b", 8)]));
    assert_eq!(out, [Output::Stop { shard: 0, epoch: 7 }]);
    assert_eq!(member.applied(0, &state(2, &[("a", 7), ("b", 8)])), [], "older than what it knows");
    assert_eq!(member.applied(0, &state(4, &[("a", 9), ("b", 8)])), [serve(9)]);
}

#[test]
fn write_times_for_a_new_shard_are_asked_for_at_once() {
    let before = state(1, &[("b", 7)]);
    let mut low = member(&before);
    assert_eq!(low.applied(1_100, &state(2, &[("a", 9)])).len(), 1, "floor 900 of 1,000");
    let mut high = member(&before);
    let out = high.applied(1_100, &state(2, &[("a", 10)]));
    assert_eq!(out[1..], [Output::Renew(ticket(1_100))]);
}

#[test]
fn a_shard_that_goes_is_wound_down_and_released_until_it_is_gone() {
    let mut placed = state(1, &[("a", 7)]);
    let mut member = member(&placed);
    placed.version = 2;
    placed.shards[0].next = Some("b".to_owned());
    let out = member.applied(1_100, &placed);
    assert_eq!(out, [Output::WindDown { shard: 0, epoch: 7 }]);
    assert_eq!(member.applied(1_150, &placed), []);
    assert_eq!(member.wound_down(1_190, 0, 6, 0), [], "another epoch");
    let released = Released { shard: 0, epoch: 7, last_write_time: 750 };
    let out = member.wound_down(1_200, 0, 7, 750);
    assert_eq!(out, [Output::Release(vec![released.clone()])]);
    assert_eq!(member.wound_down(1_200, 0, 7, 750), []);
    let repeated = |out: Vec<Output>| out.contains(&Output::Release(vec![released.clone()]));
    assert!(!repeated(member.tick(1_699)));
    assert!(repeated(member.tick(1_700)));
    let out = member.applied(1_750, &state(3, &[("b", 8)]));
    assert_eq!(out, [Output::Stop { shard: 0, epoch: 7 }]);
    assert!(!repeated(member.tick(5_000)));
}

#[test]
fn who_leaves_gives_some_shards_up_at_a_time() {
    let mut placed = state(1, &[("a", 7); 40]);
    let mut member = member(&placed);
    assert_eq!(member.leave(1_100), [Output::Leave]);
    assert_eq!(member.leave(1_200), []);
    assert!(member.tick(1_600).contains(&Output::Leave), "not known yet");
    placed.version = 2;
    placed.nodes.get_mut("a").unwrap().leaving = true;
    let out = member.applied(1_700, &placed);
    assert_eq!(out.len(), LEAVING_AT_ONCE);
    assert!(!member.tick(2_200).contains(&Output::Leave));
    member.wound_down(2_300, 0, 7, 0);
    placed.version = 3;
    placed.shards[0] = Shard { owner: Some("b".to_owned()), epoch: 8, ..Shard::default() };
    let out = member.applied(2_400, &placed);
    assert!(out.contains(&Output::WindDown { shard: 32, epoch: 7 }), "{out:?}");
    placed.version = 4;
    placed.nodes.remove("a");
    let out = member.applied(2_500, &placed);
    assert_eq!(out.last(), Some(&Output::Left));
}

#[test]
fn who_never_came_leaves_at_once() {
    let mut member = Member::new(Timing::default(), me(1));
    assert_eq!(member.leave(0).last(), Some(&Output::Left));
    assert_eq!(member.tick(1_000), []);
}

#[test]
fn who_is_given_up_stops_and_begins_anew() {
    let placed = state(1, &[("a", 7)]);
    let mut member = member(&placed);
    let out = member.answered(1_300, ticket(1_290), Answer::GivenUp);
    let stop = Output::Stop { shard: 0, epoch: 7 };
    let none = Output::Lease { until: 0, write_time_limit: 0 };
    assert_eq!(out, [stop, none, Output::BeginAnew]);
    assert_eq!(member.tick(1_400), []);
    assert_eq!(member.applied(1_400, &placed), []);
    member.begin_anew(5);
    assert_eq!(member.answered(1_410, ticket(1_290), granted(1, 70)), [], "to the last one");
    assert!(!member.has_lease(1_410));
    assert_eq!(member.applied(1_420, &placed), [], "the placement shows the last one still");
    let asked = Output::Renew(Ticket { incarnation: 5, sent: 1_430 });
    assert_eq!(member.tick(1_430), [asked]);
}

#[test]
fn the_placement_tells_too_that_it_was_given_up() {
    let mut member = member(&state(1, &[("a", 7)]));
    let mut placed = state(2, &[("b", 8)]);
    placed.nodes.get_mut("a").unwrap().incarnation = 3;
    assert_eq!(member.applied(1_100, &placed).last(), Some(&Output::BeginAnew));
}
