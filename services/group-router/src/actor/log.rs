//! A group's log of messages, as its committer keeps it: one append at a time, each right behind the
//! last, and a note beside the group by which the next owner finds the end. The rules are in history
//! (`services/history/src/groups/tail.rs`).

use std::time::Duration;

use throng_node::invariant;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::history_client::HistoryClient;
use throng_store::Op;
use tokio::time::timeout;

use super::GroupKey;
use super::save::Unsaved;
use crate::clients::{CALL_TIME, Clients, within};
use crate::placement::Tenure;
use crate::storage::{LogNote, RowKind, put_row};

/// Messages and bytes of one append. ScyllaDB refuses batches of more than a mebibyte.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 512 * 1024;
/// Appended messages after which the note moves on: as many a new owner may have to read.
const NOTE_EVERY: u32 = 500;
/// Time for one append. A client gives up on its request after 15 s.
const APPEND_TIME: Duration = Duration::from_secs(10);

/// One life of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogLife {
    /// Which group of this ID.
    pub(crate) incarnation: u64,
    /// Names the life; greater than those of all earlier ones.
    pub(crate) epoch: u64,
    /// The last number when it began.
    pub(crate) head: u32,
    /// It has left its note already.
    pub(crate) noted: bool,
}

impl LogLife {
    /// Names the log to history.
    pub(crate) fn log(&self, key: &GroupKey) -> v1::GroupLog {
        v1::GroupLog {
            app: key.app.0,
            group_id: key.group_id.to_string(),
            incarnation: self.incarnation,
        }
    }
}

/// The log of a group in one life.
pub(crate) struct Log {
    life: LogLife,
    log: v1::GroupLog,
    history: HistoryClient<Link>,
    /// The last number that is durable.
    head: u32,
    /// What the note says, if this life has left one.
    noted: Option<u32>,
}

impl Log {
    pub(crate) fn open(key: &GroupKey, clients: &Clients, life: LogLife) -> Self {
        Self {
            life,
            log: life.log(key),
            history: clients.history.clone(),
            head: life.head,
            noted: life.noted.then_some(life.head),
        }
    }

    pub(super) fn life(&self) -> LogLife {
        self.life
    }

    /// The last number that is durable.
    pub(crate) fn head(&self) -> u32 {
        self.head
    }

    /// The note that has to be durable before the next append, if it is time for one.
    pub(super) fn due_note(&mut self) -> Option<Op> {
        let due = self.noted.is_none_or(|noted| self.head - noted >= NOTE_EVERY);
        due.then(|| {
            self.noted = Some(self.head);
            self.note(false)
        })
    }

    /// The last note of a life that ends in order. `None`: it left none, so there is nothing to close.
    pub(super) fn closing_note(&self) -> Option<Op> {
        self.noted.map(|_| self.note(true))
    }

    fn note(&self, closed: bool) -> Op {
        put_row(RowKind::Log, "", &LogNote { head: self.head, epoch: self.life.epoch, closed })
    }

    /// Appends messages; durable when it returns, and within the tenure.
    pub(crate) async fn append(
        &mut self,
        tenure: &Tenure,
        messages: Vec<v1::StoredMessage>,
    ) -> Result<(), Unsaved> {
        let mut begun = false;
        let size =
            |message: &v1::StoredMessage| message.msg_body.len() + message.cloud_custom_data.len();
        for batch in batches(messages, size) {
            let (Some(first), Some(last)) = (batch.first(), batch.last()) else { continue };
            let (first, last) = (first.msg_seq, last.msg_seq);
            invariant!(Ord1, first == self.head + 1, "{first} is appended behind {}", self.head);
            let Some(at) = tenure.stamp_soon().await else { return Err(Unsaved::Lost { begun }) };
            begun = true;
            let fence = Some(v1::Fence { epoch: self.life.epoch, write_time: at.0 });
            let log = Some(self.log.clone());
            let request = v1::AppendGroupRequest { log, messages: batch, fence };
            let appended = self.history.append_group(within(APPEND_TIME, request));
            match timeout(APPEND_TIME, appended).await {
                Ok(Ok(_)) => self.head = last,
                Ok(Err(status)) => return Err(Unsaved::Log(status.message().to_owned())),
                Err(_) => return Err(Unsaved::Log("history did not answer in time".to_owned())),
            }
        }
        if tenure.is_current_soon().await { Ok(()) } else { Err(Unsaved::Lost { begun }) }
    }

    /// Notes changes of messages beside the log; durable when it returns, and within the tenure.
    pub(super) async fn amend(
        &mut self,
        tenure: &Tenure,
        amendments: Vec<v1::GroupAmendment>,
    ) -> Result<(), Unsaved> {
        let size = |one: &v1::GroupAmendment| one.msg_body.len() + one.cloud_custom_data.len();
        let mut begun = false;
        for batch in batches(amendments, size) {
            let Some(at) = tenure.stamp_soon().await else { return Err(Unsaved::Lost { begun }) };
            begun = true;
            let fence = Some(v1::Fence { epoch: self.life.epoch, write_time: at.0 });
            let log = Some(self.log.clone());
            let request = v1::AmendGroupRequest { log, amendments: batch, fence };
            let amended = self.history.amend_group(within(APPEND_TIME, request));
            match timeout(APPEND_TIME, amended).await {
                Ok(Ok(_)) => {}
                Ok(Err(status)) => return Err(Unsaved::Log(status.message().to_owned())),
                Err(_) => return Err(Unsaved::Log("history did not answer in time".to_owned())),
            }
        }
        if tenure.is_current_soon().await { Ok(()) } else { Err(Unsaved::Lost { begun }) }
    }

    /// Has the messages of a dismissed group deleted. What cannot be deleted takes up room, no more:
    /// nobody asks for this incarnation again.
    pub(super) async fn forget(mut self, tenure: &Tenure) {
        let write_time = tenure.stamp().map(|at| at.0).unwrap_or_default();
        let request = v1::DropGroupRequest {
            log: Some(self.log),
            head: self.head,
            fence: Some(v1::Fence { epoch: self.life.epoch, write_time }),
        };
        if let Err(status) = self.history.drop_group(within(CALL_TIME, request)).await {
            metrics::counter!("throng_group_router_logs_left_behind_total").increment(1);
            tracing::warn!(
                text = status.message(),
                "messages of a dismissed group were not deleted"
            );
        }
    }
}

/// Parts of what one write takes, in order.
fn batches<T>(messages: Vec<T>, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = size(&message) + 256;
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes + size <= BATCH_BYTES => {
                bytes += size;
                batch.push(message);
            }
            _ => {
                bytes = size;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_is_bounded_by_number_and_by_bytes() {
        let message = |msg_seq, len| v1::StoredMessage {
            msg_seq,
            msg_body: vec![b'x'; len].into(),
            ..v1::StoredMessage::default()
        };
        let size = |message: &v1::StoredMessage| message.msg_body.len();
        let small: Vec<_> = (1..=600).map(|seq| message(seq, 10)).collect();
        let sizes: Vec<_> = batches(small, size).iter().map(Vec::len).collect();
        assert_eq!(sizes, [256, 256, 88]);
        let large: Vec<_> = (1..=100).map(|seq| message(seq, 12_000)).collect();
        let batches = batches(large, size);
        assert!(batches.iter().all(|batch| batch.len() * 12_256 <= BATCH_BYTES));
        let seqs: Vec<_> = batches.iter().flatten().map(|message| message.msg_seq).collect();
        assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
    }
}
