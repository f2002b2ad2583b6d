//! `throng-load`: reads the command line and a profile, runs it, writes the report, and says by its exit
//! status what came of it.

mod cli;
mod progress;

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Parser as _;
use clap::error::ErrorKind;
use throng_load::plan::Plan;
use throng_load::profile::Profile;
use throng_load::report::{Environment, Report};
use throng_load::run::{Settings, Where, help, run};

use cli::{Cli, Command, RunFlags};
use progress::Progress;

/// Wrong usage (sysexits.h).
const USAGE: u8 = 64;
/// The run could not be carried out (sysexits.h).
const BROKEN: u8 = 70;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { USAGE.into() };
        }
    };
    let path = match &cli.command {
        Command::Run(flags) => &flags.profile,
        Command::Check { profile } => profile,
        Command::Helper => {
            return help().map_or(BROKEN.into(), |()| ExitCode::SUCCESS);
        }
    };
    let changes = |profile| match &cli.command {
        Command::Run(flags) => changed(profile, flags),
        Command::Check { .. } | Command::Helper => Ok(profile),
    };
    let profile = match read(path).and_then(changes) {
        Ok(profile) => profile,
        Err(error) => {
            eprintln!("throng-load: {error:#}");
            return USAGE.into();
        }
    };
    match cli.command {
        Command::Check { .. } | Command::Helper => {
            describe(&profile);
            ExitCode::SUCCESS
        }
        Command::Run(flags) => {
            match changed(profile, &flags).and_then(|it| carry_out(it, &flags)) {
                Ok(code) => code.into(),
                Err(error) => {
                    eprintln!("throng-load: {error:#}");
                    BROKEN.into()
                }
            }
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Profile> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name}"))?;
    Profile::parse(&text).with_context(|| format!("{name}"))
}

fn describe(profile: &Profile) {
    let plan = Plan::new(profile);
    let (clients, messages, steps) = (plan.clients(), plan.messages.len(), plan.steps.len());
    println!("{}: {}", profile.name, profile.about);
    println!("{clients} clients in {} rooms, {messages} messages, {steps} other steps", plan.rooms);
}

/// The profile with what the command line says instead; it must still make sense.
fn changed(mut profile: Profile, flags: &RunFlags) -> anyhow::Result<Profile> {
    profile.seed = flags.seed.unwrap_or(profile.seed);
    profile.rooms.members = flags.members.unwrap_or(profile.rooms.members);
    profile.traffic.messages_per_second = flags.rate.unwrap_or(profile.traffic.messages_per_second);
    profile.phases.measure_seconds = flags.seconds.unwrap_or(profile.phases.measure_seconds);
    profile.check()?;
    Ok(profile)
}

fn carry_out(profile: Profile, flags: &RunFlags) -> anyhow::Result<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processes = flags.processes;
    let workers = flags.workers.unwrap_or(u32::try_from(cores / 2)? / processes).max(1);
    let now_s = i64::try_from(now.as_secs())?;
    let environment = Environment::look(&flags.target.host, workers * processes, now_s);
    let progress = Progress::new(profile.clients());
    let metrics = flags.metrics.clone().map(|it| (it.address, it.host, it.path));
    let settings = Settings {
        target: flags.target.address,
        host: flags.target.host.clone(),
        app: flags.app.id,
        key: flags.app.key.clone(),
        admin: flags.admin.clone(),
        sources: flags.sources.clone(),
        workers,
        processes,
        place: Where { metrics, pid: flags.pid },
        keep_rooms: flags.keep_rooms,
        // Names of users and groups are of this second and process alone.
        salt: now.as_secs() << 22 | u64::from(std::process::id()),
        profile: profile.clone(),
    };
    let outcome = run(&settings, &mut |stage| progress.show(stage));
    progress.end();
    let report = Report::new(profile, environment, outcome?);
    report.write(&flags.out).with_context(|| format!("{}", flags.out.display()))?;
    print!("{}", report.markdown());
    println!("\n{}: report in {}", report.verdict.status.word(), flags.out.display());
    Ok(report.verdict.status.exit_code())
}
