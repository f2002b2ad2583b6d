//! What commands about kept messages share: they look at the group, read the messages from history, and
//! change the group only if nobody changed those messages in between.

use futures_util::{StreamExt, TryStreamExt, stream};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};

use super::{Call, not_a_member};
use crate::actor::Turn;
use crate::clients::{CALL_TIME, unavailable, within};
use crate::group::Moment;
use crate::placement::Tenure;
use crate::room::{Role, Room};

/// Messages that are read at the same time.
const SIDE_BY_SIDE: usize = 8;
/// How often a change is begun anew because somebody else was faster.
pub(super) const TRIES: usize = 8;

/// A group with a log, as a caller found it.
pub(super) struct Look {
    pub(super) log: v1::GroupLog,
    /// Numbers that the caller may see, both inclusive.
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) role: Role,
    pub(super) moment: Moment,
    pub(super) tenure: Tenure,
}

impl Look {
    /// `None`: a group without a log.
    ///
    /// # Errors
    /// 10007 for who is not in the group.
    pub(super) fn at(
        room: &Room,
        context: &Context,
        tenure: &Tenure,
        now: i64,
    ) -> Result<Option<Self>, CommandError> {
        let Some(moment) = room.moment() else { return Ok(None) };
        if !context.caller.admin {
            room.refuse_banned(&context.caller.user, now)?;
        }
        let Some(Some((log, first, last))) = room.log_seen_by(context) else {
            return Err(not_a_member(&context.caller.user));
        };
        let (role, tenure) = (room.role(context), tenure.clone());
        Ok(Some(Self { log, first, last, role, moment, tenure }))
    }

    /// The named messages, as the caller sees them, in any order; those that the caller does not see
    /// are left out.
    pub(super) async fn read(
        &self,
        call: &Call<'_>,
        msg_seqs: &[u32],
    ) -> Result<Vec<v1::StoredMessage>, CommandError> {
        let visible = msg_seqs.iter().filter(|seq| (self.first..=self.last).contains(seq));
        let one = |seq: u32| {
            let request = v1::ReadGroupRequest {
                log: Some(self.log.clone()),
                first: seq,
                last: seq,
                limit: 1,
                viewer: viewer(&call.context),
                ..v1::ReadGroupRequest::default()
            };
            let mut history = call.clients.history.clone();
            async move { history.read_group(within(CALL_TIME, request)).await }
        };
        let reads: Vec<_> = visible.copied().map(one).collect();
        let replies: Vec<_> =
            stream::iter(reads).buffered(SIDE_BY_SIDE).try_collect().await.map_err(unavailable)?;
        let messages = replies.into_iter().flat_map(|reply| reply.into_inner().messages);
        Ok(messages.filter(|message| !message.hidden).collect())
    }
}

/// For whose eyes history is read: app servers see everything.
pub(super) fn viewer(context: &Context) -> String {
    if context.is_rest() { String::new() } else { context.caller.user.clone() }
}

/// Looks at a group that has to have a log.
///
/// # Errors
/// 10007 for live rooms.
pub(super) async fn look(call: &Call<'_>, group_id: &str) -> Result<Look, CommandError> {
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, group_id, move |turn| {
            let tenure = turn.tenure.clone();
            let (room, now, _) = turn.room()?;
            Look::at(room, &context, &tenure, now.seconds)?.ok_or_else(|| not_for(room))
        })
        .await
}

/// The error for groups whose messages are not kept for good.
pub(super) fn not_for(room: &Room) -> CommandError {
    Code::GROUP_FORBIDDEN.with(format!("GroupId: not for groups of type {}", room.kind))
}

/// Changes messages, unless one of them was changed since the moment. False: it was.
pub(super) async fn change(
    call: &Call<'_>,
    group_id: &str,
    moment: Moment,
    messages: Vec<v1::StoredMessage>,
    change: impl FnOnce(&mut Room, &[v1::StoredMessage], &mut crate::actor::Unit) + Send + 'static,
) -> Result<bool, CommandError> {
    call.rooms
        .run(call.context.app, group_id, move |turn: &mut Turn<'_>| {
            let (room, _, unit) = turn.room()?;
            if room.changed_since(moment, messages.iter().map(|message| message.msg_seq)) {
                return Ok(false);
            }
            change(room, &messages, unit);
            Ok(true)
        })
        .await
}
