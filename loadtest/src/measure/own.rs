//! What this process and its threads used, as Linux tells; elsewhere nothing is known.

use std::fs;

use serde::{Deserialize, Serialize};

/// Processor time of a thread, nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Time on a processor.
    pub running: u64,
    /// Time ready and waiting for one.
    pub waiting: u64,
}

/// What the calling thread used so far.
#[must_use]
pub fn thread_used() -> Option<Used> {
    parse_schedstat(&fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

fn parse_schedstat(text: &str) -> Option<Used> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    let (Some(Ok(running)), Some(Ok(waiting))) = (numbers.next(), numbers.next()) else {
        return None;
    };
    Some(Used { running, waiting })
}

/// Resident memory of a process (`None`: this one), bytes.
#[must_use]
pub fn process_memory(pid: Option<u32>) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", name(pid))).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Processor time of a process with all its threads so far, seconds; ticks of 10 ms.
#[must_use]
pub fn process_cpu(pid: u32) -> Option<f64> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<f64> {
    // The name may hold spaces and brackets; user and system time are the 12th and 13th after it.
    let (_, after) = text.rsplit_once(')')?;
    let mut fields = after.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

/// Raises the soft limit of open descriptors to the hard one, and tells how many this process may have now.
/// Processes that it starts may have as many. Nothing: there is no limit, or it is not known.
#[must_use]
pub fn raise_descriptors() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // Where the system refuses, what is allowed already may be enough.
        let _ = setrlimit(Resource::Nofile, raised);
        getrlimit(Resource::Nofile).current
    }
    #[cfg(not(unix))]
    None
}

fn name(pid: Option<u32>) -> String {
    pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says() {
        assert_eq!(parse_schedstat("15 7 3\n"), Some(Used { running: 15, waiting: 7 }));
        let stat = "7 (a) b) S 1 7 7 0 -1 4 10 0 0 0 250 50 0 0 20 0 1 0 5";
        assert_eq!(parse_stat(stat), Some(3.0));
        if cfg!(target_os = "linux") {
            assert!(process_memory(None).unwrap() > 100_000);
            assert!(process_cpu(std::process::id()).is_some());
            assert!(thread_used().is_some());
            assert!(raise_descriptors().is_none_or(|allowed| allowed > 3));
        }
    }
}
