//! What happens in a group with a log becomes a part of the log, and goes to the sessions of its
//! members.

use std::sync::Arc;

use bytes::Bytes;
use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;

use crate::actor::{Delivery, Unit};
use crate::core::audience::Audience;
use crate::room::Room;

impl Room {
    /// Puts a message or tip into the log, if the group has one.
    pub(crate) fn store(&mut self, message: impl FnOnce() -> v1::StoredMessage, unit: &mut Unit) {
        if let Some(durable) = &mut self.durable {
            let message = message();
            durable.last.note(&message);
            unit.log = Some(durable.log);
            unit.stored.push(message);
        }
    }

    /// Sends an entry of `EventArray` to some users, or to all members where none is named.
    pub(crate) fn deliver_to(&mut self, recipients: Vec<String>, items: Bytes, unit: &mut Unit) {
        let users = match &mut self.durable {
            Some(durable) if recipients.is_empty() => durable.roster.receivers(),
            _ => Arc::from(recipients),
        };
        unit.deliveries.push(Delivery {
            users,
            items,
            guarantee: Guarantee::Gateway,
            except_inst_id: 0,
        });
    }

    /// Who sees a message, where it is not for all: of its recipients those who are in, and its sender.
    pub(crate) fn audience(&self, message: &v1::StoredMessage) -> Vec<String> {
        if message.recipients.is_empty() {
            return Vec::new();
        }
        self.who_sees(&message.into())
    }

    /// The same of what is known of a message; nobody: it is for all.
    pub(crate) fn who_sees(&self, audience: &Audience) -> Vec<String> {
        audience.named(|user| self.is_member(user))
    }

    /// All stored members.
    pub(crate) fn member_names(&mut self) -> Arc<[String]> {
        match &mut self.durable {
            Some(durable) => durable.roster.names(),
            None => Arc::from([]),
        }
    }
}
