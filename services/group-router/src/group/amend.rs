//! Messages of the log are changed: recalled or modified. The change goes beside the log, to those who
//! see the message, and into what conversations show.

use throng_node::time::{now_micros, now_seconds};
use throng_proto::v1;

use crate::actor::Unit;
use crate::core::amended::Mark;
use crate::room::{Extra, Room};
use crate::storage::{RowKind, UncountedRow, put_row};
use crate::wire::{MemberInfo, modified_item, push_recall_item};

/// When somebody looked at the messages of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Names the life of the group.
    epoch: u64,
    mark: Mark,
}

/// How messages are recalled.
pub(crate) struct Recall<'a> {
    pub(crate) revoker: &'a str,
    pub(crate) reason: &'a str,
    /// Nobody is told: who reads the history sees it.
    pub(crate) silently: bool,
}

impl Room {
    /// The present moment. What was changed before it is durable once the job that asks is answered.
    pub(crate) fn moment(&self) -> Option<Moment> {
        let durable = self.durable.as_ref()?;
        Some(Moment { epoch: self.position().epoch, mark: durable.amended.mark() })
    }

    /// Whether one of the messages may be another one than it was at that moment.
    pub(crate) fn changed_since(
        &self,
        moment: Moment,
        mut msg_seqs: impl Iterator<Item = u32>,
    ) -> bool {
        match &self.durable {
            Some(durable) if moment.epoch == self.position().epoch => {
                msg_seqs.any(|seq| durable.amended.since(moment.mark, seq))
            }
            _ => true,
        }
    }

    /// Recalls messages, as they are in the log.
    pub(crate) fn recall_stored(
        &mut self,
        messages: &[v1::StoredMessage],
        how: &Recall<'_>,
        unit: &mut Unit,
    ) {
        let Some(durable) = &mut self.durable else { return };
        unit.log = Some(durable.log);
        for message in messages {
            let recalled_at = if how.silently { 0 } else { durable.next_recall() };
            durable.amended.note(message.msg_seq);
            durable.forget_added(message.msg_seq);
            durable.last.replace(&v1::StoredMessage {
                recalled: true,
                revoker: how.revoker.to_owned(),
                recall_reason: how.reason.to_owned(),
                ..message.clone()
            });
            unit.amended.push(v1::GroupAmendment {
                msg_seq: message.msg_seq,
                recalled: true,
                revoker: how.revoker.to_owned(),
                reason: how.reason.to_owned(),
                random: message.random,
                recalled_at,
                msg_version: message.msg_version,
                ..v1::GroupAmendment::default()
            });
        }
        let msg_seqs: Vec<u32> = messages.iter().map(|message| message.msg_seq).collect();
        durable.forget_mentions(&msg_seqs, unit);
        self.uncount(messages.iter().map(|message| message.msg_seq), unit);
        let revoker = MemberInfo { user: how.revoker.to_owned(), ..MemberInfo::default() };
        for message in messages {
            self.unpin(message.msg_seq, &revoker, now_seconds(), unit);
        }
        if !how.silently {
            self.recalls_told.extend(&msg_seqs);
            self.tell_recalled(messages, how, unit);
        }
    }

    /// Tells those who saw messages that they are recalled.
    pub(crate) fn tell_recalled(
        &mut self,
        messages: &[v1::StoredMessage],
        how: &Recall<'_>,
        unit: &mut Unit,
    ) {
        let (general, directed): (Vec<_>, Vec<_>) =
            messages.iter().cloned().partition(|message| message.recipients.is_empty());
        let directed = directed.chunks(1);
        for messages in std::iter::once(&general[..]).chain(directed) {
            let Some(first) = messages.first() else { continue };
            let recipients = self.audience(first);
            let item = push_recall_item(self.group_info(), messages, how.revoker, how.reason);
            self.emit(item, 0, Extra { recipients, ..Extra::default() }, unit);
        }
    }

    /// Gives a message another body; it bears its new version already.
    pub(crate) fn modify_stored(&mut self, message: &v1::StoredMessage, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        unit.log = Some(durable.log);
        durable.amended.note(message.msg_seq);
        durable.last.replace(message);
        unit.amended.push(v1::GroupAmendment {
            msg_seq: message.msg_seq,
            msg_body: message.msg_body.clone(),
            cloud_custom_data: message.cloud_custom_data.clone(),
            msg_version: message.msg_version,
            ..v1::GroupAmendment::default()
        });
        self.tell_modified(message, unit);
    }

    /// Tells those who see a message what it is now.
    pub(crate) fn tell_modified(&mut self, message: &v1::StoredMessage, unit: &mut Unit) {
        let recipients = self.audience(message);
        let item = modified_item(message, &self.key.group_id);
        self.emit(item, 0, Extra { recipients, ..Extra::default() }, unit);
    }

    /// Nobody has to have read these.
    pub(crate) fn uncount(&mut self, msg_seqs: impl Iterator<Item = u32>, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        let mut changed = false;
        for seq in msg_seqs {
            changed |= durable.uncounted.insert(seq);
        }
        if changed {
            let row = UncountedRow { numbers: durable.uncounted.iter().collect() };
            unit.ops.push(put_row(RowKind::Uncounted, "", &row));
        }
    }
}

impl super::Durable {
    /// A time for a recall, by which clients ask for what they missed.
    fn next_recall(&mut self) -> i64 {
        self.recalled_at = now_micros().max(self.recalled_at + 1);
        self.recalled_at
    }
}
