//! The list of an app's groups, for `get_appid_group_list`. Groups are ordered by a hash of their
//! ID, whose top bits are the bucket, so that the page cursor is one number.

use prost::Message;
use throng_protocol::ids::AppId;
use throng_store::{Key, Op, Page, Store, StoreError, key};
use xxhash_rust::xxh3::xxh3_64;

use super::tables::APP_GROUPS;

const BUCKET_BITS: u32 = 6;

#[derive(Clone, PartialEq, Message)]
struct ListingRow {
    #[prost(string, tag = "1")]
    group_type: String,
}

/// One page of an app's groups.
#[derive(Debug, Default)]
pub(crate) struct ListingPage {
    /// Group IDs and types.
    pub(crate) groups: Vec<(String, String)>,
    /// Where the next page begins; 0 at the end.
    pub(crate) next: u64,
}

/// Never 0, which as a cursor means the beginning.
fn hash(group_id: &str) -> u64 {
    xxh3_64(group_id.as_bytes()).max(1)
}

fn bucket(hash: u64) -> u32 {
    u32::try_from(hash >> (64 - BUCKET_BITS)).expect("the top six bits fit")
}

/// The partition of a group's entry.
pub(crate) fn listing_partition(app: AppId, group_id: &str) -> Key {
    key![app.0, bucket(hash(group_id))]
}

/// Enters a group.
pub(crate) fn list_op(group_id: &str, group_type: &str) -> Op {
    let row = ListingRow { group_type: group_type.to_owned() };
    Op::put(&APP_GROUPS, key![hash(group_id), group_id], row.encode_to_vec())
}

/// Takes a group out.
pub(crate) fn unlist_op(group_id: &str) -> Op {
    Op::delete(&APP_GROUPS, key![hash(group_id), group_id])
}

/// Groups after the cursor, of one type if one is asked for.
pub(crate) async fn list_groups(
    store: &dyn Store,
    app: AppId,
    cursor: u64,
    group_type: Option<&str>,
    limit: usize,
) -> Result<ListingPage, StoreError> {
    let mut page = ListingPage::default();
    let mut last_hash = 0;
    for bucket in bucket(cursor)..1 << BUCKET_BITS {
        let partition = key![app.0, bucket];
        let mut next = Page::forward(1000).starting_at(key![cursor]);
        loop {
            let rows = store.page(&APP_GROUPS, &partition, next).await?;
            let last = rows.last().map(|row| row.clustering.clone());
            let full = rows.len() >= 1000;
            for row in rows {
                let (Some(hash), Some(group_id)) =
                    (row.clustering.get_u64(0), row.clustering.get_text(1))
                else {
                    continue;
                };
                let entry = ListingRow::decode(row.value).unwrap_or_default();
                if group_type.is_some_and(|wanted| wanted != entry.group_type) {
                    continue;
                }
                // A page never ends between two groups of one hash: the cursor could not tell them.
                if page.groups.len() >= limit && hash != last_hash {
                    page.next = hash;
                    return Ok(page);
                }
                last_hash = hash;
                page.groups.push((group_id.to_owned(), entry.group_type));
            }
            match last {
                Some(last) if full => next = Page::forward(1000).after(last),
                _ => break,
            }
        }
    }
    Ok(page)
}
