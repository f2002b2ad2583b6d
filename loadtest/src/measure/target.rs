//! What the server says of itself: its `/metrics`, in Prometheus' text format.

use std::collections::BTreeMap;

use serde::Serialize;

/// Sums of metrics over all labels, by name.
pub type Sample = BTreeMap<String, f64>;

/// The server, or a process of it, in one second of the run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TargetSample {
    /// Seconds since the traffic began; before it negative.
    pub second: i64,
    /// Processor time so far, seconds.
    pub cpu_seconds: Option<f64>,
    /// Resident memory, bytes.
    pub memory_bytes: Option<f64>,
    /// Connections of clients.
    pub connections: Option<f64>,
    /// Invariants that broke so far.
    pub invariant_violations: Option<f64>,
    /// Deliveries to members of rooms that were dropped because a connection was slow so far.
    pub deliveries_dropped: Option<f64>,
    /// Messages that the rate limit dropped so far.
    pub messages_dropped: Option<f64>,
    /// Messages of live rooms that its owners of groups had so far.
    pub room_messages: Option<f64>,
    /// Deliveries to members of rooms so far.
    pub deliveries: Option<f64>,
}

impl TargetSample {
    /// Takes what is of interest.
    #[must_use]
    pub fn new(second: i64, sample: &Sample) -> Self {
        let get = |name: &str| sample.get(name).copied();
        Self {
            second,
            cpu_seconds: get("process_cpu_seconds_total"),
            memory_bytes: get("process_resident_memory_bytes"),
            connections: get("throng_gateway_connections"),
            invariant_violations: get("throng_invariant_violations_total"),
            deliveries_dropped: get("throng_gateway_room_deliveries_dropped_total"),
            messages_dropped: get("throng_group_router_room_messages_dropped_total"),
            room_messages: get("throng_group_router_room_messages_total"),
            deliveries: get("throng_gateway_room_deliveries_total"),
        }
    }

    /// Adds those of another process; what none of them tells stays unknown.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.cpu_seconds, other.cpu_seconds),
            (&mut self.memory_bytes, other.memory_bytes),
            (&mut self.connections, other.connections),
            (&mut self.invariant_violations, other.invariant_violations),
            (&mut self.deliveries_dropped, other.deliveries_dropped),
            (&mut self.messages_dropped, other.messages_dropped),
            (&mut self.room_messages, other.room_messages),
            (&mut self.deliveries, other.deliveries),
        ];
        for (sum, more) in pairs {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0.0) + more);
            }
        }
    }
}

/// Reads the text format. Lines that are no samples are left out.
#[must_use]
pub fn parse_metrics(text: &str) -> Sample {
    let mut sample = Sample::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let rest = match line.rfind('}') {
            Some(end) => &line[end + 1..],
            None => &line[name.len()..],
        };
        let value = rest.split_ascii_whitespace().next().and_then(|text| text.parse::<f64>().ok());
        if let Some(value) = value
            && !name.is_empty()
        {
            *sample.entry(name.to_owned()).or_default() += value;
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_summed() {
        let text = "# HELP x y\nthrong_gateway_connections{path=\"binfo\"} 3\n\
                    throng_gateway_connections{path=\"in}fo\"} 4\nprocess_cpu_seconds_total 1.5\n\n";
        let sample = TargetSample::new(-1, &parse_metrics(text));
        assert_eq!(sample.connections, Some(7.0));
        assert_eq!(sample.cpu_seconds, Some(1.5));
        assert_eq!(sample.memory_bytes, None);
    }
}
