//! The whole tool against a server that makes one mistake on purpose: it is found as what it is, and what
//! is no mistake is not found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod replay;
mod server;

use server::{Mistake, start};
use throng_load::check::Findings;
use throng_load::client::address::Gateway;
use throng_load::profile::Profile;
use throng_load::report::{Environment, Report, Status, Verdict};
use throng_load::run::{Outcome, Settings, run};
use throng_protocol::AppId;

fn outcome(mistake: Mistake, kind: &str, workers: u32) -> (Outcome, Profile) {
    let profile = format!(
        "version = 1\nname = 'x'\n[rooms]\nkind = '{kind}'\ncount = 1\nmembers = 5\n\
         [phases]\nconnects_per_second = 100\nwarmup_seconds = 0.2\nmeasure_seconds = 1\ndrain_seconds = 4\n\
         [traffic]\nmessages_per_second = 20\nsenders = 2\n[generator]\nlag_p99_ms = 60000\n"
    );
    let profile = Profile::parse(&profile).unwrap();
    let target = start(mistake);
    let settings = Settings {
        profile: profile.clone(),
        plan: None,
        gateways: vec![Gateway { address: target, host: target.to_string() }],
        app: AppId(7),
        key: "key".to_owned(),
        admin: "administrator".to_owned(),
        sources: Vec::new(),
        workers,
        processes: 1,
        watched: Vec::new(),
        keep_rooms: false,
        salt: 5,
    };
    (run(&settings, &mut |_| {}).unwrap(), profile)
}

/// The findings of a run with a mistake, which is judged as `status`.
fn findings(mistake: Mistake, status: Status) -> Findings {
    let (outcome, profile) = outcome(mistake, "AVChatRoom", 2);
    let verdict = Verdict::of(&profile, &outcome);
    assert_eq!(verdict.status, status, "{mistake:?}: {verdict:?}");
    outcome.findings
}

fn only(findings: &Findings, kind: &str) {
    for (name, count) in findings.violations() {
        assert_eq!(count, u64::from(name == kind), "{name}: {findings:?}");
    }
}

#[test]
fn a_faithful_server_passes() {
    for kind in ["AVChatRoom", "Public"] {
        let (outcome, profile) = outcome(Mistake::None, kind, 2);
        only(&outcome.findings, "");
        assert_eq!(outcome.counts.sent, outcome.counts.planned);
        assert_eq!(outcome.counts.acknowledged, outcome.counts.planned);
        assert_eq!(outcome.findings.owed, 5 * outcome.counts.planned);
        assert_eq!(outcome.findings.delivered, outcome.findings.owed);
        let report = Report::new(profile, Environment::default(), outcome);
        assert_eq!(report.verdict.status, Status::Pass, "{:?}", report.verdict);
        assert!(report.delivery.count > 0 && report.delivery.p50_ms < 10_000.0);
    }
}

#[test]
fn a_lost_delivery() {
    only(&findings(Mistake::Lose, Status::Fail), "lost");
}

#[test]
fn a_double_delivery() {
    only(&findings(Mistake::Double, Status::Fail), "doubled");
}

#[test]
fn two_deliveries_in_the_wrong_order() {
    only(&findings(Mistake::Swap, Status::Fail), "reordered");
}

#[test]
fn a_skipped_number_matters_to_durable_groups_alone() {
    only(&findings(Mistake::Skip, Status::Pass), "");
    only(&outcome(Mistake::Skip, "Public", 1).0.findings, "holes");
}

#[test]
fn dropped_messages() {
    let findings_of = findings(Mistake::Drop, Status::Pass);
    only(&findings_of, "");
    assert_eq!(findings_of.owed % 5, 0);
    only(&findings(Mistake::DropAndDeliver, Status::Fail), "dropped but seen");
}

#[test]
fn a_refused_message_fails_the_threshold() {
    only(&findings(Mistake::Refuse, Status::Fail), "");
}

#[test]
fn a_member_that_comes_back_hears_again() {
    let findings = findings(Mistake::Cut, Status::Pass);
    only(&findings, "");
    assert_eq!(findings.heard_again, 1);
    assert_eq!(findings.delivered, findings.owed);
}

