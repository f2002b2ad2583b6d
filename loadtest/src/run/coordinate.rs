//! The course of a run: rooms are made, workers fill them, all begin the traffic at one moment, wait
//! until nothing more comes, and what they saw is put together.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use throng_protocol::AppId;

use super::Clock;
use super::rest_load::{RestLoad, RestOutcome, RestPlan};
use super::scrape::{Scraper, Where};
use super::setup::{RestError, make_rooms, remove_rooms};
use super::worker::{NOT_YET, Report, Shared, Worker, WorkerOutcome};
use crate::check::{Fate, Findings, RoomFacts, Witness, judge};
use crate::client::address::Sources;
use crate::client::session::Common;
use crate::measure::{
    Latency, Quantiles, Second, TargetSample, Tick, Used, descriptors, process_memory,
};
use crate::plan::{Nanos, Plan, SECOND, nanos};
use crate::profile::Profile;

/// From the order to begin to the first message: all workers must hear it before.
const RUN_UP: Nanos = SECOND / 2;
/// What filling the rooms may take beyond its pace, and the end beyond the drain.
const PATIENCE: Duration = Duration::from_secs(90);

/// Descriptors beside those of the clients.
const SPARE_DESCRIPTORS: u64 = 64;

/// What a run is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What happens.
    pub profile: Profile,
    /// The server.
    pub target: SocketAddr,
    /// Its name in `Host` headers.
    pub host: String,
    /// The app.
    pub app: AppId,
    /// The app's secret key.
    pub key: String,
    /// An administrator of the app, who makes the rooms.
    pub admin: String,
    /// Addresses to connect from; empty: chosen by [`Sources::new`].
    pub sources: Vec<IpAddr>,
    /// Threads that hold clients.
    pub workers: u32,
    /// Where the server tells of itself.
    pub place: Where,
    /// Leave the rooms behind.
    pub keep_rooms: bool,
    /// Keeps names of different runs apart.
    pub salt: u64,
}

/// A run that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The rooms could not be made.
    #[error("the rooms could not be made: {0}")]
    Setup(#[from] RestError),
    /// Sockets or threads.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A socket for each client is more than the system allows this process.
    #[error("{needed} descriptors are needed, {allowed} allowed: raise it (ulimit -n)")]
    Descriptors {
        /// For the clients and some more.
        needed: u64,
        /// The soft limit.
        allowed: u64,
    },
    /// Rooms did not fill.
    #[error("only {present} of {clients} clients are in their rooms; {trouble}")]
    NotFilled {
        /// Those in their rooms.
        present: u64,
        /// All.
        clients: u32,
        /// What went wrong.
        trouble: String,
    },
    /// A worker does not answer any more.
    #[error("a worker of this tool stands still")]
    Stuck,
}

/// How far a run is.
#[derive(Debug)]
pub enum Stage<'a> {
    /// Clients come in; so many are there.
    Filling(u64),
    /// A second of traffic is over.
    Second(&'a Second),
}

/// Numbers of the whole run, warm-up included.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Counts {
    /// Messages of the plan.
    pub planned: u64,
    /// Sent.
    pub sent: u64,
    /// Acknowledged, dropped ones included.
    pub acknowledged: u64,
    /// Dropped by the rate limit.
    pub dropped: u64,
    /// Refused, not answered in time, or not sent because the sender was lost.
    pub failed: u64,
    /// Lines that broke, whoever broke them.
    pub broken_lines: u64,
    /// Logins on later lines.
    pub returned: u64,
    /// Clients that were lost for good.
    pub lost_clients: u64,
}

/// What one worker used of its core while the traffic was measured.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct WorkerUse {
    /// Part of a core.
    pub cpu_share: f64,
    /// Part of the time in which it was ready and waited for a core.
    pub waiting_share: f64,
}

