//! A group router: the real decisions about placement (`placement::core`) around the model of Raft,
//! with its groups (`actor.rs`).

use std::collections::BTreeMap;
use std::rc::Rc;

use throng_group_router::placement::core::clock::{Now, next_write_time};
use throng_group_router::placement::core::command::Command;
use throng_group_router::placement::core::leader::Leader;
use throng_group_router::placement::core::lease::Timing;
use throng_group_router::placement::core::member::{Member, Output, Ticket};
use throng_group_router::placement::core::state::{Incarnation, Node, PlacementState, Role};

mod leading;

use crate::actor::Actor;
use crate::clocks::Clock;
use crate::env::{Env, Event, MS};
use crate::raft::Raft;
use crate::store::{Request, RequestKind};
use crate::wire::{Body, Peer};

/// Pause between two looks at the clock, milliseconds.
const TICK_MS: u64 = 50;
/// A quorum that has not answered by then will not, milliseconds.
const CONFIRM_MS: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) id: usize,
    pub(crate) clock: Clock,
    /// Rises with every start of the process.
    pub(crate) life: u32,
    pub(crate) up: bool,
    pub(crate) paused: bool,
    /// What came while it was paused.
    pub(crate) backlog: Vec<Event>,
    /// It is to leave in order.
    pub(crate) draining: bool,
    pub(crate) raft: Raft,
    pub(crate) state: PlacementState,
    applied: usize,
    leader: Option<(u64, Leader)>,
    confirming: Option<Confirming>,
    /// Who waits for an answer about its lease.
    asked: BTreeMap<u64, (usize, Ticket)>,
    member: Member,
    lease_until: u64,
    write_time_limit: i64,
    pub(crate) tenures: BTreeMap<u32, Tenure>,
    pub(crate) actors: BTreeMap<usize, Actor>,
    /// Lives of rooms that began here.
    pub(crate) rooms: u64,
}

/// A shard that this node owns.
#[derive(Debug)]
pub(crate) struct Tenure {
    pub(crate) epoch: u64,
    floor: i64,
    last: i64,
    pub(crate) winding_down: bool,
}

#[derive(Debug)]
struct Confirming {
    round: u64,
    applied: usize,
    since: u64,
}

fn name(router: usize) -> String {
    format!("router-{router}")
}

/// Which router has this name.
pub(crate) fn number(name: &str) -> usize {
    name.strip_prefix("router-").and_then(|number| number.parse().ok()).expect("made by name()")
}

impl Router {
    pub(crate) fn new(env: &mut Env, id: usize) -> Self {
        let clock = Clock::draw(&mut env.rng, &env.profile);
        let now = clock.monotonic(env.now);
        let (routers, voters) = (env.profile.routers, env.profile.voters);
        let me = Incarnation { name: name(id), number: env.unique() };
        let first = env.rng.below(TICK_MS * MS);
        env.after(first, Event::RouterTick { router: id, life: 0 });
        Self {
            id,
            clock,
            life: 0,
            up: true,
            paused: false,
            backlog: Vec::new(),
            draining: false,
            raft: Raft::new(id, routers, voters, now, &mut env.rng),
            state: PlacementState::default(),
            applied: 0,
            leader: None,
            confirming: None,
            asked: BTreeMap::new(),
            member: Member::new(Timing::default(), me),
            lease_until: 0,
            write_time_limit: 0,
            tenures: BTreeMap::new(),
            actors: BTreeMap::new(),
            rooms: 0,
        }
    }

    pub(crate) fn crash(&mut self, env: &mut Env) {
        env.note(|| format!("router-{} dies", self.id));
        env.counts.deaths += 1;
        self.up = false;
        self.life += 1;
        self.backlog.clear();
        self.tenures.clear();
        self.actors.clear();
    }

