//! What was changed of messages afterwards, beside the log: recalls and modifications, and which user
//! wants which message out of sight. A row of the log is never written again for it.

use std::collections::{BTreeMap, HashMap, HashSet};

use prost::Message;
use throng_node::time::now_micros;
use throng_proto::v1::{GroupAmendment, GroupLog, StoredMessage};
use throng_store::{Batch, Op, Page, StoreError, WriteTime, key};

use super::tables::{
    GROUP_AMENDMENTS, GROUP_HIDDEN, GROUP_RECALLS, RECALLS_DAYS, bucket_of, day_of, partition,
};
use super::{AppendError, Groups};

/// Messages that one request may name.
pub(crate) const MAX_NAMED: usize = 1000;
/// Rows and bytes of one write: a CQL database refuses batches that are much larger.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 512 * 1024;
/// Recalls of one answer.
pub(crate) const MAX_RECALLS: usize = 1000;

/// Recalls in the order of their time.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Recalls {
    pub(crate) recalls: Vec<GroupAmendment>,
    /// Time of the first that did not fit; 0: there are no more.
    pub(crate) next: i64,
}

impl Groups {
    /// Notes changes of messages; durable when it returns. On an error some may be there, or may come
    /// to be there later: who repeats them changes nothing.
    pub(crate) async fn amend(
        &self,
        log: &GroupLog,
        amendments: Vec<GroupAmendment>,
        epoch: u64,
        at: Option<WriteTime>,
    ) -> Result<(), AppendError> {
        if !self.epochs.admit(log.app, &log.group_id, log.incarnation, epoch) {
            return Err(AppendError::Outdated);
        }
        // Of two changes of one message the later one stays: a batch may name a row only once.
        let mut last: BTreeMap<u32, GroupAmendment> = BTreeMap::new();
        // What clients ask for by time comes second: whoever is told of a recall finds it.
        let mut listed: BTreeMap<(u32, i64), GroupAmendment> = BTreeMap::new();
        for amendment in amendments {
            if amendment.recalled && amendment.recalled_at > 0 {
                let day = day_of(amendment.recalled_at);
                listed.insert((day, amendment.recalled_at), amendment.clone());
            }
            last.insert(amendment.msg_seq, amendment);
        }
        let rows = last.into_iter().map(|(seq, row)| {
            let op = Op::put(&GROUP_AMENDMENTS, key![seq], row.encode_to_vec());
            (bucket_of(seq), row.msg_body.len() + row.cloud_custom_data.len() + 256, op)
        });
        self.write_in_parts(log, rows, at).await?;
        let rows = listed.into_iter().map(|((day, time), row)| {
            (day, 256, Op::put(&GROUP_RECALLS, key![time, row.msg_seq], row.encode_to_vec()))
        });
        self.write_in_parts(log, rows, at).await?;
        Ok(())
    }

    /// Hides messages from a user; durable when it returns.
    pub(crate) async fn hide(
        &self,
        log: &GroupLog,
        user: &str,
        msg_seqs: &[u32],
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        let mut msg_seqs = msg_seqs.to_vec();
        msg_seqs.sort_unstable();
        msg_seqs.dedup();
        let rows = msg_seqs
            .into_iter()
            .map(|seq| (bucket_of(seq), 64, Op::put(&GROUP_HIDDEN, key![user, seq], Vec::new())));
        self.write_in_parts(log, rows, at).await
    }

    /// Rows in the order of their partitions (bucket or day), each with its size.
    async fn write_in_parts(
        &self,
        log: &GroupLog,
        rows: impl Iterator<Item = (u32, usize, Op)>,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        let mut pending: Option<(u32, usize, Batch)> = None;
        for (part, size, op) in rows {
            let full = |(current, bytes, batch): &mut (u32, usize, Batch)| {
                *current != part || batch.len() >= BATCH || *bytes + size > BATCH_BYTES
            };
            if let Some((_, _, batch)) = pending.take_if(full) {
                self.store.write(batch).await?;
            }
            let (_, bytes, batch) = pending.get_or_insert_with(|| {
                let batch = Batch::durable(partition(log, part));
                (part, 0, at.into_iter().fold(batch, Batch::at))
            });
            *bytes += size;
            batch.push(op);
        }
        match pending {
            Some((_, _, rest)) => self.store.write(rest).await,
            None => Ok(()),
        }
    }

