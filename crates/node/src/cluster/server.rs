//! The gRPC server of a process: its services and their health, with a bound on what is worked on at
//! the same time.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::server::HealthReporter;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;

use super::not_begun;

const PING_EVERY: Duration = Duration::from_secs(10);
const PING_ANSWERED: Duration = Duration::from_secs(5);
/// No call of one process to another takes longer; streams end on their own.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Serves these services on the listener until `stop` resolves and what was begun is answered.
/// `requests` are worked on at the same time; more are told that they were not begun.
///
/// # Errors
/// What the transport says.
pub async fn serve(
    listener: TcpListener,
    services: RoutesBuilder,
    requests: usize,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let (health, health_server): (HealthReporter, _) = tonic_health::server::health_reporter();
    let mut services = services;
    services.add_service(health_server);
    let limits = ServiceBuilder::new()
        .map_err(|error: tower::BoxError| -> tower::BoxError {
            if error.is::<tower::load_shed::error::Overloaded>() {
                metrics::counter!("throng_rpc_calls_shed_total").increment(1);
                Box::new(not_begun("too many requests at the same time"))
            } else {
                error
            }
        })
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(requests.max(1)));
    let stop = async move {
        stop.await;
        health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    };
    Server::builder()
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PING_ANSWERED))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .layer(limits)
        .add_routes(services.routes())
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stop.fuse(),
        )
        .await
}
