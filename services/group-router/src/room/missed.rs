//! What a session missed while it was away, for one that comes back: clients do not ask for it.

use bytes::Bytes;
use throng_protocol::frame::push_entries;

use super::Room;
use crate::wire::messages_entry;

/// Items that one answer brings. A client complains about 100 in one frame, and knows the last 200
/// that it saw: none of these is shown twice.
const MOST: usize = 99;

impl Room {
    /// Entries of `EventArray` after a MsgSeq (0: unknown), the newest of them, in order. Everything
    /// that happened where the room's ring still knows, else the messages that are kept.
    pub(crate) fn missed_items(&self, last_seq: u32, user: &str) -> Bytes {
        match self.ring.after_seq(last_seq).filter(|_| last_seq != 0) {
            Some(events) => {
                let mine = |recipients: &[String]| {
                    recipients.is_empty() || recipients.iter().any(|name| name == user)
                };
                let entries: Vec<_> = events
                    .filter(|event| mine(&event.recipients))
                    .filter_map(|event| push_entries(&event.frame))
                    .collect();
                entries[entries.len().saturating_sub(MOST)..].join(&b","[..]).into()
            }
            None => {
                let newest = self.recent.newest(MOST, 0, last_seq);
                if newest.is_empty() {
                    return Bytes::new();
                }
                messages_entry(newest.into_iter()).into()
            }
        }
    }
}