#[test]
fn what_was_not_answered_is_sent_again() {
    let (outcome, profile) = outcome(Mistake::CutAll, "AVChatRoom", 2);
    only(&outcome.findings, "");
    assert_eq!((outcome.counts.returned, outcome.counts.broken_lines), (5, 5));
    assert_eq!(outcome.counts.acknowledged, outcome.counts.planned);
    assert_eq!(Verdict::of(&profile, &outcome).status, Status::Pass);
}

fn url(mistake: Mistake) -> String {
    format!("ws://{}", start(mistake))
}

/// The program itself, with its clients in two processes: its exit status and its report.
fn program(target: &str, flags: &[&str]) -> (Option<i32>, Option<serde_json::Value>) {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("x.toml");
    std::fs::write(
        &profile,
        "version = 1\nname = 'x'\n[rooms]\ncount = 1\nmembers = 5\n\
         [phases]\nwarmup_seconds = 0.2\nmeasure_seconds = 1\ndrain_seconds = 4\n\
         leave_seconds = 0.5\n[traffic]\nmessages_per_second = 20\nsenders = 2\n[generator]\n\
         lag_p99_ms = 60000\n",
    )
    .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_throng-load"))
        .arg("run")
        .arg(&profile)
        .args(["--target", target, "--app", "7:key"])
        .args(["--processes", "2", "--workers", "1", "--out"])
        .arg(folder.path())
        .args(flags)
        .output()
        .unwrap();
    let report = std::fs::read(folder.path().join("report.json")).ok();
    let report = report.map(|text| serde_json::from_slice(&text).unwrap());
    println!("{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), report)
}

#[test]
fn the_program_passes_and_fails_by_its_exit_status() {
    let (code, report) = program(&url(Mistake::None), &[]);
    let report = report.unwrap();
    assert_eq!((code, &report["verdict"]["status"]), (Some(0), &"pass".into()), "{report:#}");
    assert_eq!(report["findings"]["delivered"], report["findings"]["owed"]);
    assert_eq!(report["generator"]["workers"].as_array().unwrap().len(), 2);
    assert_eq!(report["counts"]["left"], 5);

    let (code, report) = program(&url(Mistake::Lose), &[]);
    assert_eq!((code, &report.unwrap()["findings"]["lost"]), (Some(1), &1.into()));
}

#[test]
fn clients_and_rest_go_to_another_gateway_where_one_is_missing() {
    let (here, pid) = (url(Mistake::None), std::process::id().to_string());
    let (code, report) =
        program("ws://127.0.0.1:1", &["--target", &here, "--pid", &pid, "--pid", &pid]);
    let report = report.unwrap();
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["findings"]["delivered"], report["findings"]["owed"]);
    assert_eq!(report["counts"]["lost_clients"], 0);
    let trouble = report["trouble"].as_object().unwrap();
    let refused: u64 = trouble.values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(
        refused, 6,
        "three of five clients have to move, after two failures each: {trouble:?}"
    );

    let processes = report["processes"].as_array().unwrap();
    let seconds = |of: &serde_json::Value| of["cpu_seconds"].as_f64().unwrap();
    assert_eq!(processes.len(), 2);
    let last = |samples: &serde_json::Value| seconds(samples.as_array().unwrap().last().unwrap());
    let all: f64 = processes.iter().map(|one| last(&one["samples"])).sum();
    assert!((last(&report["target"]) - all).abs() < 1e-6, "{report:#}");
    assert!(processes[0]["used"]["cpu_seconds"].is_number(), "{:#}", processes[0]);
}

#[test]
fn wrong_usage_and_servers_that_are_not_there() {
    let nobody = "ws://127.0.0.1:1";
    assert_eq!(program(nobody, &["--speed", "7"]).0, Some(64));
    assert_eq!(program(nobody, &["--members", "0"]).0, Some(64));
    assert_eq!(program("wss://127.0.0.1:1", &[]).0, Some(64));
    assert_eq!(program(nobody, &[]).0, Some(70));
}
