//! Random lives of sessions: what must always hold, whatever happens in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use throng_proto::v1::RoomMode;

use super::{
    Effect, Gone, Index, Login, Memory, Moves, Now, Over, Policy, Registered, Room, SessionId,
    Settings, Stay, Stored, StoredState,
};

const GRACE: u64 = 30_000;
const LIMIT: usize = 3;
const USERS: [&str; 2] = ["ann", "bob"];

#[derive(Debug, Clone)]
enum Step {
    Login {
        fresh: bool,
    },
    Hello,
    Logout,
    Drop {
        last: bool,
    },
    Join(u8),
    Leave(u8),
    KickUser,
    Pass(u64),
    /// The gateway is gone.
    GatewayGone,
    /// All memory is lost, the store stays.
    Crash,
}

fn step() -> impl Strategy<Value = (usize, u32, Step)> {
    let step = prop_oneof![
        4 => any::<bool>().prop_map(|fresh| Step::Login { fresh }),
        2 => Just(Step::Hello),
        1 => Just(Step::Logout),
        3 => prop::bool::weighted(0.2).prop_map(|last| Step::Drop { last }),
        4 => (0u8..4).prop_map(Step::Join),
        2 => (0u8..4).prop_map(Step::Leave),
        1 => Just(Step::KickUser),
        3 => prop_oneof![Just(1000u64), Just(GRACE)].prop_map(Step::Pass),
        1 => Just(Step::GatewayGone),
        1 => Just(Step::Crash),
    ];
    (0..USERS.len(), 1u32..7, step)
}

/// What the outside knows: the store's rows, and memberships as room owners count them.
#[derive(Default)]
struct World {
    now: u64,
    rows: BTreeMap<(Arc<str>, u32), Stored>,
    not_before: BTreeMap<Arc<str>, i64>,
    members: BTreeSet<(Arc<str>, u32, Arc<str>)>,
}

impl World {
    fn now(&self) -> Now {
        Now { mono: self.now, wall: (self.now / 1000) as i64 }
    }

    fn memory(&self, user: &str) -> Memory {
        let rows = self.rows.iter().filter(|((owner, _), _)| &**owner == user);
        Memory {
            not_before: self.not_before.get(user).copied().unwrap_or(0),
            custom_status: None,
            sessions: rows.map(|((_, inst_id), stored)| (*inst_id, stored.clone())).collect(),
        }
    }

    fn carry(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Save { session, stored } => {
                    self.rows.insert((session.user, session.inst_id), stored);
                }
                Effect::Erase { session } => {
                    self.rows.remove(&(session.user, session.inst_id));
                }
                Effect::SaveUser { user, not_before, .. } => {
                    self.not_before.insert(user, not_before);
                }
                Effect::Detach { session, group_id, .. } => {
                    self.members.remove(&(session.user, session.inst_id, group_id));
                }
                Effect::Kick { .. }
                | Effect::Watch { .. }
                | Effect::Unwatch { .. }
                | Effect::Status { .. }
                | Effect::Mention { .. } => {}
            }
        }
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

/// Whose time has come goes.
struct Nobody;

impl Stay for Nobody {
    fn is_mine(&self, _: &SessionId) -> bool {
        true
    }

    fn is_awaited(&self, _: &str) -> bool {
        false
    }
}

