//! What a life of a group kept in the log, or beside it, and then told nobody of, because it broke off in
//! between: the next life tells it. Members who have it already drop it, by its number or its version.

use throng_node::time::{now_micros, now_seconds};
use throng_proto::v1;
use throng_protocol::error::CommandError;

use super::{Durable, Recall};
use crate::actor::Unit;
use crate::clients::{CALL_TIME, Clients, unavailable, within};
use crate::room::Room;
use crate::wire::{EVENT_TIP, stored_item, stored_tip_item};

/// Age in seconds of the oldest message or recall that may not have been told of: longer than any
/// delivery, and than a group is without an owner.
const OLDEST: i64 = 30;
/// Recalls that are told again.
const MOST_RECALLS: u32 = 100;

/// What is to be told again.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// Messages, the oldest first; those that are older than [`OLDEST`] were modified.
    messages: Vec<v1::StoredMessage>,
    /// Recalls, the oldest first, with as much of their messages as is known.
    recalls: Vec<(v1::GroupAmendment, v1::StoredMessage)>,
}

impl Untold {
    /// Whether there is nothing to tell.
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.recalls.is_empty()
    }
}

impl Durable {
    /// Keeps what the last life may not have told of the newest messages, which come newest first.
    pub(super) fn keep_untold(&mut self, newest: &[v1::StoredMessage]) {
        let untold = |message: &&v1::StoredMessage| {
            !message.recalled && (is_young(message) || message.msg_version > 0)
        };
        self.untold.messages = newest.iter().rev().filter(untold).cloned().collect();
    }

    /// The same of recalls.
    pub(super) async fn read_untold_recalls(
        &mut self,
        clients: &Clients,
        log: v1::GroupLog,
        newest: &[v1::StoredMessage],
    ) -> Result<(), CommandError> {
        let request = v1::ReadRecallsRequest {
            log: Some(log),
            since: now_micros() - OLDEST * 1_000_000,
            until: i64::MAX,
            limit: MOST_RECALLS,
        };
        let reply = clients.history.clone().read_recalls(within(CALL_TIME, request)).await;
        let recalls = reply.map_err(unavailable)?.into_inner().recalls;
        let with_message = |recall: v1::GroupAmendment| {
            let known = newest.iter().find(|message| message.msg_seq == recall.msg_seq);
            let message = known.cloned().unwrap_or_else(|| v1::StoredMessage {
                msg_seq: recall.msg_seq,
                random: recall.random,
                ..v1::StoredMessage::default()
            });
            (recall, message)
        };
        self.untold.recalls = recalls.into_iter().map(with_message).collect();
        Ok(())
    }
}

fn is_young(message: &v1::StoredMessage) -> bool {
    message.msg_time >= now_seconds() - OLDEST
}

impl Room {
    /// Whether [`Room::retell`] has something to do.
    pub(crate) fn has_untold(&self) -> bool {
        self.durable.as_ref().is_some_and(|durable| !durable.untold.is_empty())
    }

    /// Tells all members what an earlier life may not have told them.
    pub(crate) fn retell(&mut self, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        let Untold { messages, recalls } = std::mem::take(&mut durable.untold);
        let cleared = self.profile.cleared;
        for message in messages.iter().filter(|message| message.msg_seq > cleared) {
            if is_young(message) {
                let info = self.group_info();
                let item = if message.event == EVENT_TIP {
                    stored_tip_item(message, info)
                } else {
                    stored_item(message, info.group_id, info.group_name, info.group_type)
                };
                self.deliver_to_audience(self.audience(message), item.entry(), unit);
            }
            // Who knows the message goes by this alone.
            if message.msg_version > 0 {
                self.tell_modified(message, unit);
            }
        }
        for (recall, message) in recalls {
            let how = Recall { revoker: &recall.revoker, reason: &recall.reason, silently: false };
            self.tell_recalled(&[message], &how, unit);
        }
    }
}
