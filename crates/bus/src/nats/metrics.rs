//! What the bus counts, by what a connection is for.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Handles of the metrics of connections of one purpose.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) published: Counter,
    pub(super) published_bytes: Counter,
    pub(super) received: Counter,
    pub(super) received_bytes: Counter,
    /// Refused because the connection was down.
    pub(super) dropped_down: Counter,
    /// Refused because too much waited to be written.
    pub(super) dropped_full: Counter,
    /// Refused because of its size.
    pub(super) dropped_large: Counter,
    /// Received, but its subscriber was too slow.
    pub(super) dropped_slow: Counter,
    /// Subscriptions that were told of an unknown loss.
    pub(super) gaps: Counter,
    /// The client itself had to drop messages of a subscription.
    pub(super) slow_consumers: Counter,
    pub(super) reconnects: Counter,
    pub(super) connected: Gauge,
    pub(super) subscriptions: Gauge,
    pub(super) round_trip: Histogram,
}

impl Metrics {
    /// Handles of the recorder that is installed now. `purpose` is one of a few fixed words.
    pub(super) fn new(purpose: &'static str) -> Self {
        let dropped = |reason: &'static str| counter!("throng_bus_messages_dropped_total", "connection" => purpose, "reason" => reason);
        Self {
            published: counter!("throng_bus_messages_published_total", "connection" => purpose),
            published_bytes: counter!("throng_bus_published_bytes_total", "connection" => purpose),
            received: counter!("throng_bus_messages_received_total", "connection" => purpose),
            received_bytes: counter!("throng_bus_received_bytes_total", "connection" => purpose),
            dropped_down: dropped("down"),
            dropped_full: dropped("full"),
            dropped_large: dropped("large"),
            dropped_slow: dropped("slow"),
            gaps: counter!("throng_bus_gaps_total", "connection" => purpose),
            slow_consumers: counter!("throng_bus_slow_consumers_total", "connection" => purpose),
            reconnects: counter!("throng_bus_reconnects_total", "connection" => purpose),
            connected: gauge!("throng_bus_connected", "connection" => purpose),
            subscriptions: gauge!("throng_bus_subscriptions", "connection" => purpose),
            round_trip: histogram!("throng_bus_round_trip_seconds", "connection" => purpose),
        }
    }
}
