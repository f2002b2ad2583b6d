//! What is to be thought of a run.

use serde::Serialize;

use crate::profile::Profile;
use crate::run::Outcome;

/// The verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything held.
    Pass,
    /// A threshold was missed, or a promise broken.
    Fail,
    /// This tool was too slow: the numbers say nothing of the server.
    Void,
}

impl Status {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Void => "void",
        }
    }

    /// The exit code of the tool.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Void => 2,
        }
    }
}

/// The verdict and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In a word.
    pub status: Status,
    /// Why it is not a pass.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Judges a run. What arrived wrongly fails it even where the tool was slow: that is no excuse for the
    /// server.
    #[must_use]
    pub fn of(profile: &Profile, outcome: &Outcome) -> Self {
        let broken = broken_promises(outcome);
        if !broken.is_empty() {
            return Self { status: Status::Fail, reasons: broken };
        }
        let slow = slow_generator(profile, outcome);
        if !slow.is_empty() {
            return Self { status: Status::Void, reasons: slow };
        }
        let missed = missed_thresholds(profile, outcome);
        let status = if missed.is_empty() { Status::Pass } else { Status::Fail };
        Self { status, reasons: missed }
    }

    /// The same, with more promises that were broken.
    #[must_use]
    pub fn with_broken(self, mut reasons: Vec<String>) -> Self {
        if reasons.is_empty() {
            return self;
        }
        reasons.extend(self.reasons);
        Self { status: Status::Fail, reasons }
    }
}

fn broken_promises(outcome: &Outcome) -> Vec<String> {
    let found = outcome.findings.violations();
    let mut reasons: Vec<String> = found
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what}: {count}"))
        .collect();
    if outcome.findings.lost > 0 && outcome.cut_off {
        let why = "drain_seconds were over before all was quiet: what is called lost may be late";
        reasons.push(why.to_owned());
    }
    let violations = outcome.target.iter().filter_map(|sample| sample.invariant_violations);
    let (first, last) =
        violations.fold((None, 0.0_f64), |(first, last), now| (first.or(Some(now)), last.max(now)));
    // A counter that is not there yet is 0; one that was there before the run is not this run's.
    let before = if outcome.target.first().is_some_and(|it| it.invariant_violations.is_none()) {
        0.0
    } else {
        first.unwrap_or(0.0)
    };
    if last > before {
        reasons.push(format!("the server counted {} broken invariants", last - before));
    }
    reasons
}

fn slow_generator(profile: &Profile, outcome: &Outcome) -> Vec<String> {
    let mut reasons = Vec::new();
    let most = profile.generator.lag_p99_ms;
    let lag = outcome.lag.p99_ms;
    if lag > most {
        reasons.push(format!("this tool sent late: lag p99 {lag:.1} ms, above {most} ms"));
    }
    for (number, worker) in outcome.workers.iter().enumerate() {
        let (share, most) = (worker.cpu_share, profile.generator.cpu_share);
        if share > most {
            let text = format!("worker {number} used {share:.2} of its core, above {most}");
            reasons.push(text);
        }
    }
    reasons
}

fn missed_thresholds(profile: &Profile, outcome: &Outcome) -> Vec<String> {
    let mut reasons = Vec::new();
    let (wanted, counts) = (&profile.thresholds, &outcome.counts);
    let mut most = |what: &str, found: f64, most: Option<f64>, unit: &str| {
        if let Some(most) = most
            && found > most
        {
            reasons.push(format!("{what}: {found:.3}{unit}, above {most}{unit}"));
        }
    };
    most("delivery p50", outcome.delivery.p50_ms, wanted.delivery_p50_ms, " ms");
    most("delivery p99", outcome.delivery.p99_ms, wanted.delivery_p99_ms, " ms");
    most("ack p99", outcome.ack.p99_ms, wanted.ack_p99_ms, " ms");
    let dropped = counts.dropped as f64 / counts.acknowledged.max(1) as f64;
    most("part dropped by the rate limit", dropped, wanted.dropped_share, "");
    most("failed sends", counts.failed as f64, Some(wanted.failed_sends as f64), "");
    most("lost clients", counts.lost_clients as f64, Some(wanted.lost_clients as f64), "");
    most("failed requests after logins", outcome.logins.failed as f64, Some(0.0), "");
    most("login p99", outcome.logins.answered.p99_ms, wanted.login_p99_ms, " ms");
    if profile.phases.leave_seconds > 0.0 {
        let stayed = u64::from(profile.clients()).saturating_sub(counts.left);
        most("members that could not leave", stayed as f64, Some(wanted.lost_clients as f64), "");
    }
    if let Some(rest) = &outcome.rest {
        most("REST p99", rest.latency.quantile_ms(0.99), wanted.rest_p99_ms, " ms");
        most("failed requests", rest.failed as f64, Some(wanted.failed_requests as f64), "");
        if rest.answered + rest.failed == 0 {
            reasons.push("no request over REST was made".to_owned());
        }
    }
    if counts.planned > 0 && outcome.findings.delivered == 0 {
        reasons.push("nothing was delivered at all".to_owned());
    }
    reasons
}
