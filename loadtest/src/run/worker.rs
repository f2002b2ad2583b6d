//! A worker: one thread and one event loop for its share of the clients. Client `n` belongs to worker
//! `n % workers`, so each finds its part of the plan alone.
//!
//! The loop waits for sockets until the next thing is due, serves what came ([`super::serve`]), then does
//! what is due ([`super::deeds`]). How late it is with the messages is the measure of whether the run
//! counts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use mio::{Events, Poll};
use serde::{Deserialize, Serialize};

use super::Clock;
use super::client::Client;
use super::connection::SCRATCH;
use super::turns::TurnKeeper;
use crate::check::{Fate, Member, Outcome, Witness};
use crate::client::address::{Gateway, Sources};
use crate::client::common::{Common, Outgoing};
use crate::client::happened::Happened;
use crate::client::inbound::Reader;
use crate::measure::{Latency, Logins, Tick, Used, thread_used};
use crate::plan::{Nanos, Plan, SECOND};

/// Events of the system that are taken at once.
const EVENTS: usize = 1024;
/// All clients look at the clock once in so many sweeps.
const SWEEPS: usize = 10;
const SWEEP: Nanos = SECOND / 10;
/// Nothing came for so long: nothing more is on its way.
const QUIET: Nanos = SECOND;
/// The value of [`Shared::start`] before the traffic.
pub(super) const NOT_YET: Nanos = Nanos::MAX;

/// What all workers know.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) common: Common,
    pub(super) plan: Plan,
    pub(super) gateways: Vec<Gateway>,
    pub(super) sources: Sources,
    pub(super) clock: Clock,
    pub(super) workers: u32,
    pub(super) connects_per_second: u32,
    pub(super) drain: Nanos,
    /// When the traffic begins, on the run's clock.
    pub(super) start: AtomicU64,
    /// The run is over.
    pub(super) end: AtomicBool,
}

/// What workers tell.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// All clients of one are in their rooms, or given up.
    Filled,
    /// A second is over.
    Tick(Box<Tick>),
    /// The plan of one is done, and nothing more comes; or the drain was over before that.
    Quiet {
        /// Something was still missing.
        cut_off: bool,
    },
    /// Everything one has seen.
    Done(Result<Box<WorkerOutcome>, String>),
}

/// Everything a worker has seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct WorkerOutcome {
    /// What became of the messages that its clients sent, by number.
    pub fates: Vec<(u32, Fate)>,
    /// Its clients by number, with each of their rooms.
    pub members: Vec<(u32, u32, Member)>,
    /// What they saw together, by room.
    pub witnesses: Vec<Witness>,
    /// From the intended moment to the arrival, of the measured part.
    pub delivery: Latency,
    /// From the intended moment to the answer, of the measured part.
    pub ack: Latency,
    /// From the intended moment to the send.
    pub lag: Latency,
    /// The first logins.
    pub logins: Logins,
    /// Clients that were lost for good.
    pub gone: u64,
    /// Logins on later lines.
    pub returned: u64,
    /// Rooms that clients left, as the server answered.
    pub left: u64,
    /// What went wrong, and how often.
    pub trouble: BTreeMap<String, u64>,
}

/// One thread's part of the run.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    number: u32,
    reports: SyncSender<Report>,
    pub(super) poll: Poll,
    pub(super) clients: Vec<Client>,
    pub(super) reader: Reader,
    pub(super) scratch: Vec<u8>,
    pub(super) out: Outgoing,
    pub(super) happened: Vec<Happened>,
    pub(super) now: Nanos,
    /// When the traffic begins.
    pub(super) start: Nanos,
    /// Moments at which clients are to be dialled.
    pub(super) dials: BinaryHeap<Reverse<(Nanos, u32)>>,
    /// Numbers of the messages that its clients send, and how far it is.
    pub(super) messages: Vec<u32>,
    pub(super) next_message: usize,
    /// Places in the plan's steps of what its clients do, and how far it is.
    pub(super) steps: Vec<u32>,
    pub(super) next_step: usize,
    /// Whose turn it is.
    pub(super) turns: TurnKeeper,
    /// Messages without an answer.
    pub(super) open_sends: u64,
    /// What became of each message of the plan; those of other workers stay unsent.
    pub(super) fates: Vec<Fate>,
    /// The last delivery or return of a client.
    pub(super) last_stir: Nanos,
    next_sweep: Nanos,
    sweep: usize,
    waiting_for: usize,
    quiet: bool,
    next_tick: Nanos,
    last_tick: Nanos,
    last_used: Used,
    pub(super) tick: Tick,
    pub(super) outcome: WorkerOutcome,
}

