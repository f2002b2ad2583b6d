//! What the leader of the Raft group decides: who keeps its lease, who is given up, and which shards
//! move. It lives from an election to the end of that leadership; the next one is made anew.

use std::collections::BTreeMap;

use super::balance::{Loads, plan_moves};
use super::clock::{LeaderClock, Now};
use super::command::{Command, Proposal};
use super::lease::{Answer, Grant, Timing};
use super::state::{Incarnation, Node, PlacementState, Role};

#[cfg(test)]
mod tests;

/// Requests for leases that may wait; more are told to come again.
const MOST_WAITING: usize = 4_096;
/// How far above the greatest floor write times are given out, microseconds: one for each write of a
/// shard until real time has come so far. It is short, because each expiry lifts the floors by it:
/// nodes that die again and again must not carry write times away from real time.
const FLOOR_ROOM: i64 = 1_000_000;
/// A proposal that had no effect after this may be made again, milliseconds.
const REPEAT_MS: u64 = 1_000;

/// What the leader goes by.
#[derive(Debug, Clone, Copy)]
pub struct LeaderConfig {
    /// Times of leases.
    pub timing: Timing,
    /// Number of shards, if this leader founds the cluster.
    pub shards: u32,
    /// Routers that are expected when a cluster starts: shards are given out once all are there…
    pub expected_routers: usize,
    /// …or this long after the first one came, milliseconds.
    pub gather_ms: u64,
    /// After routers came or went, shards rest this long before they are balanced, milliseconds.
    pub quiet_ms: u64,
    /// Shards that may be on their way at once to balance.
    pub moves_at_once: usize,
    /// Write times are given out this far ahead of the leader's clock, beyond a lease, microseconds.
    pub write_time_ahead: i64,
    /// The horizon of write times is moved by this much at once, microseconds.
    pub horizon_block: i64,
}

impl Default for LeaderConfig {
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            shards: 1_024,
            expected_routers: 3,
            gather_ms: 1_000,
            quiet_ms: 2_000,
            moves_at_once: 16,
            write_time_ahead: 5_000_000,
            horizon_block: 10_000_000,
        }
    }
}

impl LeaderConfig {
    /// How far above the clock write times are given out, microseconds.
    fn room(&self) -> i64 {
        let lease = i64::try_from(self.timing.lease_ms).unwrap_or(i64::MAX);
        lease.saturating_mul(1_000).saturating_add(self.write_time_ahead)
    }

    /// Up to where write times are given out, when the clock reads `clock`.
    fn wanted(&self, clock: i64, state: &PlacementState) -> i64 {
        let above_floors = state.highest_floor.saturating_add(FLOOR_ROOM);
        clock.saturating_add(self.room()).max(above_floors)
    }
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask a quorum, from now on, whether this node still leads, wait until everything committed by
    /// then is applied, and report by [`Leader::confirmed`]. One runs at a time.
    Confirm,
    /// Answer a request for a lease.
    Answer {
        /// Which, by the number it came with.
        request: u64,
        /// What to say.
        answer: Answer,
    },
    /// Write an entry into the log.
    Propose(Proposal),
}

/// The leader in one term.
#[derive(Debug)]
pub struct Leader {
    config: LeaderConfig,
    term: u64,
    clock: LeaderClock,
    /// When it last decided something; it may have been stopped since.
    awake: u64,
    /// From when each member's lease is counted.
    leases: BTreeMap<Incarnation, u64>,
    /// Members whose lease is over for certain, and when that was proposed. They get no grant.
    expiring: BTreeMap<Incarnation, u64>,
    /// Nodes that are to join, and when that was proposed.
    joining: BTreeMap<Incarnation, u64>,
    /// Requests that came after the running confirmation began.
    waiting: Vec<Request>,
    /// Requests that the running confirmation is for.
    confirming: Option<Vec<Request>>,
    /// Since when there are routers that could own shards without an owner.
    gathering: Option<u64>,
    /// The routers that may own shards, and since when they are these.
    routers: (Vec<Incarnation>, u64),
    found: Once,
    assign: Once,
    moves: Once,
    horizon: Once,
}

/// A node asks for its lease.
#[derive(Debug)]
struct Request {
    number: u64,
    received: u64,
    who: Incarnation,
    node: Node,
}

