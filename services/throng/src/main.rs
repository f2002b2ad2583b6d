//! The one binary of Throng. `throng standalone` (or `throng` alone) runs every service in this
//! process, with an embedded store; `throng gateway`, `throng group-router` and so on run one service
//! of a cluster; the other commands are tools.

mod admin;
mod cli;
mod cluster;
mod config;
mod demo;
mod process;
mod schema;
mod standalone;
mod usersig;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use cluster::Role;
use config::Config;

/// Exit code of a wrong configuration (`EX_USAGE`).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (role, flags) = match cli.command {
        None => (None, cli.standalone),
        Some(Command::Standalone(flags)) => (None, flags),
        Some(Command::Gateway(flags)) => (Some(Role::Gateway), flags),
        Some(Command::GroupRouter(flags)) => (Some(Role::GroupRouter), flags),
        Some(Command::History(flags)) => (Some(Role::History), flags),
        Some(Command::Presence(flags)) => (Some(Role::Presence), flags),
        Some(Command::Callback(flags)) => (Some(Role::Callback), flags),
        Some(Command::Directory(flags)) => (Some(Role::Directory), flags),
        Some(Command::Usersig(command)) => return usersig::run(command),
        Some(Command::Schema(command)) => return schema::run(command),
        Some(Command::Admin(command)) => return admin::run(command),
    };
    with_config(flags, |config| async move {
        match role {
            None => standalone::run(config).await,
            Some(role) => cluster::run(role, config).await,
        }
    })
}

/// Typed configuration, telemetry, runtime; then whatever this process is for.
fn with_config<F>(flags: cli::ServerFlags, run: impl FnOnce(Config) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let config = match config::load(flags, std::env::vars()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("throng: {error:#}");
            return ExitCode::from(USAGE);
        }
    };
    if let Err(error) = throng_node::telemetry::init(&config.log) {
        eprintln!("throng: {error}");
        return ExitCode::from(USAGE);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "ended");
            eprintln!("throng: {error:#}");
            ExitCode::FAILURE
        }
    }
}
