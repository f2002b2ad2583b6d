//! The part of a report that only replays have: what was replayed, and whether groups got the same
//! sequences.

use std::collections::BTreeMap;

use serde::Serialize;

use super::markdown::Table;
use crate::replay::Sequence;

/// What was replayed, and how it compares.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReplayNumbers {
    /// How many times as fast as it was captured.
    pub speed: f64,
    /// Users of the capture, each a client.
    pub users: u32,
    /// Groups of the capture.
    pub groups: u32,
    /// What of the capture was not done again, and how often.
    pub left_out: BTreeMap<String, u64>,
    /// What is known to be missing in the capture.
    pub notes: Vec<String>,
    /// The sequences of groups, compared.
    pub sequence: Sequence,
}

pub(super) fn tables(numbers: &ReplayNumbers) -> [Table; 2] {
    let row = |name: &str, value: String| (name.to_owned(), value);
    let Sequence { groups, same_groups, compared, missing, extra, .. } = numbers.sequence;
    let Sequence { inverted_pairs, out_of_order, overtaken, strict, .. } = numbers.sequence;
    let order = if strict { "strict: after the one before was answered" } else { "timed" };
    let mut replay = vec![
        row("users, groups", format!("{}, {}", numbers.users, numbers.groups)),
        row("speed", format!("{} ×", numbers.speed)),
        row("order of messages", order.to_owned()),
    ];
    replay.extend(numbers.notes.iter().map(|note| row("of the capture", note.clone())));
    let left_out = numbers.left_out.iter();
    replay.extend(
        left_out.map(|(what, count)| row(&format!("not replayed: {what}"), count.to_string())),
    );
    let mut sequence = vec![
        row("groups with the sequence of the capture", format!("{same_groups} of {groups}")),
        row("messages compared", compared.to_string()),
        row("kept in the capture alone, in the replay alone", format!("{missing}, {extra}")),
        row("pairs in another order than in the capture", inverted_pairs.to_string()),
        row("pairs of one sender in another order than sent", out_of_order.to_string()),
        row("numbered below one that was answered before they were sent", overtaken.to_string()),
    ];
    sequence.extend(numbers.sequence.examples.iter().map(|it| row("differs", it.clone())));
    [("Replay", replay), ("Sequences", sequence)]
}
