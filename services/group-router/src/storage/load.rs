//! Reads a group back: all rows of its partition, page by page.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use throng_protocol::ids::AppId;
use throng_store::{Page, Row, Store, StoreError};

use super::rows::{
    AdminsRow, AttributesRow, BanRow, CountersRow, ProfileRow, RobotsRow, RowKind, SequenceRow,
};
use super::tables::{GROUP_STATE, state_partition};

/// A group as the store has it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) profile: ProfileRow,
    pub(crate) sequence: SequenceRow,
    pub(crate) attributes: AttributesRow,
    pub(crate) counters: CountersRow,
    pub(crate) mutes: HashMap<String, i64>,
    pub(crate) bans: BTreeMap<String, i64>,
    pub(crate) admins: Vec<String>,
    pub(crate) robots: Vec<String>,
}

const PAGE: usize = 1000;

/// `None` when there is no such group.
pub(crate) async fn load(
    store: &dyn Store,
    app: AppId,
    group_id: &str,
) -> Result<Option<Loaded>, StoreError> {
    let partition = state_partition(app, group_id);
    let mut loaded = Loaded::default();
    let mut exists = false;
    let mut page = Page::forward(PAGE);
    loop {
        let rows = store.page(&GROUP_STATE, &partition, page).await?;
        let last = rows.last().map(|row| row.clustering.clone());
        let full = rows.len() >= PAGE;
        for row in rows {
            exists |= take(&mut loaded, row);
        }
        match last {
            Some(last) if full => page = Page::forward(PAGE).after(last),
            _ => return Ok(exists.then_some(loaded)),
        }
    }
}

/// Puts one row in its place; true for the profile, which makes a group.
fn take(loaded: &mut Loaded, row: Row) -> bool {
    let (Some(kind), Some(name)) = (row.clustering.get_u32(0), row.clustering.get_text(1)) else {
        return false;
    };
    let Some(kind) = RowKind::from_number(kind) else {
        return false;
    };
    match kind {
        RowKind::Profile => loaded.profile = ProfileRow::decode(row.value).unwrap_or_default(),
        RowKind::Sequence => loaded.sequence = SequenceRow::decode(row.value).unwrap_or_default(),
        RowKind::Attributes => {
            loaded.attributes = AttributesRow::decode(row.value).unwrap_or_default()
        }
        RowKind::Counters => loaded.counters = CountersRow::decode(row.value).unwrap_or_default(),
        RowKind::Admins => loaded.admins = AdminsRow::decode(row.value).unwrap_or_default().users,
        RowKind::Robots => loaded.robots = RobotsRow::decode(row.value).unwrap_or_default().users,
        RowKind::Mute => {
            loaded.mutes.insert(
                name.to_owned(),
                BanRow::decode(row.value.clone()).unwrap_or_default().until,
            );
        }
        RowKind::Ban => {
            loaded.bans.insert(
                name.to_owned(),
                BanRow::decode(row.value.clone()).unwrap_or_default().until,
            );
        }
    }
    kind == RowKind::Profile
}
