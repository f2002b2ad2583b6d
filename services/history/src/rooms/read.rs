//! Reading a room backwards, the newest message first.

use std::cmp::Reverse;
use std::collections::HashMap;

use prost::Message;
use throng_proto::v1::StoredMessage;
use throng_store::{Page, Row, StoreError, key};

use super::tables::{ROOM_MESSAGES, ROOM_RECALLS, RecallRow, bucket_end, bucket_key};
use super::{RoomId, Rooms};

/// Messages in one answer.
pub(crate) const MAX_LIMIT: usize = 1000;
/// Bytes of messages in one answer, below what a gRPC message may have.
const MAX_BYTES: usize = 3 * 1024 * 1024;

/// What to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    /// The largest number wanted; 0 means the newest.
    pub(crate) before_or_at: u32,
    /// At most so many; at most [`MAX_LIMIT`].
    pub(crate) limit: usize,
    /// Not older than this, seconds since 1970.
    pub(crate) not_before: i64,
    /// Leave recalled ones out.
    pub(crate) skip_recalled: bool,
}

/// What was read, the newest first.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) messages: Vec<StoredMessage>,
    /// There is nothing older that was asked for.
    pub(crate) complete: bool,
    bytes: usize,
}

impl Rooms {
    /// Reads a page.
    pub(crate) async fn read(&self, room: RoomId<'_>, query: Query) -> Result<Reading, StoreError> {
        let limit = query.limit.min(MAX_LIMIT);
        let mut reading = Reading::default();
        for bucket in self.buckets(room).await? {
            if bucket_end(bucket) <= query.not_before {
                break;
            }
            if !self.read_bucket(room, bucket, query, limit, &mut reading).await? {
                reading.messages.sort_unstable_by_key(|message| Reverse(message.msg_seq));
                return Ok(reading);
            }
        }
        reading.messages.sort_unstable_by_key(|message| Reverse(message.msg_seq));
        reading.complete = true;
        Ok(reading)
    }

    /// Reads on in one bucket. False: the answer is full and there is more.
    async fn read_bucket(
        &self,
        room: RoomId<'_>,
        bucket: u32,
        query: Query,
        limit: usize,
        reading: &mut Reading,
    ) -> Result<bool, StoreError> {
        let partition = bucket_key(room, bucket);
        let mut from = (query.before_or_at != 0).then(|| key![query.before_or_at]);
        loop {
            // One more than fits tells whether there is more.
            let wanted = limit + 1 - reading.messages.len();
            let mut page = Page::forward(wanted);
            if let Some(from) = from.take() {
                page = page.starting_at(from);
            }
            let rows = self.store.page(&ROOM_MESSAGES, &partition, page).await?;
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
                return Ok(true);
            };
            let lowest = last.clustering.get_u32(0).unwrap_or(0);
            let more = rows.len() == wanted && lowest > 1;
            from = more.then(|| key![lowest - 1]);
            let range = Page::forward(wanted)
                .starting_at(first.clustering.clone())
                .through(last.clustering.clone());
            let recalls = self.store.page(&ROOM_RECALLS, &partition, range).await?;
            let recalls = Recalls::new(recalls);
            for row in rows {
                let size = row.value.len();
                let Some(message) = recalls.merge_into(row) else {
                    continue;
                };
                let hidden = query.skip_recalled && message.recalled;
                if hidden || message.msg_time < query.not_before {
                    continue;
                }
                let full = reading.messages.len() == limit
                    || (reading.bytes + size > MAX_BYTES && !reading.messages.is_empty());
                if full {
                    return Ok(false);
                }
                reading.bytes += size;
                reading.messages.push(message);
            }
            if !more {
                return Ok(true);
            }
        }
    }
}

/// Recalls of a stretch of messages.
#[derive(Debug)]
pub(super) struct Recalls {
    by_seq: HashMap<u32, RecallRow>,
}

impl Recalls {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let by_seq = rows.into_iter().filter_map(|row| {
            Some((row.clustering.get_u32(0)?, RecallRow::decode(row.value).ok()?))
        });
        Self { by_seq: by_seq.collect() }
    }

    /// The message of a row, marked if it was recalled. A row that cannot be read is left out.
    pub(super) fn merge_into(&self, row: Row) -> Option<StoredMessage> {
        let mut message = match StoredMessage::decode(row.value) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, "a stored message cannot be read");
                return None;
            }
        };
        let recall = self.by_seq.get(&message.msg_seq);
        if let Some(recall) = recall.filter(|recall| recall.msg_time == message.msg_time) {
            message.recalled = true;
            message.revoker.clone_from(&recall.revoker);
        }
        Some(message)
    }
}
