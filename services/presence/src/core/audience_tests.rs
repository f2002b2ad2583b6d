//! Random lives of users and groups: who is reached is who is a member and has a connection, as by a
//! list of members that is gone through with each delivery.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::{
    Among, Gone, Index, Login, Memory, Now, Policy, Refusal, Routes, SessionId, Settings, Standing,
    Stay, Step, Stored, StoredState,
};

const APP: u32 = 7;
const GRACE: u64 = 30_000;
const USERS: [&str; 5] = ["ann", "bob", "cem", "dan", "eve"];

#[derive(Debug, Clone)]
enum Turn {
    Login(usize, u32),
    Disconnect(usize, u32, bool),
    KickUser(usize),
    /// The store knew of a session.
    Restore(usize),
    /// Another node is the home.
    Forget(usize),
    GatewayGone,
    Pass(u64),
    Join(u64, usize, bool),
    Leave(u64, usize),
    Drop(u64),
}

fn turn() -> impl Strategy<Value = Turn> {
    let user = || 0..USERS.len();
    prop_oneof![
        5 => (user(), 1..4u32).prop_map(|(user, inst_id)| Turn::Login(user, inst_id)),
        3 => (user(), 1..4u32, any::<bool>())
            .prop_map(|(user, inst_id, last)| Turn::Disconnect(user, inst_id, last)),
        1 => user().prop_map(Turn::KickUser),
        1 => user().prop_map(Turn::Restore),
        1 => user().prop_map(Turn::Forget),
        1 => Just(Turn::GatewayGone),
        2 => prop_oneof![Just(1_000u64), Just(GRACE)].prop_map(Turn::Pass),
        6 => (1..4u64, user(), any::<bool>())
            .prop_map(|(id, user, discards)| Turn::Join(id, user, discards)),
        3 => (1..4u64, user()).prop_map(|(id, user)| Turn::Leave(id, user)),
        1 => (1..4u64).prop_map(Turn::Drop),
    ]
}

struct Nobody;

impl Stay for Nobody {
    fn is_mine(&self, _: &SessionId) -> bool {
        true
    }

    fn is_awaited(&self, _: &str) -> bool {
        false
    }
}

struct World {
    now: u64,
    index: Index,
    /// Audiences and their members, and whether those want no messages.
    model: BTreeMap<u64, BTreeMap<&'static str, bool>>,
}

impl World {
    fn new() -> Self {
        let settings = Settings {
            grace: GRACE,
            refresh: 1_000_000,
            kick_memory: 1_000,
            max_rooms: 10,
            max_watched: 10,
        };
        Self { now: 1_000_000, index: Index::new(settings), model: BTreeMap::new() }
    }

    fn play(&mut self, turn: &Turn) {
        let now = Now { mono: self.now, wall: (self.now / 1000) as i64 };
        let (index, out) = (&mut self.index, &mut Vec::new());
        match *turn {
            Turn::Login(user, inst_id) => {
                let login = Login {
                    inst_id,
                    gateway: Arc::from(format!("g{}", inst_id % 2)),
                    connection: self.now,
                    instance: format!("{user}-{inst_id}").into(),
                    platform: 7,
                    issued_at: now.wall,
                    fresh: true,
                };
                index.register(now, APP, USERS[user], login, Policy { web: 2, other: 1 }, out);
            }
            Turn::Disconnect(user, inst_id, last) => {
                let gateway = Arc::from(format!("g{}", inst_id % 2));
                let gone = Gone { inst_id, gateway, connection: 0, last, rooms: Vec::new() };
                index.disconnect(now, APP, USERS[user], gone, out);
            }
            Turn::KickUser(user) => index.kick_user(now, APP, USERS[user], out),
            Turn::Restore(user) => {
                let stored = Stored {
                    state: StoredState::Live,
                    gateway: Arc::from("g0"),
                    instance: Box::default(),
                    platform: 7,
                    issued_at: 0,
                    at: now.wall,
                    rooms: Vec::new(),
                    watching: vec![Arc::from("ann")],
                };
                let memory = Memory { sessions: vec![(9, stored)], ..Memory::default() };
                index.restore(now, APP, USERS[user], memory, out);
                index.refused(now, APP, USERS[user], (0, 0), out);
            }
            Turn::Forget(user) => index.forget_one(now, APP, USERS[user], out),
            Turn::GatewayGone => drop(index.lower_all(now, "g0", self.now + 1)),
            Turn::Pass(time) => {
                self.now += time;
                let now = Now { mono: self.now, ..now };
                while index.expire(now, 100, &Nobody, out) == 100 {}
            }
            Turn::Join(id, user, discards) => {
                let audience = self.model.entry(id).or_default();
                let news = audience.insert(USERS[user], discards).is_none();
                assert_eq!(index.join_audience(id, APP, USERS[user], discards), news);
            }
            Turn::Leave(id, user) => {
                let audience = self.model.entry(id).or_default();
                let known = audience.remove(USERS[user]).is_some();
                assert_eq!(index.leave_audience(id, USERS[user]), known);
            }
            Turn::Drop(id) => {
                self.model.remove(&id);
                index.drop_audience(id);
            }
        }
    }

