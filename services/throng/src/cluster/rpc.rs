//! The gRPC side of a process.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::RoutesBuilder;

use crate::config::Config;
use crate::process::{Deadline, FEW, bind};

/// A bound port that does not serve yet.
pub(crate) struct RpcPort {
    listener: TcpListener,
    requests: usize,
    /// What it is bound to.
    pub(crate) address: SocketAddr,
    /// What others dial.
    pub(crate) advertised: String,
}

impl RpcPort {
    pub(crate) fn bind(config: &Config) -> anyhow::Result<Self> {
        let listener = bind(config.cluster.rpc_listen, FEW)?;
        let address = listener.local_addr()?;
        let advertised = config.cluster.advertised(address);
        Ok(Self { listener, requests: config.cluster.rpc_requests, address, advertised })
    }

    pub(crate) fn serve(self, services: RoutesBuilder) -> RpcServer {
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let Self { listener, requests, address, .. } = self;
        let serving = throng_node::cluster::serve(listener, services, requests, stopped);
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "gRPC server ended");
            }
        });
        RpcServer { stop, task, address }
    }
}

/// A port that serves.
pub(crate) struct RpcServer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    pub(crate) address: SocketAddr,
}

impl RpcServer {
    /// Takes no more calls and answers those that it has.
    pub(crate) async fn stop(self, deadline: Deadline) {
        let Self { stop, mut task, .. } = self;
        let _ = stop.send(());
        // Streams that others hold open would keep it for ever.
        if deadline.bound("calls of other processes", &mut task).await.is_none() {
            task.abort();
        }
    }
}
