//! The server in reports: all its processes together, and each by itself.

use super::{ProcessNumbers, Report};
use crate::measure::TargetSample;

const MIB: f64 = 1_048_576.0;

/// All processes together.
pub(super) fn server(report: &Report) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let memory = report.target.iter().filter_map(|sample| sample.memory_bytes);
    if let Some(most) = memory.reduce(f64::max) {
        rows.push(("most memory, MiB".to_owned(), format!("{:.0}", most / MIB)));
    }
    let risen = |value: fn(&TargetSample) -> Option<f64>| {
        let last = report.target.iter().filter_map(value).next_back()?;
        Some((last - report.target.first().and_then(value).unwrap_or(0.0)).to_string())
    };
    let dropped = risen(|sample| sample.messages_dropped);
    rows.extend(dropped.map(|it| ("messages that it counted as dropped".to_owned(), it)));
    let deliveries = risen(|sample| sample.deliveries_dropped);
    rows.extend(deliveries.map(|it| ("deliveries dropped for slow connections".to_owned(), it)));
    let broken = risen(|sample| sample.invariant_violations);
    rows.extend(broken.map(|it| ("broken invariants".to_owned(), it)));
    let measured = |sample: &&TargetSample| sample.second >= 0;
    let mut cpu = report
        .target
        .iter()
        .filter(measured)
        .filter_map(|sample| Some((sample.second, sample.cpu_seconds?)));
    if let (Some(first), Some(last)) = (cpu.next(), cpu.next_back())
        && last.0 > first.0
    {
        let share = (last.1 - first.1) / (last.0 - first.0) as f64;
        rows.push(("cores used while there was traffic".to_owned(), format!("{share:.2}")));
    }
    rows
}

/// Each process: what it used while there was traffic.
pub(super) fn processes(report: &Report) -> Vec<(String, String)> {
    let row = |one: &ProcessNumbers| (one.watched.name.clone(), one.describe());
    report.processes.iter().map(row).collect()
}

impl ProcessNumbers {
    fn describe(&self) -> String {
        let used = &self.used;
        let mut parts = Vec::new();
        if let Some(cpu) = used.cpu_seconds {
            parts.push(format!("{cpu:.2} s of processor time"));
        }
        parts.extend(used.cores.map(|cores| format!("{cores:.2} cores")));
        parts.extend(used.most_memory_bytes.map(|most| format!("{:.0} MiB at most", most / MIB)));
        let mut each = |what: &str, count: Option<f64>| {
            if let Some(count) = count.filter(|count| *count > 0.0) {
                parts.push(format!("{count} {what}"));
                let micros = used.cpu_seconds.map(|cpu| cpu * 1e6 / count);
                parts.extend(micros.map(|micros| format!("{micros:.2} µs each")));
            }
        };
        each("deliveries", used.deliveries);
        each("messages", used.room_messages);
        if parts.is_empty() {
            return "nothing was heard of it".to_owned();
        }
        parts.join(", ")
    }
}
