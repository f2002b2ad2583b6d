//! Random lives of sessions at several gateways, while news get lost and nodes come and go: once the
//! dust has settled, the index has exactly what the gateways hold, and the device policy holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{
    Effect, Gone, Index, Login, Memory, Now, Over, Policy, Registered, Retold, SessionId, Settings,
    Stay, Stored,
};

const GRACE: u64 = 30_000;
const MARGIN: u64 = 60_000;
const GATEWAYS: [&str; 3] = ["g0", "g1", "g2"];
const USERS: [&str; 2] = ["ann", "bob"];
const POLICY: Policy = Policy { web: 2, other: 1 };

#[derive(Debug, Clone)]
enum Step {
    Login,
    /// The client dials another gateway; the one that it had notices when `noticed`.
    Move {
        to: usize,
        noticed: bool,
    },
    /// The connection ends; presence hears of it when `told`.
    End {
        told: bool,
    },
    Logout,
    KickUser,
    GatewayDies,
    /// A gateway tells of all that it holds.
    Retell,
    /// Another node is the home for a while, and this one forgets.
    Forget,
    /// All memory is lost, with what was not written yet when `unwritten`.
    Crash {
        unwritten: bool,
    },
    Pass(u64),
    /// From now on orders to gateways are lost, or not.
    Lossy(bool),
}

fn step() -> impl Strategy<Value = (usize, usize, u32, Step)> {
    let step = prop_oneof![
        5 => Just(Step::Login),
        3 => (0..GATEWAYS.len(), any::<bool>())
            .prop_map(|(to, noticed)| Step::Move { to, noticed }),
        3 => prop::bool::weighted(0.7).prop_map(|told| Step::End { told }),
        1 => Just(Step::Logout),
        1 => Just(Step::KickUser),
        1 => Just(Step::GatewayDies),
        2 => Just(Step::Retell),
        1 => Just(Step::Forget),
        1 => any::<bool>().prop_map(|unwritten| Step::Crash { unwritten }),
        2 => prop_oneof![Just(1_000u64), Just(GRACE)].prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Lossy),
    ];
    (0..USERS.len(), 0..GATEWAYS.len(), 1u32..5, step)
}

/// A session as a gateway holds it.
#[derive(Debug, Clone)]
struct Held {
    connection: u64,
    issued_at: i64,
}

