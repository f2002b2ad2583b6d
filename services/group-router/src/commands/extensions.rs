//! `group_set_key_values` and `group_get_key_values`: keys and values on a message (REST notes 01, 3.31
//! and 3.32; SDK protocol notes 02, 2.4).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use throng_node::command::Context;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::annotated::{TRIES, View, no_topic, too_busy, unreadable};
use super::{Answer, Call, check_list};
use crate::actor::Turn;
use crate::core::extensions::{Outcome, Pair};
use crate::group::{Extended, ReadUnder};
use crate::room::{Extra, Room};
use crate::storage::extension_rows;
use crate::wire::{ExtensionChange, extensions_item};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetRequest {
    group_id: String,
    topic_id: Option<String>,
    msg_seq: u32,
    operate_type: u32,
    #[serde(default)]
    extension_list: Vec<Given>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    seq: u64,
}

/// `OperateType`.
#[derive(Debug, Clone)]
enum Operation {
    Set(Vec<Pair>),
    Delete(Vec<Pair>),
    Clear,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changed {
    extension_list: Vec<KeyResult>,
    seq: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyResult {
    error_code: u32,
    extension: KeyValue,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValue {
    key: String,
    value: String,
    seq: u64,
}

impl From<Pair> for KeyValue {
    fn from(Pair { key, value, seq }: Pair) -> Self {
        Self { key, value, seq }
    }
}

/// Refuses groups without extensions.
fn view(room: &Room, context: &Context, now: i64) -> Result<View, CommandError> {
    if !room.rules.extensions {
        let info = format!("GroupId: no extensions in groups of type {}", room.kind);
        return Err(Code::GROUP_FORBIDDEN.with(info));
    }
    View::of(room, context, now)
}

fn no_message() -> CommandError {
    Code::EXTENSION_NO_MESSAGE.with("MsgSeq: no such message")
}

/// Sets, deletes or clears keys of a message; each key has its own result.
pub(super) async fn group_set_key_values(call: &Call<'_>) -> Answer {
    let request: SetRequest = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    let msg_seq = request.msg_seq;
    let operation = operation(request.operate_type, request.extension_list)?;
    for _ in 0..TRIES {
        let context = call.context.clone();
        let look = move |turn: &mut Turn<'_>| {
            let (room, now, _) = turn.room()?;
            let view = view(room, &context, now.seconds)?;
            if !view.shows(msg_seq) {
                return Err(no_message());
            }
            let durable = room.durable.as_deref().ok_or_else(no_message)?;
            let under = durable.read_under(durable.extensions.stamp());
            Ok((view, under, durable.extensions.has(msg_seq)))
        };
        let (view, under, at_hand) =
            call.rooms.run(call.context.app, &request.group_id, look).await?;
        let found = if at_hand { None } else { Some(find(call, &view, msg_seq).await?) };
        let (context, operation) = (call.context.clone(), operation.clone());
        let change = move |turn: &mut Turn<'_>| {
            change(turn, &context, &view.log, under, (msg_seq, found), operation)
        };
        let changed = call.rooms.run(call.context.app, &request.group_id, change).await?;
        if let Some(changed) = changed {
            return call.ok(&changed);
        }
    }
    Err(too_busy())
}

fn operation(kind: u32, given: Vec<Given>) -> Result<Operation, CommandError> {
    if kind == 3 {
        return Ok(Operation::Clear);
    }
    let bad = |info: String| Err(Code::GROUP_BAD_PARAMETER.with(info));
    check_list("ExtensionList", &given, limits::EXTENSIONS_PER_REQUEST)?;
    for Given { key, value, .. } in &given {
        if key.is_empty() || key.len() > limits::EXTENSION_KEY_BYTES {
            return bad(format!("Key: 1 to {} bytes", limits::EXTENSION_KEY_BYTES));
        }
        if value.len() > limits::EXTENSION_VALUE_BYTES {
            return bad(format!("Value: over {} bytes", limits::EXTENSION_VALUE_BYTES));
        }
        if kind == 1 && value.is_empty() {
            return bad("Value: empty; to clients that means deleted (OperateType 2)".to_owned());
        }
    }
    let pairs = given.into_iter().map(|Given { key, value, seq }| Pair { key, value, seq });
    match kind {
        1 => Ok(Operation::Set(pairs.collect())),
        2 => Ok(Operation::Delete(pairs.collect())),
        other => bad(format!("OperateType: {other}, may be 1 set, 2 delete, 3 clear")),
    }
}

async fn find(call: &Call<'_>, view: &View, msg_seq: u32) -> Result<Extended, CommandError> {
    let message = call.read_message(&view.log, msg_seq).await?.ok_or_else(no_message)?;
    if !message.support_message_extension {
        let info = "MsgSeq: was sent without SupportMessageExtension";
        return Err(Code::EXTENSION_NOT_ALLOWED.with(info));
    }
    let extensions = call.annotations(&view.log).extensions(msg_seq).await.map_err(unreadable)?;
    Ok(Extended { id: (&message).into(), extensions })
}

/// `None`: what was found may be old by now.
fn change(
    turn: &mut Turn<'_>,
    context: &Context,
    log: &v1::GroupLog,
    under: ReadUnder,
    (msg_seq, found): (u32, Option<Extended>),
    operation: Operation,
) -> Result<Option<Changed>, CommandError> {
    let (room, now, unit) = turn.room()?;
    view(room, context, now.seconds)?;
    let Some(durable) = room.durable.as_deref_mut() else { return Ok(None) };
    if durable.read_under(durable.extensions.stamp()) != under {
        return Ok(None);
    }
    if let Some(found) = found {
        let weight = found.extensions.weight();
        durable.extensions.put(msg_seq, found, weight);
        durable.extensions.trim();
    }
    let Some(Extended { id, extensions }) = durable.extensions.get(msg_seq) else {
        return Ok(None);
    };
    if !extensions.may_write(now.ms) {
        let info = format!("MsgSeq: over {} writes a minute", limits::EXTENSION_WRITES_PER_MINUTE);
        return Err(Code::EXTENSION_FREQUENCY.with(info));
    }
    let (id, locked) = (*id, !context.caller.admin);
    let (outcomes, rows, deletes) = match operation {
        Operation::Set(pairs) => {
            let (outcomes, rows) = extensions.set(pairs, locked);
            (outcomes, rows, false)
        }
        Operation::Delete(pairs) => {
            let (outcomes, rows) = extensions.delete(pairs, locked);
            (outcomes, rows, true)
        }
        Operation::Clear => {
            let rows = extensions.clear();
            let (latest, cleared) = (extensions.latest(), extensions.cleared());
            unit.annotations.push(extension_rows(log, msg_seq, extensions, rows));
            let weight = extensions.weight();
            durable.extensions.weigh(msg_seq, weight);
            let change = ExtensionChange::Cleared(cleared);
            let encoded = extensions_item(&room.key.group_id, id, latest, &change);
            room.emit(encoded, 0, Extra::default(), unit);
            return Ok(Some(Changed { extension_list: Vec::new(), seq: latest }));
        }
    };
    let (latest, weight) = (extensions.latest(), extensions.weight());
    let written: HashMap<&str, u64> =
        rows.iter().filter_map(|(key, row)| Some((key.as_str(), row.as_ref()?.seq))).collect();
    let done = |outcome: &Outcome| match outcome {
        Outcome::Done(pair) if written.get(pair.key.as_str()) == Some(&pair.seq) => {
            Some(pair.clone())
        }
        _ => None,
    };
    let told: Vec<Pair> = outcomes.iter().filter_map(done).collect();
    if !rows.is_empty() {
        unit.annotations.push(extension_rows(log, msg_seq, extensions, rows));
    }
    durable.extensions.weigh(msg_seq, weight);
    durable.extensions.trim();
    if !told.is_empty() {
        let change =
            if deletes { ExtensionChange::Deleted(&told) } else { ExtensionChange::Set(&told) };
        let encoded = extensions_item(&room.key.group_id, id, latest, &change);
        room.emit(encoded, 0, Extra::default(), unit);
    }
    Ok(Some(Changed { extension_list: outcomes.into_iter().map(result).collect(), seq: latest }))
}

fn result(outcome: Outcome) -> KeyResult {
    let (error_code, pair) = match outcome {
        Outcome::Done(pair) => (0, pair),
        Outcome::Conflict(pair) => (Code::EXTENSION_CONFLICT.number(), pair),
        Outcome::Full(pair) => (Code::GROUP_TOO_MANY.number(), pair),
    };
    KeyResult { error_code, extension: pair.into() }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetRequest {
    group_id: String,
    topic_id: Option<String>,
    msg_seq: u32,
    /// The SDK begins it with a small letter.
    #[serde(alias = "startSeq", default)]
    start_seq: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    extension_list: Vec<KeyValue>,
    complete_flag: u8,
    latest_seq: u64,
    clear_seq: u64,
}

/// Keys of a message by the number of their last change, deleted ones with an empty value.
pub(super) async fn group_get_key_values(call: &Call<'_>) -> Answer {
    let request: GetRequest = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    let context = call.context.clone();
    let view = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            view(room, &context, now.seconds)
        })
        .await?;
    if !view.shows(request.msg_seq) {
        return Err(no_message());
    }
    call.read_message(&view.log, request.msg_seq).await?.ok_or_else(no_message)?;
    let read = call.annotations(&view.log).extensions(request.msg_seq).await;
    let extensions = read.map_err(unreadable)?;
    let (pairs, complete) = extensions.page(request.start_seq, limits::EXTENSIONS_PAGE);
    call.ok(&Page {
        extension_list: pairs.into_iter().map(KeyValue::from).collect(),
        complete_flag: complete.into(),
        latest_seq: extensions.latest(),
        clear_seq: extensions.cleared(),
    })
}
