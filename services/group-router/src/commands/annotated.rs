//! What the commands about single messages of a log have in common: which messages the caller may see,
//! and reading them.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_store::StoreError;

use super::{Call, not_a_member};
use crate::clients::{CALL_TIME, unavailable, within};
use crate::room::Room;
use crate::storage::Annotations;
use crate::wire::EVENT_TIP;

/// Times that something is read which others change meanwhile.
pub(super) const TRIES: usize = 5;
/// Messages that lie so close to each other are read together.
const NEAR: u32 = 16;
/// Stretches of messages that are read at the same time.
const SIDE_BY_SIDE: usize = 8;

/// What a caller may see of a log: numbers between two, inclusive.
#[derive(Debug)]
pub(super) struct View {
    pub(super) log: v1::GroupLog,
    first: u32,
    last: u32,
}

impl View {
    /// Of the caller.
    ///
    /// # Errors
    /// 10007 for live rooms and for those who are no members.
    pub(super) fn of(room: &Room, context: &Context, now: i64) -> Result<Self, CommandError> {
        if !context.caller.admin {
            room.refuse_banned(&context.caller.user, now)?;
        }
        match room.log_seen_by(context) {
            Some(Some((log, first, last))) => Ok(Self { log, first, last }),
            Some(None) => Err(not_a_member(&context.caller.user)),
            None => {
                let info = format!("GroupId: not for groups of type {}", room.kind);
                Err(Code::GROUP_FORBIDDEN.with(info))
            }
        }
    }

    /// Whether the caller may see a message.
    pub(super) fn shows(&self, msg_seq: u32) -> bool {
        (self.first..=self.last).contains(&msg_seq)
    }
}

/// Topics are not built.
pub(super) fn no_topic(topic_id: Option<&str>) -> Result<(), CommandError> {
    match topic_id {
        None | Some("") => Ok(()),
        Some(_) => Err(Code::GROUP_COMMAND_DISABLED.with("TopicId: topics are not supported yet")),
    }
}

/// The error for somebody who lost against others too often.
pub(super) fn too_busy() -> CommandError {
    Code::GROUP_INTERNAL.with("the message is changed too often, try again")
}

impl Call<'_> {
    /// What was added to the messages of a log.
    pub(super) fn annotations(&self, log: &v1::GroupLog) -> Annotations {
        Annotations::of(self.clients.store.clone(), log.clone())
    }

    /// Those of some messages that exist, by number: no tips, and nothing that was recalled or
    /// is not for the caller.
    pub(super) async fn read_messages(
        &self,
        log: &v1::GroupLog,
        mut msg_seqs: Vec<u32>,
    ) -> Result<HashMap<u32, v1::StoredMessage>, CommandError> {
        msg_seqs.sort_unstable();
        let viewer = if self.context.caller.admin { "" } else { &self.context.caller.user };
        let read = stretches(&msg_seqs).into_iter().map(|(first, last)| async move {
            let mut found: Vec<v1::StoredMessage> = Vec::new();
            let mut first = first;
            loop {
                let (log, viewer) = (Some(log.clone()), viewer.to_owned());
                let limit = last - first + 1;
                let read =
                    v1::ReadGroupRequest { log, first, last, limit, ascending: true, viewer };
                let mut history = self.clients.history.clone();
                let reply = history.read_group(within(CALL_TIME, read)).await;
                let v1::ReadGroupReply { messages, complete } =
                    reply.map_err(unavailable)?.into_inner();
                let end = messages.last().map(|message| message.msg_seq);
                found.extend(messages);
                match end {
                    Some(end) if !complete && (first..last).contains(&end) => first = end + 1,
                    _ => return Ok::<_, CommandError>(found),
                }
            }
        });
        let read: Vec<_> = read.collect();
        let read: Vec<Vec<_>> = stream::iter(read).buffered(SIDE_BY_SIDE).try_collect().await?;
        let wanted = |message: &v1::StoredMessage| {
            message.event != EVENT_TIP
                && !(message.recalled || message.hidden)
                && msg_seqs.binary_search(&message.msg_seq).is_ok()
        };
        let found = read.into_iter().flatten().filter(wanted);
        Ok(found.map(|message| (message.msg_seq, message)).collect())
    }

    /// One of them.
    pub(super) async fn read_message(
        &self,
        log: &v1::GroupLog,
        msg_seq: u32,
    ) -> Result<Option<v1::StoredMessage>, CommandError> {
        Ok(self.read_messages(log, vec![msg_seq]).await?.remove(&msg_seq))
    }
}

/// The error of a store that does not answer.
#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
pub(super) fn unreadable(error: StoreError) -> CommandError {
    Code::GROUP_INTERNAL.with(format!("the group could not be read, try again: {error}"))
}

/// Numbers in rising order as stretches that hold them all and little else.
fn stretches(msg_seqs: &[u32]) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for msg_seq in msg_seqs {
        match stretches.last_mut() {
            Some((_, last)) if msg_seq - *last <= NEAR => *last = *msg_seq,
            _ => stretches.push((*msg_seq, *msg_seq)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_near_is_read_together() {
        assert_eq!(stretches(&[]), []);
        assert_eq!(stretches(&[5]), [(5, 5)]);
        assert_eq!(stretches(&[1, 2, 2, 18, 35, 900, 901]), [(1, 18), (35, 35), (900, 901)]);
    }
}
