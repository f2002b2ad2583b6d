//! `throng admin`: looks into a running cluster.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use throng_node::cluster::channel;
use throng_proto::v1;
use throng_proto::v1::placement_client::PlacementClient;

use crate::cli::AdminCommand;
use crate::config::Config;
use crate::with_config;

/// Time for one group router to answer.
const TIME: Duration = Duration::from_secs(3);

pub(crate) fn run(command: AdminCommand) -> ExitCode {
    let AdminCommand::Placement { router, flags } = command;
    with_config(*flags, |config| placement(router, config))
}

async fn placement(router: Option<String>, config: Config) -> anyhow::Result<()> {
    let routers = router.map_or(config.cluster.group_routers, |router| vec![router]);
    let mut last = anyhow::anyhow!("no group router is configured: use --router or --config");
    for router in routers {
        match describe(&router).await {
            Ok(described) => {
                print!("{}", throng_group_router::placement::describe::table(&described));
                return Ok(());
            }
            Err(error) => last = error.context(router),
        }
    }
    bail!(last)
}

async fn describe(router: &str) -> anyhow::Result<v1::DescribePlacementReply> {
    let mut request = tonic::Request::new(v1::DescribePlacementRequest {});
    request.set_timeout(TIME);
    Ok(PlacementClient::new(channel(router)?).describe(request).await?.into_inner())
}
