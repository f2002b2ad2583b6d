//! Replays of a log against a server with a mistake: what the comparison of sequences finds.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::server::{Mistake, start};

const MESSAGES: u64 = 20;

fn tool(arguments: &[&str]) -> Option<i32> {
    let output = Command::new(env!("CARGO_BIN_EXE_throng-load")).args(arguments).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stderr));
    output.status.code()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Converts a log and replays it: the exit status, and the report's part on sequences.
fn replayed(mistake: Mistake, flags: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let [log, capture, limits] =
        ["log.csv", "capture.jsonl", "limits.toml"].map(|name| folder.path().join(name));
    let mut lines = "at,who,said\n".to_owned();
    for number in 0..MESSAGES {
        lines +=
            &format!("{},user {},message {number}\n", 1_700_000_000_000 + 40 * number, number % 5);
    }
    std::fs::write(&log, lines).unwrap();
    std::fs::write(&limits, "[generator]\nlag_p99_ms = 60000\ncpu_share = 1.0\n").unwrap();
    let convert = ["convert", text(&log), "--out", text(&capture), "--one-room"];
    let columns = ["--time", "at", "--user", "who", "--text", "said"];
    assert_eq!(tool(&[&convert[..], &columns].concat()), Some(0));

    let target = format!("ws://{}", start(mistake));
    let replay = ["replay", text(&capture), "--target", &target, "--app", "7:key"];
    let more = ["--limits", text(&limits), "--out", text(folder.path())];
    let code = tool(&[&replay[..], &more, flags].concat());
    let report = std::fs::read(folder.path().join("report.json")).unwrap();
    let mut report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["counts"]["sent"], MESSAGES, "{report:#}");
    (code, report["replay"]["sequence"].take())
}

#[test]
fn a_faithful_server_gives_the_same_sequence() {
    let (code, sequence) = replayed(Mistake::None, &["--order", "strict", "--speed", "4"]);
    assert_eq!(code, Some(0), "{sequence:#}");
    assert_eq!((&sequence["same_groups"], &sequence["groups"]), (&1.into(), &1.into()));
    assert_eq!(sequence["compared"], MESSAGES);
    assert_eq!(replayed(Mistake::None, &["--workers", "2"]).0, Some(0));
}

#[test]
fn a_message_that_is_dropped_is_missing() {
    let (code, sequence) = replayed(Mistake::Drop, &["--order", "strict"]);
    assert_eq!((code, &sequence["missing"]), (Some(1), &1.into()), "{sequence:#}");
    let (code, sequence) = replayed(Mistake::Drop, &[]);
    assert_eq!((code, &sequence["missing"]), (Some(0), &1.into()), "{sequence:#}");
}

#[test]
fn a_number_below_that_of_an_answered_message_breaks_a_promise() {
    let (code, sequence) = replayed(Mistake::Overtake, &["--order", "strict"]);
    assert_eq!(code, Some(1));
    assert_eq!((&sequence["inverted_pairs"], &sequence["overtaken"]), (&1.into(), &1.into()));
}

#[test]
fn what_cannot_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    let replay =
        || tool(&["replay", text(&file), "--target", "ws://127.0.0.1:1", "--app", "7:key"]);
    assert_eq!(replay(), Some(64), "there is no file");
    std::fs::write(&file, "{\"throng_capture\":99}\n").unwrap();
    assert_eq!(replay(), Some(64), "of another version");
    let log = folder.path().join("x.csv");
    std::fs::write(&log, "time,user,room,text\n1,a,r,x\nsoon,a,r,x\n").unwrap();
    let convert =
        |more: &[&str]| tool(&[&["convert", text(&log), "--out", text(&file)][..], more].concat());
    assert_eq!(convert(&["--strict"]), Some(1));
    assert_eq!(convert(&[]), Some(0));
    assert_eq!(tool(&["record", text(&file), "--strict"]), Some(0));
    assert_eq!(tool(&["record", text(&file), text(&file)]), Some(64), "twice the same");
    assert_eq!(convert(&["--room", "place"]), Some(64));
}
