//! The report: everything about a run in one structure, as JSON, and for people as Markdown and as a page
//! that needs nothing else.

mod chart;
mod environment;
mod html;
mod markdown;
mod replay;
mod server;
mod verdict;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;

pub use environment::Environment;
pub use replay::ReplayNumbers;
pub use verdict::{Status, Verdict};

use crate::check::Findings;
use crate::measure::{LoginTimes, ProcessUse, Quantiles, Second, TargetSample, Watched};
use crate::plan::{BEFORE_LEAVING, SECOND, nanos};
use crate::profile::Profile;
use crate::run::{Counts, Outcome, WorkerUse};

/// A run and what is to be thought of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Pass, fail or void, and why.
    pub verdict: Verdict,
    /// Where and with what it ran.
    pub environment: Environment,
    /// What was asked for.
    pub profile: Profile,
    /// Of a replay: what was replayed, and how it compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayNumbers>,
    /// Numbers.
    pub counts: Counts,
    /// The account of deliveries.
    pub findings: Findings,
    /// From the intended moment of a send to its arrival at a member.
    pub delivery: Quantiles,
    /// From the intended moment of a send to its answer.
    pub ack: Quantiles,
    /// The first logins, while the rooms filled.
    pub logins: LoginTimes,
    /// From the intended moment of a REST request to its answer.
    pub rest: Option<RestNumbers>,
    /// This tool itself.
    pub generator: GeneratorNumbers,
    /// What went wrong, and how often.
    pub trouble: BTreeMap<String, u64>,
    /// The run by seconds.
    pub seconds: Vec<Second>,
    /// The server by seconds: its processes together.
    pub target: Vec<TargetSample>,
    /// Each process of the server.
    pub processes: Vec<ProcessNumbers>,
}

/// A process of the server.
#[derive(Debug, Serialize)]
pub struct ProcessNumbers {
    /// What it used and did while there was traffic.
    pub used: ProcessUse,
    /// Its name, and itself by seconds.
    #[serde(flatten)]
    pub watched: Watched,
}

/// Requests over REST.
#[derive(Debug, Serialize)]
pub struct RestNumbers {
    /// Answered well.
    pub answered: u64,
    /// Failed.
    pub failed: u64,
    /// Why the first one did.
    pub first_failure: Option<String>,
    /// How long they took.
    pub latency: Quantiles,
}

/// How this tool itself fared.
#[derive(Debug, Serialize)]
pub struct GeneratorNumbers {
    /// From the intended moment of a send to the send.
    pub lag: Quantiles,
    /// Each worker.
    pub workers: Vec<WorkerUse>,
    /// Bytes of this process for each client.
    pub bytes_per_client: Option<u64>,
    /// Seconds until all clients were in their rooms.
    pub fill_seconds: f64,
}

impl Report {
    /// Judges a run and puts its report together.
    #[must_use]
    pub fn new(profile: Profile, environment: Environment, outcome: Outcome) -> Self {
        let until = end_of_traffic(&profile).min(outcome.quiet_second);
        Self {
            verdict: Verdict::of(&profile, &outcome),
            environment,
            profile,
            replay: None,
            counts: outcome.counts,
            findings: outcome.findings,
            delivery: outcome.delivery,
            ack: outcome.ack,
            logins: outcome.logins,
            rest: outcome.rest.map(|rest| RestNumbers {
                answered: rest.answered,
                failed: rest.failed,
                first_failure: rest.first_failure,
                latency: rest.latency.quantiles(),
            }),
            generator: GeneratorNumbers {
                lag: outcome.lag,
                workers: outcome.workers,
                bytes_per_client: outcome.bytes_per_client,
                fill_seconds: outcome.fill_seconds,
            },
            trouble: outcome.trouble,
            seconds: outcome.seconds,
            target: outcome.target,
            processes: outcome
                .processes
                .into_iter()
                .map(|watched| ProcessNumbers { used: watched.used(until), watched })
                .collect(),
        }
    }

    /// The same of a replay. Sequences that should be the same and are not fail it.
    #[must_use]
    pub fn of_replay(
        profile: Profile,
        environment: Environment,
        outcome: Outcome,
        numbers: ReplayNumbers,
    ) -> Self {
        let mut report = Self::new(profile, environment, outcome);
        report.verdict = report.verdict.with_broken(numbers.sequence.violations());
        report.replay = Some(numbers);
        report
    }

    /// Writes `report.json`, `report.md` and `report.html` into a folder, which is made.
    ///
    /// # Errors
    /// What the system says of the files.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        std::fs::write(folder.join("report.json"), json)?;
        std::fs::write(folder.join("report.md"), self.markdown())?;
        std::fs::write(folder.join("report.html"), self.html())
    }

    /// The report as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// The report as one page with everything in it.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self)
    }
}

/// The second from which on what processes use is no more that of messages: all leave.
fn end_of_traffic(profile: &Profile) -> i64 {
    let phases = &profile.phases;
    if phases.leave_seconds == 0.0 {
        return i64::MAX;
    }
    let ends = nanos(phases.warmup_seconds + phases.measure_seconds);
    i64::try_from((ends + BEFORE_LEAVING) / SECOND).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
