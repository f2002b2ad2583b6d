use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Far enough apart for the write rate.
fn at(write: u64) -> u64 {
    write * SECOND_MS
}

fn content(attributes: &Attributes) -> Vec<(&str, &str, u64)> {
    let entries = attributes.entries().iter();
    entries.map(|entry| (&*entry.key, &*entry.value, entry.seq)).collect()
}

fn changed(change: &Change) -> Vec<(&str, &str, u64)> {
    let entries = change.changed.iter();
    entries.map(|entry| (&*entry.key, &*entry.value, entry.seq)).collect()
}

#[test]
fn writes_say_what_changed() {
    let mut attributes = Attributes::default();
    let change = attributes.set(at(0), Some(0), &[("a", "1"), ("b", "2")]).unwrap();
    assert_eq!((change.operation.wire(), change.main_seq), (1, 1));
    assert_eq!(changed(&change), [("a", "1", 1), ("b", "2", 1)]);

    let change = attributes.modify(at(1), Some(1), &[("b", "3"), ("c", "4")]).unwrap();
    assert_eq!((change.operation.wire(), change.main_seq), (2, 2));
    assert_eq!(changed(&change), [("b", "3", 2), ("c", "4", 2)]);
    assert_eq!(content(&attributes), [("a", "1", 1), ("b", "3", 2), ("c", "4", 2)]);

    let change = attributes.delete(at(2), Some(2), &["a", "c", "a"]).unwrap();
    assert_eq!((change.operation.wire(), change.main_seq), (4, 3));
    assert_eq!(changed(&change), [("a", "", 3), ("c", "", 3)]);
    assert_eq!(content(&attributes), [("b", "3", 2)]);

    let change = attributes.set(at(3), None, &[("a", "5")]).unwrap();
    assert_eq!(changed(&change), [("a", "5", 4)]);
    assert_eq!(content(&attributes), [("a", "5", 4)]);

    let change = attributes.clear(at(4), Some(4)).unwrap();
    assert_eq!((change.operation.wire(), change.main_seq), (3, 5));
    assert_eq!((changed(&change), content(&attributes)), (vec![], vec![]));
    assert_eq!(attributes.clear(at(5), None).unwrap().main_seq, 6);
}

#[test]
fn the_last_value_of_a_key_given_twice_counts() {
    let mut attributes = Attributes::default();
    let change = attributes.set(0, None, &[("a", "1"), ("b", "2"), ("a", "3")]).unwrap();
    assert_eq!(changed(&change), [("a", "3", 1), ("b", "2", 1)]);
}

#[test]
fn a_stale_main_sequence_is_refused() {
    let mut attributes = Attributes::default();
    attributes.set(at(0), Some(0), &[("a", "1")]).unwrap();
    for stale in [0, 2, u64::MAX] {
        let expected = Some(stale);
        assert_eq!(attributes.set(at(1), expected, &[("a", "2")]), Err(Refusal::Conflict));
        assert_eq!(attributes.modify(at(1), expected, &[("a", "2")]), Err(Refusal::Conflict));
        assert_eq!(attributes.delete(at(1), expected, &["a"]), Err(Refusal::Conflict));
        assert_eq!(attributes.clear(at(1), expected), Err(Refusal::Conflict));
    }
    assert_eq!((content(&attributes), attributes.main_seq()), (vec![("a", "1", 1)], 1));
    attributes.modify(at(1), None, &[("a", "2")]).unwrap();
}

