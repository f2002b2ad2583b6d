//! Logs and metrics of a process.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// How a process logs. Logs go to standard error.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// A filter such as `info` or `info,throng_gateway=debug`.
    pub filter: String,
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Readable text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("log filter {0:?}: {1}")]
    Filter(String, String),
    /// Something in this process set up logs or metrics before.
    #[error("telemetry is set up already: {0}")]
    Again(String),
}

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Bounds of time histograms, in seconds: 100 µs to 10 s.
const SECONDS: [f64; 16] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
/// Bounds of size histograms (members, batch sizes).
const SIZES: [f64; 12] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 10_000.0, 100_000.0];

/// Libraries that say the same thing many times a second while something is away; what matters of it
/// is in our own log lines and metrics. A filter that names them brings them back.
const QUIET: &str = "async_nats=warn,openraft=off,scylla=error";

/// Sets up logs and metrics for this process, once.
///
/// # Errors
/// [`TelemetryError`] when the filter is wrong or it was done before.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.filter))
        .map_err(|error| TelemetryError::Filter(config.filter.clone(), error.to_string()))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    }
    .map_err(|error| TelemetryError::Again(error.to_string()))?;

    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| TelemetryError::Again(error.to_string()))?;
    let _ = PROMETHEUS.set(handle);
    metrics::gauge!("throng_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    crate::invariant::export();
    Ok(())
}

/// Keeps histograms from growing while nobody reads them.
pub fn upkeep() {
    if let Some(handle) = PROMETHEUS.get() {
        handle.run_upkeep();
    }
}

/// The metrics in Prometheus' text form: those of the services, and those of the process.
#[must_use]
pub fn render() -> String {
    upkeep();
    let own = PROMETHEUS.get().map_or_else(String::new, PrometheusHandle::render);
    own + &crate::process::render()
}