    /// Recalls between two times, both inclusive, the oldest first.
    pub(crate) async fn recalls(
        &self,
        log: &GroupLog,
        since: i64,
        until: i64,
        limit: usize,
    ) -> Result<Recalls, StoreError> {
        let limit = limit.min(MAX_RECALLS);
        let today = day_of(now_micros());
        // What is older is forgotten, and nobody is from further ahead than clocks differ.
        let first = day_of(since).max(today.saturating_sub(RECALLS_DAYS));
        let last = day_of(until).min(today.saturating_add(1));
        let mut found = Recalls::default();
        for day in first..=last {
            let wanted = limit + 1 - found.recalls.len();
            let page = Page::forward(wanted).starting_at(key![since]).through(key![until]);
            for row in self.store.page(&GROUP_RECALLS, &partition(log, day), page).await? {
                let Ok(recall) = GroupAmendment::decode(row.value) else { continue };
                if found.recalls.len() == limit {
                    found.next = recall.recalled_at;
                    return Ok(found);
                }
                found.recalls.push(recall);
            }
        }
        Ok(found)
    }

    /// Puts what was changed into messages of one bucket, which lie between two numbers.
    pub(super) async fn merge(
        &self,
        log: &GroupLog,
        bucket: u32,
        viewer: &str,
        messages: &mut [StoredMessage],
    ) -> Result<(), StoreError> {
        let numbers = || messages.iter().map(|message| message.msg_seq);
        let (Some(low), Some(high)) = (numbers().min(), numbers().max()) else { return Ok(()) };
        let mut amendments = self.amendments(log, bucket, low, high).await?;
        let hidden = if viewer.is_empty() {
            HashSet::new()
        } else {
            self.hidden(log, bucket, viewer, low, high).await?
        };
        for message in messages {
            if let Some(amendment) = amendments.remove(&message.msg_seq) {
                apply(message, amendment);
            }
            if !viewer.is_empty() && (hidden.contains(&message.msg_seq) || !is_for(message, viewer))
            {
                *message = StoredMessage {
                    msg_seq: message.msg_seq,
                    msg_time: message.msg_time,
                    hidden: true,
                    ..StoredMessage::default()
                };
            }
        }
        Ok(())
    }

    async fn amendments(
        &self,
        log: &GroupLog,
        bucket: u32,
        low: u32,
        high: u32,
    ) -> Result<HashMap<u32, GroupAmendment>, StoreError> {
        let page = Page::forward(Page::MAX_LIMIT).starting_at(key![high]).through(key![low]);
        let rows = self.store.page(&GROUP_AMENDMENTS, &partition(log, bucket), page).await?;
        let mut amendments = HashMap::with_capacity(rows.len());
        for row in rows {
            // To show what was recalled because its mark cannot be read would be worse than an error.
            let amendment = GroupAmendment::decode(row.value)
                .map_err(|_| StoreError::Damaged { reason: "change of a group's message" })?;
            amendments.insert(amendment.msg_seq, amendment);
        }
        Ok(amendments)
    }

    async fn hidden(
        &self,
        log: &GroupLog,
        bucket: u32,
        viewer: &str,
        low: u32,
        high: u32,
    ) -> Result<HashSet<u32>, StoreError> {
        let page = Page::forward(Page::MAX_LIMIT)
            .starting_at(key![viewer, low])
            .through(key![viewer, high]);
        let rows = self.store.page(&GROUP_HIDDEN, &partition(log, bucket), page).await?;
        Ok(rows.iter().filter_map(|row| row.clustering.get_u32(1)).collect())
    }
}

fn apply(message: &mut StoredMessage, amendment: GroupAmendment) {
    message.msg_version = amendment.msg_version;
    if amendment.recalled {
        message.recalled = true;
        // Nobody sees any more what was said.
        message.msg_body.clear();
        message.cloud_custom_data.clear();
        message.revoker = amendment.revoker;
        message.recall_reason = amendment.reason;
    } else {
        message.msg_body = amendment.msg_body;
        message.cloud_custom_data = amendment.cloud_custom_data;
    }
}

/// Whether a message is for the eyes of a user.
fn is_for(message: &StoredMessage, user: &str) -> bool {
    message.recipients.is_empty()
        || message.from == user
        || message.recipients.iter().any(|recipient| recipient == user)
}
