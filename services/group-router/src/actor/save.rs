//! The durable part of a batch of units. Each write bears a write time of the tenure, so that it
//! loses against everything that a later owner writes, however late it arrives.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use futures_util::future::try_join_all;
use throng_store::{Batch, Op, Store, StoreError, WriteTime};

use super::{GroupKey, Unit};
use crate::placement::Tenure;
use crate::storage::{
    Annotation, GROUP_STATE, RowKind, UserEntry, list_op, listing_partition, state_partition,
    unlist_op,
};

/// Users' entries that are written at the same time.
const SIDE_BY_SIDE: usize = 32;

/// Why rows were not saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsaved {
    /// The group is not this node's any more. `begun`: some of the rows may be in the store.
    #[error("the group went to another node")]
    Lost { begun: bool },
    /// The store failed; what became of the rows is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// History failed, and why; what became of the messages is unknown.
    #[error("log: {0}")]
    Log(String),
}

/// Writes of one group within a tenure.
pub(super) struct Saver<'a> {
    store: &'a dyn Store,
    tenure: &'a Tenure,
    /// Something may have been written.
    begun: bool,
}

impl<'a> Saver<'a> {
    pub(super) fn new(store: &'a dyn Store, tenure: &'a Tenure) -> Self {
        Self { store, tenure, begun: false }
    }

    /// One durable write for the rows of all units; a later unit's row replaces an earlier one's.
    /// When it succeeds, the group was this node's all the while.
    pub(super) async fn save(&mut self, key: &GroupKey, units: &mut [Unit]) -> Result<(), Unsaved> {
        let GroupKey { app, group_id } = key;
        let dismissed = units.iter().any(|unit| unit.dismissed);
        let created = units.iter().find_map(|unit| unit.created);
        let partition = state_partition(*app, group_id);
        let listing = || Batch::durable(listing_partition(*app, group_id));
        let mut ops = last_of_each_row(units.iter_mut().flat_map(|unit| unit.ops.drain(..)));
        if let Some(kind) = created {
            if self.store.is_fenced() {
                // What a former owner has on the way for another group of this ID.
                let at = self.stamp().await?;
                self.store.delete_partition(&GROUP_STATE, &partition, Some(at)).await?;
            }
            // The profile makes the group. Before it come the rows that name the lists in which entries
            // have to go again, if nothing comes after them.
            let begun: Vec<_> = ops.extract_if(.., |op| !is_profile(op)).collect();
            self.save_rows(key, begun).await?;
            self.write(listing().with(list_op(group_id, kind.as_str()))).await?;
        }
        let entries = last_of_each_entry(units.iter_mut().flat_map(|unit| unit.index.drain(..)));
        let (come, gone): (Vec<_>, Vec<_>) = entries.into_iter().partition(UserEntry::comes);
        self.write_index(key, &come).await?;
        self.save_rows(key, ops).await?;
        let annotations = units.iter_mut().flat_map(|unit| unit.annotations.drain(..));
        self.save_annotations(key, annotations.collect()).await?;
        self.write_index(key, &gone).await?;
        if dismissed {
            // The rows last: by them who reads the group next clears away what is left.
            self.write(listing().with(unlist_op(group_id))).await?;
            let at = self.stamp().await?;
            self.store.delete_partition(&GROUP_STATE, &partition, Some(at)).await?;
        }
        if self.tenure.is_current_soon().await { Ok(()) } else { Err(self.lost()) }
    }

    /// Whether something may have been written.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Rows of the group, each only once.
    pub(super) async fn save_rows(&mut self, key: &GroupKey, ops: Vec<Op>) -> Result<(), Unsaved> {
        let partition = state_partition(key.app, &key.group_id);
        let mut rows = Batch::durable(partition.clone());
        for op in ops {
            if rows.len() == Batch::MAX_OPS {
                let full = std::mem::replace(&mut rows, Batch::durable(partition.clone()));
                self.write(full).await?;
            }
            rows.push(op);
        }
        if rows.is_empty() { Ok(()) } else { self.write(rows).await }
    }

