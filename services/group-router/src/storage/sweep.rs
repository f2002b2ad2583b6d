//! Clears away what is left of a group that was never made whole, or never dismissed whole.

use futures_util::future::try_join_all;
use throng_protocol::ids::AppId;
use throng_store::{Batch, Store, StoreError};

use super::listing::{listing_partition, unlist_op};
use super::load::Loaded;
use super::pendencies::pendency_entry;
use super::rows::{RowKind, delete_rows};
use super::tables::{GROUP_STATE, state_partition};
use super::user_entry::UserEntry;
use super::user_groups::membership_entry;
use crate::placement::Tenure;

/// Members that go together: what is cut short goes on behind them.
const PART: usize = 256;
/// Entries that are written at the same time.
const SIDE_BY_SIDE: usize = 32;

/// Takes the group out of the lists that name it, and its rows at last: while there are any, who reads the
/// group next goes on. Ends early where the group went to another node.
pub(super) async fn sweep(
    store: &dyn Store,
    app: AppId,
    group_id: &str,
    left: &Loaded,
    tenure: &Tenure,
) -> Result<(), StoreError> {
    let partition = state_partition(app, group_id);
    let deciders: Vec<&str> = Some(left.profile.owner.as_str())
        .filter(|owner| !owner.is_empty())
        .into_iter()
        .chain(left.members.iter().filter(|(_, member)| member.admin).map(|(user, _)| &**user))
        .collect();
    let applications = left.applications.iter().flat_map(|(applicant, application)| {
        let entry =
            |user: &&str| pendency_entry(user, group_id, applicant, application.added, None);
        deciders.iter().map(entry).collect::<Vec<_>>()
    });
    let invitations = left
        .invitations
        .iter()
        .map(|(user, invitation)| pendency_entry(user, group_id, user, invitation.added, None));
    let pendencies: Vec<_> = applications.chain(invitations).collect();
    forget(store, app, &pendencies, tenure).await?;
    for members in left.members.chunks(PART) {
        let users = || members.iter().map(|(user, _)| user.as_str());
        let entries: Vec<_> = users().map(|user| membership_entry(user, group_id, None)).collect();
        forget(store, app, &entries, tenure).await?;
        let Some(at) = tenure.stamp() else { return Ok(()) };
        let rows = delete_rows(RowKind::Member, users());
        let batch = rows.fold(Batch::durable(partition.clone()), Batch::with);
        store.write(batch.at(at)).await?;
    }
    let Some(at) = tenure.stamp() else { return Ok(()) };
    let listing = Batch::durable(listing_partition(app, group_id)).with(unlist_op(group_id));
    store.write(listing.at(at)).await?;
    let Some(at) = tenure.stamp() else { return Ok(()) };
    store.delete_partition(&GROUP_STATE, &partition, Some(at)).await
}

async fn forget(
    store: &dyn Store,
    app: AppId,
    entries: &[UserEntry],
    tenure: &Tenure,
) -> Result<(), StoreError> {
    for entries in entries.chunks(SIDE_BY_SIDE) {
        let write = |entry: &UserEntry| Some(store.write(entry.batch(app).at(tenure.stamp()?)));
        let writes: Vec<_> = entries.iter().filter_map(write).collect();
        try_join_all(writes).await?;
    }
    Ok(())
}