    fn check(&self) {
        let (nobody, but) = (HashSet::new(), HashSet::from(["bob"]));
        let mut online = 0;
        for id in 1..4 {
            let members = self.model.get(&id).cloned().unwrap_or_default();
            online += members.keys().filter(|user| self.index.is_online(APP, user)).count();
            for (discarding_too, except_users) in [(true, &nobody), (false, &nobody), (false, &but)]
            {
                let among = Among { discarding_too, except_users, except_inst_id: 2 };
                let meant: BTreeSet<String> = members
                    .iter()
                    .filter(|(user, discards)| {
                        (discarding_too || !**discards) && !except_users.contains(*user)
                    })
                    .map(|(user, _)| (*user).to_owned())
                    .collect();
                let mut named = Vec::new();
                self.index.name_audience(id, among, &mut named);
                assert_eq!(named.len(), meant.len());
                assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), meant);
                let [mut naive, mut routes] = [(); 2].map(|()| Routes::default());
                for user in &meant {
                    self.index.route_user(APP, user, 2, &mut naive);
                }
                self.index.route_audience(id, among, &mut routes);
                assert_eq!((naive.reached, targets(&naive)), (routes.reached, targets(&routes)));
            }
        }
        assert_eq!(self.index.audience_online(), online);
    }
}

fn targets(routes: &Routes) -> BTreeSet<(Arc<str>, String)> {
    let of = |(gateway, targets): (&Arc<str>, &Vec<throng_proto::v1::DeliveryTarget>)| {
        let gateway = Arc::clone(gateway);
        targets.iter().map(move |one| (Arc::clone(&gateway), one.user.clone())).collect::<Vec<_>>()
    };
    routes.gateways.iter().flat_map(of).collect()
}

proptest! {
    #[test]
    fn who_is_reached_is_who_is_in_and_online(turns in prop::collection::vec(turn(), 0..120)) {
        let mut world = World::new();
        for turn in &turns {
            world.now += 10;
            world.play(turn);
            world.check();
        }
        for id in 1..4 {
            world.index.drop_audience(id);
        }
        world.model.clear();
        world.check();
    }
}

#[test]
fn a_registration_counts_once_it_is_whole() {
    let named = (5, 1, 77);
    assert_eq!(Standing::judge(None, named, 1), Err(Refusal::Unknown));
    assert_eq!(Standing::judge(None, named, 0), Ok(Step::Begin));
    let mut standing = Standing::begin(5, 1, 77, None);
    assert_eq!(Standing::judge(Some(&standing), named, 0), Ok(Step::Go));
    standing.took(false);
    assert_eq!(standing.check((5, 77), 1, 1), Err(Refusal::Unknown), "a part is missing");
    assert_eq!(Standing::judge(Some(&standing), named, 0), Ok(Step::Again));
    assert_eq!(Standing::judge(Some(&standing), named, 2), Err(Refusal::Unknown));
    assert_eq!(Standing::judge(Some(&standing), named, 1), Ok(Step::Go));
    standing.took(true);
    assert_eq!(Standing::judge(Some(&standing), named, 1), Ok(Step::Again));
    assert_eq!(Standing::judge(Some(&standing), named, 2), Err(Refusal::Unknown));
    assert_eq!(standing.check((5, 77), 1, 1), Ok(false));
    for (named, place, expected) in [
        ((5, 2, 77), 0, Ok(Step::Begin)),
        ((5, 2, 77), 1, Err(Refusal::Unknown)),
        ((6, 1, 77), 0, Ok(Step::Begin)),
        ((5, 1, 78), 0, Ok(Step::Begin)),
        ((4, 9, 77), 0, Err(Refusal::Term)),
    ] {
        assert_eq!(Standing::judge(Some(&standing), named, place), expected, "{named:?} {place}");
    }
}

#[test]
fn a_delivery_goes_by_the_very_state_that_it_names() {
    let mut standing = Standing::begin(5, 3, 77, None);
    standing.took(true);
    assert_eq!(standing.check((5, 77), 3, 4), Ok(true), "with what changed since");
    standing.changed(4);
    assert_eq!(standing.check((5, 77), 3, 4), Ok(false), "once");
    assert_eq!(standing.check((5, 77), 5, 6), Err(Refusal::Version));
    assert_eq!(standing.check((5, 77), 2, 3), Err(Refusal::Version));
    assert_eq!(standing.check((6, 77), 4, 4), Err(Refusal::Term));
    assert_eq!(standing.check((5, 78), 4, 4), Err(Refusal::Homes));
    assert_eq!(
        Standing::judge(Some(&standing), (5, 3, 77), 0),
        Err(Refusal::Version),
        "a registration that was overtaken"
    );
}

#[test]
fn a_delivery_is_carried_out_once_while_homes_stay() {
    let mut standing = Standing::begin(5, 1, 77, None);
    assert!(standing.deliver(4) && !standing.deliver(4) && !standing.deliver(3));
    let mut anew = Standing::begin(5, 2, 77, Some(&standing));
    assert!(!anew.deliver(4) && anew.deliver(5), "it was told anew");
    for (term, homes) in [(6, 77), (5, 78)] {
        let mut other = Standing::begin(term, 2, homes, Some(&standing));
        assert!(other.deliver(4), "others are at home here, or others count");
    }
}
