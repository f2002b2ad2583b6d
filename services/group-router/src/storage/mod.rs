//! What a group keeps in the store: its tables, its rows, and how a group is read back.

mod annotations;
mod listing;
mod load;
mod pendencies;
mod rows;
mod sweep;
mod tables;
mod user_entry;
mod user_groups;

pub(crate) use annotations::{Annotation, Annotations, extension_rows, reaction_row, reader_rows};
pub(crate) use listing::{ListingPage, list_groups, list_op, listing_partition, unlist_op};
pub(crate) use load::{Loaded, load};
pub(crate) use pendencies::{Pendency, PendencyRow, pendencies_of, pendency_entry};
pub(crate) use rows::{
    AdminsRow, ApplicationRow, AttributeRow, AttributesRow, BanRow, CounterRow, CountersRow,
    DeletedRow, LogNote, MemberRow, MentionRow, MentionsRow, PinRow, PinsRow, ProfileRow,
    RobotsRow, RowKind, SequenceRow, TipsRow, UncountedRow, UnreadRow, delete_row, delete_rows,
    put_row,
};
pub(crate) use tables::{GROUP_STATE, TABLES, state_partition};
pub(crate) use user_entry::UserEntry;
pub(crate) use user_groups::{groups_of, membership_entry};
