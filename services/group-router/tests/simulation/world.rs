//! One run: everything there is, one event after the other, and what has to hold after each.

use crate::client::Client;
use crate::clocks::store_delay;
use crate::env::{Counts, Env, Event, MS, SECOND, Time};
use crate::gateway::Gateway;
use crate::profile::{Broken, Profile};
use crate::router::Router;
use crate::store::{Change, Reply, Request, RequestKind};
use crate::wire::Peer;

/// Time in which everything has to be well again after the last fault.
const HEALED_IN: Time = 20 * SECOND;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) routers: Vec<Router>,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) clients: Vec<Client>,
    /// What waits for a store that stands still.
    pub(crate) stalled: Option<Vec<Request>>,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) violation: Option<String>,
    pub(crate) counts: Counts,
    /// How long it took after the last fault until everything was well.
    pub(crate) healed_in: Option<Time>,
    /// What happened, if that was asked for.
    pub(crate) lines: Vec<String>,
}

/// Runs one seed to its end.
pub(crate) fn run(seed: u64, broken: Broken, traced: bool) -> Outcome {
    let mut world = World::new(seed, Profile::draw(seed, broken), traced);
    let healed_in = world.run();
    Outcome {
        violation: world.env.oracle.violation().map(str::to_owned),
        counts: world.env.counts.clone(),
        healed_in,
        lines: world.env.lines(),
    }
}

impl World {
    pub(crate) fn new(seed: u64, profile: Profile, traced: bool) -> Self {
        let mut env = Env::new(seed, profile, traced);
        let routers = (0..env.profile.routers).map(|id| Router::new(&mut env, id)).collect();
        let gateways = (0..env.profile.gateways).map(|id| Gateway::new(&mut env, id)).collect();
        let clients = (0..env.profile.clients).map(|id| Client::new(&mut env, id)).collect();
        env.after(SECOND, Event::Fault);
        env.after(env.profile.chaos_ms * MS, Event::AllQuiet);
        Self { env, routers, gateways, clients, stalled: None }
    }

    fn run(&mut self) -> Option<Time> {
        let quiet = self.env.profile.chaos_ms * MS;
        let mut look_at = quiet;
        let mut healed_in = None;
        while healed_in.is_none() && self.env.oracle.violation().is_none() {
            self.step();
            if self.env.now >= look_at {
                look_at = self.env.now + 100 * MS;
                match self.unwell() {
                    None => healed_in = Some(self.env.now - quiet),
                    Some(what) if self.env.now > quiet + HEALED_IN => {
                        self.env.oracle.not_alive(&what);
                    }
                    Some(_) => {}
                }
            }
        }
        self.let_late_writes_arrive();
        healed_in
    }

    /// The next thing happens.
    pub(crate) fn step(&mut self) {
        let Some(event) = self.env.next() else { return };
        self.handle(event);
        self.check_owners();
    }

    fn handle(&mut self, event: Event) {
        let env = &mut self.env;
        match event {
            Event::RouterTick { router, life } => {
                self.at_router(router, life, event, |router, env, _| router.tick(env));
            }
            Event::Propose { router, life, .. } => {
                self.at_router(router, life, event, |router, env, event| {
                    if let Event::Propose { proposal, .. } = event {
                        router.propose(env, proposal);
                    }
                });
            }
            Event::StoreReply { router, life, .. } => {
                self.at_router(router, life, event, |router, env, event| {
                    if let Event::StoreReply { reply, .. } = event {
                        router.store_replied(env, reply);
                    }
                });
            }
            Event::Deliver { to: Peer::Router(router), .. } => {
                let life = self.routers[router].life;
                self.at_router(router, life, event, |router, env, event| {
                    if let Event::Deliver { from, body, .. } = event {
                        router.receive(env, from, body);
                    }
                });
            }
            Event::Deliver { to: Peer::Gateway(gateway), body, .. } => {
                self.gateways[gateway].receive(env, body);
            }
            Event::Deliver { to: Peer::Client { client, .. }, body, .. } => {
                self.clients[client].receive(env, &body);
            }
            Event::GatewayTick(gateway) => self.gateways[gateway].tick(env),
            Event::ClientTick(client) => self.clients[client].tick(env, &self.gateways),
            Event::Store(request) => self.at_store(request),
            Event::Fault => self.next_fault(),
            Event::Restart { router, life } if self.routers[router].life == life => {
                self.restart(router);
            }
            Event::Resume { router, life } if self.routers[router].life == life => {
                self.resume(router);
            }
            Event::Restart { .. } | Event::Resume { .. } => {}
            Event::HealLinks(partition) => env.network.heal(partition),
            Event::StoreBack => self.store_back(),
            Event::AllQuiet => self.all_quiet(),
        }
    }

