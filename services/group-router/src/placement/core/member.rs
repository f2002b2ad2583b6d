//! What a router decides about itself: which shards it serves now, until when, and which it winds
//! down.

use std::collections::{BTreeMap, VecDeque};

use super::command::Released;
use super::lease::{Answer, Grant, Timing};
use super::state::{Incarnation, PlacementState};

#[cfg(test)]
mod tests;

/// Shards that a leaving node winds down at once.
const LEAVING_AT_ONCE: usize = 32;
/// A request to the leader that had no effect after this is made again, milliseconds.
const REPEAT_MS: u64 = 500;
/// Grants that may wait for the placement to be applied.
const MOST_HELD: usize = 8;

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask the leader for the lease now, and give what it says to [`Member::answered`].
    Renew(Ticket),
    /// The lease and the write times that it allows, from now on. Neither falls while this
    /// incarnation lasts; both are 0 when it is over.
    Lease {
        /// Monotonic time at which it is over, milliseconds.
        until: u64,
        /// Write times stay below this.
        write_time_limit: i64,
    },
    /// Shards are this node's, while its lease lasts. Each epoch of a shard is served once.
    Serve {
        /// Which.
        shard: u32,
        /// The epoch of this ownership.
        epoch: u64,
        /// Write times are not below this.
        floor: i64,
    },
    /// Begin nothing new for this shard, carry out what is begun, then say
    /// [`Member::wound_down`].
    WindDown {
        /// Which.
        shard: u32,
        /// The epoch that ends.
        epoch: u64,
    },
    /// This node has nothing to do with the shard any more: whatever is left of it ends now.
    Stop {
        /// Which.
        shard: u32,
        /// The epoch that is over.
        epoch: u64,
    },
    /// Tell the leader what was given up. It is asked for again until it has happened.
    Release(Vec<Released>),
    /// Tell the leader that this node wants to leave. Asked for again until it is known.
    Leave,
    /// The cluster has given this incarnation up, and everything is stopped: call
    /// [`Member::begin_anew`].
    BeginAnew,
    /// The node has left, as it wanted.
    Left,
}

/// Names a request for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Who asked.
    pub incarnation: u64,
    /// When, milliseconds.
    pub sent: u64,
}

/// How far this node got with a shard that is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    WindingDown,
    /// Nothing is left of it here; `told` is when the leader was told last.
    WoundDown {
        last_write_time: i64,
        told: u64,
    },
}

#[derive(Debug)]
struct Owned {
    epoch: u64,
    phase: Phase,
}

/// Where this node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// The placement does not show it yet.
    Outside,
    Inside,
    /// It was given up, or has left.
    Over,
}

/// A router's view of itself.
#[derive(Debug)]
pub struct Member {
    timing: Timing,
    me: Incarnation,
    stand: Stand,
    wants_to_leave: bool,
    /// The cluster knows that it wants to leave.
    leaving: bool,
    told_leave: Option<u64>,
    /// When it asks for its lease next.
    renew_at: u64,
    lease_until: u64,
    write_time_limit: i64,
    /// The version of the placement that was applied last.
    version: u64,
    /// Grants for a placement that is not applied yet: version, end of the lease, limit.
    held: VecDeque<(u64, u64, i64)>,
    owned: BTreeMap<u32, Owned>,
}

impl Member {
    /// A node that begins.
    #[must_use]
    pub fn new(timing: Timing, me: Incarnation) -> Self {
        Self {
            timing,
            me,
            stand: Stand::Outside,
            wants_to_leave: false,
            leaving: false,
            told_leave: None,
            renew_at: 0,
            lease_until: 0,
            write_time_limit: 0,
            version: 0,
            held: VecDeque::new(),
            owned: BTreeMap::new(),
        }
    }

    /// Who this is.
    #[must_use]
    pub fn me(&self) -> &Incarnation {
        &self.me
    }

    /// Whether the lease lasts.
    #[must_use]
    pub fn has_lease(&self, now: u64) -> bool {
        now < self.lease_until
    }

    /// When [`tick`](Self::tick) has to be called at the latest, unless something else happens
    /// before.
    #[must_use]
    pub fn next_tick(&self) -> u64 {
        self.renew_at
    }

