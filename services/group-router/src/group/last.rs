//! The newest message of a log, as a user's conversation shows it: not everything is for everybody, and
//! some are not to be shown there.

use std::collections::VecDeque;

use throng_proto::v1;
use throng_protocol::error::CommandError;

use crate::actor::Unit;
use crate::clients::{CALL_TIME, Clients, unavailable, within};
use crate::core::addressees::Addressees;
use crate::room::Room;
use crate::storage::{DeletedRow, RowKind, put_row};

/// Messages for a few that are remembered behind the last one for all.
const MOST_DIRECTED: usize = 16;

/// Messages of a page in which a user's last one is looked for, and how many pages there are at most.
const PAGE: u32 = 100;
const PAGES_BACK: usize = 5;

/// The newest of a log.
#[derive(Debug, Default)]
pub(super) struct Last {
    /// For all, a tip or a message.
    general: Option<v1::StoredMessage>,
    /// Behind it those for a few, the oldest first.
    directed: VecDeque<v1::StoredMessage>,
}

impl Last {
    /// A message was added to the log.
    pub(super) fn note(&mut self, message: &v1::StoredMessage) {
        if message.no_last {
            return;
        }
        if message.recipients.is_empty() {
            self.directed.clear();
            self.general = Some(message.clone());
        } else {
            self.directed.push_back(message.clone());
            self.directed.drain(..self.directed.len().saturating_sub(MOST_DIRECTED));
        }
    }

    /// Messages are shown to it backwards, the newest first.
    pub(super) fn note_earlier(&mut self, message: &v1::StoredMessage) {
        if message.no_last || self.general.is_some() {
            return;
        }
        if message.recipients.is_empty() {
            self.general = Some(message.clone());
        } else if self.directed.len() < MOST_DIRECTED {
            self.directed.push_front(message.clone());
        }
    }

    /// A message was changed.
    pub(super) fn replace(&mut self, message: &v1::StoredMessage) {
        let all = self.general.iter_mut().chain(&mut self.directed);
        for last in all.filter(|last| last.msg_seq == message.msg_seq) {
            last.clone_from(message);
        }
    }

    /// Whether a message is so new that conversations may show it.
    pub(super) fn may_be(&self, msg_seq: u32) -> bool {
        self.general.as_ref().is_none_or(|general| msg_seq >= general.msg_seq)
    }

    /// The newest that a user sees.
    pub(super) fn seen_by(&self, user: &str) -> Option<&v1::StoredMessage> {
        let for_user = |message: &&v1::StoredMessage| {
            message.from == user || message.recipients.iter().any(|recipient| recipient == user)
        };
        self.directed.iter().rev().find(for_user).or(self.general.as_ref())
    }
}

impl Room {
    /// The newest of the log, if the member may see it.
    pub(crate) fn last_seen_by(&self, user: &str) -> Option<LastSeen> {
        let durable = self.durable.as_ref()?;
        let since = durable.roster.get(user)?.since.max(self.profile.cleared);
        let last = durable.last.seen_by(user).filter(|last| last.msg_seq > since)?;
        if durable.deleted.get(user).is_some_and(|deleted| last.msg_seq <= *deleted) {
            let log = durable.log.log(&self.key);
            return Some(LastSeen::Among { log, first: since + 1, last: last.msg_seq });
        }
        Some(LastSeen::Message(Box::new(last.clone())))
    }

    /// A member deleted messages for itself, the newest with this number.
    pub(crate) fn note_deleted(&mut self, user: &str, msg_seq: u32, unit: &mut Unit) {
        let Some(durable) = &mut self.durable else { return };
        let known = durable.deleted.get(user).is_some_and(|known| *known >= msg_seq);
        if known || !durable.last.may_be(msg_seq) || durable.roster.get(user).is_none() {
            return;
        }
        durable.deleted.insert(user.to_owned(), msg_seq);
        unit.ops.push(put_row(RowKind::Deleted, user, &DeletedRow { msg_seq }));
    }
}

/// What a member's conversation shows.
pub(crate) enum LastSeen {
    Message(Box<v1::StoredMessage>),
    /// The newest between these numbers, inclusive, that the member did not delete for itself: history
    /// knows which.
    Among {
        log: v1::GroupLog,
        first: u32,
        last: u32,
    },
}

impl LastSeen {
    /// The message, if there is one not too far back.
    pub(super) async fn find(
        self,
        clients: &Clients,
        user: &str,
    ) -> Result<Option<v1::StoredMessage>, CommandError> {
        let (log, first, mut last) = match self {
            Self::Message(message) => return Ok(Some(*message)),
            Self::Among { log, first, last } => (log, first, last),
        };
        for _ in 0..PAGES_BACK {
            let request = v1::ReadGroupRequest {
                log: Some(log.clone()),
                first,
                last,
                limit: PAGE,
                viewer: user.to_owned(),
                ..v1::ReadGroupRequest::default()
            };
            let reply = clients.history.clone().read_group(within(CALL_TIME, request)).await;
            let v1::ReadGroupReply { messages, complete } =
                reply.map_err(unavailable)?.into_inner();
            let lowest = messages.last().map(|message| message.msg_seq);
            let shown = |message: &v1::StoredMessage| is_shown(message, user);
            if let Some(shown) = messages.into_iter().find(shown) {
                return Ok(Some(shown));
            }
            match lowest {
                Some(lowest) if !complete && (first + 1..=last).contains(&lowest) => {
                    last = lowest - 1;
                }
                _ => break,
            }
        }
        Ok(None)
    }
}

/// Whether the user's conversation may show a message of history.
fn is_shown(message: &v1::StoredMessage, user: &str) -> bool {
    !message.hidden && !message.no_last && Addressees::from(message).includes(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(msg_seq: u32, recipients: &[&str]) -> v1::StoredMessage {
        let recipients = recipients.iter().map(ToString::to_string).collect();
        v1::StoredMessage { msg_seq, recipients, ..v1::StoredMessage::default() }
    }

    fn seen(last: &Last, user: &str) -> Option<u32> {
        last.seen_by(user).map(|message| message.msg_seq)
    }

    #[test]
    fn everybody_sees_the_newest_that_is_for_him() {
        let silent = v1::StoredMessage { no_last: true, ..message(5, &[]) };
        let all = [message(1, &[]), message(2, &["ann"]), message(3, &["bob"]), silent];
        let mut forwards = Last::default();
        all.iter().for_each(|message| forwards.note(message));
        let mut backwards = Last::default();
        all.iter().rev().for_each(|message| backwards.note_earlier(message));
        for last in [&forwards, &backwards] {
            assert_eq!(["ann", "bob", "cem"].map(|user| seen(last, user)), [2, 3, 1].map(Some));
        }
        let recalled = v1::StoredMessage { recalled: true, ..message(3, &["bob"]) };
        forwards.replace(&recalled);
        assert!(forwards.seen_by("bob").is_some_and(|message| message.recalled));
        forwards.note(&message(6, &[]));
        assert_eq!(seen(&forwards, "ann"), Some(6));
    }
}
