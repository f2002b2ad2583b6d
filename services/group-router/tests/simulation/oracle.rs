//! Who sees everything, and says when something that always holds does not.

use std::collections::{BTreeMap, BTreeSet};

use throng_node::invariant::Invariant;

use crate::profile::Profile;
use crate::store::Store;
use crate::wire::Message;

#[derive(Debug)]
pub(crate) struct Oracle {
    stored_groups: usize,
    violation: Option<String>,
    /// By shard and epoch: the least and the greatest write time.
    stamped: BTreeMap<(u32, u64), (i64, i64)>,
    acknowledged: BTreeMap<(usize, Message), u64>,
    /// The message of each number that somebody outside has seen.
    bound: BTreeMap<(usize, u64), Message>,
    /// By group: the greatest number that went out.
    published: Vec<u64>,
    /// Messages of live rooms that were kept after their owner had given them up. They were out, and
    /// may be out again under another number; either of them may be what counts later.
    late: BTreeSet<(usize, Message)>,
}

impl Oracle {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            stored_groups: profile.stored_groups,
            violation: None,
            stamped: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            bound: BTreeMap::new(),
            published: vec![0; profile.groups()],
            late: BTreeSet::new(),
        }
    }

    /// The first thing that was wrong.
    pub(crate) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    pub(crate) fn check(&mut self, id: Invariant, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.violation.is_none() {
            self.violation = Some(format!("{id}: {}", what()));
        }
    }

    /// What should be so by now is not.
    pub(crate) fn not_alive(&mut self, what: &str) {
        self.violation.get_or_insert_with(|| format!("liveness: {what}"));
    }

    /// Nodes that may write and acknowledge for a shard at this moment: each with its epoch.
    pub(crate) fn owners(&mut self, shard: u32, owners: &[(usize, u64)]) {
        self.check(Invariant::Own1, owners.len() <= 1, || {
            format!("shard {shard} is owned by {owners:?} (router, epoch)")
        });
    }

    /// An owner takes a write time.
    pub(crate) fn stamped(&mut self, shard: u32, epoch: u64, time: i64) {
        let earlier = self.stamped.range((shard, 0)..(shard, epoch)).next_back();
        let below = earlier.is_none_or(|(_, (_, greatest))| *greatest < time);
        let later = self.stamped.range((shard, epoch + 1)..(shard + 1, 0)).next();
        let above = later.is_none_or(|(_, (least, _))| time < *least);
        self.check(Invariant::Own1, below && above, || {
            format!("shard {shard}: write time {time} of epoch {epoch} is among another epoch's")
        });
        let own = self.stamped.entry((shard, epoch)).or_insert((time, 0));
        let rises = own.1 < time;
        own.1 = own.1.max(time);
        self.check(Invariant::Own1, rises, || {
            format!("shard {shard}: write time {time} of epoch {epoch} was used before")
        });
    }

    /// An owner tells a client that its message is kept.
    pub(crate) fn acknowledge(&mut self, store: &Store, group: usize, message: Message, seq: u64) {
        let first = *self.acknowledged.entry((group, message)).or_insert(seq);
        let late = self.late.contains(&(group, message));
        self.check(Invariant::Dup1, first == seq || late, || {
            format!("group {group}: {message:?} is acknowledged as {first} and as {seq}")
        });
        self.bind(group, seq, message);
        self.kept(store, group, seq, message);
    }

    /// An owner publishes a message.
    pub(crate) fn publish(&mut self, group: usize, seq: u64, message: Message) {
        let last = std::mem::replace(&mut self.published[group], seq);
        self.check(Invariant::Ord1, last < seq, || {
            format!("group {group}: {seq} goes out after {last}")
        });
        self.bind(group, seq, message);
    }

    /// A message is seen outside under this number.
    pub(crate) fn bind(&mut self, group: usize, seq: u64, message: Message) {
        let first = *self.bound.entry((group, seq)).or_insert(message);
        self.check(Invariant::Ord1, first == message, || {
            format!("group {group}: number {seq} is {first:?} and {message:?}")
        });
    }

    fn kept(&mut self, store: &Store, group: usize, seq: u64, message: Message) {
        let found = store.get(group, seq);
        self.check(Invariant::Dur1, found == Some(message), || {
            format!("group {group}: {message:?} was acknowledged as {seq}, there is {found:?}")
        });
    }

    /// A write has reached the store.
    pub(crate) fn stored(&mut self, store: &Store, group: usize) {
        if group < self.stored_groups {
            let mut seen: Vec<Message> = Vec::new();
            for (expected, (seq, message)) in (1..).zip(store.stored(group)) {
                self.check(Invariant::Ord1, seq == expected, || {
                    format!("group {group}: {expected} is missing, {seq} is there")
                });
                self.check(Invariant::Dup1, !seen.contains(&message), || {
                    format!("group {group}: {message:?} is there twice, also as {seq}")
                });
                seen.push(message);
            }
        }
        let acknowledged: Vec<_> = self
            .acknowledged
            .range((group, Message { client: 0, random: 0 })..)
            .take_while(|((of, _), _)| *of == group)
            .map(|((_, message), seq)| (*seq, *message))
            .collect();
        for (seq, message) in acknowledged {
            self.kept(store, group, seq, message);
        }
    }

    /// Messages of a live room are kept, and their owner waits for it no more.
    pub(crate) fn kept_late(&mut self, group: usize, rows: &[(u64, Message)]) {
        self.late.extend(rows.iter().map(|(_, message)| (group, *message)));
    }

    /// What every gateway has to get: group and message.
    pub(crate) fn to_deliver(&self) -> impl Iterator<Item = (usize, Message)> {
        self.acknowledged.keys().filter(|message| !self.late.contains(message)).copied()
    }
}
