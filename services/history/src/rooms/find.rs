//! Finding messages by their numbers.

use futures_util::future::try_join_all;
use throng_proto::v1::StoredMessage;
use throng_store::{Row, StoreError, key};

use super::read::Recalls;
use super::tables::{ROOM_MESSAGES, ROOM_RECALLS, bucket_key};
use super::{RoomId, Rooms};

/// Numbers in one request.
pub(crate) const MAX_SEQS: usize = 200;

/// A message and the bucket it lies in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) bucket: u32,
    pub(super) message: StoredMessage,
}

impl Rooms {
    /// Those of the named messages that exist.
    pub(crate) async fn get(
        &self,
        room: RoomId<'_>,
        seqs: &[u32],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let found = self.find(room, seqs).await?;
        Ok(found.into_iter().map(|found| found.message).collect())
    }

    pub(super) async fn find(
        &self,
        room: RoomId<'_>,
        seqs: &[u32],
    ) -> Result<Vec<Found>, StoreError> {
        let mut missing = seqs.to_vec();
        missing.sort_unstable();
        missing.dedup();
        let mut found = Vec::new();
        for bucket in self.buckets(room).await? {
            if missing.is_empty() {
                break;
            }
            let looked = missing.iter().map(|seq| self.look(room, bucket, *seq));
            for hit in try_join_all(looked).await?.into_iter().flatten() {
                missing.retain(|seq| *seq != hit.message.msg_seq);
                found.push(hit);
            }
        }
        Ok(found)
    }

    async fn look(
        &self,
        room: RoomId<'_>,
        bucket: u32,
        seq: u32,
    ) -> Result<Option<Found>, StoreError> {
        let (partition, clustering) = (bucket_key(room, bucket), key![seq]);
        let Some(value) = self.store.get(&ROOM_MESSAGES, &partition, &clustering).await? else {
            return Ok(None);
        };
        let recall = self.store.get(&ROOM_RECALLS, &partition, &clustering).await?;
        let recall = recall.map(|value| Row { clustering: clustering.clone(), value });
        let recalls = Recalls::new(recall.into_iter().collect());
        let message = recalls.merge_into(Row { clustering, value });
        Ok(message.map(|message| Found { bucket, message }))
    }
}