/// Keeps a decision from being proposed again before it could have an effect.
#[derive(Debug, Default)]
struct Once(Option<(u64, u64)>);

impl Once {
    fn again(&mut self, now: u64, version: u64) -> bool {
        let waits = self.0.is_some_and(|(at, seen)| seen == version && now < at + REPEAT_MS);
        if !waits {
            self.0 = Some((now, version));
        }
        !waits
    }
}

impl Leader {
    /// This node was elected in `term`. Leases of earlier leaders may run for as long as one lasts.
    #[must_use]
    pub fn elected(config: LeaderConfig, term: u64, now: Now, state: &PlacementState) -> Self {
        // What the last leader went by was not further ahead than this.
        let earliest =
            state.write_time_horizon.saturating_sub(config.room() + config.horizon_block);
        let mut leader = Self {
            config,
            term,
            clock: LeaderClock::new(now, earliest),
            awake: now.ms,
            leases: BTreeMap::new(),
            expiring: BTreeMap::new(),
            joining: BTreeMap::new(),
            waiting: Vec::new(),
            confirming: None,
            gathering: None,
            routers: (Vec::new(), now.ms),
            found: Once::default(),
            assign: Once::default(),
            moves: Once::default(),
            horizon: Once::default(),
        };
        leader.look(now, state);
        leader
    }

    /// A command that a node asked for ([`Command::Release`], [`Command::Leave`]), as it has to be
    /// in the log.
    #[must_use]
    pub fn proposal(&self, command: Command) -> Proposal {
        Proposal { term: self.term, command }
    }

    /// A node asks for its lease. `request` is any number that names this request.
    pub fn renew(&mut self, now: Now, request: u64, who: Incarnation, node: Node) -> Vec<Output> {
        if self.waiting.len() >= MOST_WAITING {
            return vec![Output::Answer { request, answer: Answer::Later }];
        }
        self.waiting.push(Request { number: request, received: now.ms, who, node });
        self.confirm_next().into_iter().collect()
    }

    /// The confirmation is over: this node leads still and its state is up to date, or not.
    pub fn confirmed(&mut self, now: Now, state: &PlacementState, leads: bool) -> Vec<Output> {
        self.look(now, state);
        let mut out = Vec::new();
        for request in self.confirming.take().unwrap_or_default() {
            let number = request.number;
            let answer =
                if leads { self.decide(now, state, request, &mut out) } else { Answer::Later };
            out.push(Output::Answer { request: number, answer });
        }
        out.extend(self.confirm_next());
        out
    }

    /// Looks at what time and the state ask for. Call it often (some ten times a lease), and when the
    /// state has changed.
    pub fn tick(&mut self, now: Now, state: &PlacementState) -> Vec<Output> {
        self.look(now, state);
        let mut commands = Vec::new();
        if state.shards.is_empty() && self.found.again(now.ms, state.version) {
            commands.push(Command::Found { shards: self.config.shards });
        }
        commands.extend(self.expire(now.ms));
        commands.extend(self.assign(now, state));
        commands.extend(self.extend_horizon(now, state));
        commands.extend(self.balance(now.ms, state));
        commands.into_iter().map(|command| Output::Propose(self.proposal(command))).collect()
    }

    fn confirm_next(&mut self) -> Option<Output> {
        if self.confirming.is_some() || self.waiting.is_empty() {
            return None;
        }
        self.confirming = Some(std::mem::take(&mut self.waiting));
        Some(Output::Confirm)
    }

    /// Counts leases of those that are members now.
    fn look(&mut self, now: Now, state: &PlacementState) {
        // It stood still and heard nobody: nodes may have asked all the while.
        if now.ms > self.awake + self.config.timing.lease_ms / 2 {
            self.leases.clear();
        }
        self.awake = self.awake.max(now.ms);
        self.leases.retain(|who, _| state.is_member(who));
        self.expiring.retain(|who, _| state.is_member(who));
        self.joining.retain(|who, at| !state.is_member(who) && now.ms < *at + REPEAT_MS);
        for (name, node) in &state.nodes {
            let who = Incarnation { name: name.clone(), number: node.incarnation };
            self.leases.entry(who).or_insert(now.ms);
        }
        let routers =
            state.nodes.iter().filter(|(_, node)| node.role == Role::GroupRouter && !node.leaving);
        let routers: Vec<_> = routers
            .map(|(name, node)| Incarnation { name: name.clone(), number: node.incarnation })
            .collect();
        if self.routers.0 != routers {
            self.routers = (routers, now.ms);
        }
    }

