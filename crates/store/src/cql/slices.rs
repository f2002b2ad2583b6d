//! A page as queries that CQL can answer.
//!
//! CQL compares only one clustering column other than by equality (several at once only where all of
//! them are stored in the same order, which ours need not be). A stretch of rows between two keys is
//! cut at the columns in which the keys differ; from `(b, 5)` exclusive to `(d, 7)` inclusive:
//!
//! ```text
//! first = b and second > 5
//! first > b and first < d
//! first = d and second <= 7
//! ```
//!
//! The slices lie one behind the other, so a walk goes through them in order. Most pages are one: over
//! a single column, or within a prefix of all but one.

use std::ops::Bound;

use crate::{Component, Direction, Page};

/// Rows that agree in the leading clustering columns and lie between bounds in the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice<'a> {
    pub(super) equal: &'a [Component],
    /// The bound nearer to the partition's first row.
    pub(super) after: Option<Edge<'a>>,
    /// The one nearer to its last row.
    pub(super) before: Option<Edge<'a>>,
}

/// A bound of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge<'a> {
    pub(super) at: &'a Component,
    pub(super) included: bool,
}

/// A key bound: its leading columns, and whether the rows that begin so are in.
#[derive(Debug, Clone, Copy)]
struct Limit<'a> {
    columns: &'a [Component],
    included: bool,
}

impl<'a> Limit<'a> {
    fn of(bound: &'a Bound<crate::Key>) -> Self {
        match bound {
            Bound::Unbounded => Self { columns: &[], included: true },
            Bound::Included(key) => Self { columns: key.components(), included: true },
            Bound::Excluded(key) => Self { columns: key.components(), included: false },
        }
    }

    /// The edge that it makes in a column: only in its last one can the row itself be in.
    fn edge(self, column: usize) -> Option<Edge<'a>> {
        let at = self.columns.get(column)?;
        Some(Edge { at, included: self.included && column + 1 == self.columns.len() })
    }
}

/// The slices that make up a page, in the order in which it walks. The page's bounds must fit its
/// table and not exclude everything ([`KeyRange`](crate::codec::KeyRange) tells).
pub(super) fn slices(page: &Page) -> Vec<Slice<'_>> {
    let (low, high) = match page.order {
        Direction::Forward => (&page.from, &page.to),
        Direction::Backward => (&page.to, &page.from),
    };
    let (low, high) = (Limit::of(low), Limit::of(high));
    let common = low.columns.iter().zip(high.columns).take_while(|(low, high)| low == high).count();

    // Up from the low key, across, and down to the high key.
    let mut slices: Vec<_> = (common + 1..low.columns.len())
        .rev()
        .map(|column| Slice {
            equal: &low.columns[..column],
            after: low.edge(column),
            before: None,
        })
        .collect();
    slices.push(Slice {
        equal: &low.columns[..common],
        after: low.edge(common),
        before: high.edge(common),
    });
    slices.extend((common + 1..high.columns.len()).map(|column| Slice {
        equal: &high.columns[..column],
        after: None,
        before: high.edge(column),
    }));
    if page.order == Direction::Backward {
        slices.reverse();
    }
    slices
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::{self, KeyRange};
    use crate::{ColumnType, Compaction, Key, Order, Table, key};

    const TABLE: Table = Table {
        name: "table",
        partition: &[("app", ColumnType::U32)],
        clustering: &[
            ("a", ColumnType::U32, Order::Ascending),
            ("b", ColumnType::I64, Order::Descending),
            ("c", ColumnType::Text, Order::Ascending),
        ],
        ttl: None,
        compaction: Compaction::SizeTiered,
    };

    fn edge(at: &Component, included: bool) -> Option<Edge<'_>> {
        Some(Edge { at, included })
    }

    #[test]
    fn a_stretch_is_cut_where_its_ends_differ() {
        let page = Page::forward(9).after(key![1u32, 5i64]).through(key![3u32, 7i64]);
        let [low, high] = [&page.from, &page.to].map(|bound| Limit::of(bound).columns);
        let expected = [
            Slice { equal: &low[..1], after: edge(&low[1], false), before: None },
            Slice { equal: &[], after: edge(&low[0], false), before: edge(&high[0], false) },
            Slice { equal: &high[..1], after: None, before: edge(&high[1], true) },
        ];
        assert_eq!(slices(&page), expected);
    }

    #[test]
    fn the_usual_pages_are_one_query() {
        let whole = Page::forward(9);
        assert_eq!(slices(&whole), [Slice { equal: &[], after: None, before: None }]);
        let prefix = key![1u32, 5i64];
        let within = Page::backward(9).within(prefix.clone());
        let equal = prefix.components();
        assert_eq!(slices(&within), [Slice { equal, after: None, before: None }]);
        let next = within.after(key![1u32, 5i64, "m"]);
        let last = Component::from("m");
        let expected = Slice { equal, after: None, before: edge(&last, false) };
        assert_eq!(slices(&next), [expected]);
    }

    /// Whether a row is in a slice, as CQL decides it.
    fn admits(slice: &Slice<'_>, row: &Key) -> bool {
        let row = row.components();
        let beyond = |edge: Edge<'_>, low: bool| {
            let column = slice.equal.len();
            let order = row[column].cmp(edge.at);
            let order = if TABLE.clustering[column].2 == Order::Descending {
                order.reverse()
            } else {
                order
            };
            if order.is_eq() { edge.included } else { order.is_gt() == low }
        };
        row.starts_with(slice.equal)
            && slice.after.is_none_or(|edge| beyond(edge, true))
            && slice.before.is_none_or(|edge| beyond(edge, false))
    }

    fn bound() -> impl Strategy<Value = Bound<Key>> {
        let key = (0..4u32, 0..4i64, "[ab]?", 0..=3usize).prop_map(|(a, b, c, columns)| {
            Key::from(key![a, b, c].components()[..columns].to_vec())
        });
        prop_oneof![
            Just(Bound::Unbounded),
            key.clone().prop_map(Bound::Included),
            key.prop_map(Bound::Excluded),
        ]
    }

    proptest! {
        #[test]
        fn slices_give_the_page_in_its_order(
            from in bound(), to in bound(), backward: bool,
            rows in prop::collection::btree_set((0..4u32, 0..4i64, "[ab]?"), 0..40),
        ) {
            let order = if backward { Direction::Backward } else { Direction::Forward };
            let page = Page { from, to, order, limit: 100 };
            let partition = codec::partition(&TABLE, &key![1u32]).unwrap();
            let range = KeyRange::of_page(&TABLE, &partition, &page).unwrap();
            let mut rows: Vec<_> = rows.into_iter().map(|(a, b, c)| {
                let key = key![a, b, c];
                (codec::row(&TABLE, &partition, &key).unwrap(), key)
            }).collect();
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            if backward {
                rows.reverse();
            }
            let inside = |bytes: &Vec<u8>| {
                *bytes >= range.start && range.end.as_ref().is_none_or(|end| bytes < end)
            };
            let expected: Vec<_> =
                rows.iter().filter(|(bytes, _)| inside(bytes)).map(|(_, key)| key).collect();
            let found: Vec<_> = if range.is_empty() {
                Vec::new()
            } else {
                let found = slices(&page);
                found.iter()
                    .flat_map(|slice| rows.iter().map(|(_, key)| key).filter(|row| admits(slice, row)))
                    .collect()
            };
            prop_assert_eq!(found, expected);
        }
    }
}
