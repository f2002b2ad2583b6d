//! `throng group-router`: owns groups, and takes part in saying who owns which.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use throng_group_router::placement::{ClusterPlacement, PlacementDeps};
use throng_group_router::{Deps, GroupRouter};
use tokio::time::interval;
use tonic::service::RoutesBuilder;

use super::parts::{Parts, bus, flush, store};
use super::rpc::RpcPort;
use crate::config::Config;
use crate::process::Process;

/// How often the lease of a node that leaves is looked at, and how often in a row it has to be gone.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 20;
/// Of the time to end, what giving the shards away may take.
const LEAVING: f64 = 0.7;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data folder {}", config.data_dir.display()))?;
    let mut process = Process::start(&config).await?;
    let parts = Parts::new(&config, &process.drain)?;
    let (store, bus) = (store(&config).await?, bus(&config, &parts.unique_name()).await?);
    let port = RpcPort::bind(&config)?;
    let placement = ClusterPlacement::start(
        config.group_router.placement.clone(),
        PlacementDeps {
            cluster_mark: parts.secret.cluster_mark(),
            node: parts.name.clone(),
            address: port.advertised.clone(),
            data_dir: config.data_dir.clone(),
            shards: config.group_router.shards,
            channels: parts.channels.clone(),
        },
    )
    .await?;
    let group_router = GroupRouter::build(
        config.group_router.clone(),
        Deps {
            store,
            bus: Arc::clone(&bus),
            history: parts.links.history.clone(),
            presence: parts.links.presence.clone(),
            directory: parts.links.directory.clone(),
            group_router: parts.links.group_router.clone(),
            apps: parts.apps.clone(),
            secret: parts.secret.clone(),
            placement: placement.placement(),
        },
        process.drain.clone(),
    );
    let mut services = RoutesBuilder::default();
    services.add_service(group_router.server());
    placement.add_to(&mut services);
    let rpc = port.serve(services);
    process.wait_for("a lease", || placement.has_lease()).await?;
    process.ready(&[("rpc", rpc.address)]);

    let deadline = tokio::select! {
        deadline = process.until_told_to_end() => deadline,
        () = placement.failed() => anyhow::bail!("the log of the placement cannot be kept"),
    };
    // While it gives its shards away it serves: what it began is carried out, the rest goes on at
    // their new owners.
    let leaving = async {
        tokio::select! {
            () = placement.leave() => {}
            () = without_lease(&placement) => tracing::info!("nobody is there to take the groups"),
        }
    };
    deadline.part(LEAVING).bound("giving groups away", leaving).await;
    process.drain(deadline, async {}).await;
    placement.stop().await;
    rpc.stop(deadline).await;
    flush(&*bus).await;
    process.end().await;
    Ok(())
}

/// Resolves when this node has had no lease for some time: it serves nothing that others could wait
/// for, as when a whole cluster is stopped.
async fn without_lease(placement: &ClusterPlacement) {
    let mut looks = interval(LOOK);
    let mut without = 0;
    while without < LOOKS {
        looks.tick().await;
        without = if placement.has_lease() { 0 } else { without + 1 };
    }
}
