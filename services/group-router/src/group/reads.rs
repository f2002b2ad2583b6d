//! How far members have read. A report is saved before it is answered; that somebody read by speaking
//! is saved some time later, since the log tells it as well for a while.

use throng_proto::v1::deliver_request::Guarantee;

use super::Durable;
use crate::actor::{Delivery, Now, To, Unit};
use crate::core::dedupe::KEEP_MS;
use crate::room::Room;
use crate::storage::{MemberRow, RowKind, UnreadRow, put_row};
use crate::wire::read_sync_item;

/// Until then it is in what is read back with the log.
const SAVE_MS: u64 = KEEP_MS / 5;

impl Durable {
    /// Who speaks, at a time in seconds since 1970, has read what was there before.
    pub(super) fn note_read(&mut self, user: &str, seq: u32, time: i64, now: Now) {
        if self.roster.spoke(user, seq, time) {
            self.unsaved.insert(user.to_owned());
            self.save_at.get_or_insert(now.ms.saturating_add(SAVE_MS));
        }
    }
}

impl Room {
    /// A member reports that it has read up to a number; its other sessions are told.
    pub(crate) fn report_read(&mut self, user: &str, seq: u32, inst_id: u32, unit: &mut Unit) {
        let seq = seq.min(self.next_seq() - 1);
        let Some(durable) = &mut self.durable else { return };
        let Some(member) = durable.roster.read(user, seq) else { return };
        unit.ops.push(put_row(RowKind::Member, user, &MemberRow::from(member)));
        durable.unsaved.remove(user);
        durable.read_mentions(user, seq, unit);
        let items = read_sync_item(self.group_info(), seq).entry();
        unit.deliver(Delivery {
            to: To::Users([user.to_owned()].into()),
            items,
            guarantee: Guarantee::Gateway,
            except_inst_id: inst_id,
        });
    }

    /// The app's server says how much a member has not read. `None`: no member.
    pub(crate) fn set_unread(&mut self, user: &str, number: u32, unit: &mut Unit) -> Option<()> {
        let (head, floor) = (self.next_seq() - 1, self.profile.read_floor);
        let durable = self.durable.as_mut()?;
        let member = durable.roster.set_read(user, head.saturating_sub(number))?;
        unit.ops.push(put_row(RowKind::Member, user, &MemberRow::from(member)));
        unit.ops.push(put_row(RowKind::Unread, user, &UnreadRow { floor }));
        durable.unsaved.remove(user);
        Some(())
    }

    /// Everybody has read everything: messages were imported.
    pub(crate) fn all_have_read(&mut self, unit: &mut Unit) {
        let head = self.next_seq() - 1;
        let Some(durable) = &mut self.durable else { return };
        durable.roster.read_by_all(head);
        self.profile.read_floor = head;
        unit.ops.push(put_row(RowKind::Profile, "", &self.profile));
    }

    /// Clients do not see the log up to a number any more.
    pub(crate) fn clear_log(&mut self, seq: u32, unit: &mut Unit) {
        let seq = seq.min(self.next_seq() - 1);
        if seq > self.profile.cleared {
            self.profile.cleared = seq;
            unit.ops.push(put_row(RowKind::Profile, "", &self.profile));
        }
    }

    /// A member spoke.
    pub(crate) fn note_spoken(&mut self, user: &str, seq: u32, now: Now) {
        if let Some(durable) = &mut self.durable {
            durable.note_read(user, seq, now.seconds, now);
        }
    }

    /// When [`Room::save_reads`] is due, milliseconds of the actor's clock.
    pub(crate) fn next_save(&self) -> Option<u64> {
        self.durable.as_ref().and_then(|durable| durable.save_at)
    }

    /// Saves what has been put off until now.
    pub(crate) fn save_due_reads(&mut self, now: Now, unit: &mut Unit) {
        if self.next_save().is_some_and(|due| due <= now.ms) {
            self.save_reads(unit);
        }
    }

    /// Saves what has been put off.
    pub(crate) fn save_reads(&mut self, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        durable.save_at = None;
        for user in std::mem::take(&mut durable.unsaved) {
            if let Some(member) = durable.roster.get(&user) {
                unit.ops.push(put_row(RowKind::Member, &user, &MemberRow::from(member)));
            }
        }
    }
}
