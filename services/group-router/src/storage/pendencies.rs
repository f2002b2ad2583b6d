//! What a user has to decide about in groups: an entry for each application, in the list of everybody who
//! may decide it.

use prost::Message;
use throng_protocol::ids::AppId;
use throng_store::{Page, Store, StoreError, key};

use super::rows::ApplicationRow;
use super::tables::USER_PENDENCIES;
use super::user_entry::UserEntry;

/// An application, and the group that it is for.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PendencyRow {
    #[prost(string, tag = "1")]
    pub(crate) group_name: String,
    #[prost(string, tag = "2")]
    pub(crate) group_type: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) application: Option<ApplicationRow>,
    /// It is for the user himself to agree to it.
    #[prost(bool, tag = "4")]
    pub(crate) own: bool,
}

/// One entry of the list.
#[derive(Debug)]
pub(crate) struct Pendency {
    pub(crate) group_id: String,
    pub(crate) applicant: String,
    pub(crate) row: PendencyRow,
}

/// An application to a group comes into a user's list, or goes.
pub(crate) fn pendency_entry(
    user: &str,
    group_id: &str,
    applicant: &str,
    added: u64,
    row: Option<&PendencyRow>,
) -> UserEntry {
    let value = row.map(PendencyRow::encode_to_vec);
    UserEntry::new(user, &USER_PENDENCIES, key![added, group_id, applicant], value)
}

/// A page of a user's list, the newest first, from a time on (microseconds since 1970; 0: the newest). With
/// it where the next page begins; 0 at the end.
pub(crate) async fn pendencies_of(
    store: &dyn Store,
    app: AppId,
    user: &str,
    start: u64,
    limit: usize,
) -> Result<(Vec<Pendency>, u64), StoreError> {
    let page = Page::forward(limit + 1);
    let page = if start == 0 { page } else { page.starting_at(key![start]) };
    let rows = store.page(&USER_PENDENCIES, &key![app.0, user], page).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let at = row.clustering.get_u64(0).unwrap_or(0);
        if found.len() == limit {
            return Ok((found, at));
        }
        if let (Some(group_id), Some(applicant), Ok(entry)) =
            (row.clustering.get_text(1), row.clustering.get_text(2), PendencyRow::decode(row.value))
        {
            let (group_id, applicant) = (group_id.to_owned(), applicant.to_owned());
            found.push(Pendency { group_id, applicant, row: entry });
        }
    }
    Ok((found, 0))
}
