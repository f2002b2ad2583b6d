use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;
use crate::{Compaction, key};

use ColumnType::{Bytes as B, I64, Text, U32, U64};
use Order::{Ascending as Asc, Descending as Desc};

const UP: Table = Table {
    name: "up",
    partition: &[("t", Text), ("b", B), ("u", U32), ("v", U64), ("i", I64)],
    clustering: &[
        ("t", Text, Asc),
        ("b", B, Asc),
        ("u", U32, Asc),
        ("v", U64, Asc),
        ("i", I64, Asc),
    ],
    ttl: None,
    compaction: Compaction::SizeTiered,
};
const DOWN: Table = Table {
    clustering: &[
        ("t", Text, Desc),
        ("b", B, Desc),
        ("u", U32, Desc),
        ("v", U64, Desc),
        ("i", I64, Desc),
    ],
    name: "down",
    ..UP
};
const MIXED: Table = Table {
    clustering: &[
        ("t", Text, Desc),
        ("b", B, Asc),
        ("u", U32, Desc),
        ("v", U64, Asc),
        ("i", I64, Desc),
    ],
    name: "mixed",
    ..UP
};

/// Few letters, so that equal beginnings, zeros and 0xFF bytes are common.
fn keys() -> impl Strategy<Value = Key> {
    let text = proptest::collection::vec(
        prop_oneof![Just('\0'), Just('a'), Just('\u{1}'), any::<char>()],
        0..4,
    )
    .prop_map(String::from_iter);
    let bytes =
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFE), Just(0xFF)], 0..4);
    let u32s = prop_oneof![0..3u32, any::<u32>(), Just(u32::MAX)];
    let u64s = prop_oneof![0..3u64, any::<u64>(), Just(u64::MAX)];
    let i64s = prop_oneof![-3..3i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    (text, bytes, u32s, u64s, i64s).prop_map(|(t, b, u, v, i)| key![t, b, u, v, i])
}

fn compare(table: &Table, a: &Key, b: &Key) -> Ordering {
    let columns = table.clustering.iter().map(|column| column.2);
    for ((a, b), order) in a.components().iter().zip(b.components()).zip(columns) {
        let ascending = match (a, b) {
            (Component::Text(a), Component::Text(b)) => a.cmp(b),
            (Component::Bytes(a), Component::Bytes(b)) => a.cmp(b),
            (Component::U32(a), Component::U32(b)) => a.cmp(b),
            (Component::U64(a), Component::U64(b)) => a.cmp(b),
            (Component::I64(a), Component::I64(b)) => a.cmp(b),
            _ => unreachable!("columns have one type"),
        };
        let directed = if order == Desc { ascending.reverse() } else { ascending };
        if directed.is_ne() {
            return directed;
        }
    }
    Ordering::Equal
}

fn leading(key: &Key, columns: usize) -> Key {
    Key::from(key.components()[..columns].to_vec())
}

proptest! {
    #[test]
    fn order_of_bytes_is_order_of_columns(a in keys(), b in keys(), same in 0..5usize) {
        // Equal leading columns, so that the later ones decide as often as the first.
        let mut mixed = a.components()[..same].to_vec();
        mixed.extend_from_slice(&b.components()[same..]);
        let b = Key::from(mixed);
        for table in [&UP, &DOWN, &MIXED] {
            let (x, y) = (row(table, b"p", &a).unwrap(), row(table, b"p", &b).unwrap());
            prop_assert_eq!(x.cmp(&y), compare(table, &a, &b));
        }
    }

    #[test]
    fn keys_come_back(partition_key in keys(), clustering in keys()) {
        for table in [&UP, &DOWN, &MIXED] {
            let front = partition(table, &partition_key).unwrap();
            let whole = row(table, &front, &clustering).unwrap();
            prop_assert_eq!(decode_partition(table, &whole).unwrap(), (partition_key.clone(), front.len()));
            prop_assert_eq!(decode_clustering(table, &whole[front.len()..]).unwrap(), clustering.clone());
        }
    }

    #[test]
    fn a_bound_of_leading_columns_covers_the_rows_that_begin_so(
        a in keys(), b in keys(), columns in 0..=5usize, low_included: bool, high_included: bool,
    ) {
        for table in [&UP, &DOWN, &MIXED] {
            let bound = |included, key| if included { Bound::Included(key) } else { Bound::Excluded(key) };
            let page = Page {
                from: bound(low_included, leading(&a, columns)),
                to: bound(high_included, leading(&b, columns)),
                ..Page::forward(1)
            };
            let range = KeyRange::of_page(table, b"p", &page).unwrap();
            for probe in [&a, &b] {
                let encoded = row(table, b"p", probe).unwrap();
                let inside = encoded >= range.start && range.end.as_ref().is_none_or(|end| encoded < *end);
                let low = compare(table, &leading(probe, columns), &leading(&a, columns));
                let high = compare(table, &leading(probe, columns), &leading(&b, columns));
                let expected = (low.is_gt() || low_included && low.is_eq())
                    && (high.is_lt() || high_included && high.is_eq());
                prop_assert_eq!(inside, expected);
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        for table in [&UP, &DOWN, &MIXED] {
            if let Ok(key) = decode_clustering(table, &bytes) {
                prop_assert_eq!(row(table, b"", &key).unwrap(), bytes.clone());
            }
            let _ = decode_partition(table, &bytes);
        }
    }
}

#[test]
fn nothing_lies_behind_only_ff() {
    assert_eq!(behind(&[0xFF, 0xFF]), None);
    assert_eq!(behind(&[1, 0xFF]), Some(vec![2]));
    assert_eq!(behind(&[]), None);
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let bad = |result: Result<_, _>| matches!(result, Err(StoreError::BadKey { table: "up", .. }));
    assert!(bad(partition(&UP, &key!["only one"])));
    assert!(bad(row(&UP, b"p", &key![1u32])));
    assert!(bad(row(&UP, b"p", &key!["t", vec![], 1u64, 1u64, 1i64])));
    let long = "x".repeat(MAX_KEY_BYTES);
    let result = row(&UP, b"p", &key![long, vec![], 1u32, 1u64, 1i64]);
    assert!(matches!(result, Err(StoreError::TooLarge { .. })));
}
