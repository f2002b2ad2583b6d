//! Gateways tell of their sessions again: after a node was lost, and from time to time.

use super::*;

fn on(gateway: &str, login: Login) -> Login {
    Login { gateway: Arc::from(gateway), ..login }
}

#[test]
fn a_lost_index_is_rebuilt_from_what_gateways_tell() {
    let mut bench = Bench::new();
    assert_eq!(bench.retell(Bench::login(1), &["a"], TEN), Retold::Online);
    assert_eq!(bench.retell(on("g2", Bench::login(2)), &[], TEN), Retold::Online);
    assert_eq!((bench.index.len(), bench.index.connected()), (2, 2));
    assert!(bench.is_in_room("a") && bench.statuses().is_empty());
    assert_eq!(bench.stored().len(), 1, "written where there are rooms");
    bench.took();
    assert_eq!(bench.retell(Bench::login(1), &["a"], TEN), Retold::Online);
    assert!(bench.took().is_empty(), "what is known changes nothing");
}

#[test]
fn what_the_store_and_the_gateway_know_of_rooms_adds_up() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.disconnect(1, &[room("a", 9)], false);
    let mut bench = bench.restart();
    // It came back, joined, and the news of that were lost.
    assert_eq!(bench.retell(Bench::login(1), &["b"], TEN), Retold::Online);
    let back = bench.come_back(1);
    assert_eq!(names(&back), [("a".to_owned(), 0), ("b".to_owned(), 0)]);
}

#[test]
fn a_session_that_the_store_told_of_waits_for_its_gateway() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    let mut bench = bench.restart();
    bench.retell(Bench::login(2), &[], TEN);
    bench.rules.awaited = true;
    bench.pass(GRACE);
    assert!(bench.index.has(APP, "ann", 1) && bench.detached().is_empty());
    bench.rules.awaited = false;
    bench.pass(GRACE);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    // The gateway was late: the owners of its rooms have to hear that it is there after all.
    assert_eq!(bench.retell(Bench::login(1), &["a"], TEN), Retold::Returned);
    assert!(bench.is_in_room("a"));
}

#[test]
fn who_was_put_offline_meanwhile_hears_of_it() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), ONE);
    bench.register(Bench::login(2), ONE);
    assert_eq!(bench.retell(Bench::login(1), &[], ONE), Retold::Kicked(kick::OTHER_LOGIN));
    let now = bench.now();
    bench.index.kick_user(now, APP, "ann", &mut bench.out);
    let mut bench = bench.restart();
    assert_eq!(bench.retell(Bench::login(2), &[], ONE), Retold::Kicked(kick::BY_REST));
    let memory = Memory { not_before: now.wall, ..Memory::default() };
    let mut bench = Bench::new();
    bench.index.restore(now, APP, "ann", memory, &mut bench.out);
    let old = Login { issued_at: now.wall - 1, ..Bench::login(3) };
    assert_eq!(bench.retell(old, &[], ONE), Retold::Kicked(kick::BY_REST));
}

#[test]
fn the_limit_holds_whatever_order_gateways_tell_in() {
    for newest_first in [false, true] {
        let mut bench = Bench::new();
        let mut logins =
            vec![Bench::login(1), on("g2", Bench::login(2)), on("g3", Bench::login(3))];
        if newest_first {
            logins.reverse();
        }
        for login in logins {
            bench.retell(login, &[], ONE);
        }
        assert!(bench.index.has(APP, "ann", 3), "the latest login stays");
        assert_eq!(bench.index.len(), 1);
    }
}

#[test]
fn of_two_connections_the_newer_one_counts() {
    let mut bench = Bench::new();
    let older = Login { connection: 10, ..Bench::login(1) };
    let newer = Login { connection: 20, ..on("g2", Bench::login(1)) };
    bench.retell(newer.clone(), &[], TEN);
    assert_eq!(bench.retell(older.clone(), &[], TEN), Retold::Moved);
    assert!(bench.kicks().is_empty());
    let mut bench = Bench::new();
    bench.retell(older.clone(), &[], TEN);
    assert_eq!(bench.retell(newer, &[], TEN), Retold::Online);
    assert_eq!(bench.kicks(), [(1, kick::MOVED)]);
    // At one gateway, what was told before the newer connection came.
    let mut bench = Bench::new();
    bench.register(Login { connection: 20, ..Bench::login(1) }, TEN);
    assert_eq!(bench.retell(older.clone(), &[], TEN), Retold::Online);
    bench.disconnect_as(Gone {
        inst_id: 1,
        gateway: Arc::from("g1"),
        connection: 20,
        last: false,
        rooms: Vec::new(),
    });
    assert_eq!(bench.index.connected(), 0, "the newer connection was the one");
    // One that only said hello has a connection that nobody named.
    let mut bench = Bench::new();
    bench.hello(1);
    assert_eq!(bench.retell(on("g2", older), &[], TEN), Retold::Online);
    assert!(bench.kicks().is_empty());
}

#[test]
fn sessions_that_nobody_speaks_for_lose_their_connections() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(2), TEN);
    bench.pass(100_000);
    let began = bench.now;
    bench.retell(Bench::login(2), &[], TEN);
    bench.register(Bench::login(3), TEN);
    assert_eq!(bench.index.lower_all(bench.now(), "g2", began), 0);
    assert_eq!(bench.index.lower_all(bench.now(), "g1", began), 1);
    bench.pass(GRACE);
    assert!(!bench.index.has(APP, "ann", 1));
    assert!(bench.index.has(APP, "ann", 2) && bench.index.has(APP, "ann", 3));
}

#[test]
fn users_of_another_home_are_forgotten_without_a_word() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.disconnect(1, &[], false);
    bench.rules.theirs = true;
    bench.pass(GRACE);
    assert!(bench.detached().is_empty() && bench.index.has(APP, "ann", 1));
    bench.took();
    let now = bench.now();
    assert_eq!(bench.index.forget(now, |_, user| user == "bob", &mut bench.out), 0);
    assert_eq!(bench.index.forget(now, |_, user| user == "ann", &mut bench.out), 1);
    assert!(bench.took().is_empty());
    assert!(bench.index.apps.is_empty() && bench.index.len() == 0);
    bench.pass(GRACE);
    assert!(bench.took().is_empty(), "no timer is left");
}

/// A kick that another node ordered, because it thought for a moment that the user was at home there.
#[test]
fn a_gateway_that_put_a_session_offline_says_so() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(2), TEN);
    bench.join(1, &["a"]);
    let over = |kick_type| Over { inst_id: 1, kick_type, gateway: Arc::from("g1"), connection: 1 };
    bench.end(&over(kick::OTHER_LOGIN));
    assert!(bench.kicks().is_empty());
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    assert_eq!(bench.come_back(1), Registered::Kicked(kick::OTHER_LOGIN));
    bench.end(&over(kick::BY_REST));
    assert_eq!(bench.come_back(1), Registered::Kicked(kick::OTHER_LOGIN), "known already");
}
