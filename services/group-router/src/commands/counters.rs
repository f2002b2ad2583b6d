//! Group counters: `update_`, `get_` and `delete_group_counter` (REST notes 01, 3.41 to 3.43;
//! SDK protocol notes 02, 2.6).

use serde::{Deserialize, Serialize};
use throng_protocol::error::{Code, CommandError};

use super::{Answer, Call};
use crate::actor::{Now, Turn, Unit};
use crate::core::counters::{Change, Counter, Mode, Refusal};
use crate::room::{Extra, Room, random};
use crate::storage::{CounterRow, CountersRow, RowKind, put_row};
use crate::wire::counters_item;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateRequest {
    group_id: String,
    group_counter: Vec<KeyValue>,
    mode: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValue {
    key: String,
    value: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Counters {
    group_counter: Vec<KeyValue>,
    group_counter_seq: u64,
}

impl Counters {
    fn new<'a>(seq: u64, counters: impl IntoIterator<Item = &'a Counter>) -> Self {
        let pair =
            |counter: &Counter| KeyValue { key: counter.key.to_string(), value: counter.value };
        Self { group_counter: counters.into_iter().map(pair).collect(), group_counter_seq: seq }
    }
}

/// Sets, raises or lowers counters, and tells the room.
pub(super) async fn update_group_counter(call: &Call<'_>) -> Answer {
    let request: UpdateRequest = call.parse()?;
    let name = request.mode.as_deref().filter(|name| !name.is_empty()).unwrap_or("Set");
    let Some(mode) = Mode::from_name(name) else {
        return Err(Code::GROUP_BAD_PARAMETER.with(format!("Mode: no mode {name:?}")));
    };
    call.require_member(&request.group_id).await?;
    let given = request.group_counter;
    let change = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.with_counters()?;
            let pairs: Vec<_> = given.iter().map(|pair| (pair.key.as_str(), pair.value)).collect();
            let change = room.counters.update(mode, &pairs).map_err(refusal)?;
            tell(room, &change, false, now, unit);
            Ok(change)
        })
        .await?;
    call.ok(&Counters::new(change.seq, &change.counters))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeysRequest {
    group_id: String,
    #[serde(default)]
    group_counter_keys: Vec<String>,
}

/// Counters of the given keys, or all.
pub(super) async fn get_group_counter(call: &Call<'_>) -> Answer {
    let request: KeysRequest = call.parse()?;
    let keys = request.group_counter_keys;
    let counters = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let counters = &turn.with_counters()?.0.counters;
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            Ok(Counters::new(counters.seq(), counters.get(&keys)))
        })
        .await?;
    call.ok(&counters)
}

/// Deletes the given counters, or all.
pub(super) async fn delete_group_counter(call: &Call<'_>) -> Answer {
    let request: KeysRequest = call.parse()?;
    let keys = request.group_counter_keys;
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.with_counters()?;
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            if let Some(change) = room.counters.delete(&keys) {
                tell(room, &change, true, now, unit);
            }
            Ok(())
        })
        .await?;
    call.done()
}

fn tell(room: &mut Room, change: &Change, deleted: bool, now: Now, unit: &mut Unit) {
    let row = CountersRow {
        seq: room.counters.seq(),
        counters: room
            .counters
            .entries()
            .iter()
            .map(|counter| CounterRow { key: counter.key.to_string(), value: counter.value })
            .collect(),
    };
    unit.ops.push(put_row(RowKind::Counters, "", &row));
    let pairs: Vec<_> =
        change.counters.iter().map(|counter| (counter.key.to_string(), counter.value)).collect();
    let info = room.group_info();
    let encoded = counters_item(info, change.seq, &pairs, deleted, random(), now.seconds);
    room.emit(encoded, 0, Extra::default(), unit);
}

fn refusal(refusal: Refusal) -> CommandError {
    match refusal {
        Refusal::NothingGiven => Code::GROUP_BAD_PARAMETER.with("GroupCounter: empty"),
        Refusal::EmptyKey => Code::GROUP_BAD_PARAMETER.with("GroupCounter.Key: empty"),
        Refusal::KeyTooLong => Code::GROUP_BAD_PARAMETER.with("GroupCounter.Key: over 128 bytes"),
        Refusal::TooManyKeys => Code::COUNTER_TOO_MANY_KEYS.with("GroupCounter: over 20 keys"),
        Refusal::OutOfRange => {
            Code::GROUP_BAD_PARAMETER.with("GroupCounter.Value: the counter leaves 64 bits")
        }
    }
}

impl Turn<'_> {
    /// The group, if groups of its type have counters; 10007 otherwise.
    fn with_counters(&mut self) -> Result<(&mut Room, Now, &mut Unit), CommandError> {
        let (room, now, unit) = self.room()?;
        if !room.rules.counters {
            let info = format!("GroupId: groups of type {} have no counters", room.kind);
            return Err(Code::GROUP_FORBIDDEN.with(info));
        }
        Ok((room, now, unit))
    }
}
