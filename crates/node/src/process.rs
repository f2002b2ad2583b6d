//! What the system says of this process, for `/metrics` beside what the services count: the `process_…` metrics
//! that Prometheus' own client libraries have. They are written as text of their own, since a counter of
//! `metrics` is a whole number and processor time is not. Only Linux tells; elsewhere there are none.

use std::fmt::Write as _;
use std::fs;

/// `/proc` counts in hundredths of a second (`USER_HZ`) wherever Throng runs.
const TICKS: f64 = 100.0;

/// One metric: its name, kind and help text.
type Metric = (&'static str, &'static str, &'static str);

const CPU: Metric =
    ("process_cpu_seconds_total", "counter", "Processor time of the process, user and system.");
const MEMORY: Metric =
    ("process_resident_memory_bytes", "gauge", "Resident memory of the process.");
const OPEN: Metric = ("process_open_fds", "gauge", "Open file descriptors.");
const MOST: Metric = ("process_max_fds", "gauge", "File descriptors that may be open.");
const START: Metric =
    ("process_start_time_seconds", "gauge", "When the process began, seconds since 1970.");
const THREADS: Metric = ("process_threads", "gauge", "Threads of the process.");

/// The metrics in Prometheus' text form; what cannot be told is left out.
pub(crate) fn render() -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/{name}")).unwrap_or_default();
    let (stat, status) = (read("self/stat"), read("self/status"));
    let values = [
        (CPU, cpu_seconds(&stat)),
        (MEMORY, field(&status, "VmRSS:").map(|kib| kib * 1024.0)),
        (OPEN, open_descriptors()),
        (MOST, most_descriptors(&read("self/limits"))),
        (START, start_seconds(&stat, &read("stat"))),
        (THREADS, field(&status, "Threads:")),
    ];
    let mut text = String::new();
    for ((name, kind, help), value) in values {
        if let Some(value) = value {
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
                .expect("writing into a string does not fail");
        }
    }
    text
}

/// The fields of `/proc/self/stat` from the third on: the name before them may hold spaces and brackets.
fn after_the_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace())
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = after_the_name(stat)?.skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// The start of the process counts from that of the machine, which the other file has.
fn start_seconds(stat: &str, machine: &str) -> Option<f64> {
    let since: f64 = after_the_name(stat)?.nth(19)?.parse().ok()?;
    Some(field(machine, "btime")? + since / TICKS)
}

/// The first number of the line that begins with a word.
fn field(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines().map(str::split_ascii_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

fn open_descriptors() -> Option<f64> {
    // The folder that is read is open itself.
    let count = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(count as f64)
}

fn most_descriptors(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_ascii_whitespace().next()?;
    // Without a limit it is the greatest number, as elsewhere.
    if soft == "unlimited" { Some(u64::MAX as f64) } else { soft.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4 10 0 0 0 250 57 0 0 20 0 9 0 12345 1000 200";
        assert_eq!(cpu_seconds(stat), Some(3.07));
        assert_eq!(start_seconds(stat, "cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_123.45));
        assert_eq!(field("Name:\tx\nVmRSS:\t  2048 kB\nThreads:\t5\n", "VmRSS:"), Some(2048.0));
        let limits =
            "Limit   Soft Limit  Hard Limit  Units\nMax open files    1024    4096    files\n";
        assert_eq!(most_descriptors(limits), Some(1024.0));
        let unlimited = most_descriptors("Max open files unlimited unlimited files");
        assert!(unlimited.is_some_and(|most| most > 1e19));
        for broken in ["", "7 (a", "7 (a) S 1 2"] {
            assert_eq!((cpu_seconds(broken), start_seconds(broken, "")), (None, None));
        }
        assert_eq!((field("Threads:\n", "Threads:"), most_descriptors("")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_described() {
        let text = render();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_default().parse::<f64>().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0, "{text}");
        assert!(value("process_open_fds") >= 3.0 && value("process_threads") >= 1.0, "{text}");
        assert!(value("process_max_fds") >= value("process_open_fds"), "{text}");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let age = now.as_secs_f64() - value("process_start_time_seconds");
        assert!((-2.0..86_400.0).contains(&age), "{age}");
        let before = value("process_cpu_seconds_total");
        assert!((0.0..86_400.0).contains(&before), "{text}");
        for name in [CPU, MEMORY, OPEN, MOST, START, THREADS] {
            assert!(text.contains(&format!("# TYPE {} {}\n", name.0, name.1)), "{text}");
        }
    }
}
