//! Verdicts, and that reports can be written of any of them.

use std::collections::BTreeMap;

use super::*;
use crate::measure::Latency;
use crate::run::RestOutcome;

fn profile(extra: &str) -> Profile {
    let text = format!(
        "version = 1\nname = 'x'\nabout = 'a <b> c'\n[rooms]\ncount = 1\nmembers = 3\n\
         [traffic]\nmessages_per_second = 5\n{extra}"
    );
    Profile::parse(&text).unwrap()
}

fn outcome() -> Outcome {
    Outcome {
        began_unix_s: 0,
        findings: Findings { owed: 3, delivered: 3, ..Findings::default() },
        fates: Vec::new(),
        counts: Counts { planned: 1, sent: 1, acknowledged: 1, ..Counts::default() },
        delivery: Quantiles { count: 3, p99_ms: 20.0, ..Quantiles::default() },
        ack: Quantiles::default(),
        lag: Quantiles::default(),
        logins: LoginTimes::default(),
        cut_off: false,
        workers: vec![WorkerUse::default()],
        bytes_per_client: Some(1000),
        fill_seconds: 1.0,
        seconds: (0..5).map(|second| Second { second, ..Second::default() }).collect(),
        target: Vec::new(),
        processes: Vec::new(),
        quiet_second: 5,
        trouble: BTreeMap::new(),
        rest: None,
    }
}

fn status(profile: &Profile, outcome: &Outcome) -> (Status, String) {
    let verdict = Verdict::of(profile, outcome);
    (verdict.status, verdict.reasons.join("; "))
}

#[test]
fn everything_held() {
    assert_eq!(status(&profile(""), &outcome()), (Status::Pass, String::new()));
}

#[test]
fn thresholds_fail_a_run() {
    let (found, why) = status(&profile("[thresholds]\ndelivery_p99_ms = 10\n"), &outcome());
    assert_eq!(found, Status::Fail);
    assert!(why.contains("delivery p99"), "{why}");
    let mut failing = outcome();
    failing.counts.failed = 1;
    assert_eq!(status(&profile(""), &failing).0, Status::Fail);
    let mut silent = outcome();
    silent.findings.delivered = 0;
    assert_eq!(status(&profile(""), &silent).0, Status::Fail);
    let mut idle = outcome();
    idle.rest = Some(RestOutcome { latency: Latency::default(), ..RestOutcome::default() });
    assert_eq!(status(&profile(""), &idle).0, Status::Fail);
}

#[test]
fn a_slow_tool_voids_a_run_but_hides_no_broken_promise() {
    let mut late = outcome();
    late.lag.p99_ms = 1_000.0;
    let strict = profile("[thresholds]\ndelivery_p99_ms = 10\n");
    assert_eq!(status(&strict, &late).0, Status::Void);
    let mut busy = outcome();
    busy.workers[0].cpu_share = 0.95;
    assert_eq!(status(&strict, &busy).0, Status::Void);
    late.findings.lost = 1;
    assert_eq!(status(&strict, &late), (Status::Fail, "lost: 1".to_owned()));
    late.cut_off = true;
    assert!(status(&strict, &late).1.contains("may be late"));
}

#[test]
fn broken_invariants_of_the_server_fail_a_run() {
    let sample = |count| TargetSample { invariant_violations: count, ..TargetSample::default() };
    let with = |samples: &[Option<f64>]| {
        let mut outcome = outcome();
        outcome.target = samples.iter().copied().map(sample).collect();
        status(&profile(""), &outcome).0
    };
    assert_eq!(with(&[Some(2.0), Some(2.0)]), Status::Pass, "from before the run");
    assert_eq!(with(&[Some(2.0), Some(3.0)]), Status::Fail);
    assert_eq!(with(&[None, Some(1.0)]), Status::Fail);
}

#[test]
fn reports_are_written() {
    let mut outcome = outcome();
    outcome.findings.lost = 1;
    outcome.findings.examples.push("room 0: <lost>".to_owned());
    let report = Report::new(profile(""), Environment::default(), outcome);
    let folder = tempfile::tempdir().unwrap();
    report.write(folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(json["verdict"]["status"], "fail");
    assert_eq!(json["findings"]["lost"], 1);
    assert!(read("report.md").contains("| lost | 1 |"));
    let html = read("report.html");
    assert!(html.contains("<polyline") && html.contains("&lt;lost&gt;"));
    assert!(!html.contains("http"), "nothing is loaded from anywhere");
}
