//! Appending: durable when answered, and never a part of the later messages without the earlier ones.

use prost::Message;
use throng_proto::v1::{GroupLog, StoredMessage};
use throng_store::{Batch, Op, StoreError, WriteTime, key};

use super::Groups;
use super::tables::{GROUP_MESSAGES, GroupRow, bucket_of, partition};

/// Why messages were not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// A mistake of the caller.
    #[error("message numbers have to rise by one from 1 on: {found} after {before}")]
    Order {
        /// The number before; 0 for the first.
        before: u32,
        /// The number that does not follow.
        found: u32,
    },
    /// A later life of the group has appended.
    #[error("a later owner appends to this group")]
    Outdated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Groups {
    /// Appends messages, numbered without a gap. On an error some of the first may be there, or may
    /// come to be there later.
    pub(crate) async fn append(
        &self,
        log: &GroupLog,
        messages: Vec<StoredMessage>,
        epoch: u64,
        at: Option<WriteTime>,
    ) -> Result<(), AppendError> {
        check_order(&messages)?;
        if !self.epochs.admit(log.app, &log.group_id, log.incarnation, epoch) {
            return Err(AppendError::Outdated);
        }
        let mut pending: Option<(u32, Batch)> = None;
        for message in messages {
            let bucket = bucket_of(message.msg_seq);
            if let Some((_, full)) = pending.take_if(|(current, _)| *current != bucket) {
                // Before the next bucket is begun: a batch is atomic within one only.
                self.write(full).await?;
            }
            let (_, batch) = pending.get_or_insert_with(|| {
                let batch = Batch::durable(partition(log, bucket));
                (bucket, at.into_iter().fold(batch, Batch::at))
            });
            let seq = message.msg_seq;
            let message = as_sent(message);
            let row = GroupRow { epoch, message: Some(message) };
            batch.push(Op::put(&GROUP_MESSAGES, key![seq], row.encode_to_vec()));
        }
        if let Some((_, rest)) = pending {
            self.write(rest).await?;
        }
        Ok(())
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        metrics::counter!("throng_history_messages_appended_total").increment(batch.len() as u64);
        self.store.write(batch).await
    }
}

/// Without what is only set on reading.
fn as_sent(message: StoredMessage) -> StoredMessage {
    StoredMessage {
        recalled: false,
        revoker: String::new(),
        recall_reason: String::new(),
        msg_version: 0,
        hidden: false,
        ..message
    }
}

fn check_order(messages: &[StoredMessage]) -> Result<(), AppendError> {
    let mut before = None;
    for message in messages {
        let found = message.msg_seq;
        let follows = match before {
            None => found > 0,
            Some(before) => u32::checked_add(before, 1) == Some(found),
        };
        if !follows {
            return Err(AppendError::Order { before: before.unwrap_or(0), found });
        }
        before = Some(found);
    }
    Ok(())
}
