//! The whole configuration of a process: defaults, then a TOML file, then the environment
//! (`THRONG_LISTEN`, `THRONG_GATEWAY__POLL_HOLD`, …), then flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use throng_bus::NatsConfig;
use throng_directory::config::AppConfig;
use throng_node::cluster::ClusterConfig;
use throng_node::telemetry::LogConfig;
use throng_protocol::NamedApp;
use throng_store::CqlConfig;
use toml::{Table, Value};

use crate::cli::ServerFlags;

const PREFIX: &str = "THRONG_";

/// The configuration of a process, whatever its role: one file serves all of a cluster.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Address for clients: WebSocket and REST.
    pub(crate) listen: SocketAddr,
    /// Address for health and metrics.
    pub(crate) admin_listen: SocketAddr,
    /// Folder for everything that is kept.
    pub(crate) data_dir: PathBuf,
    /// The apps to serve, each an `[[app]]` section. Without any, a demo app is made and kept.
    #[serde(rename = "app")]
    pub(crate) apps: Vec<AppConfig>,
    /// Seconds that a stopping process waits for its work to end.
    pub(crate) drain_seconds: u64,
    pub(crate) log: LogConfig,
    pub(crate) gateway: throng_gateway::Config,
    pub(crate) group_router: throng_group_router::Config,
    pub(crate) history: throng_history::Config,
    pub(crate) presence: throng_presence::Config,
    /// For processes of a cluster: who they are and where the others are.
    pub(crate) cluster: ClusterConfig,
    /// The bus of a cluster.
    pub(crate) nats: NatsConfig,
    /// The store of a cluster.
    pub(crate) cql: CqlConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 7081)),
            data_dir: PathBuf::from("./data"),
            apps: Vec::new(),
            drain_seconds: 20,
            log: LogConfig::default(),
            gateway: throng_gateway::Config::default(),
            group_router: throng_group_router::Config::default(),
            history: throng_history::Config::default(),
            presence: throng_presence::Config::default(),
            cluster: ClusterConfig::default(),
            nats: NatsConfig::default(),
            cql: CqlConfig::default(),
        }
    }
}

/// Puts the configuration together.
pub(crate) fn load(
    flags: ServerFlags,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Config> {
    let mut variables: Vec<_> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .collect();
    variables.sort();
    let named = |name: &str| variables.iter().find(|(own, _)| own == name);
    let files: Vec<PathBuf> = match (&*flags.config, named("CONFIG")) {
        ([], Some((_, paths))) => paths.split(',').map(PathBuf::from).collect(),
        (paths, _) => paths.to_vec(),
    };
    let mut table = Table::new();
    for file in &files {
        merge(&mut table, read(file)?);
    }
    for (name, value) in variables.iter().filter(|(name, _)| name != "CONFIG") {
        set(&mut table, name, value)
            .with_context(|| format!("environment variable {PREFIX}{name}"))?;
    }
    let source = match &*files {
        [] => "configuration".to_owned(),
        files => files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
    };
    let config: Config = Value::Table(table).try_into().context(source)?;
    Ok(apply(config, flags))
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("configuration file {}", path.display()))?;
    text.parse().with_context(|| format!("configuration file {}", path.display()))
}

/// What a later file says goes over what an earlier one said, value by value.
fn merge(into: &mut Table, from: Table) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Table(into)), Value::Table(from)) => merge(into, from),
            (_, value) => _ = into.insert(name, whole(value)),
        }
    }
}

/// Files made from YAML or JSON have one kind of number: 100000 comes as 100000.0.
fn whole(value: Value) -> Value {
    /// Above it a float no longer tells neighbouring numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            Value::Integer(number as i64)
        }
        Value::Array(values) => Value::Array(values.into_iter().map(whole).collect()),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(name, value)| (name, whole(value))).collect())
        }
        other => other,
    }
}

