//! The course of a run: rooms are made, workers fill them, all begin the traffic at one moment, wait
//! until nothing more comes, and what they saw is put together.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use throng_protocol::AppId;

use super::Clock;
use super::crew::Crew;
use super::process::{Brief, Order};
use super::rest_load::{RestLoad, RestOutcome, RestPlan};
use super::scrape::{Scraper, Where};
use super::setup::{RestError, make_rooms, remove_rooms};
use super::together::put_together;
use super::worker::Shared;
use crate::check::{Fate, Findings};
use crate::client::address::Gateway;
use crate::measure::{
    LoginTimes, Quantiles, Second, TargetSample, Watched, process_memory, raise_descriptors, sum,
};
use crate::plan::{Nanos, Plan, SECOND};
use crate::profile::Profile;

/// From the order to begin to the first message: all workers must hear it before.
const RUN_UP: Nanos = SECOND / 2;
/// What filling the rooms may take beyond its pace, and the end beyond the drain.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// Descriptors beside those of the clients.
const SPARE_DESCRIPTORS: u64 = 64;

/// What a run is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What happens.
    pub profile: Profile,
    /// What happens instead, of what was captured; in one process.
    pub plan: Option<Plan>,
    /// The gateways of the server, at least one. Clients are spread over them; REST goes to the first that
    /// takes a connection.
    pub gateways: Vec<Gateway>,
    /// The app.
    pub app: AppId,
    /// The app's secret key.
    pub key: String,
    /// An administrator of the app, who makes the rooms.
    pub admin: String,
    /// Addresses to connect from; empty: chosen by [`Sources::new`](crate::client::address::Sources::new).
    pub sources: Vec<IpAddr>,
    /// Threads that hold clients, in each process.
    pub workers: u32,
    /// Processes that hold clients. With more than one this program is started so many times again, with
    /// the argument [`super::HELPER`].
    pub processes: u32,
    /// The processes of the server that are watched.
    pub watched: Vec<Where>,
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
    /// A socket for each client is more than the system allows a process.
    #[error(
        "each process of this tool needs {needed} descriptors and may have {allowed}, its hard limit: \
         use --processes {processes} or more (run), or raise the limit (ulimit -Hn)"
    )]
    Descriptors {
        /// For the clients of a process and some more.
        needed: u64,
        /// The hard limit.
        allowed: u64,
        /// So many processes would do.
        processes: u64,
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
    /// A worker failed.
    #[error("a worker of this tool failed: {0}")]
    Worker(String),
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
    /// Rooms that clients left, as the server answered.
    pub left: u64,
    /// Clients that were lost for good.
    pub lost_clients: u64,
    /// Messages sent and dropped, by priority.
    pub priorities: BTreeMap<&'static str, (u64, u64)>,
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
    /// What became of each message of the plan.
    pub fates: Vec<Fate>,
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
    /// The first logins.
    pub logins: LoginTimes,
    /// The drain was over before all was quiet: what is called lost may be late.
    pub cut_off: bool,
    /// What workers used.
    pub workers: Vec<WorkerUse>,
    /// Bytes of this process for each client, when all were in.
    pub bytes_per_client: Option<u64>,
    /// Seconds until all were in.
    pub fill_seconds: f64,
    /// The run by seconds.
    pub seconds: Vec<Second>,
    /// The server by seconds: its processes together.
    pub target: Vec<TargetSample>,
    /// Each process of the server.
    pub processes: Vec<Watched>,
    /// The second by which nothing more came, and the clients were still there.
    pub quiet_second: i64,
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
    let brief = Brief::new(settings, clock);
    let plan = settings.plan.clone().unwrap_or_else(|| Plan::new(profile));
    let shared = Arc::new(Shared::new(&brief, plan));
    let processes = u64::from(settings.processes.max(1));
    let needed = u64::from(shared.plan.clients).div_ceil(processes) + SPARE_DESCRIPTORS;
    // Helping processes inherit it.
    if let Some(allowed) = raise_descriptors().filter(|allowed| *allowed < needed) {
        let each = allowed.saturating_sub(SPARE_DESCRIPTORS).max(1);
        let processes = u64::from(shared.plan.clients).div_ceil(each);
        return Err(RunError::Descriptors { needed, allowed, processes });
    }
    let scraper = Scraper::start(settings.watched.clone());
    make_rooms(
        &settings.gateways,
        &shared.common,
        &settings.admin,
        clock.unix_began_s(),
        &shared.plan,
    )?;
    let memory = process_memory(None);
    let mut crew = Crew::start(&brief, &shared, settings.processes)?;
    let clients = shared.plan.clients;
    let fill_time = Duration::from_secs(u64::from(clients / profile.phases.connects_per_second));
    if !crew.until_filled(fill_time + PATIENCE, progress)? {
        crew.order(Order::End);
        return Err(crew.not_filled()?);
    }
    let fill_seconds = clock.now() as f64 / SECOND as f64;
    let bytes_per_client = match (memory, crew.memory()) {
        (Some(before), Some(after)) if clients > 0 => {
            Some(after.saturating_sub(before) / u64::from(clients))
        }
        _ => None,
    };

    let start = clock.now() + RUN_UP;
    let began = Instant::now() + Duration::from_nanos(RUN_UP);
    crew.order(Order::Start(start));
    let rest = rest_load(settings, &shared, start);
    let last = shared.plan.steps.last().map_or(0, |step| step.at).max(shared.plan.ends);
    let traffic = Duration::from_nanos(RUN_UP + last + shared.drain);
    crew.until_quiet(traffic + PATIENCE, progress)?;
    let rest = rest.map(RestLoad::finish);
    // Each process of the server is looked at once more before clients close their connections, which costs
    // processor time and memory of its own.
    let quiet_second = began.elapsed().as_secs() + 1;
    crew.listen_until(began + Duration::from_secs(quiet_second), progress)?;
    crew.order(Order::End);
    let outcomes = crew.finish()?;
    let watched = scraper.finish(began);
    if !settings.keep_rooms {
        let unix = clock.unix_began_s();
        remove_rooms(&settings.gateways, &shared.common, &settings.admin, unix, shared.plan.rooms);
    }

    let workers = crew.worker_use(&shared.plan);
    let cut_off = crew.was_cut_off();
    let seconds = crew.into_seconds();
    let mut outcome = put_together(&shared.plan, outcomes, &seconds);
    outcome.began_unix_s = clock.unix_began_s();
    outcome.workers = workers;
    outcome.cut_off = cut_off;
    outcome.bytes_per_client = bytes_per_client;
    outcome.fill_seconds = fill_seconds;
    outcome.seconds = seconds;
    outcome.target = sum(&watched);
    outcome.processes = watched;
    outcome.quiet_second = i64::try_from(quiet_second).unwrap_or(i64::MAX);
    outcome.rest = rest;
    Ok(outcome)
}

fn rest_load(settings: &Settings, shared: &Shared, start: Nanos) -> Option<RestLoad> {
    let rest = settings.profile.rest.clone()?;
    Some(RestLoad::start(RestPlan {
        gateways: settings.gateways.clone(),
        common: shared.common.clone(),
        admin: settings.admin.clone(),
        clock: shared.clock,
        from: start + shared.plan.measured_from,
        until: start + shared.plan.ends,
        rest,
        group: shared.common.group(0),
    }))
}
