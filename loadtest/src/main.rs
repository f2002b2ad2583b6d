//! `throng-load`: reads the command line, carries out what it says, writes the report, and says by its exit
//! status what came of it.

mod carry_out;
mod cli;
mod files;
mod progress;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use clap::error::ErrorKind;
use throng_load::plan::Plan;
use throng_load::profile::Profile;
use throng_load::run::help;

use cli::{Cli, Command, RunFlags};

/// Wrong usage (sysexits.h).
const USAGE: u8 = 64;
/// The run could not be carried out (sysexits.h).
const BROKEN: u8 = 70;

/// What goes wrong before anything is carried out is wrong usage; what goes wrong then is not.
enum Failed {
    Usage(anyhow::Error),
    Broken(anyhow::Error),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { USAGE.into() };
        }
    };
    let done = match cli.command {
        Command::Run(flags) => read(&flags.profile)
            .and_then(|profile| changed(profile, &flags))
            .map_err(Failed::Usage)
            .and_then(|profile| carry_out::run(profile, &flags).map_err(Failed::Broken)),
        Command::Replay(flags) => files::prepare(&flags)
            .map_err(Failed::Usage)
            .and_then(|prepared| carry_out::replay(prepared, &flags).map_err(Failed::Broken)),
        Command::Record(flags) => files::record(&flags).map_err(Failed::Usage),
        Command::Convert(flags) => files::convert(&flags).map_err(Failed::Usage),
        Command::Check { profile } => {
            read(&profile).map(|profile| describe(&profile)).map_err(Failed::Usage)
        }
        Command::Helper => help().map(|()| 0).map_err(|error| Failed::Broken(error.into())),
    };
    let (code, error) = match done {
        Ok(code) => return code.into(),
        Err(Failed::Usage(error)) => (USAGE, error),
        Err(Failed::Broken(error)) => (BROKEN, error),
    };
    eprintln!("throng-load: {error:#}");
    code.into()
}

fn read(path: &Path) -> anyhow::Result<Profile> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name}"))?;
    Profile::parse(&text).with_context(|| format!("{name}"))
}

fn describe(profile: &Profile) -> u8 {
    let plan = Plan::new(profile);
    let (clients, messages, steps) = (plan.clients, plan.messages.len(), plan.steps.len());
    println!("{}: {}", profile.name, profile.about);
    println!("{clients} clients in {} rooms, {messages} messages, {steps} other steps", plan.rooms);
    0
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
