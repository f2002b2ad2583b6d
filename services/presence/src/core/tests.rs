//! The rules one by one, on a table of one user's sessions.

use std::sync::Arc;

use throng_proto::v1::RoomMode;

use super::{
    Effect, Gone, Index, Login, Memory, Now, Policy, Registered, Room, Routes, SessionId, Settings,
    Stored, StoredState, kick,
};

const GRACE: u64 = 30_000;
const LEASE: u64 = 270_000;
const APP: u32 = 1;
const WALL: i64 = 1_800_000_000;
const TEN: Policy = Policy { web: 10, other: 1 };
const ONE: Policy = Policy { web: 1, other: 1 };

/// An index and its clock.
struct Bench {
    index: Index,
    now: u64,
    out: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        let settings = Settings {
            grace: GRACE,
            lease: LEASE,
            refresh: 3_600_000,
            kick_memory: 600_000,
            max_rooms: 3,
        };
        Self {
            index: Index::new(settings),
            now: 1_000_000,
            out: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now {
            mono: self.now,
            wall: WALL + (self.now / 1000) as i64,
        }
    }

    fn login(inst_id: u32) -> Login {
        Login {
            inst_id,
            gateway: Arc::from("g1"),
            connection: u64::from(inst_id),
            instance: format!("instance{inst_id}").into(),
            platform: 7,
            issued_at: WALL + i64::from(inst_id),
            fresh: true,
        }
    }

    fn register(&mut self, login: Login, policy: Policy) -> Registered {
        let now = self.now();
        self.index
            .register(now, APP, "ann", login, policy, &mut self.out)
    }

    fn come_back(&mut self, inst_id: u32) -> Registered {
        self.register(
            Login {
                fresh: false,
                ..Self::login(inst_id)
            },
            TEN,
        )
    }

    fn join(&mut self, inst_id: u32, rooms: &[&str]) {
        let joined = rooms.iter().map(|room| self::room(room, 0)).collect();
        let now = self.now();
        self.index
            .track_rooms(now, APP, "ann", inst_id, joined, &[], &mut self.out);
    }

    fn disconnect(&mut self, inst_id: u32, rooms: &[Room], last: bool) {
        let gone = Gone {
            inst_id,
            gateway: Arc::from("g1"),
            connection: u64::from(inst_id),
            last,
            rooms: rooms.to_vec(),
        };
        self.disconnect_as(gone);
    }

    fn disconnect_as(&mut self, gone: Gone) {
        let now = self.now();
        self.index.disconnect(now, APP, "ann", gone, &mut self.out);
    }

    fn hello(&mut self, inst_id: u32) -> Option<u32> {
        let now = self.now();
        self.index
            .hello(now, APP, "ann", inst_id, Arc::from("g1"), &mut self.out)
    }

    fn pass(&mut self, millis: u64, alive: bool) {
        self.now += millis;
        let now = self.now();
        self.index.expire(now, 100, |_| alive, &mut self.out);
    }

    fn took(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.out)
    }

    fn kicks(&self) -> Vec<(u32, u32)> {
        let kicks = self.out.iter().filter_map(|effect| match effect {
            Effect::Kick {
                session, kick_type, ..
            } => Some((session.inst_id, *kick_type)),
            _ => None,
        });
        kicks.collect()
    }

    fn detached(&self) -> Vec<(u32, String)> {
        let detached = self.out.iter().filter_map(|effect| match effect {
            Effect::Detach {
                session, group_id, ..
            } => Some((session.inst_id, group_id.to_string())),
            _ => None,
        });
        detached.collect()
    }

    fn statuses(&self) -> Vec<bool> {
        let statuses = self.out.iter().filter_map(|effect| match effect {
            Effect::Status { online, .. } => Some(*online),
            _ => None,
        });
        statuses.collect()
    }

    /// What the store would hold by now, of all that happened since the last look.
    fn stored(&self) -> Vec<(u32, Stored)> {
        let mut rows = std::collections::BTreeMap::new();
        for effect in &self.out {
            match effect {
                Effect::Save { session, stored } => {
                    rows.insert(session.inst_id, stored.clone());
                }
                Effect::Erase { session } => {
                    rows.remove(&session.inst_id);
                }
                _ => {}
            }
        }
        rows.into_iter().collect()
    }
}