#[test]
fn limits() {
    let key = "k".repeat(MAX_KEY_BYTES);
    let long_key = "k".repeat(MAX_KEY_BYTES + 1);
    let value = "v".repeat(MAX_VALUE_BYTES);
    let long_value = "é".repeat(MAX_VALUE_BYTES / 2) + "v";
    let names: Vec<String> = (0..=MAX_KEYS).map(|place| format!("k{place}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let full = [("a", &*value), ("b", &*value), ("c", &*value), ("d", &*value)];
    let over = [full.as_slice(), &[("e", "v")]].concat();
    for (given, outcome) in [
        (vec![], Err(Refusal::NothingGiven)),
        (vec![("", "v")], Err(Refusal::EmptyKey)),
        (vec![(&*key, &*value)], Ok(())),
        (vec![(&*long_key, "v")], Err(Refusal::KeyTooLong)),
        (vec![("k", &*long_value)], Err(Refusal::ValueTooLong)),
        (many[..MAX_KEYS].to_vec(), Ok(())),
        (many, Err(Refusal::TooManyKeys)),
        (full.to_vec(), Ok(())),
        (over, Err(Refusal::TotalTooLong)),
    ] {
        let mut attributes = Attributes::default();
        assert_eq!(attributes.set(0, None, &given).map(|_| ()), outcome, "{given:.20?}");
        let mut attributes = Attributes::default();
        assert_eq!(attributes.modify(0, None, &given).map(|_| ()), outcome, "{given:.20?}");
    }
}

#[test]
fn limits_hold_for_the_sum_of_old_and_new() {
    let value = "v".repeat(MAX_VALUE_BYTES);
    let mut attributes = Attributes::default();
    attributes.set(at(0), None, &[("a", &value), ("b", &value), ("c", &value)]).unwrap();
    let given = [("d", &*value), ("e", "v")];
    assert_eq!(attributes.modify(at(1), None, &given), Err(Refusal::TotalTooLong));
    attributes.modify(at(1), None, &[("a", ""), ("d", &value), ("e", "v")]).unwrap();
    let names: Vec<String> = (0..12).map(|place| format!("k{place}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(attributes.modify(at(2), None, &many), Err(Refusal::TooManyKeys));
    attributes.modify(at(2), None, &many[..11]).unwrap();
    assert_eq!((attributes.entries().len(), attributes.main_seq()), (16, 3));
}

#[test]
fn deleting_needs_all_keys_to_exist() {
    let mut attributes = Attributes::default();
    attributes.set(at(0), None, &[("a", "1"), ("b", "2")]).unwrap();
    assert_eq!(attributes.delete(at(1), None, &["a", "x"]), Err(Refusal::KeyNotFound));
    assert_eq!(attributes.delete(at(1), None, &[]), Err(Refusal::NothingGiven));
    assert_eq!(attributes.entries().len(), 2);
}

#[test]
fn five_writes_in_any_second() {
    let mut attributes = Attributes::default();
    for time in [0, 400, 800, 900, 999] {
        attributes.modify(time, None, &[("a", "1")]).unwrap();
        assert_eq!(
            attributes.delete(time, None, &["x"]).map(|_| ()),
            Err(match time {
                999 => Refusal::TooOften,
                _ => Refusal::KeyNotFound,
            })
        );
    }
    assert_eq!(attributes.clear(999, None), Err(Refusal::TooOften));
    attributes.clear(1_000, None).unwrap();
    assert_eq!(attributes.clear(1_399, None), Err(Refusal::TooOften));
    attributes.clear(1_400, None).unwrap();
}

#[derive(Debug, Clone)]
enum Write {
    Set(Vec<(String, String)>),
    Modify(Vec<(String, String)>),
    Delete(Vec<String>),
    Clear,
}

fn writes() -> impl Strategy<Value = Write> {
    let keys = || "[a-t]{0,1}";
    let values = || {
        prop_oneof![
            4 => "[xyz]{0,3}",
            1 => (3_900..4_100_usize).prop_map(|len| "v".repeat(len)),
        ]
    };
    let pairs = || prop::collection::vec((keys(), values()), 0..20);
    prop_oneof![
        pairs().prop_map(Write::Set),
        pairs().prop_map(Write::Modify),
        prop::collection::vec(keys(), 0..3).prop_map(Write::Delete),
        Just(Write::Clear),
    ]
}

proptest! {
    /// A client that sees every push has the server's map, key sequences only rise, and a refused
    /// write leaves no trace.
    #[test]
    fn pushes_rebuild_the_map(history in prop::collection::vec((0..600_u64, writes()), 0..60)) {
        let mut attributes = Attributes::default();
        let mut mirror: BTreeMap<String, (String, u64)> = BTreeMap::new();
        let mut highest: BTreeMap<String, u64> = BTreeMap::new();
        let mut now = 0;
        for (pause, write) in history {
            now += pause;
            let (before, seq) = (attributes.entries().to_vec(), attributes.main_seq());
            let outcome = match &write {
                Write::Set(pairs) | Write::Modify(pairs) => {
                    let given: Vec<(&str, &str)> =
                        pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
                    match write {
                        Write::Set(_) => attributes.set(now, Some(seq), &given),
                        _ => attributes.modify(now, Some(seq), &given),
                    }
                }
                Write::Delete(keys) => {
                    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                    attributes.delete(now, Some(seq), &keys)
                }
                Write::Clear => attributes.clear(now, Some(seq)),
            };
            let Ok(change) = outcome else {
                prop_assert_eq!(attributes.entries(), &*before);
                prop_assert_eq!(attributes.main_seq(), seq);
                continue;
            };
            prop_assert_eq!(change.main_seq, seq + 1);
            if matches!(change.operation, Operation::Replace | Operation::Clear) {
                mirror.clear();
            }
            for attribute in &change.changed {
                let key = attribute.key.to_string();
                let last = highest.insert(key.clone(), attribute.seq);
                prop_assert!(last.is_none_or(|last| last < attribute.seq));
                if change.operation == Operation::Delete {
                    mirror.remove(&key);
                } else {
                    mirror.insert(key, (attribute.value.to_string(), attribute.seq));
                }
            }
            let held: BTreeMap<String, (String, u64)> = attributes
                .entries()
                .iter()
                .map(|entry| (entry.key.to_string(), (entry.value.to_string(), entry.seq)))
                .collect();
            prop_assert_eq!(&held, &mirror);
            prop_assert_eq!(held.len(), attributes.entries().len());
            prop_assert!(held.len() <= MAX_KEYS);
            let total: usize = held.values().map(|(value, _)| value.len()).sum();
            prop_assert!(total <= MAX_TOTAL_BYTES);
        }
    }
}