/// Puts one variable in its place: two underscores go one table down. `APP` takes apps as on the
/// command line, separated by commas.
fn set(table: &mut Table, name: &str, value: &str) -> anyhow::Result<()> {
    if name == "APP" {
        let apps: Result<Vec<_>, _> = value.split(',').map(str::parse::<NamedApp>).collect();
        let apps = apps?;
        let section = |app: NamedApp| {
            let id = Value::Integer(app.id.0.into());
            Value::Table(Table::from_iter([
                ("id".to_owned(), id),
                ("key".to_owned(), Value::String(app.key)),
            ]))
        };
        let apps = apps.into_iter().map(section).collect();
        table.insert("app".to_owned(), Value::Array(apps));
        return Ok(());
    }
    let path: Vec<String> = name.split("__").map(str::to_ascii_lowercase).collect();
    let Some((last, parents)) = path.split_last() else {
        bail!("no name");
    };
    let mut place = table;
    for parent in parents {
        let entry = place.entry(parent.clone()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = entry else {
            bail!("{parent} is not a section");
        };
        place = inner;
    }
    // Numbers, booleans and lists are written as in TOML; everything else is text.
    let parsed = format!("value = {value}").parse::<Table>().ok();
    let parsed = parsed.and_then(|mut table| table.remove("value"));
    let keep = matches!(
        parsed,
        Some(Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_))
    );
    let value = parsed.filter(|_| keep).unwrap_or_else(|| Value::String(value.to_owned()));
    place.insert(last.clone(), value);
    Ok(())
}

fn apply(mut config: Config, flags: ServerFlags) -> Config {
    let ServerFlags {
        listen,
        admin_listen,
        node,
        rpc_listen,
        data_dir,
        apps,
        config: _,
        demo_sdk,
        log,
    } = flags;
    config.cluster.node = node.unwrap_or(config.cluster.node);
    config.cluster.rpc_listen = rpc_listen.unwrap_or(config.cluster.rpc_listen);
    config.listen = listen.unwrap_or(config.listen);
    config.admin_listen = admin_listen.unwrap_or(config.admin_listen);
    config.data_dir = data_dir.unwrap_or(config.data_dir);
    config.gateway.demo.sdk_path = demo_sdk.unwrap_or(config.gateway.demo.sdk_path);
    config.log.filter = log.unwrap_or(config.log.filter);
    for app in apps {
        config.apps.retain(|known| known.id != app.id.0);
        config.apps.push(AppConfig::new(app.id, app.key));
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("throng.toml");
        std::fs::write(
            &file,
            "listen = '127.0.0.1:1'\nadmin_listen = '127.0.0.1:2'\ndata_dir = '/file'\n\
             [presence]\ngrace_seconds = 7\n[[app]]\nid = 9\nkey = 'k'\n",
        )
        .unwrap();
        let environment = variables(&[
            ("THRONG_CONFIG", file.to_str().unwrap()),
            ("THRONG_ADMIN_LISTEN", "127.0.0.1:3"),
            ("THRONG_DATA_DIR", "/environment"),
            ("THRONG_GATEWAY__POLL_HOLD", "2.5"),
            ("OTHER_LISTEN", "127.0.0.1:9"),
        ]);
        let flags = ServerFlags { data_dir: Some("/flag".into()), ..ServerFlags::default() };
        let config = load(flags, environment).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.admin_listen.port(), 3);
        assert_eq!(config.data_dir, PathBuf::from("/flag"));
        assert_eq!(config.presence.grace_seconds, 7);
        assert_eq!(config.gateway.poll_hold.as_millis(), 2500);
        assert_eq!(config.apps.len(), 1);
    }

    #[test]
    fn a_later_file_goes_over_an_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one.toml"), folder.path().join("other.toml"));
        std::fs::write(&one, "drain_seconds = 1\n[presence]\ngrace_seconds = 7\n").unwrap();
        std::fs::write(&other, "drain_seconds = 2.0\n[[app]]\nid = 9\nkey = 'k'\n").unwrap();
        let both = format!("{},{}", one.display(), other.display());
        let config = load(ServerFlags::default(), variables(&[("THRONG_CONFIG", &both)])).unwrap();
        assert_eq!((config.drain_seconds, config.presence.grace_seconds), (2, 7));
        assert_eq!(config.apps.len(), 1);
    }

    #[test]
    fn apps_come_from_flags_and_environment_too() {
        let flags = ServerFlags { apps: vec!["5:flag".parse().unwrap()], ..ServerFlags::default() };
        let config = load(flags, variables(&[("THRONG_APP", "5:env,6:other")])).unwrap();
        let keys: Vec<_> = config.apps.iter().map(|app| (app.id, app.key.0.as_str())).collect();
        assert_eq!(keys, [(6, "other"), (5, "flag")]);
    }

    #[test]
    fn mistakes_name_their_place() {
        for (variable, part) in [
            (("THRONG_LISTN", "127.0.0.1:1"), "listn"),
            (("THRONG_LISTEN", "nowhere"), "listen"),
            (("THRONG_PRESENCE__GRACE", "1"), "grace"),
            (("THRONG_LISTEN__X", "1"), "x"),
            (("THRONG_APP", "x"), "THRONG_APP"),
        ] {
            let error = load(ServerFlags::default(), variables(&[variable])).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{error:#}");
        }
    }
}