    /// After [`Output::BeginAnew`]: the same node as another incarnation.
    pub fn begin_anew(&mut self, number: u64) {
        let me = Incarnation { name: self.me.name.clone(), number };
        *self = Self { version: self.version, ..Self::new(self.timing, me) };
    }

    /// Time has passed.
    pub fn tick(&mut self, now: u64) -> Vec<Output> {
        let mut out = Vec::new();
        if self.stand == Stand::Over {
            return out;
        }
        self.tell_leave(now, &mut out);
        self.tell_released(now, &mut out);
        if now >= self.renew_at {
            self.renew(now, &mut out);
        }
        out
    }

    /// The leader has answered.
    pub fn answered(&mut self, now: u64, ticket: Ticket, answer: Answer) -> Vec<Output> {
        let mut out = Vec::new();
        if ticket.incarnation != self.me.number || self.stand == Stand::Over {
            return out;
        }
        match answer {
            Answer::Granted(Grant { lease_ms, placement_version, write_time_limit }) => {
                if self.held.len() == MOST_HELD {
                    self.held.pop_front();
                }
                let until = ticket.sent.saturating_add(lease_ms);
                self.held.push_back((placement_version, until, write_time_limit));
                self.take_held(&mut out);
            }
            Answer::GivenUp => self.end(&mut out),
            Answer::Later => self.retry(now),
        }
        out
    }

    /// The leader could not be asked, or is not known.
    pub fn not_answered(&mut self, now: u64, ticket: Ticket) {
        if ticket.incarnation == self.me.number {
            self.retry(now);
        }
    }

    /// This node's own copy of the placement has changed.
    pub fn applied(&mut self, now: u64, state: &PlacementState) -> Vec<Output> {
        let mut out = Vec::new();
        if self.stand == Stand::Over || state.version < self.version {
            return out;
        }
        self.version = state.version;
        if state.is_member(&self.me) {
            self.stand = Stand::Inside;
            self.leaving = state.nodes.get(&self.me.name).is_some_and(|node| node.leaving);
        } else if self.stand == Stand::Inside || state.is_gone(&self.me) {
            self.end(&mut out);
            return out;
        }
        self.take_held(&mut out);
        self.lose(state, &mut out);
        if self.stand == Stand::Inside {
            self.gain(now, state, &mut out);
            self.hand_over(state, &mut out);
        }
        out
    }

    /// Nothing is left of a shard here, and its greatest write time is known (0: nothing was
    /// written).
    pub fn wound_down(
        &mut self,
        now: u64,
        shard: u32,
        epoch: u64,
        last_write_time: i64,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(owned) = self.owned.get_mut(&shard)
            && owned.epoch == epoch
            && owned.phase == Phase::WindingDown
        {
            owned.phase = Phase::WoundDown { last_write_time, told: now };
            out.push(Output::Release(vec![Released { shard, epoch, last_write_time }]));
            self.wind_down_next(&mut out);
        }
        out
    }

    /// This process wants to end: its shards go to others first. [`Output::Left`] tells when it may.
    pub fn leave(&mut self, now: u64) -> Vec<Output> {
        let mut out = Vec::new();
        self.wants_to_leave = true;
        if self.stand == Stand::Inside {
            self.tell_leave(now, &mut out);
        } else {
            self.end(&mut out);
        }
        out
    }

    fn renew(&mut self, now: u64, out: &mut Vec<Output>) {
        let pause = if self.has_lease(now) { self.timing.renew_ms } else { self.timing.retry_ms };
        self.renew_at = now + pause;
        out.push(Output::Renew(Ticket { incarnation: self.me.number, sent: now }));
    }

    fn retry(&mut self, now: u64) {
        self.renew_at = self.renew_at.min(now + self.timing.retry_ms);
    }

