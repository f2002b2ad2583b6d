//! What everybody in the simulated world shares: the time, the events to come, chance, the network,
//! and who watches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::network::Network;
use crate::oracle::Oracle;
use crate::profile::Profile;
use crate::rng::Rng;
use crate::store::{Reply, Request, Store};
use crate::wire::{Body, Peer, Proposal};

/// Virtual time, microseconds.
pub(crate) type Time = u64;

pub(crate) const MS: Time = 1_000;
pub(crate) const SECOND: Time = 1_000 * MS;

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A router looks at its clock.
    RouterTick {
        router: usize,
        life: u32,
    },
    GatewayTick(usize),
    ClientTick(usize),
    Deliver {
        from: Peer,
        to: Peer,
        body: Body,
    },
    /// A request reaches the store.
    Store(Request),
    /// The store's answer reaches a router, if it is still the same life of it.
    StoreReply {
        router: usize,
        life: u32,
        reply: Reply,
    },
    /// What a leader decided gets to its log.
    Propose {
        router: usize,
        life: u32,
        proposal: Proposal,
    },
    Fault,
    Restart {
        router: usize,
        life: u32,
    },
    Resume {
        router: usize,
        life: u32,
    },
    HealLinks(u64),
    StoreBack,
    AllQuiet,
}

#[derive(Debug)]
struct Scheduled {
    at: Time,
    number: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What came to pass, so that one sees that the checks had something to look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) elections: u64,
    pub(crate) deaths: u64,
    pub(crate) pauses: u64,
    pub(crate) partitions: u64,
    /// Nodes that were given up, and learned of it.
    pub(crate) given_up: u64,
    pub(crate) hand_overs: u64,
    /// Decisions that got into the log under another term.
    pub(crate) other_term: u64,
    pub(crate) acknowledged: u64,
    /// Messages that a later owner, or a later life of the group, knew already.
    pub(crate) known: u64,
    /// Writes that were durable when their owner could no longer answer for them.
    pub(crate) unanswered: u64,
    /// Writes that came too late to count.
    pub(crate) outdated: u64,
    pub(crate) holes: u64,
    pub(crate) attached: u64,
}

impl Counts {
    pub(crate) fn all(&self) -> [(&'static str, u64); 14] {
        [
            ("events", self.events),
            ("elections", self.elections),
            ("deaths", self.deaths),
            ("pauses", self.pauses),
            ("partitions", self.partitions),
            ("given up", self.given_up),
            ("hand-overs", self.hand_overs),
            ("other term", self.other_term),
            ("acknowledged", self.acknowledged),
            ("known", self.known),
            ("unanswered", self.unanswered),
            ("outdated", self.outdated),
            ("holes", self.holes),
            ("attached", self.attached),
        ]
    }
}

#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    pub(crate) profile: Profile,
    pub(crate) network: Network,
    pub(crate) store: Store,
    pub(crate) oracle: Oracle,
    /// Faults happen.
    pub(crate) chaos: bool,
    /// How often things came to pass that a run is about.
    pub(crate) counts: Counts,
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    /// Numbers that are used once: incarnations, requests.
    unique: u64,
    trace: Option<Vec<String>>,
}

impl Env {
    pub(crate) fn new(seed: u64, profile: Profile, traced: bool) -> Self {
        Self {
            now: 0,
            rng: Rng::new(seed),
            network: Network::new(&profile),
            store: Store::new(profile.groups(), profile.broken),
            oracle: Oracle::new(&profile),
            profile,
            chaos: true,
            counts: Counts::default(),
            queue: BinaryHeap::new(),
            scheduled: 0,
            unique: 0,
            trace: traced.then(Vec::new),
        }
    }

    pub(crate) fn unique(&mut self) -> u64 {
        self.unique += 1;
        self.unique
    }

    pub(crate) fn after(&mut self, delay: Time, event: Event) {
        self.scheduled += 1;
        let at = self.now + delay;
        self.queue.push(Reverse(Scheduled { at, number: self.scheduled, event }));
    }

    /// Moves on to the next event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let Reverse(next) = self.queue.pop()?;
        self.now = next.at;
        self.counts.events += 1;
        Some(next.event)
    }

    /// Sends over the network, which may lose it or take its time.
    pub(crate) fn send(&mut self, from: Peer, to: Peer, body: Body) {
        let Some(delay) = self.network.delay(&mut self.rng, self.chaos, from, to, &body) else {
            return;
        };
        self.after(delay, Event::Deliver { from, to, body });
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let line = line();
            trace.push(format!("{:>10.3} ms  {line}", self.now as f64 / 1_000.0));
        }
    }

    /// What happened, if it was noted.
    pub(crate) fn lines(self) -> Vec<String> {
        self.trace.unwrap_or_default()
    }
}
