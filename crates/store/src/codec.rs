//! Keys as bytes whose order is the order of the columns.
//!
//! Each column's bytes end by themselves (fixed length, or a terminator), so the bytes of the leading
//! columns are a prefix of exactly those keys that begin with these columns.
//!
//! - Unsigned numbers: big-endian. Signed: big-endian with the sign bit flipped.
//! - Text and bytes: a zero byte becomes `00 FF`, the end is `00 00`.
//! - A descending column: all its bytes inverted.

use std::ops::Bound;

use bytes::Bytes;

use crate::{ColumnType, Component, Direction, Key, Order, Page, StoreError, Table};

/// The longest encoded key, partition and clustering together.
pub(crate) const MAX_KEY_BYTES: usize = 16 * 1024;

const DAMAGED_KEY: StoreError = StoreError::Damaged { reason: "a key that its table cannot have" };

/// CQL has no empty partition key; beside other columns an empty one is fine.
const EMPTY_PARTITION: &str = "the only partition column is empty";

/// The bytes of a whole partition key.
pub(crate) fn partition(table: &'static Table, key: &Key) -> Result<Vec<u8>, StoreError> {
    let reason = "wrong number of partition columns";
    if key.components().len() != table.partition.len() {
        return Err(StoreError::BadKey { table: table.name, reason });
    }
    if let [Component::Text(text)] = key.components()
        && text.is_empty()
    {
        return Err(StoreError::BadKey { table: table.name, reason: EMPTY_PARTITION });
    }
    if let [Component::Bytes(bytes)] = key.components()
        && bytes.is_empty()
    {
        return Err(StoreError::BadKey { table: table.name, reason: EMPTY_PARTITION });
    }
    let columns = table.partition.iter().map(|&(_, kind)| (kind, Order::Ascending));
    let mut out = Vec::with_capacity(64);
    append(table, &mut out, key, columns)?;
    Ok(out)
}

/// The bytes of a row's key: those of its partition, then those of its clustering columns.
pub(crate) fn row(
    table: &'static Table,
    partition: &[u8],
    clustering: &Key,
) -> Result<Vec<u8>, StoreError> {
    if clustering.components().len() != table.clustering.len() {
        let reason = "wrong number of clustering columns";
        return Err(StoreError::BadKey { table: table.name, reason });
    }
    prefix(table, partition, clustering)
}

/// Like [`row`], with trailing columns left out.
fn prefix(
    table: &'static Table,
    partition: &[u8],
    clustering: &Key,
) -> Result<Vec<u8>, StoreError> {
    if clustering.components().len() > table.clustering.len() {
        let reason = "too many clustering columns";
        return Err(StoreError::BadKey { table: table.name, reason });
    }
    let mut out = Vec::with_capacity(partition.len() + 32);
    out.extend_from_slice(partition);
    append(
        table,
        &mut out,
        clustering,
        table.clustering.iter().map(|&(_, kind, order)| (kind, order)),
    )?;
    Ok(out)
}