impl Worker {
    pub(super) fn new(
        number: u32,
        shared: Arc<Shared>,
        reports: SyncSender<Report>,
    ) -> io::Result<Self> {
        let plan = &shared.plan;
        let counts = plan.messages_of_rooms();
        let own = |client: u32| client % shared.workers == number;
        let pick = |clients: &mut dyn Iterator<Item = u32>| -> Vec<u32> {
            (0..).zip(clients).filter(|(_, client)| own(*client)).map(|(place, _)| place).collect()
        };
        let messages = pick(&mut plan.messages.iter().map(|message| message.sender));
        let steps = pick(&mut plan.steps.iter().map(|step| step.client));
        let numbers = || (0..plan.clients).filter(|client| own(*client));
        let gateways = shared.gateways.len();
        let mut clients: Vec<Client> =
            numbers().map(|client| Client::new(client, plan, &counts, gateways)).collect();
        let pace = SECOND / u64::from(shared.connects_per_second);
        let now = shared.clock.now();
        let dials =
            (0..).zip(numbers()).map(|(local, client)| (now + pace * u64::from(client), local));
        let dials = dials.filter(|(_, local): &(_, u32)| !clients[*local as usize].away);
        let dials: Vec<(Nanos, u32)> = dials.collect();
        dials.iter().for_each(|(at, local)| clients[*local as usize].meant = *at);
        let dials = dials.into_iter().map(Reverse).collect();
        let turns = plan.turns.as_ref().map(TurnKeeper::new).unwrap_or_default();
        let outcome = WorkerOutcome {
            fates: Vec::new(),
            members: Vec::new(),
            witnesses: counts.iter().map(|count| Witness::new(*count)).collect(),
            delivery: Latency::default(),
            ack: Latency::default(),
            lag: Latency::default(),
            logins: Logins::default(),
            gone: 0,
            returned: 0,
            left: 0,
            trouble: BTreeMap::new(),
        };
        Ok(Self {
            number,
            reports,
            poll: Poll::new()?,
            waiting_for: clients.iter().filter(|client| !client.away).count(),
            clients,
            reader: Reader::new(&shared.common.group_prefix),
            scratch: vec![0; SCRATCH],
            out: Outgoing::default(),
            happened: Vec::new(),
            now,
            start: NOT_YET,
            dials,
            turns,
            messages,
            next_message: 0,
            steps,
            next_step: 0,
            open_sends: 0,
            last_stir: 0,
            fates: vec![Fate::default(); plan.messages.len()],
            next_sweep: now,
            sweep: 0,
            quiet: false,
            next_tick: now + SECOND,
            last_tick: now,
            last_used: Used::default(),
            tick: Tick::default(),
            outcome,
            shared,
        })
    }

