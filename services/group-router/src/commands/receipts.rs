//! `group_msg_receipt`: who has read which messages (REST notes 01, 3.28; SDK protocol notes 02, 2.4).
//! Clients and app servers spell some fields in different ways.

mod lists;

pub(super) use lists::{
    get_group_msg_receipt, get_group_msg_receipt_detail, get_group_msg_receipts_by_users,
};

use std::collections::{BTreeSet, HashSet};

use serde::Deserialize;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::annotated::{TRIES, no_topic, too_busy, unreadable};
use super::{Answer, Call, check_list, not_a_member};
use crate::actor::Turn;
use crate::core::receipts::Asking;
use crate::group::{Durable, ReadUnder};
use crate::room::Room;
use crate::storage::reader_rows;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    #[serde(default)]
    msg_seq_list: Vec<SeqEntry>,
    topic_id: Option<String>,
    #[serde(rename = "From_Account")]
    reader: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SeqEntry {
    msg_seq: u32,
}

impl Request {
    fn msg_seqs(&self) -> Result<BTreeSet<u32>, CommandError> {
        no_topic(self.topic_id.as_deref())?;
        check_list("MsgSeqList", &self.msg_seq_list, limits::RECEIPT_MESSAGES)?;
        Ok(self.msg_seq_list.iter().map(|entry| entry.msg_seq).collect())
    }
}

/// Refuses groups without receipts.
fn durable(room: &Room) -> Result<&Durable, CommandError> {
    let info = || format!("GroupId: no receipts in groups of type {}", room.kind);
    let durable = room.durable.as_deref().filter(|_| room.rules.receipts);
    durable.ok_or_else(|| Code::GROUP_FORBIDDEN.with(info()))
}

/// What a handler reads before a member's receipts are taken.
struct Look {
    log: v1::GroupLog,
    under: ReadUnder,
    /// Messages that the member may see.
    seen: Vec<u32>,
    /// Those of them whose count is not at hand.
    unknown: Vec<u32>,
}

/// What it read.
struct Found {
    look: Look,
    /// Messages whose senders want to know.
    asking: Vec<Asking>,
    /// Those that the member has read before.
    read: HashSet<u32>,
}

/// Notes that a member has read messages. Those whose senders do not want to know are passed over.
pub(super) async fn group_msg_receipt(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let msg_seqs = request.msg_seqs()?;
    let reader = reader(call, request.reader.as_deref())?;
    let (app, group_id) = (call.context.app, request.group_id.as_str());
    for _ in 0..TRIES {
        let (asked, user) = (msg_seqs.clone(), reader.clone());
        let look = move |turn: &mut Turn<'_>| {
            let (room, now, _) = turn.room()?;
            look_at(room, &user, &asked, now.seconds)
        };
        let look = call.rooms.run(app, group_id, look).await?;
        let found = find(call, look, &reader).await?;
        let user = reader.clone();
        let taken = move |turn: &mut Turn<'_>| take(turn, &user, found);
        if call.rooms.run(app, group_id, taken).await? {
            return call.done();
        }
    }
    Err(too_busy())
}

/// Who has read: the caller, or over REST the member that it names.
fn reader(call: &Call<'_>, named: Option<&str>) -> Result<String, CommandError> {
    let caller = &call.context.caller;
    match named {
        None | Some("") => Ok(caller.user.clone()),
        Some(user) if user == caller.user || caller.admin => Ok(user.to_owned()),
        Some(_) => Err(Code::GROUP_BAD_PARAMETER.with("From_Account: is not the caller")),
    }
}

fn look_at(
    room: &Room,
    reader: &str,
    asked: &BTreeSet<u32>,
    now: i64,
) -> Result<Look, CommandError> {
    let durable = durable(room)?;
    room.refuse_banned(reader, now)?;
    let member = durable.roster.get(reader).ok_or_else(|| not_a_member(reader))?;
    let (since, next) = (member.since, room.next_seq());
    let seen: Vec<u32> = asked.iter().copied().filter(|seq| *seq > since && *seq < next).collect();
    let hot = &durable.receipts.hot;
    let unknown = seen.iter().copied().filter(|seq| !hot.has(*seq)).collect();
    let under = durable.read_under(hot.stamp());
    Ok(Look { log: durable.log.log(&room.key), under, seen, unknown })
}

async fn find(call: &Call<'_>, look: Look, reader: &str) -> Result<Found, CommandError> {
    let annotations = call.annotations(&look.log);
    let mut messages = call.read_messages(&look.log, look.unknown.clone()).await?;
    messages.retain(|_, message| message.need_read_receipt);
    let counts = annotations.read_counts(messages.keys().copied()).await.map_err(unreadable)?;
    let asking = counts.into_iter().filter_map(|(msg_seq, read)| {
        let message = messages.remove(&msg_seq)?;
        let (time, members) = (message.msg_time, message.receipt_members);
        Some(Asking::new((&message).into(), (&message).into(), time, members, read))
    });
    let asking: Vec<Asking> = asking.collect();
    // What is at hand, or was found just now: of others nobody wants to know.
    let wanted = look.seen.iter().copied().filter(|seq| {
        !look.unknown.contains(seq) || asking.iter().any(|asking| asking.id.msg_seq == *seq)
    });
    let times =
        annotations.read_times(wanted.map(|seq| (seq, reader))).await.map_err(unreadable)?;
    let read = times.into_iter().filter(|(_, _, time)| time.is_some()).map(|(seq, _, _)| seq);
    Ok(Found { read: read.collect(), look, asking })
}

/// False: what was found may be old by now.
fn take(turn: &mut Turn<'_>, reader: &str, found: Found) -> Result<bool, CommandError> {
    let (room, now, unit) = turn.room()?;
    durable(room)?;
    let Some(durable) = room.durable.as_deref_mut() else { return Ok(false) };
    let Found { look, asking, read } = found;
    if durable.read_under(durable.receipts.hot.stamp()) != look.under {
        return Ok(false);
    }
    let member = durable.roster.get(reader).ok_or_else(|| not_a_member(reader))?;
    for asking in asking {
        durable.receipts.put(asking);
    }
    for msg_seq in look.seen.into_iter().filter(|seq| !read.contains(seq)) {
        if let Some(count) = durable.receipts.note(now.ms, msg_seq, reader, member) {
            let rows = reader_rows(&look.log, msg_seq, reader, now.seconds, count);
            unit.annotations.push(rows.into());
        }
    }
    durable.receipts.hot.trim();
    Ok(true)
}