fn room(group_id: &str, last_seq: u32) -> Room {
    Room {
        group_id: Arc::from(group_id),
        mode: RoomMode::Push,
        last_seq,
    }
}

fn names(registered: &Registered) -> Vec<(String, u32)> {
    match registered {
        Registered::Online { rooms, .. } => rooms
            .iter()
            .map(|room| (room.group_id.to_string(), room.last_seq))
            .collect(),
        Registered::Kicked(kick_type) => panic!("kicked {kick_type}"),
    }
}

#[test]
fn rooms_outlive_the_connection_and_come_back_with_the_session() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a", "b"]);
    bench.disconnect(1, &[room("a", 17)], false);
    bench.pass(GRACE - 1, true);
    assert!(bench.detached().is_empty());
    let back = bench.come_back(1);
    assert_eq!(names(&back), [("a".to_owned(), 17), ("b".to_owned(), 0)]);
    // Where it stood is told once: what it is sent from now on is not known here.
    assert_eq!(
        names(&bench.come_back(1)),
        [("a".to_owned(), 0), ("b".to_owned(), 0)]
    );
    bench.pass(GRACE, true);
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
    bench.pass(GRACE, true);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    assert!(!bench.index.user_in_room(APP, "a", "ann"));
    assert_eq!(bench.stored()[0].1.state, StoredState::Lapsed);
    assert_eq!(
        names(&bench.come_back(1)),
        [("a".to_owned(), 0)],
        "late, but it came"
    );
    assert_eq!(bench.stored()[0].1.state, StoredState::Live);
}

#[test]
fn a_user_without_sessions_leaves_no_trace_in_memory() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.disconnect(1, &[], false);
    bench.pass(GRACE, true);
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
            let now = bench.now();
            bench.index.unregister(now, APP, "ann", 1, &mut bench.out);
        } else {
            bench.disconnect(1, &[room("a", 3)], true);
        }
        assert_eq!(bench.detached(), [(1, "a".to_owned())]);
        assert!(bench.stored().is_empty(), "nothing to come back to");
        assert_eq!(bench.index.len(), 0);
    }
}

#[test]
fn the_oldest_login_makes_room_for_a_new_one() {
    let mut bench = Bench::new();
    let policy = Policy { web: 2, other: 1 };
    bench.register(Bench::login(1), policy);
    bench.register(Bench::login(2), policy);
    bench.join(1, &["a"]);
    bench.register(Bench::login(3), policy);
    assert_eq!(bench.kicks(), [(1, kick::OTHER_LOGIN)]);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    bench.register(Bench::login(4), ONE);
    assert_eq!(
        bench.kicks()[1..],
        [(2, kick::OTHER_LOGIN), (3, kick::OTHER_LOGIN)]
    );
}

#[test]
fn a_session_without_a_connection_goes_before_one_that_has_one() {
    let mut bench = Bench::new();
    let policy = Policy { web: 2, other: 1 };
    bench.register(Bench::login(1), policy);
    bench.register(Bench::login(2), policy);
    bench.disconnect(2, &[], false);
    // A page that is loaded again and again must not push out the other tab.
    bench.register(Bench::login(3), policy);
    assert!(bench.kicks().is_empty(), "nobody is there to be told");
    assert_eq!(bench.come_back(2), Registered::Kicked(kick::OTHER_LOGIN));
    assert!(matches!(bench.come_back(1), Registered::Online { .. }));
}

#[test]
fn platforms_have_limits_of_their_own_and_the_web_family_shares_one() {
    let mut bench = Bench::new();
    let on = |inst_id, platform| Login {
        platform,
        ..Bench::login(inst_id)
    };
    bench.register(on(1, 7), ONE);
    bench.register(on(2, 2), ONE);
    bench.register(on(3, 3), ONE);
    assert!(bench.kicks().is_empty());
    bench.register(on(4, 8), ONE);
    assert_eq!(
        bench.kicks(),
        [(1, kick::OTHER_LOGIN)],
        "a mini-program counts as Web"
    );
    bench.register(on(5, 2), ONE);
    assert_eq!(bench.kicks()[1..], [(2, kick::OTHER_LOGIN)]);
}

