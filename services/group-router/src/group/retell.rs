//! What a life of a group kept in the log and then told nobody of, because it broke off in between: the
//! next life tells it. Members who have it already drop it, by its number.

use throng_node::time::now_seconds;
use throng_proto::v1;

use super::Durable;
use crate::actor::Unit;
use crate::room::Room;
use crate::wire::{EVENT_TIP, stored_item};

/// Age in seconds of the oldest message that may not have been told of: longer than any delivery, and
/// than a group is without an owner.
const OLDEST: i64 = 30;

impl Durable {
    /// Keeps a message of the first page, if its life may not have told of it.
    pub(super) fn keep_untold(&mut self, message: &v1::StoredMessage) {
        // Tips tell of changes, which clients see with the group when they next ask for it.
        if self.broke_off
            && message.event != EVENT_TIP
            && !message.recalled
            && message.msg_time >= now_seconds() - OLDEST
        {
            self.untold.push(message.clone());
        }
    }
}

impl Room {
    /// Whether [`Room::retell`] has something to do.
    pub(crate) fn has_untold(&self) -> bool {
        self.durable.as_ref().is_some_and(|durable| !durable.untold.is_empty())
    }

    /// Tells all members what an earlier life may not have told them.
    pub(crate) fn retell(&mut self, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        let cleared = self.profile.cleared;
        let untold = std::mem::take(&mut durable.untold).into_iter();
        for message in untold.filter(|message| message.msg_seq > cleared) {
            let info = self.group_info();
            let item = stored_item(&message, info.group_id, info.group_name, info.group_type);
            self.deliver_to(self.audience(&message), item.entry(), unit);
        }
    }
}
