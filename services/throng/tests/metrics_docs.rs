//! `docs/metrics.md` names every metric of the source, with its type and labels, and no other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const MACROS: [(&str, &str); 3] =
    [("counter!(", "counter"), ("gauge!(", "gauge"), ("histogram!(", "histogram")];
/// What Prometheus makes of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// Who measures: the words after `throng_`.
const AREAS: [&str; 10] = [
    "gateway",
    "group_router",
    "history",
    "presence",
    "rpc",
    "bus",
    "store",
    "placement",
    "build",
    "invariant",
];
/// Labels that would be about somebody, and those that collectors in Kubernetes add themselves.
const NO_LABELS: [&str; 11] = [
    "app",
    "user",
    "group",
    "group_id",
    "session",
    "service",
    "namespace",
    "pod",
    "node",
    "instance",
    "job",
];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

type Metrics = BTreeMap<String, Metric>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands between the first quotes of a text, and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.split_once('"')?.1.split_once('"')
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The files of the crates themselves: no tests, benches or examples.
fn sources(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["tests", "benches", "examples", "target"].contains(&name) {
                sources(&path, files);
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

/// The arguments of a macro, up to the bracket that ends them.
fn arguments(text: &str) -> &str {
    let (mut depth, mut in_quotes) = (0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes && depth == 0 => return &text[..at],
            ')' if !in_quotes => depth -= 1,
            _ => {}
        }
    }
    panic!("a macro without an end: {text}");
}

/// The name of a metric: a text, or a constant of the same file that is one.
fn name_of(first: &str, code: &str) -> Option<String> {
    let first = first.trim();
    if first.starts_with('"') {
        return Some(quoted(first)?.0.to_owned());
    }
    let (_, rest) = code.split_once(&format!("const {first}: &str ="))?;
    Some(quoted(rest)?.0.to_owned())
}

/// The metrics that a file makes.
fn metrics_of(text: &str) -> Vec<(String, Metric)> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for (start, kind) in MACROS {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(is_word) {
                continue; // `describe_counter!`
            }
            let arguments = arguments(&code[at + start.len()..]);
            let (first, rest) = arguments.split_once(',').unwrap_or((arguments, ""));
            let name = name_of(first, &code);
            let name =
                name.unwrap_or_else(|| panic!("{first} is no text and no constant of its file"));
            let labels = rest
                .match_indices("=>")
                .filter_map(|(at, _)| rest[..at].trim_end().strip_suffix('"')?.rsplit('"').next())
                .map(str::to_owned)
                .collect();
            found.push((name, Metric { kind: kind.to_owned(), labels }));
        }
    }
    found
}

fn of_the_source() -> Metrics {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("services"), &mut files);
    let mut metrics = Metrics::new();
    for file in files {
        for (name, metric) in metrics_of(&fs::read_to_string(&file).unwrap()) {
            let known = metrics.entry(name.clone()).or_insert_with(|| metric.clone());
            assert_eq!(*known, metric, "{name} is not the same everywhere: {}", file.display());
        }
    }
    metrics
}

/// The rows of tables that begin with a metric: its name, its type, its labels (`` `label` = values ``).
fn of_the_page(page: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for row in page.lines().filter(|line| line.starts_with("| `throng_")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[name, kind, labels, text] = &cells[..] else { panic!("not four cells: {row}") };
        assert!(text.ends_with('.'), "not a sentence: {row}");
        let labels = labels
            .match_indices("` =")
            .filter_map(|(at, _)| labels[..at].rsplit('`').next())
            .map(str::to_owned)
            .collect();
        let metric = Metric { kind: kind.to_owned(), labels };
        let name = name.trim_matches('`').to_owned();
        assert!(metrics.insert(name.clone(), metric).is_none(), "{name} has two rows");
    }
    metrics
}

fn page() -> String {
    fs::read_to_string(root().join("docs/metrics.md")).unwrap()
}

#[test]
fn the_page_has_every_metric_and_no_other() {
    let (source, page) = (of_the_source(), of_the_page(&page()));
    assert!(source.len() > 50, "metrics are made in a way that this test does not see: {source:?}");
    for (name, metric) in &source {
        assert_eq!(page.get(name), Some(metric), "{name}: docs/metrics.md (left), source (right)");
    }
    for name in page.keys() {
        assert!(source.contains_key(name), "{name} is in docs/metrics.md only");
    }
}

#[test]
fn the_expressions_of_the_page_are_about_metrics_that_exist() {
    let source = of_the_source();
    let page = page();
    let is_histogram = |name| source.get(name).is_some_and(|metric| metric.kind == "histogram");
    for word in page.split(|letter| !is_word(letter)) {
        if !word.starts_with("throng_") || word == "throng_" {
            continue;
        }
        let part_of = PARTS.iter().find_map(|part| word.strip_suffix(part));
        assert!(
            source.contains_key(word) || part_of.is_some_and(is_histogram),
            "{word} is in docs/metrics.md and no metric"
        );
    }
}

#[test]
fn names_keep_to_the_rules_of_the_page() {
    for (name, metric) in of_the_source() {
        let rest = name.strip_prefix("throng_").unwrap_or_else(|| panic!("{name}"));
        let is_of = |area| rest.strip_prefix(area).is_some_and(|rest| rest.starts_with('_'));
        assert!(AREAS.into_iter().any(is_of), "{name} does not say who measures");
        assert!(name.chars().all(|letter| is_word(letter) && !letter.is_uppercase()), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == "counter", "{name}");
        let has_bounds = name.ends_with("_seconds") || name.ends_with("_size");
        assert!(metric.kind != "histogram" || has_bounds, "{name} has no buckets");
        for label in &metric.labels {
            assert!(!NO_LABELS.contains(&&**label), "{name} has the label {label}");
        }
    }
}

/// One word has one spelling, or queries over two metrics do not match.
#[test]
fn values_of_labels_are_in_small_letters() {
    for row in page().lines().filter(|line| line.starts_with("| `throng_")) {
        let labels = row.split(" | ").nth(2).unwrap();
        // Invariants have their IDs everywhere.
        let values = labels.split('`').skip(1).step_by(2);
        let mut values = values.filter(|_| !labels.starts_with("`id` ="));
        assert!(values.all(|value| !value.contains(char::is_uppercase)), "{row}");
    }
}