    /// Something happens at a router, unless it died meanwhile; if it stands still, later.
    fn at_router(
        &mut self,
        router: usize,
        life: u32,
        event: Event,
        then: impl FnOnce(&mut Router, &mut Env, Event),
    ) {
        let router = &mut self.routers[router];
        if !router.up || router.life != life {
        } else if router.paused {
            router.backlog.push(event);
        } else {
            then(router, &mut self.env, event);
        }
    }

    fn at_store(&mut self, request: Request) {
        if let Some(stalled) = &mut self.stalled {
            return stalled.push(request);
        }
        let env = &mut self.env;
        let Request { router, life, number, group, kind } = request;
        let rows = match &kind {
            RequestKind::Read => Some(env.store.read(group)),
            RequestKind::Write { time, change } => {
                env.note(|| format!("the store gets at {time} for group {group}: {change:?}"));
                if !env.store.write(group, *time, change) {
                    env.counts.outdated += 1;
                }
                if let Change::Keep(rows) = change
                    && !self.routers[router].waits_for(life, group, number)
                {
                    env.oracle.kept_late(group, rows);
                }
                env.oracle.stored(&env.store, group);
                None
            }
        };
        let reply = Reply { number, group, rows };
        if let Some(delay) = store_delay(env) {
            env.after(delay, Event::StoreReply { router, life, reply });
        }
    }

    fn check_owners(&mut self) {
        for shard in 0..self.env.profile.shards {
            let tenure = |router: &Router| Some((router.id, router.tenure(&self.env, shard)?));
            let mut owners = self.routers.iter().filter_map(tenure);
            if let (Some(first), Some(second)) = (owners.next(), owners.next()) {
                drop(owners);
                self.env.oracle.owners(shard, &[first, second]);
            }
        }
    }

    /// What is not as it has to be when nothing is wrong any more.
    pub(crate) fn unwell(&self) -> Option<String> {
        for shard in 0..self.env.profile.shards {
            if !self.routers.iter().any(|router| router.tenure(&self.env, shard).is_some()) {
                return Some(format!("shard {shard} has no owner"));
            }
        }
        let owned = self.routers.iter().map(|router| router.tenures.len());
        let (least, most) = (owned.clone().min(), owned.max());
        if most > least.map(|least| least + 1) {
            return Some(format!("one router has {most:?} shards, another {least:?}"));
        }
        if let Some(client) = self.clients.iter().find(|c| c.left > 0 || !c.pending.is_empty()) {
            return Some(format!("not acknowledged: {client:?}"));
        }
        for (group, message) in self.env.oracle.to_deliver() {
            if let Some(gateway) = self.gateways.iter().position(|g| !g.has(group, message)) {
                return Some(format!("gateway {gateway} has not got {message:?} of group {group}"));
            }
        }
        None
    }

    /// What was on its way to the store for very long comes now, and may not spoil anything.
    fn let_late_writes_arrive(&mut self) {
        while self.env.oracle.violation().is_none()
            && let Some(event) = self.env.next()
        {
            if let Event::Store(request) = event {
                self.at_store(request);
            }
        }
    }
}
