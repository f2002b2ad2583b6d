//! The report as one page: style, charts and numbers in it, nothing loaded from anywhere.

use std::fmt::Write as _;

use super::Report;
use super::chart::{Line, chart};
use super::markdown::{latencies, tables};
use crate::measure::{Quantiles, Second, TargetSample};

const STYLE: &str = "
:root { color-scheme: light dark; --c0: #2563eb; --c1: #d97706; --c2: #16a34a; --c3: #dc2626 }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 760px; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
table.numbers td + td, table.numbers th + th { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0 } figcaption { font-weight: 600 } figcaption span { font-weight: 400; margin-left: .8rem }
svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor; opacity: .7 }
.grid { stroke: currentColor; opacity: .15 } polyline { fill: none; stroke-width: 1.6 }
.l0 { stroke: var(--c0) } .l1 { stroke: var(--c1) } .l2 { stroke: var(--c2) } .l3 { stroke: var(--c3) }
span.l0 { color: var(--c0) } span.l1 { color: var(--c1) } span.l2 { color: var(--c2) } span.l3 { color: var(--c3) }
.pass { color: #16a34a } .fail { color: #dc2626 } .void { color: #d97706 }
";

pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    write_page(report, &mut out).expect("writing into a string does not fail");
    out
}

fn write_page(report: &Report, out: &mut String) -> std::fmt::Result {
    let (name, status) = (escape(&report.profile.name), report.verdict.status.word());
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{name}: {status}</title><style>{STYLE}</style>\n\
         <h1>{name}: <span class=\"{status}\">{status}</span></h1>\n<p>{}</p>\n",
        escape(&report.profile.about)
    )?;
    list(out, &report.verdict.reasons)?;
    for figure in charts(report) {
        out.push_str(&figure);
    }
    out.push_str(
        "<h2>Latency, ms</h2><table class=\"numbers\"><tr><th><th>count<th>p50<th>p90<th>p99<th>p99.9<th>max",
    );
    for (name, quantiles) in latencies(report) {
        let Quantiles { count, p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = quantiles;
        write!(
            out,
            "<tr><td>{name}<td>{count}<td>{p50_ms:.1}<td>{p90_ms:.1}<td>{p99_ms:.1}<td>{p999_ms:.1}<td>{max_ms:.1}"
        )?;
    }
    out.push_str("</table>\n");
    if !report.findings.examples.is_empty() {
        out.push_str("<h2>Violations</h2>");
        list(out, &report.findings.examples)?;
    }
    for (title, rows) in tables(report) {
        write!(out, "<h2>{title}</h2><table>")?;
        for (name, value) in rows {
            write!(out, "<tr><td>{}<td>{}", escape(&name), escape(&value))?;
        }
        out.push_str("</table>\n");
    }
    out.push_str("</html>\n");
    Ok(())
}

fn list(out: &mut String, lines: &[String]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    out.push_str("<ul>");
    for line in lines {
        write!(out, "<li>{}", escape(line))?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

fn charts(report: &Report) -> Vec<String> {
    let line = |name, value: fn(&Second) -> f64| Line {
        name,
        points: report.seconds.iter().map(|it| (it.second as f64, value(it))).collect(),
    };
    let server = |name, value: fn(&TargetSample) -> Option<f64>| Line {
        name,
        points: report
            .target
            .iter()
            .filter_map(|it| Some((it.second as f64, value(it)?)))
            .collect(),
    };
    let per_second = |line: Line| Line {
        name: line.name,
        points: line
            .points
            .windows(2)
            .filter(|pair| pair[1].0 > pair[0].0)
            .map(|pair| (pair[1].0, (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0)))
            .collect(),
    };
    vec![
        chart(
            "Messages a second",
            &[
                line("sent", |it| it.sent as f64),
                line("acknowledged", |it| it.acknowledged as f64),
                line("dropped", |it| it.dropped as f64),
                line("failed", |it| it.failed as f64),
            ],
        ),
        chart("Deliveries a second", &[line("delivered", |it| it.delivered as f64)]),
        chart(
            "Latency from the intended send, ms",
            &[
                line("delivery p50", |it| it.delivery_p50_ms),
                line("delivery p99", |it| it.delivery_p99_ms),
                line("answer p99", |it| it.ack_p99_ms),
            ],
        ),
        chart(
            "Members",
            &[
                line("in their rooms", |it| it.present as f64),
                line("lines that broke", |it| it.broken as f64),
            ],
        ),
        chart(
            "Cores used",
            &[
                line("busiest worker of this tool", |it| it.worker_cpu),
                per_second(server("server", |it| it.cpu_seconds)),
            ],
        ),
        chart(
            "Memory of the server, MiB",
            &[server("resident", |it| it.memory_bytes.map(|it| it / f64::from(1 << 20)))],
        ),
        chart(
            "What the server dropped so far",
            &[
                server("by the rate limit", |it| it.messages_dropped),
                server("deliveries, to slow connections", |it| it.deliveries_dropped),
            ],
        ),
    ]
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
