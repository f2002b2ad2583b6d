//! `group_set_key_values` and `group_get_key_values`: keys and values on a message (REST notes 01, 3.31
//! and 3.32; SDK protocol notes 02, 2.4).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;
use throng_store::StoreError;

use super::annotated::{self, Added, Changed, Tell, no_message, no_topic, unreadable, view};
use super::{Answer, Call, check_list};
use crate::actor::Now;
use crate::core::extensions::{Extensions, Outcome, Pair};
use crate::core::hot::Hot;
use crate::group::{Annotated, Durable};
use crate::room::{Extra, Room};
use crate::storage::{Annotations, extension_rows};
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
struct Results {
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

impl Added for Extensions {
    fn hot(durable: &mut Durable) -> &mut Hot<Annotated<Self>> {
        &mut durable.extensions
    }

    fn weight(&self) -> usize {
        self.weight()
    }

    fn check_group(room: &Room) -> Result<(), CommandError> {
        if room.rules.extensions {
            return Ok(());
        }
        let info = format!("GroupId: no extensions in groups of type {}", room.kind);
        Err(Code::GROUP_FORBIDDEN.with(info))
    }

    fn check_message(message: &v1::StoredMessage) -> Result<(), CommandError> {
        if message.support_message_extension {
            return Ok(());
        }
        let info = "MsgSeq: was sent without SupportMessageExtension";
        Err(Code::EXTENSION_NOT_ALLOWED.with(info))
    }

    async fn read(annotations: &Annotations, msg_seq: u32) -> Result<Self, StoreError> {
        annotations.extensions(msg_seq).await
    }
}

/// Sets, deletes or clears keys of a message; each key has its own result.
pub(super) async fn group_set_key_values(call: &Call<'_>) -> Answer {
    let request: SetRequest = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    let (msg_seq, locked) = (request.msg_seq, !call.context.caller.admin);
    let operation = operation(request.operate_type, request.extension_list)?;
    let change = move |extensions: &mut Extensions, log: &v1::GroupLog, now: Now| {
        if !extensions.may_write(now.ms) {
            let most = limits::EXTENSION_WRITES_PER_MINUTE;
            let info = format!("MsgSeq: over {most} writes a minute");
            return Err(Code::EXTENSION_FREQUENCY.with(info));
        }
        Ok(apply(extensions, (log, msg_seq), operation, locked))
    };
    let results = annotated::change(call, (&request.group_id, msg_seq), change).await?;
    call.ok(&results)
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

fn apply(
    extensions: &mut Extensions,
    (log, msg_seq): (&v1::GroupLog, u32),
    operation: Operation,
    locked: bool,
) -> Changed<Results> {
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
            return Changed {
                answer: Results { extension_list: Vec::new(), seq: latest },
                rows: extension_rows(log, msg_seq, extensions, rows),
                tell: Some(tell(latest, ExtensionChange::Cleared(cleared))),
            };
        }
    };
    let latest = extensions.latest();
    let written: HashMap<&str, u64> =
        rows.iter().filter_map(|(key, row)| Some((key.as_str(), row.as_ref()?.seq))).collect();
    let done = |outcome: &Outcome| match outcome {
        Outcome::Done(pair) if written.get(pair.key.as_str()) == Some(&pair.seq) => {
            Some(pair.clone())
        }
        _ => None,
    };
    let told: Vec<Pair> = outcomes.iter().filter_map(done).collect();
    let tells = !told.is_empty();
    let change = if deletes { ExtensionChange::Deleted(told) } else { ExtensionChange::Set(told) };
    let rows = match rows.is_empty() {
        true => Vec::new(),
        false => extension_rows(log, msg_seq, extensions, rows),
    };
    let extension_list = outcomes.into_iter().map(result).collect();
    Changed {
        answer: Results { extension_list, seq: latest },
        rows,
        tell: tells.then(|| tell(latest, change)),
    }
}

fn tell(latest: u64, change: ExtensionChange) -> Tell {
    Box::new(move |room, (id, recipients), unit| {
        let encoded = extensions_item(&room.key.group_id, id, latest, &change);
        room.emit(encoded, 0, Extra { recipients, ..Extra::default() }, unit);
    })
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
            view::<Extensions>(room, &context, now.seconds)
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
