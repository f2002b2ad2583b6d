//! Reads a group back: all rows of its partition, page by page.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use prost::Message;
use throng_protocol::ids::AppId;
use throng_store::{Page, Row, Store, StoreError};

use super::rows::{
    AdminsRow, ApplicationRow, AttributesRow, BanRow, CountersRow, DeletedRow, LogNote, MemberRow,
    MentionsRow, PinsRow, ProfileRow, RobotsRow, RowKind, SequenceRow, TipsRow, UncountedRow,
    UnreadRow,
};
use super::sweep::sweep;
use super::tables::{GROUP_STATE, state_partition};
use crate::placement::Tenure;

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
    pub(crate) members: Vec<(String, MemberRow)>,
    pub(crate) applications: BTreeMap<String, ApplicationRow>,
    pub(crate) invitations: BTreeMap<String, ApplicationRow>,
    pub(crate) log: Option<LogNote>,
    pub(crate) pins: PinsRow,
    /// Numbers of the log that do not count as unread.
    pub(crate) uncounted: Vec<u32>,
    /// Members whose rows count below the profile's `read_floor`, and the floor they were set under.
    pub(crate) unread: HashMap<String, u32>,
    /// The newest messages that members deleted for themselves.
    pub(crate) deleted: HashMap<String, u32>,
    pub(crate) tips: TipsRow,
    /// Members who were mentioned, and all of them under no name.
    pub(crate) mentions: HashMap<String, MentionsRow>,
}

const PAGE: usize = 1000;

/// `None` when there is no such group. Rows of one that is not made, or was dismissed, are what was left by
/// an owner that died over it; they go, or the next group with this ID would inherit them.
pub(crate) async fn load(
    store: &dyn Store,
    app: AppId,
    group_id: &str,
    tenure: &Tenure,
) -> Result<Option<Loaded>, StoreError> {
    let partition = state_partition(app, group_id);
    let mut loaded = Loaded::default();
    let (mut exists, mut empty) = (false, true);
    let mut page = Page::forward(PAGE);
    loop {
        let rows = store.page(&GROUP_STATE, &partition, page).await?;
        let last = rows.last().map(|row| row.clustering.clone());
        let full = rows.len() >= PAGE;
        empty &= rows.is_empty();
        for row in rows {
            exists |= take(&mut loaded, row)?;
        }
        match last {
            Some(last) if full => page = Page::forward(PAGE).after(last),
            _ => break,
        }
    }
    if exists && !loaded.profile.ended {
        return Ok(Some(loaded));
    }
    if !empty {
        sweep(store, app, group_id, &loaded, tenure).await?;
    }
    Ok(None)
}

/// Puts one row in its place; true for the profile, which makes a group. A row that cannot be read
/// is an error: going on without it would write over it.
fn take(loaded: &mut Loaded, row: Row) -> Result<bool, StoreError> {
    let (Some(kind), Some(name)) = (row.clustering.get_u32(0), row.clustering.get_text(1)) else {
        return Err(StoreError::Damaged { reason: "key of a group's row" });
    };
    let Some(kind) = RowKind::from_number(kind) else {
        // Of a later version.
        return Ok(false);
    };
    let name = name.to_owned();
    match kind {
        RowKind::Profile => loaded.profile = decode(row.value)?,
        RowKind::Sequence => loaded.sequence = decode(row.value)?,
        RowKind::Attributes => loaded.attributes = decode(row.value)?,
        RowKind::Counters => loaded.counters = decode(row.value)?,
        RowKind::Admins => loaded.admins = decode::<AdminsRow>(row.value)?.users,
        RowKind::Robots => loaded.robots = decode::<RobotsRow>(row.value)?.users,
        RowKind::Mute => _ = loaded.mutes.insert(name, decode::<BanRow>(row.value)?.until),
        RowKind::Ban => _ = loaded.bans.insert(name, decode::<BanRow>(row.value)?.until),
        RowKind::Member => loaded.members.push((name, decode(row.value)?)),
        RowKind::Application => _ = loaded.applications.insert(name, decode(row.value)?),
        RowKind::Invitation => _ = loaded.invitations.insert(name, decode(row.value)?),
        RowKind::Log => loaded.log = Some(decode(row.value)?),
        RowKind::Pins => loaded.pins = decode(row.value)?,
        RowKind::Tips => loaded.tips = decode(row.value)?,
        RowKind::Uncounted => loaded.uncounted = decode::<UncountedRow>(row.value)?.numbers,
        RowKind::Unread => _ = loaded.unread.insert(name, decode::<UnreadRow>(row.value)?.floor),
        RowKind::Mentions => _ = loaded.mentions.insert(name, decode(row.value)?),
        RowKind::Deleted => {
            loaded.deleted.insert(name, decode::<DeletedRow>(row.value)?.msg_seq);
        }
    }
    Ok(kind == RowKind::Profile)
}

fn decode<T: Message + Default>(value: Bytes) -> Result<T, StoreError> {
    T::decode(value).map_err(|_| StoreError::Damaged { reason: "value of a group's row" })
}
