//! The rules one by one, on a bench with one user's sessions: `policy` for who may be online, `life`
//! for what becomes of a session and its rooms, `retell` for what gateways say of many, `watch` for
//! subscriptions.

mod life;
mod policy;
mod retell;
mod watch;

use std::sync::Arc;

use throng_proto::v1::RoomMode;

use super::{
    Effect, Gone, Index, Login, Memory, Moves, Now, Over, Policy, Registered, Retold, Room, Routes,
    SessionId, Settings, Stay, Stored, StoredState, Watch, kick,
};

const GRACE: u64 = 30_000;
const APP: u32 = 1;
const WALL: i64 = 1_800_000_000;
const TEN: Policy = Policy { web: 10, other: 1 };
const ONE: Policy = Policy { web: 1, other: 1 };

/// An index and its clock.
struct Bench {
    index: Index,
    now: u64,
    rules: Rules,
    out: Vec<Effect>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Rules {
    /// Gateways have yet to say which sessions they have.
    awaited: bool,
    /// Another node decides about everybody.
    theirs: bool,
}

impl Stay for Rules {
    fn is_mine(&self, _: &SessionId) -> bool {
        !self.theirs
    }

    fn is_awaited(&self, _: &str) -> bool {
        self.awaited
    }
}

impl Bench {
    fn new() -> Self {
        let index = Index::new(settings());
        Self { index, now: 1_000_000, rules: Rules::default(), out: Vec::new() }
    }

    fn now(&self) -> Now {
        Now { mono: self.now, wall: WALL + (self.now / 1000) as i64 }
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
        self.index.register(now, APP, "ann", login, policy, &mut self.out)
    }

    fn come_back(&mut self, inst_id: u32) -> Registered {
        self.register(Login { fresh: false, ..Self::login(inst_id) }, TEN)
    }

    fn join(&mut self, inst_id: u32, rooms: &[&str]) {
        let joined = rooms.iter().map(|room| self::room(room, 0)).collect();
        let now = self.now();
        let moves = Moves { inst_id, joined, left: Vec::new() };
        self.index.track_rooms(now, APP, "ann", moves, &mut self.out);
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
        self.index.hello(now, APP, "ann", inst_id, Arc::from("g1"), &mut self.out)
    }

    fn refused(&mut self, inst_id: u32, issued_at: i64) -> Option<u32> {
        let now = self.now();
        self.index.refused(now, APP, "ann", (inst_id, issued_at), &mut self.out)
    }

    fn log_out(&mut self, inst_id: u32) {
        self.end(&Over {
            inst_id,
            kick_type: 0,
            gateway: Arc::from("g1"),
            connection: u64::from(inst_id),
        });
    }

    fn end(&mut self, over: &Over) {
        let now = self.now();
        self.index.unregister(now, APP, "ann", over, &mut self.out);
    }

    fn is_in_room(&mut self, group_id: &str) -> bool {
        let now = self.now();
        self.index.user_in_room(now, APP, "ann", group_id, &mut self.out)
    }

    fn pass(&mut self, millis: u64) {
        self.now += millis;
        let now = self.now();
        self.index.expire(now, 100, &self.rules, &mut self.out);
    }

    fn retell(&mut self, login: Login, rooms: &[&str], policy: Policy) -> Retold {
        let now = self.now();
        let rooms = rooms.iter().map(|room| self::room(room, 0)).collect();
        let login = Login { fresh: false, ..login };
        self.index.retell(now, (APP, "ann"), login, rooms, policy, &mut self.out)
    }

    /// A new index over what the store has by now.
    fn restart(&self) -> Self {
        let memory = Memory { sessions: self.stored(), ..Memory::default() };
        let mut bench = Self { now: self.now, ..Self::new() };
        let now = bench.now();
        bench.index.restore(now, APP, "ann", memory, &mut bench.out);
        bench
    }

    fn took(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.out)
    }

    fn kicks(&self) -> Vec<(u32, u32)> {
        let kicks = self.out.iter().filter_map(|effect| match effect {
            Effect::Kick { session, kick_type, .. } => Some((session.inst_id, *kick_type)),
            _ => None,
        });
        kicks.collect()
    }

    fn detached(&self) -> Vec<(u32, String)> {
        let detached = self.out.iter().filter_map(|effect| match effect {
            Effect::Detach { session, group_id, .. } => {
                Some((session.inst_id, group_id.to_string()))
            }
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

fn settings() -> Settings {
    Settings {
        grace: GRACE,
        refresh: 3_600_000,
        kick_memory: 600_000,
        max_rooms: 3,
        max_watched: 2,
    }
}

fn room(group_id: &str, last_seq: u32) -> Room {
    Room { group_id: Arc::from(group_id), mode: RoomMode::Push, last_seq }
}

fn names(registered: &Registered) -> Vec<(String, u32)> {
    match registered {
        Registered::Online { rooms, .. } => {
            rooms.iter().map(|room| (room.group_id.to_string(), room.last_seq)).collect()
        }
        Registered::Kicked(kick_type) => panic!("kicked {kick_type}"),
    }
}
