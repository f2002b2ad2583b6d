//! Changes that wait to be written. The newest change of a row stands for all before it, and reads
//! see waiting changes over what the store says. Each carries the time of its decision: what another
//! node decided later wins in the store, whoever writes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throng_store::WriteTime;

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Put { value: Bytes, ttl: Duration },
    Delete,
}

/// Rows of one user that change together: by instance.
pub(crate) type Changes = BTreeMap<u32, Change>;

/// What waits of one user.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) changes: Changes,
    /// When the last of them was decided.
    pub(crate) at: WriteTime,
}

type Partitions = HashMap<(u32, Arc<str>), Pending>;

/// One user's part of a round of writing.
pub(crate) type Part = (u32, Arc<str>, Pending);

/// What one shard has to write.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    waiting: Partitions,
    writing: Partitions,
    /// Rounds of writing that ended. A read of the store that one of them crossed is not to be
    /// trusted.
    rounds: u64,
    lost: u64,
    /// The latest time that was given to a change.
    latest: i64,
}

/// Users with waiting changes, in one shard. More wait only while the store does not take them.
const MAX_WAITING: usize = 50_000;

impl Journal {
    /// Notes a change that is decided now: `wall` is in microseconds since 1970.
    pub(crate) fn note(
        &mut self,
        wall: i64,
        (app, user): (u32, &Arc<str>),
        inst_id: u32,
        change: Change,
    ) {
        let key = (app, Arc::clone(user));
        if self.waiting.len() >= MAX_WAITING && !self.waiting.contains_key(&key) {
            self.lost += 1;
            return;
        }
        // No two batches of a user may have the same time.
        self.latest = wall.max(self.latest + 1);
        let at = WriteTime(self.latest);
        let pending =
            self.waiting.entry(key).or_insert_with(|| Pending { changes: Changes::new(), at });
        pending.changes.insert(inst_id, change);
        pending.at = at;
    }

    /// Lays the changes over a user's rows as they were read.
    pub(crate) fn overlay(&self, app: u32, user: &str, rows: &mut BTreeMap<u32, Bytes>) {
        let key = (app, Arc::from(user));
        for pending in [self.writing.get(&key), self.waiting.get(&key)].into_iter().flatten() {
            for (inst_id, change) in &pending.changes {
                match change {
                    Change::Put { value, .. } => {
                        rows.insert(*inst_id, value.clone());
                    }
                    Change::Delete => {
                        rows.remove(inst_id);
                    }
                }
            }
        }
    }

    /// Begins a round: what to write, at most so many users. [`end_round`](Self::end_round) has to
    /// follow.
    pub(crate) fn begin_round(&mut self, most: usize) -> Vec<Part> {
        if self.waiting.len() <= most {
            self.writing = std::mem::take(&mut self.waiting);
        } else {
            let keys: Vec<_> = self.waiting.keys().take(most).cloned().collect();
            self.writing =
                keys.into_iter().filter_map(|key| self.waiting.remove_entry(&key)).collect();
        }
        let writing = self.writing.iter();
        writing.map(|((app, user), pending)| (*app, Arc::clone(user), pending.clone())).collect()
    }

    /// Ends a round. What could not be written waits again, unless it changed since.
    pub(crate) fn end_round(&mut self, failed: &[(u32, Arc<str>)]) {
        let mut writing = std::mem::take(&mut self.writing);
        for key in failed {
            let Some(mut pending) = writing.remove(key) else {
                continue;
            };
            if let Some(newer) = self.waiting.get_mut(key) {
                pending.changes.append(&mut newer.changes);
                newer.changes = pending.changes;
            } else {
                self.waiting.insert(key.clone(), pending);
            }
        }
        self.rounds += 1;
    }

    pub(crate) fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Changes of users that are not written yet, those of one user together.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.writing.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_empty()
    }

    /// Users whose changes were lost since the last call.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(value: &'static str) -> Change {
        Change::Put { value: Bytes::from_static(value.as_bytes()), ttl: Duration::from_secs(1) }
    }

    fn seen(journal: &Journal, stored: &[(u32, &'static str)]) -> Vec<(u32, Bytes)> {
        let mut rows =
            stored.iter().map(|(inst_id, value)| (*inst_id, Bytes::from_static(value.as_bytes())));
        let mut rows = rows.by_ref().collect();
        journal.overlay(1, "ann", &mut rows);
        rows.into_iter().collect()
    }

    #[test]
    fn reads_see_what_waits_and_what_is_being_written() {
        let ann = Arc::from("ann");
        let mut journal = Journal::default();
        journal.note(0, (1, &ann), 5, put("old"));
        journal.note(0, (1, &ann), 6, put("six"));
        assert_eq!(journal.begin_round(10).len(), 1);
        journal.note(0, (1, &ann), 5, put("new"));
        journal.note(0, (1, &ann), 7, Change::Delete);
        let expected = vec![(5, Bytes::from("new")), (6, Bytes::from("six"))];
        assert_eq!(seen(&journal, &[(5, "oldest"), (7, "seven")]), expected);
    }

    #[test]
    fn what_failed_waits_again_but_never_over_what_is_newer() {
        let ann: Arc<str> = Arc::from("ann");
        let mut journal = Journal::default();
        journal.note(0, (1, &ann), 5, put("old"));
        journal.note(0, (1, &ann), 6, put("six"));
        journal.begin_round(10);
        journal.note(0, (1, &ann), 5, put("new"));
        journal.end_round(&[(1, Arc::clone(&ann))]);
        assert_eq!(seen(&journal, &[]), vec![(5, Bytes::from("new")), (6, Bytes::from("six"))]);
        assert_eq!(journal.begin_round(10)[0].2.changes.len(), 2);
        journal.end_round(&[]);
        assert!(journal.is_empty());
        assert_eq!(journal.rounds(), 2);
    }

    /// A clock that stands still or goes back must not make an older write win.
    #[test]
    fn times_of_changes_rise() {
        let ann: Arc<str> = Arc::from("ann");
        let mut journal = Journal::default();
        let mut times = Vec::new();
        for wall in [10, 10, 50, 20, 51] {
            journal.note(wall, (1, &ann), 5, put("x"));
            times.push(journal.begin_round(10)[0].2.at.0);
            journal.end_round(&[]);
        }
        assert_eq!(times, [10, 11, 50, 51, 52]);
    }

    #[test]
    fn a_round_takes_no_more_than_it_may() {
        let mut journal = Journal::default();
        for user in ["a", "b", "c"] {
            journal.note(0, (1, &Arc::from(user)), 1, put("x"));
        }
        assert_eq!(journal.begin_round(2).len(), 2);
        journal.end_round(&[]);
        assert_eq!(journal.begin_round(2).len(), 1);
    }
}