#[test]
fn who_was_kicked_while_away_is_told_on_return_and_on_hello() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), ONE);
    bench.disconnect(1, &[], false);
    bench.register(Bench::login(2), ONE);
    assert_eq!(bench.hello(1), Some(kick::OTHER_LOGIN));
    assert_eq!(bench.come_back(1), Registered::Kicked(kick::OTHER_LOGIN));
    bench.took();
    bench.join(1, &["a"]);
    bench.disconnect(1, &[room("a", 1)], false);
    assert!(bench.took().is_empty(), "what it does no longer counts");
    // The logout that follows a kick touches nobody else.
    let now = bench.now();
    bench.index.unregister(now, APP, "ann", 1, &mut bench.out);
    assert!(bench.index.has(APP, "ann", 2) && bench.took().is_empty());
    bench.hello(2);
    bench.pass(600_000, true);
    assert!(
        matches!(bench.come_back(1), Registered::Online { .. }),
        "long forgotten"
    );
}

#[test]
fn logging_in_again_on_the_same_page_replaces_silently() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    let again = Login {
        instance: "instance1".into(),
        connection: 1,
        ..Bench::login(2)
    };
    bench.register(again, TEN);
    assert!(
        bench.kicks().is_empty(),
        "the kick would hit the new session"
    );
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    assert!(!bench.index.has(APP, "ann", 1));
}

#[test]
fn one_sdk_object_on_two_live_connections_is_the_same_device() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    let twin = Login {
        instance: "instance1".into(),
        connection: 9,
        ..Bench::login(2)
    };
    bench.register(twin, TEN);
    assert_eq!(bench.kicks(), [(1, kick::SAME_INSTANCE)]);
}

#[test]
fn an_administrator_puts_all_sessions_offline() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(2), TEN);
    bench.disconnect(2, &[], false);
    let now = bench.now();
    bench.index.kick_user(now, APP, "ann", &mut bench.out);
    assert_eq!(bench.kicks(), [(1, kick::BY_REST)]);
    let saved = bench.stored();
    assert!(
        saved
            .iter()
            .all(|(_, stored)| stored.state == StoredState::Kicked(kick::BY_REST))
    );
    assert_eq!(saved.len(), 2);
    let not_before = bench.out.iter().find_map(|effect| match effect {
        Effect::SaveUser { not_before, .. } => Some(*not_before),
        _ => None,
    });
    assert_eq!(not_before, Some(now.wall));
    // A session that was away for longer than anything remembers it by its token's age.
    let memory = || Memory {
        not_before: now.wall,
        custom_status: None,
        sessions: Vec::new(),
    };
    let revoked = Login {
        fresh: false,
        issued_at: now.wall - 1,
        ..Bench::login(9)
    };
    bench
        .index
        .restore(now, APP, "ann", memory(), &mut bench.out);
    assert_eq!(
        bench.register(revoked, TEN),
        Registered::Kicked(kick::BY_REST)
    );
    bench
        .index
        .restore(now, APP, "ann", memory(), &mut bench.out);
    let newer = Login {
        fresh: false,
        issued_at: now.wall,
        ..Bench::login(10)
    };
    assert!(matches!(
        bench.register(newer, TEN),
        Registered::Online { .. }
    ));
}

#[test]
fn a_token_is_taken_at_its_word_when_nothing_is_known() {
    let mut bench = Bench::new();
    assert!(matches!(bench.come_back(1), Registered::Online { .. }));
    assert!(bench.index.has(APP, "ann", 1));
}

#[test]
fn the_end_of_an_older_connection_does_not_end_the_session() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    let redialled = Login {
        connection: 50,
        fresh: false,
        ..Bench::login(1)
    };
    bench.register(redialled, TEN);
    bench.disconnect(1, &[room("a", 4)], false);
    bench.pass(GRACE, true);
    assert!(bench.detached().is_empty());
    let moved = Login {
        gateway: Arc::from("g2"),
        fresh: false,
        ..Bench::login(1)
    };
    bench.register(moved, TEN);
    bench.disconnect(1, &[], true);
    assert!(bench.index.has(APP, "ann", 1), "another gateway's news");
}

