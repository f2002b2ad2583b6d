//! `run` and `replay`: what has a server at the other end, and a report at the end.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use throng_load::client::address::Gateway;
use throng_load::plan::Plan;
use throng_load::profile::Profile;
use throng_load::replay::{Order, Sequence};
use throng_load::report::{Environment, ReplayNumbers, Report};
use throng_load::run::{Outcome, Settings, Where};

use crate::cli::values::{Metrics, Target};
use crate::cli::{ReplayFlags, RunFlags, TargetFlags};
use crate::files::Prepared;
use crate::progress::Progress;

/// Carries a profile out; the exit status.
pub(crate) fn run(profile: Profile, flags: &RunFlags) -> anyhow::Result<u8> {
    let processes = flags.processes;
    let workers = flags.at.workers.unwrap_or(half_of_the_cores()? / processes).max(1);
    let (environment, outcome) = carry_out(&profile, None, &flags.at, workers, processes)?;
    finish(&Report::new(profile, environment, outcome), &flags.at.out)
}

/// Carries a capture out again; the exit status.
pub(crate) fn replay(prepared: Prepared, flags: &ReplayFlags) -> anyhow::Result<u8> {
    let Prepared { replay, profile, notes } = prepared;
    // Whose turn it is has to be known in one place.
    let workers = match replay.order {
        Order::Strict => 1,
        Order::Timed => flags.at.workers.unwrap_or(half_of_the_cores()?).max(1),
    };
    let plan = Some(replay.plan.clone());
    let (environment, outcome) = carry_out(&profile, plan, &flags.at, workers, 1)?;
    let numbers = ReplayNumbers {
        speed: flags.speed,
        users: replay.plan.clients,
        groups: replay.plan.rooms,
        sequence: Sequence::compare(&replay, &outcome.fates),
        left_out: replay.left_out,
        notes,
    };
    finish(&Report::of_replay(profile, environment, outcome, numbers), &flags.at.out)
}

fn half_of_the_cores() -> anyhow::Result<u32> {
    Ok(u32::try_from(std::thread::available_parallelism().map_or(1, usize::from) / 2)?)
}

fn carry_out(
    profile: &Profile,
    plan: Option<Plan>,
    at: &TargetFlags,
    workers: u32,
    processes: u32,
) -> anyhow::Result<(Environment, Outcome)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let now_s = i64::try_from(now.as_secs())?;
    let hosts: Vec<&str> = at.targets.iter().map(|target| &*target.host).collect();
    let environment = Environment::look(&hosts.join(", "), workers * processes, now_s);
    let clients = plan.as_ref().map_or(profile.clients(), |plan| plan.clients);
    let progress = Progress::new(clients);
    let settings = Settings {
        gateways: gateways(at),
        app: at.app.id,
        key: at.app.key.clone(),
        admin: at.admin.clone(),
        sources: at.sources.clone(),
        workers,
        processes,
        watched: watched(at),
        keep_rooms: at.keep_rooms,
        // Names of users and groups are of this second and process alone.
        salt: now.as_secs() << 22 | u64::from(std::process::id()),
        profile: profile.clone(),
        plan,
    };
    let outcome = throng_load::run::run(&settings, &mut |stage| progress.show(stage));
    progress.end();
    Ok((environment, outcome?))
}

fn gateways(at: &TargetFlags) -> Vec<Gateway> {
    let gateway = |it: &Target| Gateway { address: it.address, host: it.host.clone() };
    at.targets.iter().map(gateway).collect()
}

/// The processes that are watched: metrics and pids belong together in their order.
fn watched(at: &TargetFlags) -> Vec<Where> {
    let one = |place: usize| {
        let pid = at.pids.get(place).copied();
        match at.metrics.get(place).cloned() {
            Some(Metrics { name, target }) => {
                let Target { address, host, path } = target;
                Where { name, metrics: Some((address, host, path)), pid }
            }
            None => Where {
                name: pid.map_or_else(String::new, |pid| format!("pid {pid}")),
                metrics: None,
                pid,
            },
        }
    };
    (0..at.metrics.len().max(at.pids.len())).map(one).collect()
}

fn finish(report: &Report, out: &Path) -> anyhow::Result<u8> {
    report.write(out).with_context(|| format!("{}", out.display()))?;
    print!("{}", report.markdown());
    println!("\n{}: report in {}", report.verdict.status.word(), out.display());
    Ok(report.verdict.status.exit_code())
}