fn append(
    table: &'static Table,
    out: &mut Vec<u8>,
    key: &Key,
    columns: impl Iterator<Item = (ColumnType, Order)>,
) -> Result<(), StoreError> {
    for (component, (kind, order)) in key.components().iter().zip(columns) {
        if component.column_type() != kind {
            let reason = "a column has another type";
            return Err(StoreError::BadKey { table: table.name, reason });
        }
        let start = out.len();
        append_component(out, component);
        if order == Order::Descending {
            out[start..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
    if out.len() > MAX_KEY_BYTES {
        return Err(StoreError::TooLarge {
            what: "encoded key (bytes)",
            size: out.len(),
            limit: MAX_KEY_BYTES,
        });
    }
    Ok(())
}

fn append_component(out: &mut Vec<u8>, component: &Component) {
    match component {
        Component::Text(value) => append_escaped(out, value.as_bytes()),
        Component::Bytes(value) => append_escaped(out, value),
        Component::U32(value) => out.extend_from_slice(&value.to_be_bytes()),
        Component::U64(value) => out.extend_from_slice(&value.to_be_bytes()),
        Component::I64(value) => {
            out.extend_from_slice(&(value.cast_unsigned() ^ (1 << 63)).to_be_bytes());
        }
    }
}

fn append_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

/// The partition key at the front of a row's key, and how many bytes it takes.
pub(crate) fn decode_partition(
    table: &'static Table,
    row: &[u8],
) -> Result<(Key, usize), StoreError> {
    let mut rest = row;
    let key = take(&mut rest, table.partition.iter().map(|&(_, kind)| (kind, Order::Ascending)))?;
    Ok((key, row.len() - rest.len()))
}

/// The clustering key of a row, from what follows the partition's bytes.
pub(crate) fn decode_clustering(
    table: &'static Table,
    mut bytes: &[u8],
) -> Result<Key, StoreError> {
    let key = take(&mut bytes, table.clustering.iter().map(|&(_, kind, order)| (kind, order)))?;
    if bytes.is_empty() { Ok(key) } else { Err(DAMAGED_KEY) }
}

fn take(
    rest: &mut &[u8],
    columns: impl ExactSizeIterator<Item = (ColumnType, Order)>,
) -> Result<Key, StoreError> {
    let mut components = Vec::with_capacity(columns.len());
    for (kind, order) in columns {
        components.push(take_component(rest, kind, order)?);
    }
    Ok(Key::from(components))
}

fn take_component(
    rest: &mut &[u8],
    kind: ColumnType,
    order: Order,
) -> Result<Component, StoreError> {
    let invert = if order == Order::Descending { 0xFF } else { 0 };
    Ok(match kind {
        ColumnType::Text => Component::Text(
            String::from_utf8(take_escaped(rest, invert)?).map_err(|_| DAMAGED_KEY)?,
        ),
        ColumnType::Bytes => Component::Bytes(Bytes::from(take_escaped(rest, invert)?)),
        ColumnType::U32 => Component::U32(u32::from_be_bytes(take_fixed(rest, invert)?)),
        ColumnType::U64 => Component::U64(u64::from_be_bytes(take_fixed(rest, invert)?)),
        ColumnType::I64 => Component::I64(
            (u64::from_be_bytes(take_fixed(rest, invert)?) ^ (1 << 63)).cast_signed(),
        ),
    })
}

fn take_fixed<const N: usize>(rest: &mut &[u8], invert: u8) -> Result<[u8; N], StoreError> {
    let (fixed, after) = rest.split_first_chunk::<N>().ok_or(DAMAGED_KEY)?;
    *rest = after;
    Ok(fixed.map(|byte| byte ^ invert))
}

fn take_escaped(rest: &mut &[u8], invert: u8) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match rest.get(at).ok_or(DAMAGED_KEY)? ^ invert {
            0 => match rest.get(at + 1).ok_or(DAMAGED_KEY)? ^ invert {
                0 => break,
                0xFF => {
                    out.push(0);
                    at += 2;
                }
                _ => return Err(DAMAGED_KEY),
            },
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    *rest = &rest[at + 2..];
    Ok(out)
}

/// Row keys from `start` on, up to but without `end` (None: to the last key there is).
#[derive(Debug)]
pub(crate) struct KeyRange {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Option<Vec<u8>>,
}

impl KeyRange {
    /// All rows of a partition.
    pub(crate) fn of_partition(partition: Vec<u8>) -> Self {
        Self { end: behind(&partition), start: partition }
    }

    /// The rows that a page asks for.
    pub(crate) fn of_page(
        table: &'static Table,
        partition: &[u8],
        page: &Page,
    ) -> Result<Self, StoreError> {
        let (low, high) = match page.order {
            Direction::Forward => (&page.from, &page.to),
            Direction::Backward => (&page.to, &page.from),
        };
        let start = match low {
            Bound::Unbounded => Some(partition.to_vec()),
            Bound::Included(key) => Some(prefix(table, partition, key)?),
            Bound::Excluded(key) => behind(&prefix(table, partition, key)?),
        };
        let end = match high {
            Bound::Unbounded => behind(partition),
            Bound::Included(key) => behind(&prefix(table, partition, key)?),
            Bound::Excluded(key) => Some(prefix(table, partition, key)?),
        };
        // Nothing lies behind a key of 0xFF bytes only: then the range is empty.
        Ok(start.map_or_else(
            || Self { start: Vec::new(), end: Some(Vec::new()) },
            |start| Self { start, end },
        ))
    }

    /// No key can be in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Its bounds, for ordered maps.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(&self.start), end)
    }
}

/// The least bytes greater than all that begin with `prefix`; None if there are none.
pub(crate) fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xFF)?;
    let mut out = prefix[..=last].to_vec();
    out[last] += 1;
    Some(out)
}

#[cfg(test)]
mod tests;