#[test]
fn silent_sessions_go_with_their_gateway_only() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    bench.pass(LEASE, true);
    assert!(
        bench.index.has(APP, "ann", 1),
        "its gateway would have told"
    );
    bench.pass(LEASE, false);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    for _ in 0..8 {
        bench.pass(LEASE, true);
    }
    assert!(!bench.index.has(APP, "ann", 1), "a gateway may forget, too");
}

#[test]
fn a_hello_keeps_a_session_and_takes_in_one_that_was_lost() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    for _ in 0..10 {
        bench.pass(LEASE - 1, false);
        assert_eq!(bench.hello(1), None);
    }
    assert!(bench.index.has(APP, "ann", 1));
    let mut bench = Bench::new();
    assert_eq!(bench.hello(5), None);
    bench.pass(GRACE, false);
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
    let sessions = bench.stored();
    let memory = Memory {
        not_before: 0,
        custom_status: Some(Arc::from("aGk=")),
        sessions,
    };
    let mut bench = Bench::new();
    let now = bench.now();
    bench.index.restore(now, APP, "ann", memory, &mut bench.out);
    let back = bench.come_back(1);
    assert_eq!(names(&back), [("a".to_owned(), 0)]);
    assert!(matches!(back, Registered::Online { custom_status, .. } if &*custom_status == "aGk="));
    assert!(bench.index.user_in_room(APP, "b", "ann"));
    bench.pass(GRACE, true);
    assert_eq!(
        bench.detached(),
        [(2, "b".to_owned())],
        "it never came back"
    );
    assert!(bench.index.has(APP, "ann", 1));
}

#[test]
fn rooms_of_a_session_are_bounded_and_left_one_by_one() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a", "b", "c", "d"]);
    assert!(!bench.index.user_in_room(APP, "d", "ann"));
    let now = bench.now();
    let left = ["a".to_owned(), "x".to_owned()];
    bench.index.track_rooms(
        now,
        APP,
        "ann",
        1,
        vec![room("d", 0)],
        &left,
        &mut bench.out,
    );
    assert!(bench.index.user_in_room(APP, "d", "ann"));
    assert!(!bench.index.user_in_room(APP, "a", "ann"));
    let left = ["b".to_owned(), "c".to_owned(), "d".to_owned()];
    bench
        .index
        .track_rooms(now, APP, "ann", 1, Vec::new(), &left, &mut bench.out);
    assert!(
        bench.stored().is_empty(),
        "a session without rooms has no row"
    );
}

#[test]
fn what_is_remembered_of_a_user_is_bounded_in_the_store_as_well() {
    let mut bench = Bench::new();
    for inst_id in 1..200 {
        bench.register(Bench::login(inst_id), ONE);
    }
    assert_eq!(
        bench.stored().len(),
        32,
        "kicked ones; the last one is online without rooms"
    );
}

#[test]
fn one_target_stands_for_all_sessions_of_a_user_at_a_gateway() {
    let mut bench = Bench::new();
    for inst_id in 1..=3 {
        bench.register(Bench::login(inst_id), TEN);
    }
    bench.register(
        Login {
            gateway: Arc::from("g2"),
            ..Bench::login(4)
        },
        TEN,
    );
    bench.disconnect(3, &[], false);
    let mut routes = Routes::default();
    bench.index.route_user(APP, "ann", 0, &mut routes);
    bench.index.route_user(APP, "bob", 0, &mut routes);
    assert_eq!(routes.reached, 1);
    assert_eq!(routes.gateways.len(), 2);
    assert!(routes.gateways["g1"].len() == 1 && routes.gateways["g1"][0].inst_ids.is_empty());
    let mut routes = Routes::default();
    bench.index.route_user(APP, "ann", 1, &mut routes);
    assert_eq!(routes.gateways["g1"][0].inst_ids, [2]);
    let mut routes = Routes::default();
    let session = SessionId {
        app: APP,
        user: Arc::from("ann"),
        inst_id: 3,
    };
    bench.index.route_session(&session, &mut routes);
    assert!(routes.gateways.is_empty(), "no connection");
}
