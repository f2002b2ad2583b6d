//! The one binary of Throng. `throng standalone` (or `throng` alone) runs every service in this
//! process, with an embedded store; `throng usersig` makes and checks signatures.

mod cli;
mod config;
mod demo;
mod process;
mod standalone;
mod usersig;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// Exit code of a wrong configuration (`EX_USAGE`).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Usersig(command)) => usersig::run(command),
        Some(Command::Standalone(flags)) => serve(flags),
        None => serve(cli.standalone),
    }
}

/// Telemetry, typed configuration, runtime; then the process lives until it has drained.
fn serve(flags: cli::ServerFlags) -> ExitCode {
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
    match runtime.block_on(standalone::run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "ended");
            eprintln!("throng: {error:#}");
            ExitCode::FAILURE
        }
    }
}