/// What a run found.
#[derive(Debug)]
pub struct Outcome {
    /// When it began, seconds since 1970.
    pub began_unix_s: i64,
    /// The account of deliveries.
    pub findings: Findings,
    /// Numbers.
    pub counts: Counts,
    /// From the intended moment to the arrival, of the measured part.
    pub delivery: Quantiles,
    /// From the intended moment to the answer, of the measured part.
    pub ack: Quantiles,
    /// From the intended moment to the send.
    pub lag: Quantiles,
    /// What workers used.
    pub workers: Vec<WorkerUse>,
    /// Bytes of this process for each client, when all were in.
    pub bytes_per_client: Option<u64>,
    /// Seconds until all were in.
    pub fill_seconds: f64,
    /// The run by seconds.
    pub seconds: Vec<Second>,
    /// The server by seconds.
    pub target: Vec<TargetSample>,
    /// What went wrong, and how often.
    pub trouble: BTreeMap<String, u64>,
    /// What came of the requests over REST.
    pub rest: Option<RestOutcome>,
}

/// Carries a profile out.
///
/// # Errors
/// [`RunError`] when it could not be carried out to its end; what the server does wrong is in the outcome.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(&Stage<'_>)) -> Result<Outcome, RunError> {
    let clock = Clock::start();
    let profile = &settings.profile;
    let shared = Arc::new(share(settings, clock));
    let needed = u64::from(shared.plan.clients()) + SPARE_DESCRIPTORS;
    if let Some(allowed) = descriptors().filter(|allowed| *allowed < needed) {
        return Err(RunError::Descriptors { needed, allowed });
    }
    let scraper = Scraper::start(settings.place.clone());
    make_rooms(
        settings.target,
        &shared.common,
        &settings.admin,
        clock.unix_began_s(),
        &profile.rooms,
    )?;
    let memory = process_memory(None);
    let mut crew = Crew::start(&shared)?;
    let clients = shared.plan.clients();
    let fill_time = Duration::from_secs(u64::from(clients / profile.phases.connects_per_second));
    if !crew.until_filled(fill_time + PATIENCE, progress)? {
        shared.end.store(true, Ordering::Relaxed);
        return Err(crew.not_filled()?);
    }
    let fill_seconds = clock.now() as f64 / SECOND as f64;
    let bytes_per_client = match (memory, process_memory(None)) {
        (Some(before), Some(after)) if clients > 0 => {
            Some(after.saturating_sub(before) / u64::from(clients))
        }
        _ => None,
    };

    let start = clock.now() + RUN_UP;
    let began = Instant::now() + Duration::from_nanos(RUN_UP);
    shared.start.store(start, Ordering::Relaxed);
    let rest = rest_load(settings, &shared, start);
    let traffic = Duration::from_nanos(RUN_UP + shared.plan.ends + shared.drain);
    crew.until_quiet(traffic + PATIENCE, progress)?;
    let rest = rest.map(RestLoad::finish);
    shared.end.store(true, Ordering::Relaxed);
    let outcomes = crew.finish()?;
    let target = scraper.finish(began);
    if !settings.keep_rooms {
        let unix = clock.unix_began_s();
        remove_rooms(settings.target, &shared.common, &settings.admin, unix, profile.rooms.count);
    }

    let workers = crew.worker_use(&shared.plan);
    let seconds = crew.into_seconds();
    let mut outcome = put_together(&shared.plan, profile, outcomes, &seconds);
    outcome.began_unix_s = clock.unix_began_s();
    outcome.workers = workers;
    outcome.bytes_per_client = bytes_per_client;
    outcome.fill_seconds = fill_seconds;
    outcome.seconds = seconds;
    outcome.target = target;
    outcome.rest = rest;
    Ok(outcome)
}

fn share(settings: &Settings, clock: Clock) -> Shared {
    let profile = &settings.profile;
    let plan = Plan::new(profile);
    let salt = settings.salt;
    let common = Common {
        app: settings.app,
        key: settings.key.clone(),
        host: settings.host.clone(),
        user_prefix: format!("load{salt:x}u"),
        group_prefix: format!("load{salt:x}r"),
        salt,
        text: "x".repeat(profile.traffic.body_bytes),
    };
    Shared {
        common,
        target: settings.target,
        sources: Sources::new(settings.sources.clone(), settings.target, plan.clients()),
        plan,
        clock,
        workers: settings.workers.max(1),
        connects_per_second: profile.phases.connects_per_second,
        drain: nanos(profile.phases.drain_seconds),
        start: AtomicU64::new(NOT_YET),
        end: AtomicBool::new(false),
    }
}

