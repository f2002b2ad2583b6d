//! What a group keeps in the store: its tables, its rows, and how a group is read back.

mod listing;
mod load;
mod rows;
mod tables;
mod user_groups;

pub(crate) use listing::{ListingPage, list_groups, list_op, listing_partition, unlist_op};
pub(crate) use load::{Loaded, load};
pub(crate) use rows::{
    AdminsRow, AttributeRow, AttributesRow, BanRow, CounterRow, CountersRow, LogNote, MemberRow,
    ProfileRow, RobotsRow, RowKind, SequenceRow, UncountedRow, UnreadRow, delete_row, delete_rows,
    put_row,
};
pub(crate) use tables::{GROUP_STATE, TABLES, state_partition};
pub(crate) use user_groups::{IndexChange, groups_of, index_batch};
