//! The admin port: health for the orchestrator, metrics for Prometheus.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::drain::Drain;
use crate::telemetry;

/// Histograms grow until they are read or tended to; nobody may be reading.
const UPKEEP: Duration = Duration::from_secs(5);

/// Whether this process wants traffic. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    ready: Arc<AtomicBool>,
}

impl Readiness {
    /// Not ready yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns readiness on or off.
    pub fn set(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether it is on.
    #[must_use]
    pub fn get(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}

/// Serves `/livez`, `/readyz` and `/metrics`; ends when everything else has drained and `stop`
/// resolves, so that the end of a process can be watched too.
///
/// # Errors
/// What accepting on the listener says.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    drain: Drain,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    tokio::spawn(async move {
        while !drain.is_draining() {
            tokio::time::sleep(UPKEEP).await;
            telemetry::upkeep();
        }
    });
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(readiness);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    if readiness.get() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::render())
}
