//! The groups of a user, for lists that begin with the user. Written by the owner of each group: an
//! entry before the member's row, and gone after it, so that no group is ever missing.

use prost::Message;
use throng_protocol::ids::{AppId, GroupType};
use throng_store::{Batch, Op, Page, Store, StoreError, key};

use super::tables::USER_GROUPS;

#[derive(Clone, PartialEq, Message)]
struct UserGroupRow {
    #[prost(string, tag = "1")]
    group_type: String,
}

/// Somebody became a member of a group, or is none any more.
#[derive(Debug, Clone)]
pub(crate) struct IndexChange {
    pub(crate) user: String,
    /// `None`: no member any more.
    pub(crate) group_type: Option<GroupType>,
}

/// The write of a change.
pub(crate) fn index_batch(app: AppId, group_id: &str, change: &IndexChange) -> Batch {
    let batch = Batch::durable(key![app.0, change.user.as_str()]);
    let clustering = key![group_id];
    match change.group_type {
        Some(kind) => {
            let row = UserGroupRow { group_type: kind.as_str().to_owned() };
            batch.with(Op::put(&USER_GROUPS, clustering, row.encode_to_vec()))
        }
        None => batch.with(Op::delete(&USER_GROUPS, clustering)),
    }
}

/// The groups of a user, of one type if one is named, in the order of their IDs; at most `most`.
pub(crate) async fn groups_of(
    store: &dyn Store,
    app: AppId,
    user: &str,
    group_type: Option<&str>,
    most: usize,
) -> Result<Vec<String>, StoreError> {
    let rows = store.page(&USER_GROUPS, &key![app.0, user], Page::forward(most)).await?;
    let wanted = |value| {
        let row = UserGroupRow::decode(value).unwrap_or_default();
        group_type.is_none_or(|wanted| wanted == row.group_type)
    };
    let groups = rows.into_iter().filter_map(|row| {
        let group_id = row.clustering.get_text(0)?.to_owned();
        wanted(row.value).then_some(group_id)
    });
    Ok(groups.collect())
}
