//! The command line.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use throng_protocol::AppId;

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
    /// The server, as clients see it.
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:7080", value_parser = parse_target)]
    pub(crate) target: Target,
    /// The app and its secret key.
    #[arg(long, value_name = "ID:KEY", env = "THRONG_LOAD_APP", hide_env_values = true, value_parser = parse_app)]
    pub(crate) app: App,
    /// An administrator of the app, who makes the rooms over REST.
    #[arg(long, value_name = "USER", default_value = "administrator")]
    pub(crate) admin: String,
    /// Processes that hold clients, for more than one may have descriptors.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) processes: u32,
    /// Threads that hold clients, in each process [default: half of the cores, shared by the processes].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) workers: Option<u32>,
    /// An address of this machine to connect from; repeatable [default: towards 127.0.0.0/8 one for every
    /// 4,000 clients, from 127.0.0.2 on].
    #[arg(long = "source", value_name = "ADDRESS")]
    pub(crate) sources: Vec<IpAddr>,
    /// Metrics of the server in Prometheus' format, asked for once a second.
    #[arg(long, value_name = "URL", value_parser = parse_metrics)]
    pub(crate) metrics: Option<Target>,
    /// The server's process, if it runs on this machine: its processor time and memory.
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// Folder for report.json, report.md and report.html.
    #[arg(long, value_name = "FOLDER", default_value = "load-report")]
    pub(crate) out: PathBuf,
    /// Leave the rooms behind instead of dismissing them.
    #[arg(long)]
    pub(crate) keep_rooms: bool,
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

/// Where to connect to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// As it stood in the URL.
    pub(crate) host: String,
    pub(crate) path: String,
}

fn parse_target(url: &str) -> Result<Target, String> {
    if url.starts_with("wss://") {
        return Err("TLS is not supported: name a port that takes ws://".to_owned());
    }
    let target = parse_url(url, "ws://")?;
    if target.path == "/" { Ok(target) } else { Err("paths are not supported".to_owned()) }
}

fn parse_metrics(url: &str) -> Result<Target, String> {
    parse_url(url, "http://")
}

fn parse_url(url: &str, scheme: &str) -> Result<Target, String> {
    let rest = url.strip_prefix(scheme).ok_or_else(|| format!("expected {scheme}HOST:PORT"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let addresses = host.to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    // The first address of IPv4, if there is one: servers on this machine often have no other.
    let all: Vec<SocketAddr> = addresses.collect();
    let address = all.iter().find(|address| address.is_ipv4()).or(all.first());
    let address = *address.ok_or_else(|| format!("{host}: no address"))?;
    Ok(Target { address, host: host.to_owned(), path: format!("/{path}") })
}

/// An app named on the command line.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: AppId,
    pub(crate) key: String,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

fn parse_app(text: &str) -> Result<App, String> {
    let (id, key) = text.split_once(':').ok_or("expected ID:KEY")?;
    let id = id.parse().map_err(|_| format!("{id:?} is not an app ID"))?;
    if id == 0 || key.is_empty() {
        return Err("expected ID:KEY with an ID above 0 and a key".to_owned());
    }
    Ok(App { id: AppId(id), key: key.to_owned() })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn urls() {
        let target = parse_target("ws://127.0.0.1:7080").unwrap();
        assert_eq!((target.address.port(), &*target.host), (7080, "127.0.0.1:7080"));
        let metrics = parse_metrics("http://127.0.0.1:7081/metrics").unwrap();
        assert_eq!(metrics.path, "/metrics");
        for bad in ["wss://127.0.0.1:1", "127.0.0.1:1", "ws://127.0.0.1", "ws://127.0.0.1:1/im"] {
            assert!(parse_target(bad).is_err(), "{bad}");
        }
    }
}