type Key = (&'static str, u32);

struct World {
    now: u64,
    index: Index,
    rows: BTreeMap<Key, Stored>,
    not_before: BTreeMap<&'static str, i64>,
    held: [BTreeMap<Key, Held>; GATEWAYS.len()],
    connections: u64,
    lossy: bool,
    /// Rows are not written now.
    unwritten: bool,
}

impl World {
    fn new() -> Self {
        Self {
            now: 1_000_000,
            index: Index::new(settings()),
            rows: BTreeMap::new(),
            not_before: BTreeMap::new(),
            held: Default::default(),
            connections: 0,
            lossy: false,
            unwritten: false,
        }
    }

    fn now(&self) -> Now {
        // Whole seconds pass between steps, so that of two logins one is older.
        Now { mono: self.now, wall: (self.now / 1000) as i64 }
    }

    /// A decision about a user, whom the store told of first.
    fn decide<R>(
        &mut self,
        user: &'static str,
        decision: impl FnOnce(&mut Index, Now, &mut Vec<Effect>) -> R,
    ) -> R {
        let (now, mut out) = (self.now(), Vec::new());
        let rows = self.rows.iter().filter(|((owner, _), _)| *owner == user);
        let memory = Memory {
            not_before: self.not_before.get(user).copied().unwrap_or(0),
            custom_status: None,
            sessions: rows.map(|((_, inst_id), stored)| (*inst_id, stored.clone())).collect(),
        };
        self.index.restore(now, 1, user, memory, &mut out);
        let result = decision(&mut self.index, now, &mut out);
        self.carry(out);
        result
    }

    fn carry(&mut self, effects: Vec<Effect>) {
        let name = |user: &str| USERS.into_iter().find(|name| *name == user).unwrap();
        for effect in effects {
            match effect {
                Effect::Save { session, stored } if !self.unwritten => {
                    self.rows.insert((name(&session.user), session.inst_id), stored);
                }
                Effect::Erase { session } if !self.unwritten => {
                    self.rows.remove(&(name(&session.user), session.inst_id));
                }
                Effect::SaveUser { user, not_before, .. } => {
                    self.not_before.insert(name(&user), not_before);
                }
                Effect::Kick { gateway, session, connection, .. } if !self.lossy => {
                    let place = GATEWAYS.iter().position(|name| **name == *gateway).unwrap();
                    let key = (name(&session.user), session.inst_id);
                    let held = self.held[place].get(&key);
                    if held.is_some_and(|held| connection == 0 || connection == held.connection) {
                        self.held[place].remove(&key);
                    }
                }
                _ => {}
            }
        }
    }

    fn register(&mut self, place: usize, key: Key, issued_at: i64, fresh: bool) {
        self.connections += 1;
        let connection = self.connections;
        let login = login(place, key.1, connection, issued_at, fresh);
        let registered =
            self.decide(key.0, |index, now, out| index.register(now, 1, key.0, login, POLICY, out));
        match registered {
            Registered::Online { .. } => {
                self.held[place].insert(key, Held { connection, issued_at });
            }
            Registered::Kicked(_) => drop(self.held[place].remove(&key)),
        }
    }

    fn disconnect(&mut self, place: usize, key: Key, held: &Held) {
        let gone = Gone {
            inst_id: key.1,
            gateway: Arc::from(GATEWAYS[place]),
            connection: held.connection,
            last: false,
            rooms: Vec::new(),
        };
        self.decide(key.0, |index, now, out| index.disconnect(now, 1, key.0, gone, out));
    }

    fn retell(&mut self, place: usize) {
        for (key, held) in self.held[place].clone() {
            let login = login(place, key.1, held.connection, held.issued_at, false);
            let retold = self.decide(key.0, |index, now, out| {
                index.retell(now, (1, key.0), login, Vec::new(), POLICY, out)
            });
            if matches!(retold, Retold::Kicked(_) | Retold::Moved) {
                self.held[place].remove(&key);
            }
        }
    }

    fn pass(&mut self, time: u64) {
        self.now += time;
        let mut out = Vec::new();
        self.index.expire(self.now(), 1000, &Everybody, &mut out);
        self.carry(out);
    }

    fn play(&mut self, user: usize, place: usize, inst_id: u32, step: &Step) {
        self.pass(1000);
        let user = USERS[user];
        let key = (user, inst_id);
        let now = self.now();
        match *step {
            Step::Login => self.register(place, key, now.wall, true),
            Step::Move { to, noticed } => {
                let Some(held) = self.held[place].get(&key).cloned() else { return };
                self.register(to, key, held.issued_at, false);
                if noticed && to != place && self.held[place].remove(&key).is_some() {
                    self.disconnect(place, key, &held);
                }
            }
            Step::End { told } => {
                let Some(held) = self.held[place].remove(&key) else { return };
                if told {
                    self.disconnect(place, key, &held);
                }
            }
            Step::Logout => {
                if let Some(held) = self.held[place].remove(&key) {
                    let over = Over {
                        inst_id,
                        kick_type: 0,
                        gateway: Arc::from(GATEWAYS[place]),
                        connection: held.connection,
                    };
                    self.decide(user, |index, now, out| {
                        index.unregister(now, 1, user, &over, out);
                    });
                }
            }
            Step::KickUser => {
                self.decide(user, |index, now, out| index.kick_user(now, 1, user, out));
            }
            Step::GatewayDies => {
                self.held[place].clear();
                self.index.lower_all(now, GATEWAYS[place], u64::MAX);
            }
            Step::Retell => self.retell(place),
            Step::Forget => {
                let mut out = Vec::new();
                self.index.forget(now, |_, name| name == user, &mut out);
                self.carry(out);
            }
            Step::Crash { unwritten } => {
                self.index = Index::new(settings());
                self.unwritten = unwritten;
            }
            Step::Pass(time) => self.pass(time),
            Step::Lossy(lossy) => self.lossy = lossy,
        }
    }

    /// Gateways tell of everything, and what nobody told of for long is swept out.
    fn settle(&mut self) {
        self.lossy = false;
        self.unwritten = false;
        self.pass(2 * MARGIN);
        let began = self.now;
        for place in 0..GATEWAYS.len() {
            self.retell(place);
        }
        for gateway in GATEWAYS {
            self.index.lower_all(self.now(), gateway, began - MARGIN);
        }
        self.pass(GRACE);
    }

    fn check(&self) {
        for user in USERS {
            let mut expected = BTreeMap::new();
            for (place, held) in self.held.iter().enumerate() {
                for ((_, inst_id), held) in held.iter().filter(|((name, _), _)| *name == user) {
                    let twice = expected.insert(*inst_id, (GATEWAYS[place], held.connection));
                    assert!(twice.is_none(), "{user}/{inst_id} is at two gateways");
                }
            }
            let sessions = self.index.user(1, user).map_or(&[][..], |user| &user.sessions);
            let known = sessions.iter().filter(|session| session.is_up());
            let known: BTreeMap<_, _> = known
                .map(|session| (session.inst_id, (&*session.gateway, session.connection)))
                .collect();
            assert_eq!(known, expected, "{user}");
            assert_eq!(sessions.len(), known.len(), "all grace periods are over");
            assert!(known.len() <= POLICY.web, "{known:?}");
        }
    }
}

struct Everybody;

impl Stay for Everybody {
    fn is_mine(&self, _: &SessionId) -> bool {
        true
    }

    fn is_awaited(&self, _: &str) -> bool {
        false
    }
}

fn settings() -> Settings {
    Settings {
        grace: GRACE,
        refresh: 1_000_000,
        kick_memory: u64::MAX,
        max_rooms: 100,
        max_watched: 100,
    }
}

fn login(place: usize, inst_id: u32, connection: u64, issued_at: i64, fresh: bool) -> Login {
    Login {
        inst_id,
        gateway: Arc::from(GATEWAYS[place]),
        connection,
        instance: Box::default(),
        platform: 7,
        issued_at,
        fresh,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_index_ends_up_with_what_gateways_hold(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new();
        for (user, place, inst_id, step) in &steps {
            world.play(*user, *place, *inst_id, step);
        }
        world.settle();
        world.check();
    }
}
