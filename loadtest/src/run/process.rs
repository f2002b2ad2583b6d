//! More than one process: each may have only so many descriptors. The coordinator starts this program again
//! as a helper, tells it by a line on its standard input what to do, and hears reports line by line from its
//! standard output. All lines are JSON. To the coordinator, workers there are as workers here.

use std::io::{self, BufRead as _, BufReader};
use std::net::IpAddr;
use std::ops::Range;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use serde::{Deserialize, Serialize};
use throng_protocol::AppId;

use super::Clock;
use super::coordinate::{RunError, Settings};
use super::crew::start_threads;
use super::worker::{NOT_YET, Report, Shared};
use crate::client::address::{Gateway, Sources};
use crate::client::common::Common;
use crate::plan::{Nanos, Plan, nanos};
use crate::profile::Profile;

/// The argument by which this program is a helper.
pub const HELPER: &str = "helper";

/// Everything that a process has to know to hold its share of the clients.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Brief {
    profile: Profile,
    gateways: Vec<Gateway>,
    app: u32,
    key: String,
    sources: Vec<IpAddr>,
    salt: u64,
    clock: Clock,
    /// In all processes.
    workers: u32,
    /// The first worker of this process, and the one behind its last.
    own: (u32, u32),
}

/// What workers are told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Order {
    /// The traffic begins at this moment of the run's clock.
    Start(Nanos),
    /// The run is over.
    End,
}

impl Order {
    /// Tells the workers of this process.
    pub(super) fn carry_out(self, shared: &Shared) {
        match self {
            Self::Start(at) => shared.start.store(at, Ordering::Relaxed),
            Self::End => shared.end.store(true, Ordering::Relaxed),
        }
    }
}

impl Brief {
    pub(super) fn new(settings: &Settings, clock: Clock) -> Self {
        let workers = settings.workers.max(1) * settings.processes.max(1);
        Self {
            profile: settings.profile.clone(),
            gateways: settings.gateways.clone(),
            app: settings.app.0,
            key: settings.key.clone(),
            sources: settings.sources.clone(),
            salt: settings.salt,
            clock,
            workers,
            own: (0, workers),
        }
    }
}

impl Shared {
    /// What the workers of a process share. A plan that is drawn from the profile is the same everywhere.
    pub(super) fn new(brief: &Brief, plan: Plan) -> Self {
        let Brief { profile, salt, .. } = brief;
        let longest = plan.messages.iter().map(|message| message.bytes as usize).max();
        Self {
            common: Common {
                app: AppId(brief.app),
                key: brief.key.clone(),
                user_prefix: format!("load{salt:x}u"),
                group_prefix: format!("load{salt:x}r"),
                salt: *salt,
                text: "x".repeat(longest.unwrap_or(0)),
                burst: profile.login.sdk_burst,
            },
            gateways: brief.gateways.clone(),
            sources: Sources::new(brief.sources.clone(), &brief.gateways, plan.clients),
            plan,
            clock: brief.clock,
            workers: brief.workers,
            connects_per_second: profile.phases.connects_per_second,
            drain: nanos(profile.phases.drain_seconds),
            start: NOT_YET.into(),
            end: false.into(),
        }
    }
}

/// A helping process.
#[derive(Debug)]
pub(super) struct Helper {
    process: Child,
    orders: ChildStdin,
}

impl Helper {
    /// Starts one that has these workers.
    pub(super) fn start(
        brief: &Brief,
        own: Range<u32>,
        reports: &SyncSender<Report>,
    ) -> Result<Self, RunError> {
        let workers = own.len();
        let brief = Brief { own: (own.start, own.end), ..brief.clone() };
        let mut process = Command::new(std::env::current_exe()?)
            .arg(HELPER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (orders, lines) = (process.stdin.take(), process.stdout.take());
        let mut orders = orders.expect("it was asked for");
        let lines = lines.expect("it was asked for");
        let reports = reports.clone();
        thread::spawn(move || relay(lines, workers, &reports));
        put_line(&mut orders, &brief)?;
        Ok(Self { process, orders })
    }

    pub(super) fn order(&mut self, order: Order) {
        // One that is gone has said so.
        let _ = put_line(&mut self.orders, &order);
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Hands on what a helper reports; one that ends too early has failed.
fn relay(lines: ChildStdout, workers: usize, reports: &SyncSender<Report>) {
    let mut done = 0;
    for line in BufReader::new(lines).lines() {
        let Some(report) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else {
            break;
        };
        done += usize::from(matches!(report, Report::Done(_)));
        if reports.send(report).is_err() {
            return;
        }
    }
    if done < workers {
        let _ = reports.send(Report::Done(Err("a helping process ended".to_owned())));
    }
}

fn put_line(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// The whole life of a helping process.
///
/// # Errors
/// What the system says of its input and output.
pub fn help() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line)?;
    drop(input);
    let brief: Brief = serde_json::from_str(&line)?;
    let shared = Arc::new(Shared::new(&brief, Plan::new(&brief.profile)));
    let (sender, reports) = sync_channel(256);
    start_threads(&shared, brief.own.0..brief.own.1, &sender)?;
    drop(sender);
    thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if let Ok(order) = serde_json::from_str::<Order>(&line) {
                    order.carry_out(&shared);
                }
            }
            // Whoever started this is gone.
            Order::End.carry_out(&shared);
        }
    });
    let mut out = io::stdout().lock();
    for report in reports {
        put_line(&mut out, &report)?;
    }
    Ok(())
}
