//! `throng directory`: apps, accounts, profiles.

use std::sync::Arc;

use throng_directory::Directory;
use tonic::service::RoutesBuilder;

use super::parts::{Parts, bus, flush, store};
use super::rpc::RpcPort;
use crate::config::Config;
use crate::process::Process;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::start(&config).await?;
    let parts = Parts::new(&config, &process.drain)?;
    let (store, bus) = (store(&config).await?, bus(&config, &parts.unique_name()).await?);
    let directory = Directory::build(
        &throng_directory::Config { apps: config.apps.clone() },
        throng_directory::Deps {
            store,
            bus: Arc::clone(&bus),
            presence: parts.links.presence.clone(),
        },
    )?;
    directory.run(&process.drain);
    let mut services = RoutesBuilder::default();
    services.add_service(directory.server());
    let rpc = RpcPort::bind(&config)?.serve(services);
    process.ready(&[("rpc", rpc.address)]);

    let deadline = process.until_told_to_end().await;
    rpc.stop(deadline).await;
    process.drain(deadline, async {}).await;
    flush(&*bus).await;
    process.end().await;
    Ok(())
}
