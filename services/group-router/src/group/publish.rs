//! What happens in a group with a log becomes a part of the log, and goes to the sessions of its
//! members.

use std::sync::Arc;

use bytes::Bytes;
use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;

use super::Durable;
use crate::actor::{Delivery, Errand, To, Unit};
use crate::core::addressees::Addressees;
use crate::core::roster::Member;
use crate::room::Room;

/// All members of a group, or nearly.
#[derive(Debug, Default)]
pub(crate) struct Everybody {
    /// With those who want no messages.
    pub(crate) discarding_too: bool,
    /// But not these, who are few.
    pub(crate) except: Vec<String>,
}

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

    /// Sends an entry of `EventArray` to those whom a message names, or, where it names none, to all
    /// members who want messages.
    pub(crate) fn deliver_to_audience(
        &mut self,
        recipients: Vec<String>,
        items: Bytes,
        unit: &mut Unit,
    ) {
        if recipients.is_empty() {
            self.deliver_to_all(Everybody::default(), items, Guarantee::Gateway, unit);
        } else {
            deliver_to(recipients, items, unit);
        }
    }

    /// Sends an entry of `EventArray` to all members.
    pub(crate) fn deliver_to_all(
        &mut self,
        everybody: Everybody,
        items: Bytes,
        guarantee: Guarantee,
        unit: &mut Unit,
    ) {
        let term = self.position().epoch;
        let Some(durable) = &mut self.durable else { return };
        durable.has_audience |= durable.begin_audience(self.audience_size, term, unit);
        let Everybody { discarding_too, except } = everybody;
        let to = if durable.has_audience {
            To::All { discarding_too, except: except.into() }
        } else {
            let roster = &mut durable.roster;
            let users = if discarding_too { roster.names() } else { roster.receivers() };
            To::Users(match except.is_empty() {
                true => users,
                false => users.iter().filter(|user| !except.contains(user)).cloned().collect(),
            })
        };
        unit.deliver(Delivery { to, items, guarantee, except_inst_id: 0 });
    }

    /// Who sees a message, where it is not for all: of its recipients those who are in, and its sender.
    pub(crate) fn audience(&self, message: &v1::StoredMessage) -> Vec<String> {
        if message.recipients.is_empty() {
            return Vec::new();
        }
        self.who_sees(&message.into())
    }

    /// The same of what is known of a message; nobody: it is for all.
    pub(crate) fn who_sees(&self, addressees: &Addressees) -> Vec<String> {
        addressees.named(|user| self.is_member(user))
    }
}

/// Sends an entry of `EventArray` to some users; to nobody where none is named.
pub(super) fn deliver_to(users: Vec<String>, items: Bytes, unit: &mut Unit) {
    if !users.is_empty() {
        let guarantee = Guarantee::Gateway;
        unit.deliver(Delivery { to: To::Users(users.into()), items, guarantee, except_inst_id: 0 });
    }
}

impl Durable {
    /// True: what goes to all goes to the audience from now on, which hears of its members first.
    fn begin_audience(&self, size: usize, term: u64, unit: &mut Unit) -> bool {
        let begins = !self.has_audience && self.roster.len() > size;
        if begins {
            let members = self.roster.iter();
            let members = members.map(|(user, member)| (Arc::clone(user), member.discards()));
            unit.deliveries.push(Errand::Gather { term, members: members.collect() });
        }
        begins
    }

    /// A member comes, or wants something else, or, with `None`, goes.
    pub(super) fn change_audience(&self, user: &str, discards: Option<bool>, unit: &mut Unit) {
        let before = self.roster.get(user).map(Member::discards);
        if self.has_audience && (discards.is_none() || before != discards) {
            unit.deliveries.push(Errand::Change { user: Arc::from(user), discards });
        }
    }
}