    pub(crate) fn restart(&mut self, env: &mut Env) {
        let now = self.now(env).ms;
        let number = if env.profile.broken.same_incarnation {
            self.member.me().number
        } else {
            env.unique()
        };
        env.note(|| format!("router-{} starts as incarnation {number}", self.id));
        self.up = true;
        self.paused = false;
        self.draining = false;
        self.raft.restart(now, &mut env.rng);
        self.state = PlacementState::default();
        self.applied = 0;
        self.leader = None;
        self.confirming = None;
        self.asked.clear();
        self.member = Member::new(Timing::default(), Incarnation { name: name(self.id), number });
        (self.lease_until, self.write_time_limit) = (0, 0);
        env.after(MS, Event::RouterTick { router: self.id, life: self.life });
    }

    pub(crate) fn now(&self, env: &Env) -> Now {
        Now { ms: self.clock.monotonic(env.now), wall: self.clock.wall(env.now) }
    }

    /// The epoch in which this node may write and acknowledge for a shard now.
    pub(crate) fn tenure(&self, env: &Env, shard: u32) -> Option<u64> {
        let fresh = self.up && self.clock.monotonic(env.now) < self.lease_until;
        self.tenures.get(&shard).filter(|_| fresh).map(|tenure| tenure.epoch)
    }

    /// A write time, if this node may still write in this epoch.
    pub(crate) fn stamp(&mut self, env: &mut Env, shard: u32, epoch: u64) -> Option<i64> {
        if self.tenure(env, shard) != Some(epoch) {
            return None;
        }
        let wall = self.clock.wall(env.now);
        let tenure = self.tenures.get_mut(&shard)?;
        let floor = if env.profile.broken.no_floor { 0 } else { tenure.floor };
        let time = next_write_time(floor, tenure.last, wall, self.write_time_limit)?;
        tenure.last = time;
        env.oracle.stamped(shard, epoch, time);
        Some(time)
    }

    pub(crate) fn ask_store(&self, env: &mut Env, number: u64, group: usize, kind: RequestKind) {
        let Self { id: router, life, .. } = *self;
        let request = Request { router, life, number, group, kind };
        if let Some(delay) = crate::clocks::store_delay(env) {
            env.after(delay, Event::Store(request));
        }
    }

    pub(crate) fn tick(&mut self, env: &mut Env) {
        env.after(TICK_MS * MS, Event::RouterTick { router: self.id, life: self.life });
        let now = self.now(env);
        let out = self.raft.tick(now.ms, &mut env.rng);
        self.send_raft(env, out);
        self.after_raft(env);
        if let Some(confirming) = &self.confirming
            && now.ms > confirming.since + CONFIRM_MS
        {
            self.confirmed(env, false);
        }
        self.with_leader(env, Leader::tick);
        let out = self.member.tick(now.ms);
        self.carry_out(env, out);
        if self.draining {
            let out = self.member.leave(now.ms);
            self.carry_out(env, out);
        }
        self.tick_actors(env);
    }

    pub(crate) fn receive(&mut self, env: &mut Env, from: Peer, body: Body) {
        let now = self.now(env);
        match (from, body) {
            (Peer::Router(from), Body::Raft(message)) => {
                let out = self.raft.receive(from, message, now.ms, &mut env.rng);
                self.send_raft(env, out);
                self.after_raft(env);
            }
            (Peer::Router(from), Body::Renew { ticket, who, node }) => {
                self.renew_for(env, from, ticket, who, node);
            }
            (_, Body::Renewed { ticket, answer: Some(answer) }) => {
                let ticket = if env.profile.broken.lease_from_answer {
                    Ticket { sent: now.ms, ..ticket }
                } else {
                    ticket
                };
                let out = self.member.answered(now.ms, ticket, answer);
                self.carry_out(env, out);
            }
            (_, Body::Renewed { ticket, answer: None }) => {
                self.member.not_answered(now.ms, ticket);
            }
            (_, Body::Release { owner, shards }) => {
                self.propose_for(env, Command::Release { owner, shards });
            }
            (_, Body::Leave { who }) => self.propose_for(env, Command::Leave { node: who }),
            (from, Body::Watch) => {
                let owner = |name: &Option<String>| name.as_deref().map(number);
                let shards = self.state.shards.iter().map(|s| (owner(&s.owner), s.epoch)).collect();
                env.send(Peer::Router(self.id), from, Body::Watched { shards: Rc::new(shards) });
            }
            (from, Body::Send { group, message }) => self.send(env, from, group, message),
            (from, Body::Fetch { group, after }) => self.fetch(env, from, group, after),
            (from, Body::Attach { group, after }) => self.attach(env, from, group, after),
            (from, body) => unreachable!("{body:?} from {from:?}"),
        }
    }

