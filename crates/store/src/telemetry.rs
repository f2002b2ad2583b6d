//! The embedded store's metrics; the crate's page describes them. The handles are looked up once, so the
//! recorder must be installed before a store is opened.

use std::time::Duration;

use metrics::{Gauge, Histogram, counter, gauge, histogram};

use crate::{Durability, StoreError};

/// The handles, looked up once.
#[derive(Debug, Clone)]
pub(crate) struct Telemetry {
    durable: Histogram,
    behind: Histogram,
    group: Histogram,
    sync: Histogram,
    queue: Gauge,
    unsynced: Gauge,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        Self {
            durable: histogram!("throng_store_write_seconds", "durability" => "durable"),
            behind: histogram!("throng_store_write_seconds", "durability" => "behind"),
            group: histogram!("throng_store_commit_batch_size"),
            sync: histogram!("throng_store_sync_seconds"),
            queue: gauge!("throng_store_queue_depth"),
            unsynced: gauge!("throng_store_unsynced"),
        }
    }

    pub(crate) fn written(&self, durability: Durability, took: Duration) {
        match durability {
            Durability::Durable => self.durable.record(took),
            Durability::Behind => self.behind.record(took),
        }
    }

    pub(crate) fn failed(&self, error: &StoreError) {
        counter!("throng_store_errors_total", "kind" => error.kind()).increment(1);
    }

    pub(crate) fn synced(&self, took: Duration) {
        self.sync.record(took);
    }

    pub(crate) fn unsynced(&self, unsynced: bool) {
        self.unsynced.set(if unsynced { 1.0 } else { 0.0 });
    }

    pub(crate) fn queued(&self, requests: u32) {
        self.queue.increment(requests);
    }

    pub(crate) fn taken(&self, requests: usize) {
        if requests > 0 {
            self.group.record(requests as f64);
            self.queue.decrement(requests as f64);
        }
    }
}
