//! `throng history`: messages.

use throng_history::{Deps, History};
use tonic::service::RoutesBuilder;

use super::parts::{Parts, store};
use super::rpc::RpcPort;
use crate::config::Config;
use crate::process::Process;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::start(&config).await?;
    let parts = Parts::new(&config, &process.drain)?;
    let store = store(&config).await?;
    let group_router = parts.links.group_router.clone();
    let deps = Deps { store, group_router, secret: parts.secret.clone() };
    let history = History::build(&config.history, deps)?;
    history.run(&process.drain);
    let mut services = RoutesBuilder::default();
    services.add_service(history.server());
    let rpc = RpcPort::bind(&config)?.serve(services);
    process.ready(&[("rpc", rpc.address)]);

    let deadline = process.until_told_to_end().await;
    rpc.stop(deadline).await;
    process.drain(deadline, async {}).await;
    process.end().await;
    Ok(())
}