    /// Takes the grants up to whose version the placement is applied.
    fn take_held(&mut self, out: &mut Vec<Output>) {
        let version = self.version;
        let before = (self.lease_until, self.write_time_limit);
        self.held.retain(|(needed, until, limit)| {
            if *needed <= version {
                self.lease_until = self.lease_until.max(*until);
                self.write_time_limit = self.write_time_limit.max(*limit);
            }
            *needed > version
        });
        if before != (self.lease_until, self.write_time_limit) {
            let Self { lease_until: until, write_time_limit, .. } = *self;
            out.push(Output::Lease { until, write_time_limit });
        }
    }

    /// Lets go of what the placement has given away.
    fn lose(&mut self, state: &PlacementState, out: &mut Vec<Output>) {
        self.owned.retain(|shard, owned| {
            let placed = state.shards.get(*shard as usize);
            let mine = placed.is_some_and(|placed| {
                placed.epoch == owned.epoch && placed.owner.as_ref() == Some(&self.me.name)
            });
            if !mine {
                out.push(Output::Stop { shard: *shard, epoch: owned.epoch });
            }
            mine
        });
    }

    fn gain(&mut self, now: u64, state: &PlacementState, out: &mut Vec<Output>) {
        let mut limit_is_low = false;
        for (shard, placed) in (0..).zip(&state.shards) {
            if placed.owner.as_ref() == Some(&self.me.name) && !self.owned.contains_key(&shard) {
                let owned = Owned { epoch: placed.epoch, phase: Phase::Serving };
                self.owned.insert(shard, owned);
                limit_is_low |= placed.floor >= self.write_time_limit;
                out.push(Output::Serve { shard, epoch: placed.epoch, floor: placed.floor });
            }
        }
        // Write times for the new shards come with the next lease.
        if limit_is_low && self.has_lease(now) {
            self.renew(now, out);
        }
    }

    /// Winds down what goes to somebody else.
    fn hand_over(&mut self, state: &PlacementState, out: &mut Vec<Output>) {
        for (shard, owned) in &mut self.owned {
            let moves =
                state.shards.get(*shard as usize).is_some_and(|placed| placed.next.is_some());
            if moves && owned.phase == Phase::Serving {
                owned.phase = Phase::WindingDown;
                out.push(Output::WindDown { shard: *shard, epoch: owned.epoch });
            }
        }
        self.wind_down_next(out);
    }

    /// A node that leaves gives its shards up by itself, some at a time.
    fn wind_down_next(&mut self, out: &mut Vec<Output>) {
        if !self.leaving {
            return;
        }
        let under_way = |owned: &&Owned| owned.phase != Phase::Serving;
        let busy = self.owned.values().filter(under_way).count();
        let serving = self.owned.iter_mut().filter(|(_, owned)| owned.phase == Phase::Serving);
        for (shard, owned) in serving.take(LEAVING_AT_ONCE.saturating_sub(busy)) {
            owned.phase = Phase::WindingDown;
            out.push(Output::WindDown { shard: *shard, epoch: owned.epoch });
        }
    }

    fn tell_leave(&mut self, now: u64, out: &mut Vec<Output>) {
        let due = self.told_leave.is_none_or(|told| now >= told + REPEAT_MS);
        if self.wants_to_leave && !self.leaving && due {
            self.told_leave = Some(now);
            out.push(Output::Leave);
        }
    }

    fn tell_released(&mut self, now: u64, out: &mut Vec<Output>) {
        let mut released = Vec::new();
        for (shard, owned) in &mut self.owned {
            if let Phase::WoundDown { last_write_time, told } = &mut owned.phase
                && now >= *told + REPEAT_MS
            {
                *told = now;
                released.push(Released {
                    shard: *shard,
                    epoch: owned.epoch,
                    last_write_time: *last_write_time,
                });
            }
        }
        if !released.is_empty() {
            out.push(Output::Release(released));
        }
    }

    /// This incarnation is over.
    fn end(&mut self, out: &mut Vec<Output>) {
        self.stand = Stand::Over;
        self.held.clear();
        for (shard, owned) in std::mem::take(&mut self.owned) {
            out.push(Output::Stop { shard, epoch: owned.epoch });
        }
        (self.lease_until, self.write_time_limit) = (0, 0);
        out.push(Output::Lease { until: 0, write_time_limit: 0 });
        out.push(if self.wants_to_leave { Output::Left } else { Output::BeginAnew });
    }
}