    /// What members added to messages, in the order in which they did. A batch ends with a whole
    /// change: a count never goes without those whom it counts.
    async fn save_annotations(
        &mut self,
        key: &GroupKey,
        changes: Vec<Vec<Annotation>>,
    ) -> Result<(), Unsaved> {
        for batch in batches_of(changes) {
            let Some(first) = batch.first() else { continue };
            let partition = first.partition(key.app.0, &key.group_id);
            let mut rows = Batch::durable(partition);
            for op in last_of_each_row(batch.into_iter().map(|annotation| annotation.op)) {
                rows.push(op);
            }
            self.write(rows).await?;
        }
        Ok(())
    }

    /// Users' entries, each of which has a partition of its own.
    async fn write_index(&mut self, key: &GroupKey, entries: &[UserEntry]) -> Result<(), Unsaved> {
        for entries in entries.chunks(SIDE_BY_SIDE) {
            let mut writes = Vec::with_capacity(entries.len());
            for entry in entries {
                let batch = entry.batch(key.app).at(self.stamp().await?);
                writes.push(self.store.write(batch));
            }
            try_join_all(writes).await?;
        }
        Ok(())
    }

    async fn write(&mut self, batch: Batch) -> Result<(), Unsaved> {
        let at = self.stamp().await?;
        Ok(self.store.write(batch.at(at)).await?)
    }

    async fn stamp(&mut self) -> Result<WriteTime, Unsaved> {
        let at = self.tenure.stamp_soon().await.ok_or_else(|| self.lost())?;
        self.begun = true;
        Ok(at)
    }

    fn lost(&self) -> Unsaved {
        Unsaved::Lost { begun: self.begun }
    }
}

/// Of several changes the last one counts.
fn last_of_each_entry(all: impl Iterator<Item = UserEntry>) -> Vec<UserEntry> {
    let last: HashMap<_, UserEntry> = all.map(|entry| (entry.place(), entry)).collect();
    last.into_values().collect()
}

/// Changes by partition, in their order, each time as many as fit in one batch.
fn batches_of(changes: Vec<Vec<Annotation>>) -> Vec<Vec<Annotation>> {
    let mut batches: Vec<Vec<Annotation>> = Vec::new();
    for change in changes {
        let Some(first) = change.first() else { continue };
        let last = batches.iter_mut().rev().find(|batch| batch[0].goes_with(first));
        match last {
            Some(batch) if batch.len() + change.len() <= Batch::MAX_OPS => batch.extend(change),
            _ => batches.push(change),
        }
    }
    batches
}

fn is_profile(op: &Op) -> bool {
    op.clustering().get_u32(0) == Some(RowKind::Profile as u32)
}

/// A batch may name a row only once: of several writes the last one counts.
fn last_of_each_row(all: impl Iterator<Item = Op>) -> Vec<Op> {
    let mut ops: Vec<Op> = Vec::new();
    let mut places = HashMap::new();
    for op in all {
        match places.entry(op.clustering().clone()) {
            Entry::Occupied(place) => ops[*place.get()] = op,
            Entry::Vacant(place) => {
                place.insert(ops.len());
                ops.push(op);
            }
        }
    }
    ops
}

#[cfg(test)]
mod tests {
    use throng_proto::v1::GroupLog;

    use super::*;
    use crate::storage::reader_rows;

    #[test]
    fn a_batch_of_annotations_ends_with_a_whole_change() {
        let log = GroupLog::default();
        let change = |user: usize| {
            let msg_seq = if user.is_multiple_of(3) { 5 } else { 500 };
            let rows = reader_rows(&log, msg_seq, &user.to_string(), 0, 0);
            rows.into_iter().collect::<Vec<_>>()
        };
        let odd = vec![change(3).remove(0)];
        let batches = batches_of(std::iter::once(odd).chain((0..3000).map(change)).collect());
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 6001);
        for batch in &batches {
            assert!(batch.len() <= Batch::MAX_OPS);
            assert!(batch.iter().all(|row| row.goes_with(&batch[0])));
        }
        let sizes: Vec<_> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes.iter().filter(|size| **size % 2 == 1).count(), 1, "{sizes:?}");
    }
}
