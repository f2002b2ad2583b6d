//! The report as Markdown: for pull requests and terminals.

use std::fmt::Write as _;

use super::Report;
use super::server::{processes, server};
use crate::measure::{LoginTimes, Quantiles, TargetSample};

pub(super) fn markdown(report: &Report) -> String {
    let mut out = String::new();
    write_all(report, &mut out).expect("writing into a string does not fail");
    out
}

fn write_all(report: &Report, out: &mut String) -> std::fmt::Result {
    let Report { verdict, profile, .. } = report;
    writeln!(out, "# {}: {}\n", profile.name, verdict.status.word())?;
    for reason in &verdict.reasons {
        writeln!(out, "- {reason}")?;
    }
    if !verdict.reasons.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}\n", profile.about)?;
    for (title, rows) in tables(report) {
        writeln!(out, "## {title}\n\n| | |\n|---|---|")?;
        for (name, value) in rows {
            writeln!(out, "| {name} | {} |", value.replace('|', "\\|"))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "## Latency, ms\n")?;
    writeln!(out, "| | count | p50 | p90 | p99 | p99.9 | max |\n|---|---|---|---|---|---|---|")?;
    for (name, quantiles) in latencies(report) {
        let Quantiles { count, p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = quantiles;
        writeln!(
            out,
            "| {name} | {count} | {p50_ms:.1} | {p90_ms:.1} | {p99_ms:.1} | {p999_ms:.1} | {max_ms:.1} |"
        )?;
    }
    if !report.findings.examples.is_empty() {
        writeln!(out, "\n## Violations\n")?;
        for example in &report.findings.examples {
            writeln!(out, "- {example}")?;
        }
    }
    Ok(())
}

/// The latencies that were measured, with what they are of.
pub(super) fn latencies(report: &Report) -> Vec<(&'static str, Quantiles)> {
    let mut all = vec![
        ("intended send to arrival at a member", report.delivery),
        ("intended send to answer", report.ack),
        ("lag of this tool", report.generator.lag),
    ];
    if profile_asks(report) {
        all.push(("intended dial to answer of the login", report.logins.answered));
        all.push(("intended dial to the last answer of the SDK's burst", report.logins.settled));
    }
    if let Some(rest) = &report.rest {
        all.push(("intended REST request to answer", rest.latency));
    }
    all
}

/// Whether logins are what the run is about.
fn profile_asks(report: &Report) -> bool {
    report.profile.login.sdk_burst || report.profile.login.clients > 0
}

/// A title and pairs of a name and a value.
pub(super) type Table = (&'static str, Vec<(String, String)>);

/// Everything that is pairs of a name and a value.
pub(super) fn tables(report: &Report) -> Vec<Table> {
    let row = |name: &str, value: String| (name.to_owned(), value);
    let Report { counts, findings, profile, environment, generator, .. } = report;
    let rooms = &profile.rooms;
    let mut load = vec![
        row("measured seconds", profile.phases.measure_seconds.to_string()),
        row("messages planned, sent", format!("{}, {}", counts.planned, counts.sent)),
        row("acknowledged", counts.acknowledged.to_string()),
        row("of them dropped by the rate limit", {
            let part = |(priority, (sent, dropped)): (&&str, &(u64, u64))| {
                format!("{priority} {dropped} of {sent}")
            };
            let parts: Vec<String> = counts.priorities.iter().map(part).collect();
            format!("{} ({})", counts.dropped, parts.join(", "))
        }),
        row("failed", counts.failed.to_string()),
        row("lines that broke, logins that followed", {
            format!("{}, {}", counts.broken_lines, counts.returned)
        }),
        row("clients lost for good", counts.lost_clients.to_string()),
        row("rooms left, as the server answered", counts.left.to_string()),
    ];
    if report.replay.is_none() {
        let kind = rooms.kind.wire();
        let all = format!("{} × {} members ({kind})", rooms.count, rooms.members);
        let rate = profile.traffic.messages_per_second.to_string();
        load.splice(0..0, [row("rooms", all), row("messages a second in each room", rate)]);
    }
    if profile_asks(report) {
        let LoginTimes { answered, seconds, failed, .. } = &report.logins;
        let all = format!("{} in {seconds:.2} s", answered.count);
        load.push(row("logins, with all that was asked for then", all));
        load.push(row("logins a second", format!("{:.0}", report.logins.per_second())));
        load.push(row("requests after a login that failed", failed.to_string()));
        if let Some(each) = processor_of_a_login(report) {
            load.push(row("the server's processor time for each login, µs", format!("{each:.0}")));
        }
    }
    if let Some(rest) = &report.rest {
        load.push(row(
            "REST requests answered, failed",
            format!("{}, {}", rest.answered, rest.failed),
        ));
        load.extend(rest.first_failure.iter().map(|why| row("first REST failure", why.clone())));
    }
    let mut account = vec![
        row("deliveries owed", findings.owed.to_string()),
        row("deliveries", findings.delivered.to_string()),
    ];
    account.extend(findings.violations().map(|(name, count)| row(name, count.to_string())));
    account
        .push(row("heard again after a new line (no violation)", findings.heard_again.to_string()));
    account.push(row("not acknowledged, reached some (no violation)", findings.uneven.to_string()));

    let mut tool =
        vec![row("seconds until the rooms were full", format!("{:.1}", generator.fill_seconds))];
    for (number, worker) in generator.workers.iter().enumerate() {
        let text = format!("{:.2}, {:.2}", worker.cpu_share, worker.waiting_share);
        tool.push(row(&format!("worker {number}: part of a core used, waited for"), text));
    }
    if let Some(bytes) = generator.bytes_per_client {
        tool.push(row("memory of this tool for each client, bytes", bytes.to_string()));
    }
    let mut tables = vec![("Load", load), ("Account", account), ("This tool", tool)];
    if let Some(numbers) = &report.replay {
        tables.splice(0..0, super::replay::tables(numbers));
    }
    let server = server(report);
    if !server.is_empty() {
        tables.push(("Server", server));
    }
    // One alone is all there is of the server.
    if report.processes.len() > 1 {
        tables.push(("Processes of the server", processes(report)));
    }
    if !report.trouble.is_empty() {
        let trouble = report.trouble.iter().map(|(what, count)| row(what, count.to_string()));
        tables.push(("Trouble", trouble.collect()));
    }
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let built = if environment.optimised { "with optimisation" } else { "without optimisation" };
    let memory = environment.memory_bytes.unwrap_or(0) >> 20;
    tables.push((
        "Environment",
        vec![
            row("began (UTC)", environment.began.clone()),
            row("tool", format!("throng-load {}, {built}", environment.tool_version)),
            row("git", known(&environment.git)),
            row("target", environment.target.clone()),
            row("system", environment.system.clone()),
            row(
                "processor",
                format!("{}, {} cores", known(&environment.processor), environment.cores),
            ),
            row("memory, MiB", memory.to_string()),
            row("load before", known(&environment.load)),
            row("seed", profile.seed.to_string()),
        ],
    ));
    tables
}

/// Processor time of the server from the first look at it until logins were over, for each. The second
/// after the fill belongs to it: the last requests of the SDK come on its clock's tick.
fn processor_of_a_login(report: &Report) -> Option<f64> {
    let used = |sample: &TargetSample| Some((sample.second, sample.cpu_seconds?));
    let mut samples = report.target.iter().filter_map(used);
    let (_, before) = samples.next()?;
    let (_, after) = samples.find(|(second, _)| *second >= 1)?;
    Some((after - before) * 1e6 / report.logins.answered.count.max(1) as f64)
}
