//! `throng callback`: webhooks.

use throng_callback::Callback;
use tonic::service::RoutesBuilder;

use super::rpc::RpcPort;
use crate::config::Config;
use crate::process::Process;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::start(&config).await?;
    let port = RpcPort::bind(&config)?;
    let mut services = RoutesBuilder::default();
    services.add_service(Callback::build().server());
    let rpc = port.serve(services);
    process.ready(&[("rpc", rpc.address)]);

    let deadline = process.until_told_to_end().await;
    rpc.stop(deadline).await;
    process.drain(deadline, async {}).await;
    process.end().await;
    Ok(())
}
