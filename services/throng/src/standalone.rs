//! Every service in one process: the same libraries as in a cluster, wired through links without
//! sockets, over a bus inside the process and an embedded store.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use throng_bus::{Bus, LocalBus};
use throng_callback::Callback;
use throng_directory::Directory;
use throng_gateway::{Gateway, Links};
use throng_group_router::{GroupRouter, Placement};
use throng_history::History;
use throng_node::apps::Apps;
use throng_node::cluster::Homes;
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_presence::Presence;
use throng_proto::Link;
use throng_store::{EmbeddedStore, Store};

use crate::config::Config;
use crate::demo;
use crate::process::{Process, bind};

/// Builds, binds, serves until a signal comes, drains.
pub(crate) async fn run(mut config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data folder {}", config.data_dir.display()))?;
    let secret = Secret::load_or_create(&config.data_dir.join("secret"))?;
    let epoch = next_epoch(&config.data_dir)?;
    let store = Arc::new(EmbeddedStore::open(config.data_dir.join("store")).context("store")?);
    let mut process = Process::start(&config).await?;

    let services = Services::build(&config, Arc::clone(&store), &secret, epoch, &process.drain)?;
    let demo = demo::prepare(&mut config, &services.directory).await?;
    let gateway = services.gateway(&config, secret)?;
    let listener = bind(config.listen, config.gateway.backlog)?;
    let address = listener.local_addr()?;
    services.run(&process.drain);
    if let Some(demo) = &demo {
        demo::make_room(&services.links, demo).await?;
    }
    let serving = tokio::spawn(gateway.serve(listener, process.drain.clone()));
    if let Some(demo) = &demo {
        demo.print(address, config.gateway.tls.is_some());
    }
    process.ready(&[("listen", address)]);

    let deadline = process.until_told_to_end().await;
    process.drain(deadline, async { serving.await.unwrap_or_default() }).await;
    store.flush().await.context("store")?;
    store.close().await;
    process.end().await;
    Ok(())
}

/// All services but the gateway, and the links between them.
struct Services {
    links: Links,
    apps: Apps,
    bus: Arc<dyn Bus>,
    directory: Directory,
    presence: Presence,
    history: History,
    /// Where services will ask webhooks; no app can name one yet.
    _callback: Link,
}

impl Services {
    fn build(
        config: &Config,
        store: Arc<EmbeddedStore>,
        secret: &Secret,
        epoch: u64,
        drain: &Drain,
    ) -> anyhow::Result<Self> {
        let store: Arc<dyn Store> = store;
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::new());
        let links = Links {
            group_router: Link::unconnected(),
            history: Link::unconnected(),
            presence: Link::unconnected(),
            directory: Link::unconnected(),
        };
        let apps = Apps::new(links.directory.clone());

        let directory = Directory::build(
            &throng_directory::Config { apps: config.apps.clone() },
            throng_directory::Deps {
                store: Arc::clone(&store),
                bus: Arc::clone(&bus),
                presence: links.presence.clone(),
            },
        )?;
        let history = History::build(
            &config.history,
            throng_history::Deps {
                store: Arc::clone(&store),
                group_router: links.group_router.clone(),
                secret: secret.clone(),
            },
        )?;
        let presence = Presence::build(
            config.presence.clone(),
            throng_presence::Deps {
                store: Arc::clone(&store),
                bus: Arc::clone(&bus),
                group_router: links.group_router.clone(),
                directory: links.directory.clone(),
                apps: apps.clone(),
                home: throng_presence::Home::alone(),
            },
        )?;
        let group_router = GroupRouter::build(
            config.group_router.clone(),
            throng_group_router::Deps {
                store,
                bus: Arc::clone(&bus),
                history: links.history.clone(),
                presence: links.presence.clone(),
                directory: links.directory.clone(),
                group_router: links.group_router.clone(),
                apps: apps.clone(),
                secret: secret.clone(),
                placement: Placement::alone(config.group_router.shards, epoch),
            },
            drain.clone(),
        );
        links.directory.connect_server(directory.server());
        links.history.connect_server(history.server());
        links.presence.connect_server(presence.server());
        links.group_router.connect_server(group_router.server());
        let callback = Link::to_server(Callback::build().server());
        Ok(Self { links, apps, bus, directory, presence, history, _callback: callback })
    }

    fn gateway(&self, config: &Config, secret: Secret) -> anyhow::Result<Gateway> {
        Ok(Gateway::build(
            config.gateway.clone(),
            throng_gateway::Deps {
                links: self.links.clone(),
                apps: self.apps.clone(),
                secret,
                bus: Arc::clone(&self.bus),
                gateway_id: "standalone".to_owned(),
                placement: None,
                homes: Homes::one(self.links.presence.clone()),
            },
        )?)
    }

    fn run(&self, drain: &Drain) {
        self.directory.run(drain);
        self.presence.run(drain);
        self.history.run(drain);
    }
}

/// The number of this start. It rises with every start, so that nobody mistakes events of this life
/// for those of the last one.
fn next_epoch(data_dir: &Path) -> anyhow::Result<u64> {
    let path = data_dir.join("epoch");
    let last = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u64>().with_context(|| format!("{}", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
    };
    let epoch = last + 1;
    throng_node::secret::replace_file(&path, &epoch.to_string())
        .with_context(|| format!("{}", path.display()))?;
    Ok(epoch)
}
