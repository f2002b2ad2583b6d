//! Where and with what a run ran, so that two reports can be compared.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// The circumstances of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Environment {
    /// Version of this tool.
    pub tool_version: String,
    /// Whether it was built with optimisation.
    pub optimised: bool,
    /// Revision of the source tree it was started in.
    pub git: Option<String>,
    /// When, in UTC.
    pub began: String,
    /// The server's address.
    pub target: String,
    /// The operating system.
    pub system: String,
    /// The processor.
    pub processor: Option<String>,
    /// Its cores.
    pub cores: usize,
    /// Memory of the machine, bytes.
    pub memory_bytes: Option<u64>,
    /// Load of the machine in the last minute when the run began.
    pub load: Option<String>,
    /// Threads of this tool that hold clients.
    pub workers: u32,
}

impl Environment {
    /// Looks around. Call it before the run.
    #[must_use]
    pub fn look(target: &str, workers: u32, now_unix_s: i64) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kib = field(&read("/proc/meminfo"), "MemTotal");
        let kib = kib.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let load = read("/proc/loadavg");
        let release = read("/proc/sys/kernel/osrelease");
        Self {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            optimised: !cfg!(debug_assertions),
            git: revision(),
            began: utc(now_unix_s),
            target: target.to_owned(),
            system: format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned(),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: kib.map(|kib| kib * 1024),
            load: load.split(' ').next().filter(|text| !text.is_empty()).map(ToOwned::to_owned),
            workers,
        }
    }
}

fn revision() -> Option<String> {
    let git =
        Command::new("git").args(["describe", "--always", "--dirty", "--tags"]).output().ok()?;
    let text = String::from_utf8(git.stdout).ok()?;
    (git.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// A moment as `2026-11-21 17:05:09`; Gregorian days from a count of days (Howard Hinnant's algorithm).
fn utc(unix_s: i64) -> String {
    let (days, second) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_utc() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(utc(1_795_165_947), "2026-11-20 09:12:27");
    }
}
