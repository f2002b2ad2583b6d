//! Recalling: a mark beside the message.

use std::collections::BTreeMap;

use prost::Message;
use throng_store::{Batch, Op, StoreError, WriteTime, key};

use super::tables::{ROOM_RECALLS, RecallRow, bucket_key};
use super::{RoomId, Rooms};

impl Rooms {
    /// Marks those of the named messages that exist; durable when it returns.
    pub(crate) async fn recall(
        &self,
        room: RoomId<'_>,
        seqs: &[u32],
        revoker: &str,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        let mut batches = BTreeMap::new();
        for found in self.find(room, seqs).await? {
            let batch = batches.entry(found.bucket).or_insert_with(|| {
                let batch = Batch::durable(bucket_key(room, found.bucket));
                at.into_iter().fold(batch, Batch::at)
            });
            let mark = RecallRow { revoker: revoker.to_owned(), msg_time: found.message.msg_time };
            let put = Op::put(&ROOM_RECALLS, key![found.message.msg_seq], mark.encode_to_vec());
            batch.push(put.ttl(self.memory));
        }
        for batch in batches.into_values() {
            self.store.write(batch).await?;
        }
        Ok(())
    }
}
