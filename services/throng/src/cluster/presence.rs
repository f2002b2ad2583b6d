//! `throng presence`: who is online, and where.

use std::sync::Arc;

use throng_node::cluster::lease::Lease;
use throng_node::cluster::{Homes, PlacementLeader};
use throng_presence::{Deps, Home, Presence};
use throng_proto::v1::{ClusterNode, NodeRole};
use tonic::service::RoutesBuilder;

use super::parts::{Parts, bus, flush, store};
use super::rpc::RpcPort;
use crate::config::Config;
use crate::process::Process;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::start(&config).await?;
    let parts = Parts::new(&config, &process.drain)?;
    let (store, bus) = (store(&config).await?, bus(&config, &parts.unique_name()).await?);
    let port = RpcPort::bind(&config)?;
    let node = ClusterNode {
        name: parts.name.clone(),
        role: NodeRole::RolePresence.into(),
        address: port.advertised.clone(),
        ..ClusterNode::default()
    };
    let leader = PlacementLeader::new(parts.routers.clone(), parts.channels.clone());
    let lease = Lease::keep(node, leader, &process.drain);
    let homes = Homes::placed(&parts.view, &parts.channels, &process.drain);
    let presence = Presence::build(
        config.presence.clone(),
        Deps {
            store,
            bus: Arc::clone(&bus),
            group_router: parts.links.group_router.clone(),
            directory: parts.links.directory.clone(),
            apps: parts.apps.clone(),
            home: Home::among(homes, parts.name.as_str(), lease.state()),
        },
    )?;
    presence.run(&process.drain);
    let mut services = RoutesBuilder::default();
    services.add_service(presence.server());
    let rpc = port.serve(services);
    process.wait_for("a lease", || lease.is_fresh()).await?;
    process.ready(&[("rpc", rpc.address)]);

    let deadline = process.until_told_to_end().await;
    process.drain(deadline.part(0.8), async {}).await;
    rpc.stop(deadline).await;
    flush(&*bus).await;
    process.end().await;
    Ok(())
}
