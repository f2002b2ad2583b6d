//! The connection to the database, and how each sort of request is carried out.

use std::sync::Arc;
use std::time::Duration;

use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::{DefaultPolicy, LoadBalancingPolicy};
use scylla::policies::retry::{DefaultRetryPolicy, FallthroughRetryPolicy};
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::statement::{Consistency, SerialConsistency};
use tokio::time::{Instant, sleep, timeout_at};

use super::config::CqlConfig;
use super::errors;
use crate::StoreError;

/// How long one node may take to accept a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How often an idle connection is asked whether it still lives, and how long it may take to answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));
/// Pauses between tries to connect at the start: the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// The least time for what asks all nodes.
const SCAN_TIMEOUT: Duration = Duration::from_secs(30);

/// How each sort of request is carried out. All of them ask a quorum of the local data centre, so
/// that every read sees every write that was answered.
#[derive(Debug)]
pub(super) struct Profiles {
    /// Repeated on another node when this one breaks off, is overloaded or too few are up; a write
    /// that a quorum did not answer in time is not, because another coordinator would hear the same.
    pub(super) write: ExecutionProfileHandle,
    /// As writes; and sent to a second node when the first is slow, for example collecting garbage.
    pub(super) read: ExecutionProfileHandle,
    /// With more time, and never twice at once: it is work for all nodes.
    pub(super) scan: ExecutionProfileHandle,
    /// Lightweight transactions. Never repeated: one that broke off may have been done, and would not
    /// find what it expects a second time.
    pub(super) condition: ExecutionProfileHandle,
}

impl Profiles {
    pub(super) fn new(config: &CqlConfig) -> Self {
        let base = ExecutionProfile::builder()
            .consistency(Consistency::LocalQuorum)
            .serial_consistency(Some(SerialConsistency::LocalSerial))
            .load_balancing_policy(balancing(config))
            .retry_policy(Arc::new(DefaultRetryPolicy::new()))
            .request_timeout(Some(config.request_timeout))
            .speculative_execution_policy(None)
            .build();
        let read = base.to_builder();
        let read = if config.second_read_after.is_zero() {
            read
        } else {
            read.speculative_execution_policy(Some(Arc::new(SimpleSpeculativeExecutionPolicy {
                max_retry_count: 1,
                retry_interval: config.second_read_after,
            })))
        };
        let scan =
            base.to_builder().request_timeout(Some(config.request_timeout.max(SCAN_TIMEOUT)));
        let condition = base.to_builder().retry_policy(Arc::new(FallthroughRetryPolicy::new()));
        Self {
            read: read.build().into_handle_with_label("read".to_owned()),
            scan: scan.build().into_handle_with_label("scan".to_owned()),
            condition: condition.build().into_handle_with_label("condition".to_owned()),
            write: base.into_handle_with_label("write".to_owned()),
        }
    }
}

/// Nodes that have the partition first, of the local data centre only if one is named: a quorum there
/// is what is asked for, so a node elsewhere could only pass the request on.
fn balancing(config: &CqlConfig) -> Arc<dyn LoadBalancingPolicy> {
    let policy = DefaultPolicy::builder().token_aware(true).permit_dc_failover(false);
    match &config.local_dc {
        Some(name) => policy.prefer_datacenter(name.clone()).build(),
        None => policy.build(),
    }
}

/// Connects, and goes on trying while the database is not up yet.
pub(super) async fn connect(
    config: &CqlConfig,
    profiles: &Profiles,
) -> Result<Session, StoreError> {
    let mut builder = SessionBuilder::new()
        .known_nodes(&config.nodes)
        .connection_timeout(CONNECTION_TIMEOUT)
        .tcp_nodelay(true)
        .keepalive_interval(KEEPALIVE.0)
        .keepalive_timeout(KEEPALIVE.1)
        .keyspaces_to_fetch([config.keyspace.as_str()])
        .fetch_full_schema_metadata(false)
        .default_execution_profile_handle(profiles.read.clone());
    if let (Some(user), Some(password)) = (&config.user, &config.password) {
        builder = builder.user(user, password);
    }
    let deadline = Instant::now() + config.connect_timeout;
    let mut pause = PAUSES.0;
    loop {
        let error = match timeout_at(deadline, builder.build()).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => errors::new_session(error),
            Err(elapsed) => errors::elapsed(elapsed),
        };
        let wait = pause.mul_f64(rand::random_range(0.5..1.5));
        if !error.is_transient() || Instant::now() + wait >= deadline {
            return Err(error);
        }
        tracing::warn!(%error, "the database does not answer yet");
        sleep(wait).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
