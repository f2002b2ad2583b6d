//! `throng gateway`: connections of clients, and REST.

use std::sync::Arc;

use throng_gateway::Gateway;
use throng_node::cluster::Homes;

use super::parts::{Parts, bus, flush};
use crate::config::Config;
use crate::process::{Process, bind};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::start(&config).await?;
    let parts = Parts::new(&config, &process.drain)?;
    let gateway_id = parts.unique_name();
    let bus = bus(&config, &gateway_id).await?;
    let gateway = Gateway::build(
        config.gateway.clone(),
        throng_gateway::Deps {
            links: parts.links.clone(),
            apps: parts.apps.clone(),
            secret: parts.secret.clone(),
            bus: Arc::clone(&bus),
            gateway_id,
            placement: Some(parts.view.clone()),
            homes: Homes::placed(&parts.view, &parts.channels, &process.drain),
        },
    )?;
    let listener = bind(config.listen, config.gateway.backlog)?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(gateway.serve(listener, process.drain.clone()));
    process.wait_for("the placement", || parts.view.now().version() > 0).await?;
    process.ready(&[("listen", address)]);

    let deadline = process.until_told_to_end().await;
    process.drain(deadline, async { serving.await.unwrap_or_default() }).await;
    flush(&*bus).await;
    process.end().await;
    Ok(())
}