    fn carry_out(&mut self, env: &mut Env, outputs: Vec<Output>) {
        let me = Peer::Router(self.id);
        for output in outputs {
            match output {
                Output::Renew(ticket) => {
                    let Some(leader) = self.raft.leader() else {
                        let now = self.now(env).ms;
                        self.member.not_answered(now, ticket);
                        continue;
                    };
                    let node = Node {
                        role: Role::GroupRouter,
                        address: format!("{}:7082", self.id),
                        incarnation: self.member.me().number,
                        leaving: false,
                    };
                    let body = Body::Renew { ticket, who: self.member.me().clone(), node };
                    env.send(me, Peer::Router(leader), body);
                }
                Output::Lease { until, write_time_limit } => {
                    (self.lease_until, self.write_time_limit) = (until, write_time_limit);
                }
                Output::Serve { shard, epoch, floor } => {
                    env.note(|| format!("{me:?} serves shard {shard} in epoch {epoch}"));
                    let tenure = Tenure { epoch, floor, last: 0, winding_down: false };
                    self.tenures.insert(shard, tenure);
                }
                Output::WindDown { shard, epoch } => self.wind_down(env, shard, epoch),
                Output::Stop { shard, epoch } => {
                    env.note(|| format!("{me:?} stops shard {shard} of epoch {epoch}"));
                    self.tenures.remove(&shard);
                    self.end_actors(env, shard);
                }
                Output::Release(shards) => {
                    env.counts.hand_overs += 1;
                    let owner = self.member.me().clone();
                    self.tell_leader(env, Body::Release { owner, shards });
                }
                Output::Leave => {
                    let who = self.member.me().clone();
                    self.tell_leader(env, Body::Leave { who });
                }
                Output::BeginAnew => {
                    let number = env.unique();
                    env.counts.given_up += 1;
                    env.note(|| format!("{me:?} begins anew as incarnation {number}"));
                    self.member.begin_anew(number);
                }
                Output::Left => {
                    self.crash(env);
                    let delay = env.rng.between(100, 2_000) * MS;
                    env.after(delay, Event::Restart { router: self.id, life: self.life });
                }
            }
        }
    }

    fn tell_leader(&self, env: &mut Env, body: Body) {
        if let Some(leader) = self.raft.leader() {
            env.send(Peer::Router(self.id), Peer::Router(leader), body);
        }
    }

    fn wind_down(&mut self, env: &mut Env, shard: u32, epoch: u64) {
        env.note(|| format!("router-{} winds shard {shard} of epoch {epoch} down", self.id));
        let Some(tenure) = self.tenures.get_mut(&shard) else { return };
        tenure.winding_down = true;
        if env.profile.broken.early_release {
            let (now, last) = (self.now(env).ms, self.tenures[&shard].last);
            let out = self.member.wound_down(now, shard, epoch, last);
            return self.carry_out(env, out);
        }
        self.finish_winding_down(env, shard);
    }

    /// Releases a shard that is to go once nothing is left of it.
    pub(crate) fn finish_winding_down(&mut self, env: &mut Env, shard: u32) {
        self.wind_actors_down(env, shard);
        let busy = self.actors.values().any(|actor| actor.shard == shard);
        if busy || env.profile.broken.early_release {
            return;
        }
        if let Some(Tenure { epoch, last, .. }) = self.tenures.remove(&shard) {
            let now = self.now(env).ms;
            let out = self.member.wound_down(now, shard, epoch, last);
            self.carry_out(env, out);
        }
    }
}