fn play(steps: Vec<(usize, u32, Step)>) {
    let mut world = World { now: 1_000_000, ..World::default() };
    let mut index = Index::new(settings());
    for (user, inst_id, step) in steps {
        let name = USERS[user];
        let user: Arc<str> = Arc::from(name);
        let (now, mut out) = (world.now(), Vec::new());
        if !matches!(step, Step::Pass(_) | Step::GatewayGone | Step::Crash) {
            index.restore(now, 1, name, world.memory(name), &mut out);
        }
        match step {
            Step::Login { fresh } => {
                let login = Login {
                    inst_id,
                    gateway: Arc::from("g"),
                    connection: 0,
                    instance: Box::default(),
                    platform: 7,
                    issued_at: now.wall,
                    fresh,
                };
                let policy = Policy { web: LIMIT, other: 1 };
                let registered = index.register(now, 1, name, login, policy, &mut out);
                if let Registered::Online { rooms, .. } = registered {
                    // The gateway attaches it to all of them.
                    for room in rooms {
                        world.members.insert((Arc::clone(&user), inst_id, room.group_id));
                    }
                }
            }
            Step::Hello => {
                index.hello(now, 1, name, inst_id, Arc::from("g"), &mut out);
            }
            Step::Logout => {
                let gateway = Arc::from("g");
                let over = Over { inst_id, kick_type: 0, gateway, connection: 0 };
                index.unregister(now, 1, name, &over, &mut out);
            }
            Step::Drop { last } => {
                let rooms = Vec::new();
                let gone = Gone { inst_id, gateway: Arc::from("g"), connection: 0, last, rooms };
                index.disconnect(now, 1, name, gone, &mut out);
            }
            Step::Join(room) if index.has(1, name, inst_id) => {
                let group_id: Arc<str> = Arc::from(format!("room{room}"));
                world.members.insert((Arc::clone(&user), inst_id, Arc::clone(&group_id)));
                let joined = vec![Room { group_id, mode: RoomMode::Push, last_seq: 0 }];
                let moves = Moves { inst_id, joined, left: Vec::new() };
                index.track_rooms(now, 1, name, moves, &mut out);
            }
            Step::Leave(room) if index.has(1, name, inst_id) => {
                let group_id = format!("room{room}");
                world.members.remove(&(Arc::clone(&user), inst_id, Arc::from(group_id.as_str())));
                let moves = Moves { inst_id, joined: Vec::new(), left: vec![group_id] };
                index.track_rooms(now, 1, name, moves, &mut out);
            }
            Step::Join(_) | Step::Leave(_) => {
                // Opened by the restore; any decision closes it.
                index.refused(now, 1, name, (99, 0), &mut out);
            }
            Step::KickUser => index.kick_user(now, 1, name, &mut out),
            Step::Pass(time) => {
                world.now += time;
                index.expire(world.now(), 1000, &Nobody, &mut out);
            }
            Step::GatewayGone => {
                index.lower_all(now, "g", u64::MAX);
            }
            Step::Crash => {
                index = Index::new(settings());
                // Owners start with no members.
                world.members.clear();
            }
        }
        world.carry(out);
        check(&index, &world);
    }
    // When all is quiet nothing is left in memory, and nobody is in a room.
    index.lower_all(world.now(), "g", u64::MAX);
    world.now += GRACE;
    let mut out = Vec::new();
    index.expire(world.now(), 1000, &Nobody, &mut out);
    world.carry(out);
    assert!(index.apps.is_empty());
    assert_eq!(index.len(), 0);
    assert!(world.members.is_empty(), "{:?}", world.members);
}

fn check(index: &Index, world: &World) {
    let (mut sessions, mut connected) = (0, 0);
    for user in index.apps.values().flatten() {
        let (name, user) = user;
        sessions += user.sessions.len();
        assert!(!user.sessions.is_empty(), "a user without sessions is not kept");
        let up = user.sessions.iter().filter(|session| session.is_up()).count();
        connected += up;
        // Hellos take lost sessions in without asking the policy; the next login settles it.
        assert!(up <= 6);
        for session in &user.sessions {
            let row = world.rows.get(&(Arc::clone(name), session.inst_id));
            let live = row.is_some_and(|stored| stored.state == StoredState::Live);
            assert_eq!(live, !session.rooms.is_empty(), "a row if and only if there are rooms");
            if let Some(stored) = row.filter(|_| live) {
                assert_eq!(stored.rooms, session.rooms, "the row is what is known");
            }
        }
    }
    assert_eq!(sessions, index.len());
    assert_eq!(connected, index.connected(), "one timer each for the others");
    for (user, inst_id, group_id) in &world.members {
        assert!(
            index.has_room(1, user, *inst_id, group_id),
            "{user}/{inst_id} is counted in {group_id} and nobody would ever end that"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_membership_is_forgotten(steps in prop::collection::vec(step(), 1..60)) {
        play(steps);
    }
}
