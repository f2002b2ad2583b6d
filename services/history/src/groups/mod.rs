//! The messages of durable groups: kept for as long as their group exists, numbered without a gap.
//!
//! Numbers come from the group's owner, so a message is found by arithmetic: buckets of 4,096 numbers
//! in partitions of their own, the newest first within one. Every row names the life of the owner that
//! wrote it, by which an owner that begins tells the history from what an earlier one left under way
//! (`tail`). Reads stay within the bounds that the owner vouches for and need not look at that.
//!
//! What is changed of a message afterwards lies beside the log (`amend`), in tables of the same
//! arithmetic, and is put into what is read.

mod amend;
mod append;
mod read;
mod recover;
pub(crate) mod tables;
mod tail;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use throng_proto::v1::GroupLog;
use throng_store::{Store, StoreError, WriteTime};

use crate::epochs::Epochs;
pub(crate) use amend::{MAX_NAMED, MAX_RECALLS};
pub(crate) use append::AppendError;
pub(crate) use read::{MAX_LIMIT, Stretch};
use tables::{GROUP_AMENDMENTS, GROUP_HIDDEN, GROUP_MESSAGES, bucket_of, partition};

/// All durable groups' messages.
#[derive(Debug)]
pub(crate) struct Groups {
    store: Arc<dyn Store>,
    epochs: Epochs,
}

impl Groups {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, epochs: Epochs::default() }
    }

    /// Deletes everything up to a number; nothing may be behind it. May be repeated. The list of
    /// recalls goes by itself: nobody asks for this incarnation again.
    pub(crate) async fn forget(
        &self,
        log: &GroupLog,
        head: u32,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        // One behind: an append that was lost on its way may have reached into it.
        for bucket in 0..=bucket_of(head) + 1 {
            let bucket = partition(log, bucket);
            // The messages last: what lies beside them is not looked for without them.
            for table in [&GROUP_AMENDMENTS, &GROUP_HIDDEN, &GROUP_MESSAGES] {
                self.store.delete_partition(table, &bucket, at).await?;
            }
        }
        Ok(())
    }
}
