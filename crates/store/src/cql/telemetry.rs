//! The CQL store's metrics; the crate's page describes them. The handles are looked up once, so the
//! recorder must be installed before a store is connected.

use metrics::{Gauge, Histogram, counter, gauge, histogram};
use tokio::time::Instant;

use crate::StoreError;

/// The sorts of requests that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Write,
    Condition,
    DeletePartition,
    Get,
    Page,
    Scan,
}

#[derive(Debug)]
pub(super) struct Telemetry {
    write: Histogram,
    condition: Histogram,
    delete_partition: Histogram,
    get: Histogram,
    page: Histogram,
    scan: Histogram,
    in_flight: Gauge,
}

impl Telemetry {
    pub(super) fn new() -> Self {
        let seconds = |operation: &'static str| histogram!("throng_store_request_seconds", "operation" => operation);
        Self {
            write: seconds("write"),
            condition: seconds("condition"),
            delete_partition: seconds("delete_partition"),
            get: seconds("get"),
            page: seconds("page"),
            scan: seconds("scan"),
            in_flight: gauge!("throng_store_requests_in_flight"),
        }
    }

    /// Counts a request as under way until the returned value is dropped.
    pub(super) fn under_way(&self) -> InFlight<'_> {
        self.in_flight.increment(1);
        InFlight(&self.in_flight)
    }

    /// A request was answered.
    pub(super) fn answered<T>(
        &self,
        operation: Operation,
        since: Instant,
        answer: &Result<T, StoreError>,
    ) {
        if let Err(error) = answer {
            counter!("throng_store_errors_total", "kind" => error.kind()).increment(1);
        }
        let histogram = match operation {
            Operation::Write => &self.write,
            Operation::Condition => &self.condition,
            Operation::DeletePartition => &self.delete_partition,
            Operation::Get => &self.get,
            Operation::Page => &self.page,
            Operation::Scan => &self.scan,
        };
        histogram.record(since.elapsed());
    }
}

/// A request under way, also when its future is dropped.
#[derive(Debug)]
pub(super) struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
