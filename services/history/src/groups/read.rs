//! Reading a stretch of a group's messages in either direction.

use prost::Message;
use throng_proto::v1::{GroupLog, StoredMessage};
use throng_store::{Page, Row, StoreError, key};

use super::Groups;
use super::tables::{BUCKET, GROUP_MESSAGES, GroupRow, bucket_of, partition};

/// Messages in one answer.
pub(crate) const MAX_LIMIT: usize = 1000;
/// Bytes of messages in one answer, below what a gRPC message may have.
const MAX_BYTES: usize = 3 * 1024 * 1024;

/// Which messages; both ends belong to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch<'a> {
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// At most so many; at most [`MAX_LIMIT`].
    pub(crate) limit: usize,
    pub(crate) ascending: bool,
    /// For whose eyes; empty: everything as it is.
    pub(crate) viewer: &'a str,
}

/// What was read, in the order that was asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) messages: Vec<StoredMessage>,
    /// There are no more in the stretch.
    pub(crate) complete: bool,
}

impl Groups {
    /// Reads a page of a stretch.
    pub(crate) async fn read(
        &self,
        log: &GroupLog,
        stretch: Stretch<'_>,
    ) -> Result<Reading, StoreError> {
        let Stretch { first, last, limit, ascending, viewer } = stretch;
        let (first, limit) = (first.max(1), limit.min(MAX_LIMIT));
        let mut reading = Reading::default();
        let mut bytes = 0;
        let buckets = bucket_of(first)..=bucket_of(last);
        let mut upwards = buckets.clone();
        let mut downwards = buckets.rev();
        while let Some(bucket) = if ascending { upwards.next() } else { downwards.next() } {
            // One more than fits tells whether there is more.
            let wanted = limit + 1 - reading.messages.len();
            let rows = self.rows(log, bucket, first, last, wanted, ascending).await?;
            let message = |row| decode(row).and_then(|row| row.message);
            let mut messages: Vec<StoredMessage> = rows.into_iter().filter_map(message).collect();
            self.merge(log, bucket, viewer, &mut messages).await?;
            for message in messages {
                let size = message.encoded_len();
                let full = reading.messages.len() == limit
                    || (bytes + size > MAX_BYTES && !reading.messages.is_empty());
                if full {
                    return Ok(reading);
                }
                bytes += size;
                reading.messages.push(message);
            }
        }
        reading.complete = true;
        Ok(reading)
    }

    /// Rows of one bucket between two numbers.
    pub(super) async fn rows(
        &self,
        log: &GroupLog,
        bucket: u32,
        first: u32,
        last: u32,
        limit: usize,
        ascending: bool,
    ) -> Result<Vec<Row>, StoreError> {
        let low = first.max(bucket.saturating_mul(BUCKET));
        let high = last.min(bucket.saturating_mul(BUCKET).saturating_add(BUCKET - 1));
        if low > high {
            return Ok(Vec::new());
        }
        // The table has the newest first.
        let page = if ascending {
            Page::backward(limit).starting_at(key![low]).through(key![high])
        } else {
            Page::forward(limit).starting_at(key![high]).through(key![low])
        };
        self.store.page(&GROUP_MESSAGES, &partition(log, bucket), page).await
    }
}

/// A row that cannot be read is left out.
fn decode(row: Row) -> Option<GroupRow> {
    match GroupRow::decode(row.value) {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::error!(%error, "a stored message cannot be read");
            None
        }
    }
}
