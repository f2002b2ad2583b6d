//! Finding the end of a group's messages.

use prost::Message;
use throng_proto::v1::GroupLog;
use throng_store::StoreError;

use super::Groups;
use super::tables::{GroupRow, bucket_of};
use super::tail::Tail;

/// Rows of one page: what an owner has under way, and what it appended since it noted its head.
const PAGE: usize = 1000;

impl Groups {
    /// The last number in use, read on from the note that the last owner left.
    pub(crate) async fn recover(
        &self,
        log: &GroupLog,
        noted_head: u32,
        noted_epoch: u64,
    ) -> Result<u32, StoreError> {
        let mut tail = Tail::behind(noted_head, noted_epoch);
        'rows: while let Some(next) = tail.head.checked_add(1) {
            let rows = self.rows(log, bucket_of(next), next, u32::MAX, PAGE, true).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                // Going on without a row that cannot be read would be to write over it.
                let damaged = StoreError::Damaged { reason: "row of a group's message" };
                let (Some(seq), Ok(row)) = (row.clustering.get_u32(0), GroupRow::decode(row.value))
                else {
                    return Err(damaged);
                };
                if !tail.take(seq, row.epoch) {
                    break 'rows;
                }
            }
        }
        Ok(tail.head)
    }
}
