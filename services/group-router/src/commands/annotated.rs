//! What the commands about single messages of a log have in common: which messages the caller may see,
//! reading them, and changing what was added to one.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_store::StoreError;

use super::{Call, not_a_member};
use crate::actor::{Now, Turn, Unit};
use crate::clients::{CALL_TIME, unavailable, within};
use crate::core::addressees::Addressees;
use crate::core::hot::Hot;
use crate::core::receipts::MessageId;
use crate::group::{Annotated, Durable, ReadUnder};
use crate::room::Room;
use crate::storage::{Annotation, Annotations};
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

/// The error for messages that the caller does not see, be there one or not.
pub(super) fn no_message() -> CommandError {
    Code::EXTENSION_NO_MESSAGE.with("MsgSeq: no such message")
}

/// What members add to messages and change afterwards. What is in use of it is at hand.
pub(super) trait Added: Sized + Send + 'static {
    /// Where that is.
    fn hot(durable: &mut Durable) -> &mut Hot<Annotated<Self>>;

    /// Bytes, about.
    fn weight(&self) -> usize;

    /// Refuses groups that do not have it.
    fn check_group(room: &Room) -> Result<(), CommandError>;

    /// Refuses messages that do not.
    fn check_message(_message: &v1::StoredMessage) -> Result<(), CommandError> {
        Ok(())
    }

    /// What a message has of it.
    fn read(
        annotations: &Annotations,
        msg_seq: u32,
    ) -> impl Future<Output = Result<Self, StoreError>> + Send;
}

/// What a change comes to.
pub(super) struct Changed<T> {
    pub(super) answer: T,
    pub(super) rows: Vec<Annotation>,
    /// `None`: nobody needs to hear of it.
    pub(super) tell: Option<Tell>,
}

/// Tells these members, or all where none is named, of a change of a message.
pub(super) type Tell = Box<dyn FnOnce(&mut Room, (MessageId, Vec<String>), &mut Unit)>;

/// What the caller sees, of groups that have what is added.
pub(super) fn view<A: Added>(
    room: &Room,
    context: &Context,
    now: i64,
) -> Result<View, CommandError> {
    A::check_group(room)?;
    View::of(room, context, now)
}

/// What a handler knows before it changes something.
struct Look {
    view: View,
    under: ReadUnder,
    at_hand: bool,
}

/// Changes what was added to a message of a group; begins anew while others change what is not at hand
/// at the same time.
pub(super) async fn change<A: Added, T: Send + 'static>(
    call: &Call<'_>,
    (group_id, msg_seq): (&str, u32),
    change: impl FnOnce(&mut A, &v1::GroupLog, Now) -> Result<Changed<T>, CommandError>
    + Clone
    + Send
    + 'static,
) -> Result<T, CommandError> {
    let app = call.context.app;
    for _ in 0..TRIES {
        let context = call.context.clone();
        let look = move |turn: &mut Turn<'_>| look::<A>(turn, &context, msg_seq);
        let look = call.rooms.run(app, group_id, look).await?;
        let found = if look.at_hand { None } else { Some(find(call, &look.view, msg_seq).await?) };
        let (context, change) = (call.context.clone(), change.clone());
        let change =
            move |turn: &mut Turn<'_>| take(turn, &context, &look, (msg_seq, found), change);
        if let Some(answer) = call.rooms.run(app, group_id, change).await? {
            return Ok(answer);
        }
    }
    Err(too_busy())
}

fn look<A: Added>(
    turn: &mut Turn<'_>,
    context: &Context,
    msg_seq: u32,
) -> Result<Look, CommandError> {
    let (room, now, _) = turn.room()?;
    let view = view::<A>(room, context, now.seconds)?;
    if !view.shows(msg_seq) {
        return Err(no_message());
    }
    let durable = room.durable.as_deref_mut().ok_or_else(no_message)?;
    let hot = A::hot(durable);
    let stamp = hot.stamp();
    let at_hand = match hot.get(msg_seq) {
        Some(there) => sees(context, &there.addressees)?,
        None => false,
    };
    Ok(Look { view, under: durable.read_under(stamp), at_hand })
}

/// Refuses those whom a message is not for; app administrators see all.
fn sees(context: &Context, addressees: &Addressees) -> Result<bool, CommandError> {
    let sees = context.caller.admin || addressees.includes(&context.caller.user);
    if sees { Ok(true) } else { Err(no_message()) }
}

async fn find<A: Added>(
    call: &Call<'_>,
    view: &View,
    msg_seq: u32,
) -> Result<Annotated<A>, CommandError> {
    let message = call.read_message(&view.log, msg_seq).await?.ok_or_else(no_message)?;
    A::check_message(&message)?;
    let added = A::read(&call.annotations(&view.log), msg_seq).await.map_err(unreadable)?;
    Ok(Annotated { id: (&message).into(), addressees: (&message).into(), added })
}

/// `None`: what was found may be old by now.
fn take<A: Added, T>(
    turn: &mut Turn<'_>,
    context: &Context,
    look: &Look,
    (msg_seq, found): (u32, Option<Annotated<A>>),
    change: impl FnOnce(&mut A, &v1::GroupLog, Now) -> Result<Changed<T>, CommandError>,
) -> Result<Option<T>, CommandError> {
    let (room, now, unit) = turn.room()?;
    view::<A>(room, context, now.seconds)?;
    let Some(durable) = room.durable.as_deref_mut() else { return Ok(None) };
    let stamp = A::hot(durable).stamp();
    if durable.read_under(stamp) != look.under {
        return Ok(None);
    }
    let hot = A::hot(durable);
    if let Some(found) = found {
        let weight = found.addressees.weight() + found.added.weight();
        hot.put(msg_seq, found, weight);
        // Also where the change is refused: it must not be the way to fill the memory.
        hot.trim();
    }
    let Some(Annotated { id, addressees, added }) = hot.get(msg_seq) else { return Ok(None) };
    sees(context, addressees)?;
    let Changed { answer, rows, tell } = change(added, &look.view.log, now)?;
    let (id, addressees) = (*id, addressees.clone());
    let weight = addressees.weight() + added.weight();
    hot.weigh(msg_seq, weight);
    hot.trim();
    if !rows.is_empty() {
        unit.annotations.push(rows);
    }
    if let Some(tell) = tell {
        let recipients = room.who_sees(&addressees);
        tell(room, (id, recipients), unit);
    }
    Ok(Some(answer))
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
