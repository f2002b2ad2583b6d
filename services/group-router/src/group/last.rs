//! The newest message of a log, as a user's conversation shows it: not everything is for everybody, and
//! some are not to be shown there.

use std::collections::VecDeque;

use throng_proto::v1;

/// Messages for a few that are remembered behind the last one for all.
const MOST_DIRECTED: usize = 16;

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

    /// The newest that a user sees.
    pub(super) fn seen_by(&self, user: &str) -> Option<&v1::StoredMessage> {
        let for_user = |message: &&v1::StoredMessage| {
            message.from == user || message.recipients.iter().any(|recipient| recipient == user)
        };
        self.directed.iter().rev().find(for_user).or(self.general.as_ref())
    }
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
