//! The messages of live rooms, kept for 24 hours.
//!
//! A room's messages lie in buckets of a quarter of an hour, so that no partition grows without
//! bound, and within a bucket by sequence number, the newest first. Sequence numbers have gaps and
//! most rooms are silent most of the time, so a small index names the buckets that exist: reading the
//! newest messages takes the index and as many buckets as the messages lie in. A message is found by
//! its number in the buckets, the newest first, since it is nearly always a recent one that is
//! looked for.
//!
//! A recall is a row of its own beside the messages, merged in on reading: old files, which expire as
//! a whole, are never written to again.

mod append;
mod find;
mod read;
mod recall;
mod tables;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use throng_store::{Page, Store, StoreError};

use crate::config::Config;
use crate::epochs::Epochs;
pub(crate) use append::AppendError;
pub(crate) use find::MAX_SEQS;
pub(crate) use read::{MAX_LIMIT, Query};
use tables::room_key;
pub(crate) use tables::{ROOM_BUCKETS, ROOM_MESSAGES, ROOM_RECALLS};

/// Rooms whose newest bucket is remembered. Without the memory a bucket is only indexed again.
const REMEMBERED_ROOMS: u64 = 100_000;
/// For so long. Also how old an index entry gets before it is written again, so that it outlives the
/// messages of its bucket.
const REMEMBERED_FOR: Duration = Duration::from_secs(15 * 60);

/// Which room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoomId<'a> {
    pub(crate) app: u32,
    pub(crate) group_id: &'a str,
}

/// All live rooms' messages.
#[derive(Debug)]
pub(crate) struct Rooms {
    store: Arc<dyn Store>,
    memory: Duration,
    /// The newest bucket of a room that is in the index for certain.
    newest: Cache<(u32, Arc<str>), u32>,
    /// Owners of rooms.
    epochs: Epochs,
}

impl Rooms {
    pub(crate) fn new(config: &Config, store: Arc<dyn Store>) -> Self {
        let newest =
            Cache::builder().max_capacity(REMEMBERED_ROOMS).time_to_live(REMEMBERED_FOR).build();
        Self { store, memory: config.room_memory(), newest, epochs: Epochs::default() }
    }

    /// Notes the owner that appends or reads now. False: a later one is known.
    pub(crate) fn admit(&self, room: RoomId<'_>, epoch: u64) -> bool {
        self.epochs.admit(room.app, room.group_id, 0, epoch)
    }

    /// The buckets that the room has, the newest first.
    async fn buckets(&self, room: RoomId<'_>) -> Result<Vec<u32>, StoreError> {
        let page = Page::forward(Page::MAX_LIMIT);
        let rows = self.store.page(&ROOM_BUCKETS, &room_key(room), page).await?;
        Ok(rows.into_iter().filter_map(|row| row.clustering.get_u32(0)).collect())
    }
}
