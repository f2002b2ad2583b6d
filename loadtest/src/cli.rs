//! The command line.

pub(crate) mod values;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use throng_protocol::NamedApp;

use values::{Metrics, Target, parse_metrics, parse_speed, parse_target};

/// Loads a chat server with clients by the thousand, and checks exactly what each of them got.
#[derive(Debug, Parser)]
#[command(name = "throng-load", version)]
#[command(
    after_help = "Exit status: 0 pass, 1 a threshold was missed or a promise broken, 2 void (this \
    tool was too slow), 64 wrong usage, 70 the run could not be carried out."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Carry a profile out and write a report.
    Run(Box<RunFlags>),
    /// Put the files that gateways captured together, check them, and say what is in them.
    Record(RecordFlags),
    /// Do again what was captured, and write a report.
    Replay(Box<ReplayFlags>),
    /// Make a capture of a log of chat messages.
    Convert(ConvertFlags),
    /// Hold clients for another process of this program, which starts this one.
    #[command(name = throng_load::run::HELPER, hide = true)]
    Helper,
    /// Read a profile and say what it would do.
    Check {
        /// The profile (TOML).
        profile: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunFlags {
    /// The profile (TOML).
    pub(crate) profile: PathBuf,
    #[command(flatten)]
    pub(crate) at: TargetFlags,
    /// Processes that hold clients, for more than one may have descriptors.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) processes: u32,
    /// Another seed than the profile's.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Other members of each room than the profile's.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) members: Option<u32>,
    /// Another rate of each room than the profile's, messages a second.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rate: Option<f64>,
    /// Another length of the measured part than the profile's.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
}

/// The server, and how it is talked to.
#[derive(Debug, Args)]
pub(crate) struct TargetFlags {
    /// The server, as clients see it; repeatable: clients are spread over several gateways, and each goes on
    /// to the next when it cannot reach its own twice in a row. REST goes to the first that answers.
    #[arg(long = "target", value_name = "URL", default_value = "ws://127.0.0.1:7080", value_parser = parse_target)]
    pub(crate) targets: Vec<Target>,
    /// The app and its secret key.
    #[arg(long, value_name = "ID:KEY", env = "THRONG_LOAD_APP", hide_env_values = true)]
    pub(crate) app: NamedApp,
    /// An administrator of the app, who makes the rooms over REST.
    #[arg(long, value_name = "USER", default_value = "administrator")]
    pub(crate) admin: String,
    /// Threads that hold clients, in each process [default: half of the cores, shared by the processes].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) workers: Option<u32>,
    /// An address of this machine to connect from; repeatable [default: towards 127.0.0.0/8 one for every
    /// 4,000 clients, from 127.0.0.2 on].
    #[arg(long = "source", value_name = "ADDRESS")]
    pub(crate) sources: Vec<IpAddr>,
    /// Metrics of a process of the server in Prometheus' format, asked for once a second, and the name it has
    /// in the report; repeatable.
    #[arg(long, value_name = "[NAME=]URL", value_parser = parse_metrics)]
    pub(crate) metrics: Vec<Metrics>,
    /// A process of the server on this machine: its processor time and memory, if its metrics do not tell;
    /// repeatable. The first belongs to the first --metrics, and so on.
    #[arg(long = "pid", value_name = "PID")]
    pub(crate) pids: Vec<u32>,
    /// Folder for report.json, report.md and report.html.
    #[arg(long, value_name = "FOLDER", default_value = "load-report")]
    pub(crate) out: PathBuf,
    /// Leave the rooms behind instead of dismissing them.
    #[arg(long)]
    pub(crate) keep_rooms: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RecordFlags {
    /// Files of gateways, and folders of such files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The file to write; without it they are only checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Fail if anything is missing: a part, the end of a source, or records that a gateway left out.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayFlags {
    /// The capture: a file of `record` or `convert`, or of one gateway.
    pub(crate) capture: PathBuf,
    #[command(flatten)]
    pub(crate) at: TargetFlags,
    /// How many times as fast as it was captured.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = parse_speed)]
    pub(crate) speed: f64,
    /// When messages of a group go out: each at its moment, or also not before the one before it was
    /// answered, so that the group gets the sequence of the capture.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) order: OrderFlag,
    /// Thresholds (TOML with the sections [thresholds] and [generator] of a profile).
    #[arg(long, value_name = "FILE")]
    pub(crate) limits: Option<PathBuf>,
    /// New connections a second of those who are there from the beginning.
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connects: u32,
    /// The longest wait for what is late [default: 10; 60 with strict order].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) drain: Option<u16>,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum OrderFlag {
    #[default]
    Timed,
    Strict,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertFlags {
    /// The log: CSV under a line of names, or JSON lines.
    pub(crate) log: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// How the log is written [default: by the end of its name].
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatFlag>,
    /// The column of times.
    #[arg(long, value_name = "COLUMN", default_value = "time")]
    pub(crate) time: String,
    /// How times are written. auto: RFC 3339, or seconds or milliseconds since 1970.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) time_format: TimeFlag,
    /// The column of users.
    #[arg(long, value_name = "COLUMN", default_value = "user")]
    pub(crate) user: String,
    /// The column of rooms.
    #[arg(long, value_name = "COLUMN", default_value = "room")]
    pub(crate) room: String,
    /// The log is of one room, and has no column for it.
    #[arg(long, conflicts_with = "room")]
    pub(crate) one_room: bool,
    /// The column of texts, of which only the length is looked at.
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    pub(crate) text: String,
    /// A column of lengths in bytes, instead of texts.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) length: Option<String>,
    /// The rooms are durable groups (Public) instead of live rooms.
    #[arg(long)]
    pub(crate) durable: bool,
    /// Write nothing if a line cannot be used.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum FormatFlag {
    Csv,
    Jsonl,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum TimeFlag {
    #[default]
    Auto,
    Rfc3339,
    Seconds,
    Millis,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
