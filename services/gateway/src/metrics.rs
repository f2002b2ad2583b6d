//! What the gateway counts. Handles of hot paths are made once; labels come from fixed sets only.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use parking_lot::RwLock;
use throng_protocol::error::Code;

use crate::connection::{Dropped, Kind, Written};

/// Stands for all codes that only an app knows.
const APP: u32 = u32::MAX;

/// A code as the label of metrics. Apps' own codes, which they may choose among thousands, are one.
pub(crate) fn code_label(code: u32) -> String {
    Code::from_number(code).map_or_else(|| "app".to_owned(), |code| code.number().to_string())
}

/// Handles of the gateway's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) frames_in: Counter,
    pub(crate) frames_out: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) writes: Counter,
    pub(crate) deliveries: Counter,
    pub(crate) pass_seconds: Histogram,
    pub(crate) login_seconds: Histogram,
    pub(crate) room_events: Counter,
    pub(crate) room_holes: Counter,
    pub(crate) room_takeovers: Counter,
    pub(crate) room_events_recovered: Counter,
    pub(crate) room_holes_unfilled: Counter,
    pub(crate) acks_missed: Counter,
    pub(crate) accepts_paced: Counter,
    pub(crate) tls_failed: Counter,
    dropped_slow: [Counter; 5],
    commands: Counters<(&'static str, u32)>,
    /// By path.
    open: [(&'static str, Gauge, Counter); 2],
    /// By path and reason.
    closed: Counters<(&'static str, &'static str)>,
    refused: Counters<&'static str>,
}

/// Counters of one name by their labels, made when they are first needed: looking one up by name and
/// labels costs a microsecond, which counts where thousands connect in a second.
#[derive(Debug)]
struct Counters<K>(RwLock<HashMap<K, Counter>>);

impl<K: Eq + Hash> Counters<K> {
    fn new() -> Self {
        Self(RwLock::new(HashMap::new()))
    }

    fn increment(&self, key: K, make: impl FnOnce() -> Counter) {
        if !self.increment_known(&key) {
            self.0.write().entry(key).or_insert_with(make).increment(1);
        }
    }

    /// True: it was there.
    fn increment_known(&self, key: &K) -> bool {
        self.0.read().get(key).map(|counter| counter.increment(1)).is_some()
    }
}

impl Metrics {
    /// Handles of the recorder that is installed now.
    pub(crate) fn new() -> Self {
        let dropped = |priority: &'static str| counter!("throng_gateway_room_deliveries_dropped_total", "priority" => priority, "reason" => "slow");
        Self {
            frames_in: counter!("throng_gateway_frames_received_total"),
            frames_out: counter!("throng_gateway_frames_sent_total"),
            bytes_in: counter!("throng_gateway_received_bytes_total"),
            bytes_out: counter!("throng_gateway_sent_bytes_total"),
            writes: counter!("throng_gateway_writes_total"),
            deliveries: counter!("throng_gateway_room_deliveries_total"),
            pass_seconds: histogram!("throng_gateway_pass_seconds"),
            login_seconds: histogram!("throng_gateway_login_seconds"),
            room_events: counter!("throng_gateway_room_events_total"),
            room_holes: counter!("throng_gateway_room_holes_total"),
            room_takeovers: counter!("throng_gateway_room_takeovers_total"),
            room_events_recovered: counter!("throng_gateway_room_events_recovered_total"),
            room_holes_unfilled: counter!("throng_gateway_room_holes_unfilled_total"),
            acks_missed: counter!("throng_gateway_pushes_unacknowledged_total"),
            dropped_slow: ["none", "high", "normal", "low", "lowest"].map(dropped),
            accepts_paced: counter!("throng_gateway_accepts_paced_total"),
            tls_failed: counter!("throng_gateway_tls_failures_total"),
            commands: Counters::new(),
            open: [Kind::Binary, Kind::Text].map(|kind| {
                let path = kind.path();
                (
                    path,
                    gauge!("throng_gateway_connections", "path" => path),
                    counter!("throng_gateway_connections_opened_total", "path" => path),
                )
            }),
            closed: Counters::new(),
            refused: Counters::new(),
        }
    }

    /// Counts what a shard wrote.
    pub(crate) fn wrote(&self, written: &Written) {
        if written.writes > 0 {
            self.frames_out.increment(written.frames);
            self.bytes_out.increment(written.bytes);
            self.writes.increment(written.writes);
            self.deliveries.increment(written.deliveries);
        }
        self.dropped_slow(&written.dropped);
    }

    /// Counts events of rooms that a slow connection lost.
    fn dropped_slow(&self, dropped: &Dropped) {
        if *dropped == Dropped::default() {
            return;
        }
        for (counter, &number) in self.dropped_slow.iter().zip(dropped) {
            if number > 0 {
                counter.increment(number.into());
            }
        }
    }

    /// Counts a command that was answered. `name` is the catalogue's, so that strangers cannot make
    /// up labels; codes that are not the registry's, which apps choose among thousands, are one.
    pub(crate) fn command(&self, name: &'static str, code: u32) {
        if self.commands.increment_known(&(name, code)) {
            return;
        }
        let key = if Code::from_number(code).is_some() { code } else { APP };
        self.commands.increment((name, key), || {
            counter!("throng_gateway_commands_total", "command" => name, "code" => code_label(code))
        });
    }

    /// Counts a connection that was taken in.
    pub(crate) fn opened(&self, path: &'static str) {
        for (_, now, opened) in self.open.iter().filter(|(name, ..)| *name == path) {
            now.increment(1);
            opened.increment(1);
        }
    }

    /// Counts a connection that ended.
    pub(crate) fn closed(&self, path: &'static str, reason: &'static str) {
        for (_, now, _) in self.open.iter().filter(|(name, ..)| *name == path) {
            now.decrement(1);
        }
        self.closed.increment((path, reason), || {
            counter!("throng_gateway_connections_closed_total", "path" => path, "reason" => reason)
        });
    }

    /// Counts a connection or a request that was turned away.
    pub(crate) fn refused(&self, reason: &'static str) {
        let make = || counter!("throng_gateway_refused_total", "reason" => reason);
        self.refused.increment(reason, make);
    }

    /// Notes how long a login took.
    pub(crate) fn login(&self, took: Duration) {
        self.login_seconds.record(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An app's webhook may refuse with any of thousands of codes: each was a label.
    #[test]
    fn codes_of_apps_are_one_label() {
        let metrics = Metrics::new();
        for code in [0, 10_017, 120_001, 130_000, 10_100, 999_999] {
            metrics.command("openim.sendmsg", code);
        }
        let codes = metrics.commands.0.read();
        let mut codes: Vec<u32> = codes.keys().map(|(_, code)| *code).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 10_017, APP]);
    }
}
