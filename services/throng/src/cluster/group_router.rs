//! `throng group-router`: owns groups, and takes part in saying who owns which.

use std::sync::Arc;

use anyhow::Context as _;
use throng_group_router::placement::{ClusterPlacement, PlacementDeps};
use throng_group_router::{Deps, GroupRouter};
use tonic::service::RoutesBuilder;

use super::parts::{Parts, bus, flush, store};
use super::rpc::RpcPort;
use crate::config::Config;
use crate::process::Process;

/// Of the time to end, what giving the shards away may take.
const LEAVING: f64 = 0.7;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data folder {}", config.data_dir.display()))?;
    let mut process = Process::start(&config).await?;
    let parts = Parts::new(&config, &process.drain)?;
    let (store, bus) = (store(&config).await?, bus(&config, &parts.unique_name()).await?);
    let port = RpcPort::bind(&config).await?;
    let placement = ClusterPlacement::start(
        config.group_router.placement.clone(),
        PlacementDeps {
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
    deadline.part(LEAVING).bound("giving groups away", placement.leave()).await;
    process.drain(deadline, async {}).await;
    placement.stop().await;
    rpc.stop(deadline).await;
    flush(&*bus).await;
    process.end().await;
    Ok(())
}
