//! Appending: durable when answered.

use std::sync::Arc;

use prost::Message;
use throng_proto::v1::StoredMessage;
use throng_store::{Batch, Op, StoreError, WriteTime, key};

use super::tables::{INDEX_SPARE, ROOM_BUCKETS, ROOM_MESSAGES, bucket_key, bucket_of, room_key};
use super::{RoomId, Rooms};

/// Messages and their bytes in one batch of the store; well below what it takes.
const BATCH_MESSAGES: usize = 512;
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Why messages were not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// A mistake of the caller.
    #[error("message numbers have to rise from 1 on: {found} after {before}")]
    Order {
        /// The number before.
        before: u32,
        /// The number that is not greater.
        found: u32,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Rooms {
    /// Appends messages, whose numbers rise. On an error some of the first may be there; appending
    /// them again does no harm. With a write time they lose against what a later owner wrote.
    pub(crate) async fn append(
        &self,
        room: RoomId<'_>,
        messages: Vec<StoredMessage>,
        at: Option<WriteTime>,
    ) -> Result<(), AppendError> {
        let mut before = 0;
        for message in &messages {
            if message.msg_seq <= before {
                return Err(AppendError::Order { before, found: message.msg_seq });
            }
            before = message.msg_seq;
        }
        let name: Arc<str> = Arc::from(room.group_id);
        let newest_key = (room.app, name);
        let mut pending = Pending { at, ..Pending::default() };
        for mut message in messages {
            let newest = self.newest.get(&newest_key);
            let bucket = bucket_for(message.msg_time, newest);
            if newest != Some(bucket) {
                self.write(room, &mut pending).await?;
                self.index(room, bucket).await?;
                self.newest.insert(newest_key.clone(), bucket);
            }
            if pending.bucket != bucket || pending.is_full() {
                self.write(room, &mut pending).await?;
                pending.bucket = bucket;
            }
            message.recalled = false;
            message.revoker.clear();
            let value = message.encode_to_vec();
            pending.bytes += value.len();
            let put = Op::put(&ROOM_MESSAGES, key![message.msg_seq], value).ttl(self.memory);
            pending.ops.push(put);
        }
        self.write(room, &mut pending).await?;
        Ok(())
    }

    /// Names a bucket in the index, before anything is in it.
    async fn index(&self, room: RoomId<'_>, bucket: u32) -> Result<(), StoreError> {
        let entry = Op::put(&ROOM_BUCKETS, key![bucket], Vec::new()).ttl(self.memory + INDEX_SPARE);
        self.store.write(Batch::durable(room_key(room)).with(entry)).await
    }

    async fn write(&self, room: RoomId<'_>, pending: &mut Pending) -> Result<(), StoreError> {
        if pending.ops.is_empty() {
            return Ok(());
        }
        let batch = Batch::durable(bucket_key(room, pending.bucket));
        let mut batch = pending.at.into_iter().fold(batch, Batch::at);
        for op in pending.ops.drain(..) {
            batch.push(op);
        }
        pending.bytes = 0;
        metrics::counter!("throng_history_messages_appended_total").increment(batch.len() as u64);
        self.store.write(batch).await
    }
}

/// Messages of one bucket that go into one batch.
#[derive(Debug, Default)]
struct Pending {
    bucket: u32,
    at: Option<WriteTime>,
    ops: Vec<Op>,
    bytes: usize,
}

impl Pending {
    fn is_full(&self) -> bool {
        self.ops.len() >= BATCH_MESSAGES || self.bytes >= BATCH_BYTES
    }
}

/// The bucket of a message's time; but the clock of a new owner may be a little behind the one
/// before, and buckets have to rise with the numbers: the next bucket stays in use once it is.
fn bucket_for(msg_time: i64, newest: Option<u32>) -> u32 {
    let own = bucket_of(msg_time);
    match newest {
        Some(newest) if newest == own.saturating_add(1) => newest,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_a_little_behind_does_not_lead_back_to_an_old_bucket() {
        assert_eq!(bucket_for(900, None), 1);
        assert_eq!(bucket_for(899, Some(1)), 1);
        assert_eq!(bucket_for(1800, Some(1)), 2);
        assert_eq!(bucket_for(899, Some(7)), 0, "a clock that was far wrong is not followed");
        assert_eq!(bucket_for(-5, None), 0);
    }
}
