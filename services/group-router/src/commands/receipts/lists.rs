//! `get_group_msg_receipt`, `get_group_msg_receipt_detail` and `get_group_msg_receipts_by_users`: who has
//! read messages, and who has not (REST notes 01, 3.28 to 3.30; SDK protocol notes 02, 2.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::{Request, SeqEntry, durable};
use crate::commands::annotated::{View, unreadable};
use crate::commands::{Answer, Call, check_list};
use crate::core::addressees::Addressees;
use crate::core::receipts::is_concerned;

/// Members that one request for unread ones looks at, at most: in a group where nearly everybody has
/// read, the page ends before it is full.
const MOST_LOOKED_AT: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Counts {
    group_msg_receipt_list: Vec<Count>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Count {
    msg_seq: u32,
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_num: Option<u32>,
}

/// How many have read each of some messages; 10062 for those that nobody wants to know of.
pub(in crate::commands) async fn get_group_msg_receipt(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let mut msg_seqs = request.msg_seqs()?;
    let view = view(call, &request.group_id).await?;
    msg_seqs.retain(|seq| view.shows(*seq));
    let mut messages = call.read_messages(&view.log, msg_seqs.into_iter().collect()).await?;
    messages.retain(|_, message| message.need_read_receipt);
    let read = call.annotations(&view.log).read_counts(messages.keys().copied()).await;
    let read: BTreeMap<u32, u32> = read.map_err(unreadable)?.into_iter().collect();
    let count = |entry: &SeqEntry| {
        let msg_seq = entry.msg_seq;
        let found = messages.get(&msg_seq).zip(read.get(&msg_seq));
        let unread = found.map(|(message, read)| message.receipt_members.saturating_sub(*read));
        Count {
            msg_seq,
            code: if found.is_some() { 0 } else { Code::GROUP_NO_RECEIPT.number() },
            read_num: found.map(|(_, read)| *read),
            unread_num: unread,
        }
    };
    let group_msg_receipt_list = request.msg_seq_list.iter().map(count).collect();
    call.ok(&Counts { group_msg_receipt_list })
}

async fn view(call: &Call<'_>, group_id: &str) -> Result<View, CommandError> {
    let context: Context = call.context.clone();
    call.rooms
        .run(call.context.app, group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            durable(room)?;
            View::of(room, &context, now.seconds)
        })
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DetailRequest {
    group_id: String,
    msg_seq: u32,
    /// 0: who has read; 1: who has not.
    #[serde(alias = "Flag", default)]
    filter: u32,
    #[serde(default)]
    cursor: String,
    #[serde(alias = "Num")]
    count: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    msg_seq: u32,
    cursor: String,
    is_finish: u8,
    /// The same: the documents' table and their sample differ.
    is_finished: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_list: Option<Vec<Reader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_list: Option<Vec<Unread>>,
}

#[derive(Serialize)]
struct Reader {
    #[serde(rename = "Read_Account")]
    user: String,
}

#[derive(Serialize)]
struct Unread {
    #[serde(rename = "Unread_Account")]
    user: String,
}

/// Who has read a message, or who has not, page by page.
pub(in crate::commands) async fn get_group_msg_receipt_detail(call: &Call<'_>) -> Answer {
    let request: DetailRequest = call.parse()?;
    let most =
        if call.context.is_rest() { limits::READERS_PAGE } else { limits::READERS_PAGE_CLIENT };
    let count = request.count.unwrap_or(limits::READERS_PAGE_CLIENT);
    if count == 0 || count > most {
        return Err(Code::GROUP_BAD_PARAMETER.with(format!("Count: 1 to {most}")));
    }
    let view = view(call, &request.group_id).await?;
    let msg_seq = request.msg_seq;
    let message =
        if view.shows(msg_seq) { call.read_message(&view.log, msg_seq).await? } else { None };
    let message = message
        .filter(|message| message.need_read_receipt)
        .ok_or_else(|| Code::GROUP_NO_RECEIPT.with("MsgSeq: no receipts of such a message"))?;
    let (cursor, read_list, unread_list) = match request.filter {
        0 => {
            let (users, cursor) = readers(call, &view, msg_seq, &request.cursor, count).await?;
            (cursor, Some(users.into_iter().map(|user| Reader { user }).collect()), None)
        }
        1 => {
            let (users, cursor) = unread(call, &request, &view, &message, count).await?;
            (cursor, None, Some(users.into_iter().map(|user| Unread { user }).collect()))
        }
        other => {
            let info = format!("Filter: {other}, may be 0 (read) or 1 (unread)");
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
    };
    let is_finish = u8::from(cursor.is_none());
    call.ok(&Detail {
        msg_seq,
        cursor: cursor.unwrap_or_default(),
        is_finish,
        is_finished: is_finish,
        read_list,
        unread_list,
    })
}

/// A page of those who have read, and where the next one begins.
async fn readers(
    call: &Call<'_>,
    view: &View,
    msg_seq: u32,
    behind: &str,
    count: usize,
) -> Result<(Vec<String>, Option<String>), CommandError> {
    let found = call.annotations(&view.log).readers(msg_seq, behind, count + 1).await;
    let mut users = found.map_err(unreadable)?;
    let more = users.len() > count;
    users.truncate(count);
    let cursor = users.last().filter(|_| more).cloned();
    Ok((users, cursor))
}

/// A place in the order in which members came.
type Place = (i64, String);

/// A page of those who have not, in the order in which they came, and where the next one begins.
async fn unread(
    call: &Call<'_>,
    request: &DetailRequest,
    view: &View,
    message: &v1::StoredMessage,
    count: usize,
) -> Result<(Vec<String>, Option<String>), CommandError> {
    let annotations = call.annotations(&view.log);
    let mut place = place_of(&request.cursor)?;
    let (mut users, mut looked_at) = (Vec::new(), 0);
    loop {
        let members = members_behind(call, &request.group_id, place.take(), message, count).await?;
        let full = members.len() == count;
        looked_at += members.len();
        let asked: Vec<(u32, &str)> =
            members.iter().map(|(_, user)| (message.msg_seq, user.as_str())).collect();
        let times = annotations.read_times(asked).await.map_err(unreadable)?;
        let unread = times.iter().map(|(_, _, time)| time.is_none());
        for ((joined, user), unread) in members.iter().zip(unread) {
            if users.len() == count {
                // It comes first on the next page.
                return Ok((users, place.map(cursor_of)));
            }
            place = Some((*joined, user.clone()));
            if unread {
                users.push(user.clone());
            }
        }
        if !full {
            return Ok((users, None));
        }
        if users.len() == count || looked_at >= MOST_LOOKED_AT {
            return Ok((users, place.map(cursor_of)));
        }
    }
}

/// The next members who were to read a message.
async fn members_behind(
    call: &Call<'_>,
    group_id: &str,
    place: Option<Place>,
    message: &v1::StoredMessage,
    count: usize,
) -> Result<Vec<Place>, CommandError> {
    let (msg_seq, time) = (message.msg_seq, message.msg_time);
    let addressees = Addressees::from(message);
    call.rooms
        .run(call.context.app, group_id, move |turn| {
            let durable = durable(turn.room()?.0)?;
            let place = place.as_ref().map(|(joined, user)| (*joined, user.as_str()));
            let members = durable.roster.behind(place);
            let members = members
                .filter(|(user, member)| is_concerned(&addressees, msg_seq, time, user, member))
                .take(count)
                .map(|(user, member)| (member.joined, user.to_string()));
            Ok(members.collect())
        })
        .await
}

fn cursor_of((joined, user): Place) -> String {
    format!("{joined}.{user}")
}

fn place_of(cursor: &str) -> Result<Option<Place>, CommandError> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let parts = cursor.split_once('.');
    let place = parts.and_then(|(joined, user)| Some((joined.parse().ok()?, user.to_owned())));
    place.map(Some).ok_or_else(|| Code::GROUP_BAD_PARAMETER.with("Cursor: not one of ours"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UsersRequest {
    group_id: String,
    member_read_msg_list: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    msg_seq: u32,
    #[serde(rename = "MemberList_Account", default)]
    users: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReadTimes {
    msg_read_list: Vec<MessageTimes>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MessageTimes {
    msg_seq: u32,
    read_list: Vec<ReadTime>,
}

#[derive(Serialize)]
struct ReadTime {
    #[serde(rename = "Read_Account")]
    user: String,
    #[serde(rename = "Read_Time")]
    time: i64,
}

/// When users have read messages; those who have not are left out.
pub(in crate::commands) async fn get_group_msg_receipts_by_users(call: &Call<'_>) -> Answer {
    let request: UsersRequest = call.parse()?;
    let asked = &request.member_read_msg_list;
    check_list("MemberReadMsgList", asked, limits::RECEIPT_MESSAGES)?;
    let pairs: usize = asked.iter().map(|asked| asked.users.len()).sum();
    if pairs > limits::READERS_ASKED {
        let info = format!("MemberList_Account: over {} in all", limits::READERS_ASKED);
        return Err(Code::GROUP_TOO_MANY.with(info));
    }
    let view = view(call, &request.group_id).await?;
    let shown = asked.iter().map(|asked| asked.msg_seq).filter(|seq| view.shows(*seq));
    let there = call.read_messages(&view.log, shown.collect()).await?;
    let mut pairs: Vec<(u32, &str)> = Vec::with_capacity(pairs);
    for Asked { msg_seq, users } in asked.iter().filter(|asked| there.contains_key(&asked.msg_seq))
    {
        pairs.extend(users.iter().map(|user| (*msg_seq, user.as_str())));
    }
    let times = call.annotations(&view.log).read_times(pairs).await.map_err(unreadable)?;
    let mut msg_read_list: Vec<MessageTimes> = Vec::new();
    for (msg_seq, user, time) in times {
        let Some(time) = time else { continue };
        let read = ReadTime { user: user.to_owned(), time };
        match msg_read_list.last_mut().filter(|last| last.msg_seq == msg_seq) {
            Some(last) => last.read_list.push(read),
            None => msg_read_list.push(MessageTimes { msg_seq, read_list: vec![read] }),
        }
    }
    call.ok(&ReadTimes { msg_read_list })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_place_again() {
        for user in ["ann", "a.b.c", ""] {
            let place = (1_800_000_000, user.to_owned());
            assert_eq!(place_of(&cursor_of(place.clone())).unwrap(), Some(place));
        }
        assert_eq!(place_of("").unwrap(), None);
        assert_eq!(place_of("ann").unwrap_err().code, Code::GROUP_BAD_PARAMETER);
    }
}
