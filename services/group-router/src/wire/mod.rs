//! What goes out to clients: message items, tips, notices, and the finished frame around an item.
//! Everything is encoded once here, for all members.

mod annotations;
mod attributes;
mod frame;
mod item;
mod mention;
mod modified;
mod notice;
mod pin;
mod read_sync;
mod recall;
mod system;
mod tip;

pub(crate) use annotations::{
    ExtensionChange, Summary, extensions_item, own_reaction_item, reaction_item, receipts_item,
};
pub(crate) use attributes::{ChangedAttribute, attributes_item, counters_item};
pub(crate) use frame::{Encoded, encode_event, encode_object, message_frame, messages_entry};
pub(crate) use item::{EVENT_BROADCAST, EVENT_MESSAGE, EVENT_TIP, stored_item};
pub use item::{EncodedItem, GroupInfo, ItemControl, ItemHead, Wants, message_item};
pub(crate) use mention::{AT_ALL, AT_ME, mention_item};
pub(crate) use modified::modified_item;
pub(crate) use notice::{Notice, notice_item, report};
pub(crate) use pin::{pinned_item, unpinned_item};
pub(crate) use read_sync::read_sync_item;
pub(crate) use recall::{poll_recall_item, push_recall_item};
pub(crate) use tip::{
    Counts, KeyValue, MemberInfo, ProfileChange, Tip, op, stored_tip_item, tip_body, tip_item,
};

/// The sender of tips and notices.
pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";
