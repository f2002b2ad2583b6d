//! Keys and values as the driver sends and receives them.

use bytes::Bytes;
use scylla::cluster::metadata::ColumnType as CqlType;
use scylla::deserialize::row::ColumnIterator;
use scylla::serialize::SerializationError;
use scylla::serialize::value::SerializeValue;
use scylla::serialize::writers::{CellWriter, WrittenCellProof};

use crate::{ColumnType, Component, Key, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { reason: "a row that its table cannot have" };

/// What is bound to one mark of a prepared statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A column of a key.
    Key(&'a Component),
    /// A row's value.
    Bytes(&'a [u8]),
    /// A TTL or a limit.
    Int(i32),
    /// What `system_schema` is asked for.
    Text(&'a str),
}

impl SerializeValue for Value<'_> {
    fn serialize<'b>(
        &self,
        kind: &CqlType<'_>,
        writer: CellWriter<'b>,
    ) -> Result<WrittenCellProof<'b>, SerializationError> {
        match *self {
            Self::Key(Component::Text(text)) => text.serialize(kind, writer),
            Self::Key(Component::U32(number)) => i64::from(*number).serialize(kind, writer),
            Self::Key(Component::I64(number)) => number.serialize(kind, writer),
            Self::Key(Component::U64(number)) => {
                number.to_be_bytes().as_slice().serialize(kind, writer)
            }
            Self::Key(Component::Bytes(bytes)) => bytes.serialize(kind, writer),
            Self::Bytes(bytes) => bytes.serialize(kind, writer),
            Self::Int(number) => number.serialize(kind, writer),
            Self::Text(text) => text.serialize(kind, writer),
        }
    }
}

/// The columns of a key, to be bound.
pub(super) fn of_key(key: &Key) -> impl Iterator<Item = Value<'_>> {
    key.components().iter().map(Value::Key)
}

/// The next column's bytes. They share the memory of the whole answer.
pub(super) fn take_bytes(row: &mut ColumnIterator<'_, '_>) -> Result<Bytes, StoreError> {
    let column = row.next().and_then(Result::ok).ok_or(DAMAGED)?;
    Ok(column.slice.ok_or(DAMAGED)?.to_bytes())
}

/// The next columns as a key of these types.
pub(super) fn take_key(
    row: &mut ColumnIterator<'_, '_>,
    kinds: impl Iterator<Item = ColumnType>,
) -> Result<Key, StoreError> {
    let components: Result<Vec<_>, _> = kinds.map(|kind| take_component(row, kind)).collect();
    Ok(Key::from(components?))
}

fn take_component(
    row: &mut ColumnIterator<'_, '_>,
    kind: ColumnType,
) -> Result<Component, StoreError> {
    let column = row.next().and_then(Result::ok).ok_or(DAMAGED)?;
    let slice = column.slice.ok_or(DAMAGED)?;
    let number = || slice.as_slice().try_into().map_err(|_| DAMAGED);
    Ok(match kind {
        ColumnType::Text => {
            let text = std::str::from_utf8(slice.as_slice()).map_err(|_| DAMAGED)?;
            Component::Text(text.to_owned())
        }
        ColumnType::U32 => {
            let number = i64::from_be_bytes(number()?);
            Component::U32(u32::try_from(number).map_err(|_| DAMAGED)?)
        }
        ColumnType::I64 => Component::I64(i64::from_be_bytes(number()?)),
        ColumnType::U64 => Component::U64(u64::from_be_bytes(number()?)),
        // A key is kept for longer than the answer that it came in.
        ColumnType::Bytes => Component::Bytes(Bytes::copy_from_slice(slice.as_slice())),
    })
}
