//! Group attributes: `set_`, `modify_`, `delete_`, `clear_` and `get_group_attr` (REST notes 01, 3.36
//! to 3.40; SDK protocol notes 02, 2.5).

use serde::{Deserialize, Serialize};
use throng_protocol::error::{Code, CommandError};

use super::{Answer, Call};
use crate::actor::Turn;
use crate::core::attributes::{Attribute, Attributes, Change, Operation, Refusal};
use crate::room::{Extra, random};
use crate::storage::{AttributeRow, AttributesRow, RowKind, put_row};
use crate::wire::{ChangedAttribute, attributes_item};

/// All four writes have this form; names of attributes are in lower case.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WriteRequest {
    group_id: String,
    #[serde(default)]
    group_attr: Vec<Given>,
    /// What the client saw last; it always asks for the conflict check.
    attr_main_seq: Option<u64>,
}

#[derive(Deserialize)]
struct Given {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    attr_main_seq: u64,
    group_attr: Vec<KeySeq>,
}

#[derive(Serialize)]
struct KeySeq {
    key: String,
    seq: u64,
}

/// Replaces all attributes.
pub(super) async fn set_group_attr(call: &Call<'_>) -> Answer {
    write(call, Operation::Replace).await
}

/// Adds or changes attributes.
pub(super) async fn modify_group_attr(call: &Call<'_>) -> Answer {
    write(call, Operation::Merge).await
}

/// Deletes attributes.
pub(super) async fn delete_group_attr(call: &Call<'_>) -> Answer {
    write(call, Operation::Delete).await
}

/// Deletes all attributes.
pub(super) async fn clear_group_attr(call: &Call<'_>) -> Answer {
    write(call, Operation::Clear).await
}

async fn write(call: &Call<'_>, operation: Operation) -> Answer {
    let request: WriteRequest = call.parse()?;
    call.require_member(&request.group_id).await?;
    // The lock is the client's; over REST the last writer wins.
    let expected = if call.context.is_rest() { None } else { request.attr_main_seq };
    let given = request.group_attr;
    let change = call
        .rooms
        .run(call.context.app, &request.group_id, move |turn| {
            change(turn, operation, &given, expected)
        })
        .await?;
    let key_seq =
        |attribute: Attribute| KeySeq { key: attribute.key.to_string(), seq: attribute.seq };
    call.ok(&Written {
        attr_main_seq: change.main_seq,
        group_attr: change.changed.into_iter().map(key_seq).collect(),
    })
}

fn change(
    turn: &mut Turn<'_>,
    operation: Operation,
    given: &[Given],
    expected: Option<u64>,
) -> Result<Change, CommandError> {
    let (room, now, unit) = turn.room()?;
    let pairs: Vec<_> =
        given.iter().map(|given| (given.key.as_str(), given.value.as_str())).collect();
    let keys: Vec<_> = given.iter().map(|given| given.key.as_str()).collect();
    let attributes = &mut room.attributes;
    let change = match operation {
        Operation::Replace => attributes.set(now.ms, expected, &pairs),
        Operation::Merge => attributes.modify(now.ms, expected, &pairs),
        Operation::Delete => attributes.delete(now.ms, expected, &keys),
        Operation::Clear => attributes.clear(now.ms, expected),
    }
    .map_err(refusal)?;
    unit.ops.push(put_row(RowKind::Attributes, "", &row(&room.attributes)));
    let pushed: Vec<_> = change
        .changed
        .iter()
        .map(|attribute| ChangedAttribute {
            key: attribute.key.to_string(),
            value: (operation != Operation::Delete).then(|| attribute.value.to_string()),
            seq: attribute.seq,
        })
        .collect();
    let encoded = attributes_item(
        room.group_info(),
        change.main_seq,
        operation.wire(),
        &pushed,
        random(),
        now.seconds,
    );
    room.emit(encoded, 0, Extra::default(), unit);
    Ok(change)
}

fn row(attributes: &Attributes) -> AttributesRow {
    let entry = |attribute: &Attribute| AttributeRow {
        key: attribute.key.to_string(),
        value: attribute.value.to_string(),
        seq: attribute.seq,
    };
    AttributesRow {
        main_seq: attributes.main_seq(),
        attributes: attributes.entries().iter().map(entry).collect(),
    }
}

fn refusal(refusal: Refusal) -> CommandError {
    match refusal {
        Refusal::NothingGiven => Code::GROUP_BAD_PARAMETER.with("GroupAttr: empty"),
        Refusal::EmptyKey => Code::GROUP_BAD_PARAMETER.with("GroupAttr.key: empty"),
        Refusal::KeyTooLong => Code::ATTR_KEY_TOO_LONG.with("GroupAttr.key: over 32 bytes"),
        Refusal::ValueTooLong => Code::ATTR_VALUE_TOO_LONG.with("GroupAttr.value: over 4000 bytes"),
        Refusal::TooManyKeys => Code::ATTR_TOO_MANY_KEYS.with("GroupAttr: over 16 keys"),
        Refusal::TotalTooLong => {
            Code::ATTR_TOTAL_TOO_LONG.with("GroupAttr: values over 16000 bytes in all")
        }
        Refusal::TooOften => Code::ATTR_FREQUENCY.with("attributes: over 5 writes a second"),
        Refusal::KeyNotFound => Code::ATTR_KEY_NOT_FOUND.with("GroupAttr.key: does not exist"),
        Refusal::Conflict => {
            Code::ATTR_CONFLICT.with("AttrMainSeq: the attributes were changed meanwhile")
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetRequest {
    group_id: String,
}

/// The list of REST and the list of the client, which also wants sequences.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeList {
    attr_main_seq: u64,
    group_attr: Vec<Full>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_attr_ary: Option<Vec<Pair>>,
}

#[derive(Serialize)]
struct Full {
    key: String,
    value: String,
    seq: u64,
}

#[derive(Serialize)]
struct Pair {
    key: String,
    value: String,
}

/// All attributes.
pub(super) async fn get_group_attr(call: &Call<'_>) -> Answer {
    let request: GetRequest = call.parse()?;
    let (attr_main_seq, attributes) = call
        .rooms
        .run(call.context.app, &request.group_id, |turn| {
            let attributes = &turn.room()?.0.attributes;
            Ok((attributes.main_seq(), attributes.entries().to_vec()))
        })
        .await?;
    let pair = |attribute: &Attribute| Pair {
        key: attribute.key.to_string(),
        value: attribute.value.to_string(),
    };
    let full = |attribute: &Attribute| Full {
        key: attribute.key.to_string(),
        value: attribute.value.to_string(),
        seq: attribute.seq,
    };
    let rest = call.context.is_rest();
    call.ok(&AttributeList {
        attr_main_seq,
        group_attr_ary: rest.then(|| attributes.iter().map(pair).collect()),
        group_attr: attributes.iter().map(full).collect(),
    })
}
