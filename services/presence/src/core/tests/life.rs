//! Connections, grace periods, rooms, routes.

use super::*;

#[test]
fn rooms_outlive_the_connection_and_come_back_with_the_session() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a", "b"]);
    bench.disconnect(1, &[room("a", 17)], false);
    bench.pass(GRACE - 1);
    assert!(bench.detached().is_empty());
    let back = bench.come_back(1);
    assert_eq!(names(&back), [("a".to_owned(), 17), ("b".to_owned(), 0)]);
    // Where it stood is told once: what it is sent from now on is not known here.
    assert_eq!(names(&bench.come_back(1)), [("a".to_owned(), 0), ("b".to_owned(), 0)]);
    bench.pass(GRACE);
    assert!(bench.detached().is_empty());
    assert_eq!(bench.statuses(), [true]);
}

#[test]
fn a_grace_period_that_ends_detaches_and_still_remembers_the_rooms() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(2), TEN);
    bench.join(1, &["a"]);
    bench.disconnect(1, &[], false);
    bench.pass(GRACE);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    assert!(!bench.is_in_room("a"));
    assert_eq!(bench.stored()[0].1.state, StoredState::Lapsed);
    assert_eq!(names(&bench.come_back(1)), [("a".to_owned(), 0)], "late, but it came");
    assert_eq!(bench.stored()[0].1.state, StoredState::Live);
}

#[test]
fn a_user_without_sessions_leaves_no_trace_in_memory() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.disconnect(1, &[], false);
    bench.pass(GRACE);
    assert!(!bench.index.knows(APP, "ann"));
    assert!(bench.index.apps.is_empty());
    assert_eq!(bench.index.len(), 0);
    assert_eq!(bench.statuses(), [true, false]);
}

#[test]
fn closing_for_good_and_logging_out_end_memberships_at_once() {
    for logout in [false, true] {
        let mut bench = Bench::new();
        bench.register(Bench::login(1), TEN);
        bench.join(1, &["a"]);
        if logout {
            bench.log_out(1);
        } else {
            bench.disconnect(1, &[room("a", 3)], true);
        }
        assert_eq!(bench.detached(), [(1, "a".to_owned())]);
        let rooms = bench.stored().into_iter().flat_map(|(_, stored)| stored.rooms);
        assert_eq!(rooms.count(), 0, "nothing to come back to");
        assert_eq!(bench.index.len(), 0);
    }
}

#[test]
fn the_end_of_an_older_connection_does_not_end_the_session() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    let redialled = Login { connection: 50, fresh: false, ..Bench::login(1) };
    bench.register(redialled, TEN);
    bench.disconnect(1, &[room("a", 4)], false);
    bench.pass(GRACE);
    assert!(bench.detached().is_empty());
    let moved = Login { gateway: Arc::from("g2"), fresh: false, ..Bench::login(1) };
    bench.register(moved, TEN);
    bench.disconnect(1, &[], true);
    assert!(bench.index.has(APP, "ann", 1), "another gateway's news");
}

#[test]
fn sessions_lose_their_connections_with_their_gateway() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.register(Login { gateway: Arc::from("g2"), ..Bench::login(2) }, TEN);
    bench.pass(100 * GRACE);
    assert!(bench.index.has(APP, "ann", 1), "its gateway would have told");
    assert_eq!(bench.index.connected(), 2);
    assert_eq!(bench.index.lower_all(bench.now(), "g1", u64::MAX), 1);
    assert_eq!((bench.index.len(), bench.index.connected()), (2, 1));
    bench.pass(GRACE - 1);
    assert!(bench.detached().is_empty());
    bench.pass(1);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    assert!(bench.index.has(APP, "ann", 2));
}

#[test]
fn a_hello_takes_in_a_session_that_was_lost() {
    let mut bench = Bench::new();
    assert_eq!(bench.hello(5), None);
    bench.pass(GRACE);
    let mut routes = Routes::default();
    bench.index.route_user(APP, "ann", 0, &mut routes);
    assert_eq!(routes.reached, 1);
}

#[test]
fn the_row_of_a_quiet_session_is_written_again_before_it_runs_out() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.took();
    bench.hello(1);
    assert!(bench.took().is_empty());
    bench.now += 3_600_000;
    bench.hello(1);
    assert_eq!(bench.stored().len(), 1);
}

#[test]
fn after_a_restart_sessions_get_a_fresh_grace_period() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.register(Bench::login(2), TEN);
    bench.join(2, &["b"]);
    let mut bench = bench.restart();
    let mention = Effect::Mention { gateway: Arc::from("g1") };
    assert_eq!(bench.out.iter().filter(|one| **one == mention).count(), 2);
    assert!(bench.statuses().is_empty(), "nobody hears of what nobody noticed");
    let back = bench.come_back(1);
    assert_eq!(names(&back), [("a".to_owned(), 0)]);
    assert!(bench.is_in_room("b"));
    bench.pass(GRACE);
    assert_eq!(bench.detached(), [(2, "b".to_owned())], "it never came back");
    assert!(bench.index.has(APP, "ann", 1));
}

#[test]
fn rooms_of_a_session_are_bounded_and_left_one_by_one() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a", "b", "c", "d"]);
    assert!(!bench.is_in_room("d"));
    let now = bench.now();
    let left = ["a".to_owned(), "x".to_owned()];
    let moves = Moves { inst_id: 1, joined: vec![room("d", 0)], left: left.to_vec() };
    bench.index.track_rooms(now, APP, "ann", moves, &mut bench.out);
    assert!(bench.is_in_room("d"));
    assert!(!bench.is_in_room("a"));
    let left = ["b".to_owned(), "c".to_owned(), "d".to_owned()];
    let moves = Moves { inst_id: 1, joined: Vec::new(), left: left.to_vec() };
    bench.index.track_rooms(now, APP, "ann", moves, &mut bench.out);
    assert!(bench.stored().is_empty(), "a session without rooms has no row");
}

#[test]
fn one_target_stands_for_all_sessions_of_a_user_at_a_gateway() {
    let mut bench = Bench::new();
    for inst_id in 1..=3 {
        bench.register(Bench::login(inst_id), TEN);
    }
    bench.register(Login { gateway: Arc::from("g2"), ..Bench::login(4) }, TEN);
    bench.disconnect(3, &[], false);
    let mut routes = Routes::default();
    bench.index.route_user(APP, "ann", 0, &mut routes);
    bench.index.route_user(APP, "bob", 0, &mut routes);
    assert_eq!(routes.reached, 1);
    assert_eq!(routes.gateways.len(), 2);
    assert!(routes.gateways["g1"].len() == 1 && routes.gateways["g1"][0].inst_ids.is_empty());
    bench.disconnect(2, &[], false);
    let mut routes = Routes::default();
    bench.index.route_user(APP, "ann", 1, &mut routes);
    assert!(!routes.gateways.contains_key("g1"), "nobody else is there");
    let mut routes = Routes::default();
    let session = SessionId { app: APP, user: Arc::from("ann"), inst_id: 3 };
    bench.index.route_session(&session, &mut routes);
    assert!(routes.gateways.is_empty(), "no connection");
}

/// Users that the store alone knew stayed in memory once it was asked whether they are in a room.
#[test]
fn asking_for_a_room_leaves_no_trace_in_memory() {
    let mut bench = Bench::new();
    let now = bench.now();
    bench.index.restore(now, APP, "ann", Memory::default(), &mut bench.out);
    assert!(!bench.is_in_room("a"));
    assert!(bench.index.apps.is_empty());
}
