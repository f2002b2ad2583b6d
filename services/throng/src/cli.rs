//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use throng_protocol::NamedApp;

/// A self-hosted chat server for clients and back ends of Tencent Cloud Chat.
#[derive(Debug, Parser)]
#[command(name = "throng", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Without a command: `standalone`.
    #[command(flatten)]
    pub(crate) standalone: ServerFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every service in this process, with an embedded store.
    Standalone(ServerFlags),
    /// A process of a cluster: connections of clients, and REST.
    Gateway(ServerFlags),
    /// A process of a cluster: owns groups.
    GroupRouter(ServerFlags),
    /// A process of a cluster: keeps messages.
    History(ServerFlags),
    /// A process of a cluster: knows who is online, and where.
    Presence(ServerFlags),
    /// A process of a cluster: webhooks.
    Callback(ServerFlags),
    /// A process of a cluster: apps, accounts, profiles.
    Directory(ServerFlags),
    /// The tables in the CQL database.
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Look into a running cluster.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Make and check user signatures.
    #[command(subcommand)]
    Usersig(UsersigCommand),
}

/// Flags of a server. Each can be set in the environment and in the configuration file too; flags
/// win over the environment, which wins over the file.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerFlags {
    /// Address for clients: WebSocket and REST [default: 127.0.0.1:7080].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address for health and metrics [default: 127.0.0.1:7081].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Name of this process in its cluster [default: the host's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,
    /// Address for the other processes of a cluster [default: 127.0.0.1:7082].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) rpc_listen: Option<SocketAddr>,
    /// Folder for everything that is kept [default: ./data].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// An app to serve, with its secret key; repeatable. Without any, a demo app is made and kept.
    #[arg(long = "app", value_name = "ID:KEY")]
    pub(crate) apps: Vec<NamedApp>,
    /// Configuration file (TOML); repeatable, later ones go over earlier ones [env: `THRONG_CONFIG`,
    /// separated by commas].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// The vendor's SDK for the demo page [default: ./demo/vendor/sdk.js].
    #[arg(long, value_name = "FILE")]
    pub(crate) demo_sdk: Option<PathBuf>,
    /// Filter of log lines, such as `debug` or `info,throng_gateway=debug` [default: info].
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Make keyspace and tables that are not there yet.
    Apply(ServerFlags),
    /// Print the statements that `apply` would run on an empty database.
    Print(ServerFlags),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Show which group router owns which shards, and which nodes there are.
    Placement {
        /// A group router to ask, `host:port`; without it those of the configuration.
        #[arg(long, value_name = "ADDRESS")]
        router: Option<String>,
        #[command(flatten)]
        flags: Box<ServerFlags>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersigCommand {
    /// Print a signature for a user.
    Sign {
        /// The app and its secret key.
        #[arg(long, value_name = "ID:KEY")]
        app: NamedApp,
        /// The user ID.
        #[arg(long)]
        user: String,
        /// Seconds that it is valid for.
        #[arg(long, default_value_t = 180 * 24 * 3600)]
        expire: u64,
    },
    /// Check a signature; the exit status is 0 only if it is valid now.
    Verify {
        /// The app and its secret key.
        #[arg(long, value_name = "ID:KEY")]
        app: NamedApp,
        /// The user ID.
        #[arg(long)]
        user: String,
        /// The signature.
        sig: String,
    },
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
    fn no_command_means_standalone() {
        let cli = Cli::try_parse_from(["throng", "--listen", "127.0.0.1:1"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.standalone.listen.unwrap().port(), 1);
    }
}