    /// A request that came before this node was confirmed as leader.
    fn decide(
        &mut self,
        now: Now,
        state: &PlacementState,
        request: Request,
        out: &mut Vec<Output>,
    ) -> Answer {
        let Request { received, who, node, .. } = request;
        if state.is_gone(&who) {
            return Answer::GivenUp;
        }
        if !state.is_member(&who) {
            // Another incarnation may still have its lease.
            let free = !state.nodes.contains_key(&who.name);
            if free && !self.joining.contains_key(&who) {
                let join = Command::Join {
                    name: who.name.clone(),
                    node: Node { incarnation: who.number, leaving: false, ..node },
                };
                self.joining.insert(who, now.ms);
                out.push(Output::Propose(self.proposal(join)));
            }
            return Answer::Later;
        }
        if self.expiring.contains_key(&who) {
            return Answer::Later;
        }
        let counted_from = self.leases.entry(who).or_insert(received);
        *counted_from = received.max(*counted_from);
        let wanted = self.config.wanted(self.clock.read(now), state);
        Answer::Granted(Grant {
            lease_ms: self.config.timing.lease_ms,
            placement_version: state.version,
            write_time_limit: wanted.min(state.write_time_horizon),
        })
    }

    /// Gives up those whose leases are over, all in one step: none of them is to inherit.
    fn expire(&mut self, now: u64) -> Option<Command> {
        let over = |from: u64| now >= from + self.config.timing.until_expiry_ms();
        let due = self.leases.iter().filter(|(who, from)| {
            over(**from) && self.expiring.get(who).is_none_or(|at| now >= at + REPEAT_MS)
        });
        let nodes: Vec<_> = due.map(|(who, _)| who.clone()).collect();
        if nodes.is_empty() {
            return None;
        }
        self.expiring.extend(nodes.iter().map(|who| (who.clone(), now)));
        Some(Command::Expire { nodes, room: FLOOR_ROOM })
    }

    /// Gives out what nobody owns, once enough routers are there to share it.
    fn assign(&mut self, now: Now, state: &PlacementState) -> Option<Command> {
        let routers = self.routers.0.len();
        if routers == 0 || state.shards.iter().all(|shard| shard.owner.is_some()) {
            self.gathering = None;
            return None;
        }
        let since = *self.gathering.get_or_insert(now.ms);
        let gathered =
            routers >= self.config.expected_routers || now.ms >= since + self.config.gather_ms;
        if !gathered || !self.assign.again(now.ms, state.version) {
            return None;
        }
        Some(Command::Assign { first_epoch: first_epoch(self.clock.read(now)) })
    }

    fn extend_horizon(&mut self, now: Now, state: &PlacementState) -> Option<Command> {
        if state.nodes.is_empty() {
            return None;
        }
        let clock = self.clock.read(now);
        let block = self.config.horizon_block;
        let until = |ahead: i64| self.config.wanted(clock.saturating_add(ahead), state);
        let near = state.write_time_horizon < until(block / 2);
        let until = until(block);
        (near && self.horizon.again(now.ms, state.version)).then_some(Command::Horizon { until })
    }

    fn balance(&mut self, now: u64, state: &PlacementState) -> Option<Command> {
        let (_, since) = &self.routers;
        let quiet = now >= since + self.config.quiet_ms;
        let lease = self.config.timing.lease_ms;
        if !quiet || self.leases.values().any(|from| now >= from + lease) {
            return None;
        }
        if Loads::of(state).spread() <= 1 || !self.moves.again(now, state.version) {
            return None;
        }
        let moves = plan_moves(state, self.config.moves_at_once.saturating_sub(state.moving()));
        (!moves.is_empty()).then_some(Command::Move { moves })
    }
}

/// Epochs of a new cluster begin at the minutes since 2025: whoever remembers epochs of a cluster
/// that lost its logs sees higher ones. Streams of rooms have 24 bits for them.
fn first_epoch(wall: i64) -> u64 {
    const YEAR_2025: i64 = 1_735_689_600;
    let minutes = (wall / 1_000_000 - YEAR_2025) / 60;
    u64::try_from(minutes).unwrap_or(0).clamp(1, 1 << 23)
}
