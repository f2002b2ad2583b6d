//! What is in a capture, for people.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use throng_capture::{Record, What};

/// Numbers of a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// From the first record to the last, microseconds.
    pub duration_us: u64,
    /// Users.
    pub users: usize,
    /// Connections.
    pub lines: usize,
    /// Groups, and how many of them are live rooms for certain.
    pub groups: (usize, usize),
    /// Commands by name.
    pub commands: BTreeMap<String, u64>,
    /// Messages that got a number.
    pub kept: u64,
    /// Messages that the rate limit dropped.
    pub dropped: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// Messages without an answer.
    pub unanswered: u64,
    /// Records that the writers had to leave out.
    pub missing: u64,
}

impl Summary {
    /// Counts.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut summary = Self::default();
        let (mut users, mut lines) = (HashSet::new(), HashSet::new());
        let mut groups = HashMap::new();
        for record in records {
            users.extend(record.user);
            if record.line != 0 {
                lines.insert(record.line);
            }
            match &record.what {
                What::Command(command) => {
                    *summary.commands.entry(command.name.to_string()).or_default() += 1;
                    if let Some(group) = command.group {
                        *groups.entry(group).or_default() |= command.live;
                    }
                    let Some(message) = &command.message else {
                        continue;
                    };
                    let count = match command {
                        it if it.took.is_none() => &mut summary.unanswered,
                        it if it.code != 0 => &mut summary.refused,
                        _ if message.dropped => &mut summary.dropped,
                        _ => &mut summary.kept,
                    };
                    *count += 1;
                }
                What::Dropped { count } => summary.missing += count,
                What::Open | What::Close { .. } | What::End => {}
            }
        }
        if let (Some(first), Some(last)) = (records.first(), records.last()) {
            summary.duration_us = last.at.saturating_sub(first.at);
        }
        summary.users = users.len();
        summary.lines = lines.len();
        summary.groups = (groups.len(), groups.values().filter(|live: &&bool| **live).count());
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (groups, live) = self.groups;
        let seconds = self.duration_us as f64 / 1e6;
        writeln!(f, "{seconds:.3} s, {} users, {} connections", self.users, self.lines)?;
        writeln!(f, "{groups} groups, {live} of them live rooms")?;
        let Self { kept, dropped, refused, unanswered, .. } = self;
        writeln!(
            f,
            "messages: {kept} kept, {dropped} dropped by the rate limit, {refused} refused, \
             {unanswered} without an answer"
        )?;
        for (name, count) in &self.commands {
            writeln!(f, "  {count:>9} {name}")?;
        }
        write!(f, "records that are missing: {}", self.missing)
    }
}
