//! The groups of a user, for lists that begin with the user.

use prost::Message;
use throng_protocol::ids::{AppId, GroupType};
use throng_store::{Page, Store, StoreError, key};

use super::tables::USER_GROUPS;
use super::user_entry::UserEntry;

#[derive(Clone, PartialEq, Message)]
struct UserGroupRow {
    #[prost(string, tag = "1")]
    group_type: String,
}

/// Somebody became a member of a group of a type, or is none any more.
pub(crate) fn membership_entry(user: &str, group_id: &str, kind: Option<GroupType>) -> UserEntry {
    let row = kind.map(|kind| UserGroupRow { group_type: kind.as_str().to_owned() });
    let value = row.map(|row| row.encode_to_vec());
    UserEntry::new(user, &USER_GROUPS, key![group_id], value)
}

/// The groups of a user whose type is wanted, in the order of their IDs; at most `most`.
pub(crate) async fn groups_of(
    store: &dyn Store,
    app: AppId,
    user: &str,
    wanted: impl Fn(&str) -> bool,
    most: usize,
) -> Result<Vec<String>, StoreError> {
    let rows = store.page(&USER_GROUPS, &key![app.0, user], Page::forward(most)).await?;
    let wanted = |value| wanted(&UserGroupRow::decode(value).unwrap_or_default().group_type);
    let groups = rows.into_iter().filter_map(|row| {
        let group_id = row.clustering.get_text(0)?.to_owned();
        wanted(row.value).then_some(group_id)
    });
    Ok(groups.collect())
}
