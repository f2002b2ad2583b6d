//! What members add to messages: pins, receipts, extensions, reactions. What is in use of it is at hand
//! with the group; how it gets there from the store is in [`crate::core::hot`].

use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;

use super::publish::deliver_to;
use super::{Durable, Everybody};
use crate::actor::{Now, Unit};
use crate::core::addressees::Addressees;
use crate::core::hot::Stamp;
use crate::core::pins::Pin;
use crate::core::reactions::Reaction;
use crate::core::receipts::{MessageId, News};
use crate::core::rules::Delivery;
use crate::room::{Extra, Room, random};
use crate::storage::{PinRow, PinsRow, RowKind, put_row};
use crate::wire::{
    MemberInfo, Wants, own_reaction_item, reaction_item, receipts_item, unpinned_item,
};

/// Bytes of extensions at hand in one group, and of reactions, about.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// News of receipts in one item.
const NEWS: usize = 100;

/// A message with what was added to it: extensions, or reactions.
#[derive(Debug, Clone)]
pub(crate) struct Annotated<A> {
    pub(crate) id: MessageId,
    pub(crate) addressees: Addressees,
    pub(crate) added: A,
}

/// When a handler read something, and in which life of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadUnder {
    pub(crate) life: u64,
    pub(crate) stamp: Stamp,
}

impl From<&v1::StoredMessage> for MessageId {
    fn from(message: &v1::StoredMessage) -> Self {
        Self {
            msg_seq: message.msg_seq,
            tiny_id: message.tiny_id,
            random: message.random,
            client_time: message.client_time,
        }
    }
}

impl From<&v1::StoredMessage> for Addressees {
    fn from(message: &v1::StoredMessage) -> Self {
        Self::new(message.from.clone(), message.recipients.clone())
    }
}

impl From<PinRow> for Pin {
    fn from(row: PinRow) -> Self {
        let PinRow { msg_seq, pinner, tiny_id, random, client_time, time } = row;
        Self { msg_seq, pinner, tiny_id, random, client_time, time }
    }
}

impl From<Pin> for PinRow {
    fn from(pin: Pin) -> Self {
        let Pin { msg_seq, pinner, tiny_id, random, client_time, time } = pin;
        Self { msg_seq, pinner, tiny_id, random, client_time, time }
    }
}

impl Durable {
    /// Writes the row of all pins.
    pub(crate) fn save_pins(&self, unit: &mut Unit) {
        let pins = self.pins.all().iter().cloned().map(PinRow::from).collect();
        unit.ops.push(put_row(RowKind::Pins, "", &PinsRow { pins }));
    }

    /// Nothing can be added to a message any more: the next one who wants to finds none.
    pub(super) fn forget_added(&mut self, msg_seq: u32) {
        self.receipts.forget(msg_seq);
        self.extensions.remove(msg_seq);
        self.reactions.remove(msg_seq);
    }

    /// What a handler has to bring back with what it is about to read.
    pub(crate) fn read_under(&self, stamp: Stamp) -> ReadUnder {
        ReadUnder { life: self.log.epoch, stamp }
    }
}

impl Room {
    /// What a message gets of what its sender asks for: not every group has all of it.
    pub(crate) fn granted(&self, wants: Wants) -> Wants {
        Wants {
            receipts: wants.receipts && self.rules.receipts,
            extensions: wants.extensions && self.rules.extensions,
        }
    }

    /// How many are to read a message that is being sent, if its sender wants to know.
    pub(crate) fn readers_of(&self, message: &v1::StoredMessage) -> u32 {
        if !message.need_read_receipt {
            return 0;
        }
        if !message.recipients.is_empty() {
            let others = self.audience(message).into_iter().filter(|user| *user != message.from);
            return u32::try_from(others.count()).unwrap_or(u32::MAX);
        }
        self.member_count() - u32::from(self.is_member(&message.from))
    }

    /// Takes a pin off, and tells members; false if there was none.
    pub(crate) fn unpin(
        &mut self,
        msg_seq: u32,
        operator: &MemberInfo,
        time: i64,
        unit: &mut Unit,
    ) -> bool {
        let Some(durable) = &mut self.durable else { return false };
        let Some(pin) = durable.pins.remove(msg_seq) else { return false };
        durable.save_pins(unit);
        let encoded = unpinned_item(self.group_info(), &pin, operator, random(), time);
        self.emit(encoded, 0, Extra::default(), unit);
        true
    }

    /// When [`Room::tell_due_receipts`] has something to do, milliseconds of the actor's clock.
    pub(crate) fn next_receipts(&self) -> Option<u64> {
        self.durable.as_ref().and_then(|durable| durable.receipts.next_deadline())
    }

    /// Tells senders who has read by now, once that is due.
    pub(crate) fn tell_due_receipts(&mut self, now: Now, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        for (sender, news) in durable.receipts.take_due(now.ms) {
            self.tell_sender(&sender, &news, unit);
        }
    }

    /// The same at the end, due or not.
    pub(crate) fn tell_receipts(&mut self, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        for (sender, news) in durable.receipts.take_all() {
            self.tell_sender(&sender, &news, unit);
        }
    }

    fn tell_sender(&mut self, sender: &str, news: &[News], unit: &mut Unit) {
        for part in news.chunks(NEWS) {
            let items = receipts_item(self.group_info(), part).entry();
            deliver_to(vec![sender.to_owned()], items, unit);
        }
    }

    /// Tells those who see a message what became of a reaction that a user gave or took back. `left`:
    /// what it has come to; `None`: it is gone.
    pub(crate) fn tell_reaction(
        &mut self,
        (id, recipients): (MessageId, Vec<String>),
        name: &str,
        left: Option<&Reaction>,
        by: &str,
        given: bool,
        unit: &mut Unit,
    ) {
        if self.rules.delivery == Delivery::Stream {
            // One frame for all: whose reaction it is, that user's sessions are told apart.
            let extra = Extra { recipients, ..Extra::default() };
            self.emit(reaction_item(id, name, left, None), 0, extra, unit);
            let items = own_reaction_item(id, name, given).entry();
            return deliver_to(vec![by.to_owned()], items, unit);
        }
        // A client believes of itself what it is told here, so there are two frames.
        let item = |by_me| reaction_item(id, name, left, Some(by_me)).entry();
        if !recipients.is_empty() {
            let (givers, others): (Vec<_>, Vec<_>) = recipients
                .into_iter()
                .partition(|user| left.is_some_and(|reaction| reaction.is_by(user)));
            for (users, by_me) in [(givers, true), (others, false)] {
                deliver_to(users, item(by_me), unit);
            }
            return;
        }
        let mut givers: Vec<String> = left.iter().flat_map(|left| left.givers()).collect();
        givers.retain(|user| self.is_member(user));
        deliver_to(givers.clone(), item(true), unit);
        let others = Everybody { discarding_too: true, except: givers };
        self.deliver_to_all(others, item(false), Guarantee::Gateway, unit);
    }
}