fn rest_load(settings: &Settings, shared: &Shared, start: Nanos) -> Option<RestLoad> {
    let rest = settings.profile.rest.clone()?;
    Some(RestLoad::start(RestPlan {
        target: settings.target,
        common: shared.common.clone(),
        admin: settings.admin.clone(),
        clock: shared.clock,
        from: start + shared.plan.measured_from,
        until: start + shared.plan.ends,
        rest,
        group: shared.common.group(0),
    }))
}

/// The workers, as the coordinator sees them.
struct Crew {
    workers: usize,
    clients: u32,
    reports: Receiver<Report>,
    filled: usize,
    quiet: usize,
    done: Vec<WorkerOutcome>,
    /// Seconds, and how many workers told of each.
    seconds: BTreeMap<i64, (Second, usize)>,
    present: Vec<u64>,
    ticks: Vec<Vec<(i64, Used, u64)>>,
}

impl Crew {
    fn start(shared: &Arc<Shared>) -> Result<Self, RunError> {
        let (sender, reports) = sync_channel(256);
        for number in 0..shared.workers {
            let (shared, sender) = (Arc::clone(shared), sender.clone());
            // Made here, so that nothing is left to fail in the thread.
            let build = move || match Worker::new(number, shared, sender.clone()) {
                Ok(worker) => worker.work(),
                Err(error) => {
                    let _ = sender.send(Report::Done(Err(error)));
                }
            };
            thread::Builder::new().name(format!("load-{number}")).spawn(build)?;
        }
        let workers = shared.workers as usize;
        Ok(Self {
            workers,
            clients: shared.plan.clients(),
            reports,
            filled: 0,
            quiet: 0,
            done: Vec::new(),
            seconds: BTreeMap::new(),
            present: vec![0; workers],
            ticks: vec![Vec::new(); workers],
        })
    }