    /// Runs until the end, and reports.
    pub(super) fn work(mut self) {
        let reports = self.reports.clone();
        let result = self.run();
        // The last second is not whole, but what happened in it counts.
        self.now = self.shared.clock.now();
        self.drop_what_waits();
        self.end_second();
        let result = result.map(|()| Box::new(self.into_outcome()));
        let result = result.map_err(|error| error.to_string());
        // Nobody listens any more: nothing to be done.
        let _ = reports.send(Report::Done(result));
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        self.last_used = thread_used().unwrap_or_default();
        if self.waiting_for == 0 {
            let _ = self.reports.send(Report::Filled);
        }
        while !self.shared.end.load(Ordering::Relaxed) {
            match self.poll.poll(&mut events, Some(self.wait())) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                self.now = self.shared.clock.now();
                self.serve(event);
            }
            self.now = self.shared.clock.now();
            // Before what is due: a message of the first moment belongs to the first second.
            if self.now >= self.next_tick {
                self.end_second();
            }
            self.do_what_is_due();
            self.sweep();
            self.report();
        }
        Ok(())
    }

    /// Until when nothing is due.
    fn wait(&self) -> Duration {
        let mut next = self.next_sweep.min(self.next_tick);
        if let Some(Reverse((at, _))) = self.dials.peek() {
            next = next.min(*at);
        }
        if let Some(at) = self.next_deed() {
            next = next.min(at);
        }
        Duration::from_nanos(next.saturating_sub(self.shared.clock.now()))
    }

    /// Lets a part of the clients look at the clock.
    fn sweep(&mut self) {
        if self.now < self.next_sweep {
            return;
        }
        self.next_sweep = (self.next_sweep + SWEEP).max(self.now);
        if self.start == NOT_YET {
            self.start = self.shared.start.load(Ordering::Relaxed);
            if self.start != NOT_YET {
                // From now on seconds begin with the traffic.
                self.next_tick = self.start;
            }
        }
        let coarse = self.shared.clock.coarse(self.now);
        for local in (self.sweep..self.clients.len()).step_by(SWEEPS) {
            let mut happened = std::mem::take(&mut self.happened);
            let client = &mut self.clients[local];
            client.session.tick(&self.shared.common, coarse, &mut self.out, &mut happened);
            self.write_out(local);
            for one in happened.drain(..) {
                self.react(local, one);
                self.carry_on(local);
            }
            self.happened = happened;
        }
        self.sweep = (self.sweep + 1) % SWEEPS;
    }

    /// A client is in its room for the first time, or will never be.
    pub(super) fn settled(&mut self) {
        self.waiting_for = self.waiting_for.saturating_sub(1);
        if self.waiting_for == 0 {
            let _ = self.reports.send(Report::Filled);
        }
    }

    fn report(&mut self) {
        if self.start != NOT_YET && !self.quiet && self.is_done() {
            let cut_off = !self.is_quiet();
            if !cut_off || self.now >= self.start + self.shared.plan.ends + self.shared.drain {
                self.quiet = true;
                let _ = self.reports.send(Report::Quiet { cut_off });
            }
        }
    }

    fn is_done(&self) -> bool {
        self.next_deed().is_none() && self.now >= self.start + self.shared.plan.ends
    }

    fn is_quiet(&self) -> bool {
        let silent = self.open_sends == 0 && self.now > self.last_stir + QUIET;
        let back = |client: &Client| {
            let here = client.gone || client.away || client.session.is_logged_in();
            here && client.waiting.is_empty() && !client.session.is_moving()
        };
        silent && self.turns.is_idle() && self.clients.iter().all(back) && self.is_even()
    }

    /// Whether all who were in a room all the time got as many messages. Where one got less, something may
    /// still be on its way: that is worth the whole of the drain.
    fn is_even(&self) -> bool {
        let mut counts: Vec<Option<u32>> = vec![None; self.shared.plan.rooms as usize];
        self.clients.iter().flat_map(|client| &client.seats).all(|seat| {
            let Some(delivered) = seat.member.delivered_throughout() else {
                return true;
            };
            // Who came later has got less for certain.
            !seat.first || *counts[seat.room as usize].get_or_insert(delivered) == delivered
        })
    }

    fn end_second(&mut self) {
        let used = thread_used().unwrap_or_default();
        let mut tick = std::mem::take(&mut self.tick);
        tick.worker = self.number;
        tick.wall = self.now - self.last_tick;
        tick.used.running = used.running - self.last_used.running;
        tick.used.waiting = used.waiting - self.last_used.waiting;
        tick.second = if self.start == NOT_YET || self.next_tick < self.start + SECOND {
            -1
        } else {
            i64::try_from((self.next_tick - self.start) / SECOND).unwrap_or(i64::MAX) - 1
        };
        tick.present = self.clients.iter().filter(|client| client.is_present()).count() as u64;
        self.last_used = used;
        self.last_tick = self.now;
        self.next_tick += SECOND;
        let _ = self.reports.send(Report::Tick(Box::new(tick)));
    }

    fn into_outcome(mut self) -> WorkerOutcome {
        let (number, workers) = (self.number, self.shared.workers);
        // Nobody knows what those would still have got who are not back: they are judged up to their break.
        for client in self.clients.iter_mut().filter(|client| client.is_in_a_room()) {
            if !client.session.is_logged_in() {
                client.left_all(client.broken_at);
                self.outcome.gone += 1;
                let what = "not back at the end of the run".to_owned();
                *self.outcome.trouble.entry(what).or_default() += 1;
            }
        }
        let sent = |(_, fate): &(u32, Fate)| fate.outcome != Outcome::Unsent;
        self.outcome.fates = (0..).zip(self.fates).filter(sent).collect();
        let members = (0_u32..).zip(self.clients);
        let seats = members.flat_map(|(local, client)| {
            let client_number = local * workers + number;
            client.seats.into_iter().map(move |seat| (client_number, seat.room, seat.member))
        });
        self.outcome.members = seats.collect();
        self.outcome
    }
}