    /// Waits until all clients are in their rooms or given up; false when time is over before.
    fn until_filled(
        &mut self,
        patience: Duration,
        progress: &mut dyn FnMut(&Stage<'_>),
    ) -> Result<bool, RunError> {
        let until = Instant::now() + patience;
        while self.filled < self.workers {
            if Instant::now() >= until {
                return Ok(false);
            }
            self.hear(progress)?;
        }
        Ok(true)
    }

    /// Why the rooms did not fill.
    fn not_filled(&mut self) -> Result<RunError, RunError> {
        let present = self.present.iter().sum();
        let outcomes = self.finish()?;
        let all = outcomes.iter().flat_map(|outcome| &outcome.trouble);
        let trouble: Vec<String> =
            all.map(|(what, count)| format!("{what} ({count} times)")).collect();
        Ok(RunError::NotFilled { present, clients: self.clients, trouble: trouble.join("; ") })
    }

    fn until_quiet(
        &mut self,
        patience: Duration,
        progress: &mut dyn FnMut(&Stage<'_>),
    ) -> Result<(), RunError> {
        let until = Instant::now() + patience;
        while self.quiet < self.workers {
            if Instant::now() >= until {
                return Err(RunError::Stuck);
            }
            self.hear(progress)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<WorkerOutcome>, RunError> {
        let until = Instant::now() + PATIENCE;
        while self.done.len() < self.workers {
            if Instant::now() >= until {
                return Err(RunError::Stuck);
            }
            self.hear(&mut |_| {})?;
        }
        Ok(std::mem::take(&mut self.done))
    }

    /// Takes one report, or waits a while for it.
    fn hear(&mut self, progress: &mut dyn FnMut(&Stage<'_>)) -> Result<(), RunError> {
        match self.reports.recv_timeout(Duration::from_millis(200)) {
            Ok(Report::Filled) => self.filled += 1,
            Ok(Report::Quiet) => self.quiet += 1,
            Ok(Report::Done(outcome)) => self.done.push(*outcome?),
            Ok(Report::Tick(tick)) => self.note(&tick, progress),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(RunError::Stuck),
        }
        Ok(())
    }

    fn note(&mut self, tick: &Tick, progress: &mut dyn FnMut(&Stage<'_>)) {
        let worker = tick.worker as usize;
        self.present[worker] = tick.present;
        if tick.second < 0 {
            return progress(&Stage::Filling(self.present.iter().sum()));
        }
        self.ticks[worker].push((tick.second, tick.used, tick.wall));
        let (second, told) = self.seconds.entry(tick.second).or_default();
        second.add(tick);
        *told += 1;
        if *told == self.workers {
            progress(&Stage::Second(second));
        }
    }

    /// What each worker used while the traffic was measured.
    fn worker_use(&self, plan: &Plan) -> Vec<WorkerUse> {
        let second = |at: Nanos| i64::try_from(at / SECOND).unwrap_or(i64::MAX);
        let measured = second(plan.measured_from)..second(plan.ends).max(1);
        let one = |ticks: &Vec<(i64, Used, u64)>| {
            let (mut running, mut waiting, mut wall) = (0, 0, 0);
            for (_, used, time) in ticks.iter().filter(|(at, _, _)| measured.contains(at)) {
                running += used.running;
                waiting += used.waiting;
                wall += time;
            }
            let share = |part: u64| if wall == 0 { 0.0 } else { part as f64 / wall as f64 };
            WorkerUse { cpu_share: share(running), waiting_share: share(waiting) }
        };
        self.ticks.iter().map(one).collect()
    }

    fn into_seconds(self) -> Vec<Second> {
        self.seconds.into_values().map(|(second, _)| second).collect()
    }
}

/// Puts together what workers saw, and judges every room.
fn put_together(
    plan: &Plan,
    profile: &Profile,
    outcomes: Vec<WorkerOutcome>,
    seconds: &[Second],
) -> Outcome {
    let workers = u32::try_from(outcomes.len()).expect("few").max(1);
    let (mut delivery, mut ack, mut lag) =
        (Latency::default(), Latency::default(), Latency::default());
    let mut witnesses: Vec<Witness> =
        plan.messages_of_rooms().into_iter().map(Witness::new).collect();
    let mut members: Vec<Vec<_>> = vec![Vec::new(); plan.rooms as usize];
    let mut fates: Vec<Vec<Fate>> = vec![Vec::new(); plan.rooms as usize];
    let mut counts = Counts { planned: plan.messages.len() as u64, ..Counts::default() };
    let mut trouble = BTreeMap::new();
    let mut all_fates = Vec::new();
    for outcome in outcomes {
        delivery.add(&outcome.delivery);
        ack.add(&outcome.ack);
        lag.add(&outcome.lag);
        counts.returned += outcome.returned;
        counts.lost_clients += outcome.gone;
        for (what, count) in outcome.trouble {
            *trouble.entry(what).or_default() += count;
        }
        for (known, seen) in witnesses.iter_mut().zip(outcome.witnesses) {
            known.merge(seen);
        }
        for (client, member) in outcome.members {
            members[plan.room_of(client) as usize].push((client, member));
        }
        all_fates.push((outcome.worker, outcome.fates));
    }
    all_fates.sort_by_key(|(worker, _)| *worker);
    for (number, message) in plan.messages.iter().enumerate() {
        let (_, own) = &all_fates[(message.sender % workers) as usize];
        fates[message.room as usize].push(own[number]);
    }
    for second in seconds {
        counts.sent += second.sent;
        counts.acknowledged += second.acknowledged;
        counts.dropped += second.dropped;
        counts.failed += second.failed;
        counts.broken_lines += second.broken;
    }
    let mut findings = Findings::default();
    for (room, ((fates, witness), members)) in (0..).zip(fates.iter().zip(&witnesses).zip(&members))
    {
        let facts = RoomFacts { room, kind: profile.rooms.kind, fates, witness };
        let members = members.iter().map(|(client, member)| (*client, member));
        judge(facts, members, &mut findings);
    }
    Outcome {
        began_unix_s: 0,
        findings,
        counts,
        delivery: delivery.quantiles(),
        ack: ack.quantiles(),
        lag: lag.quantiles(),
        workers: Vec::new(),
        bytes_per_client: None,
        fill_seconds: 0.0,
        seconds: Vec::new(),
        target: Vec::new(),
        trouble,
        rest: None,
    }
}
