use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn pairs(counters: &[Counter]) -> Vec<(&str, i64)> {
    counters.iter().map(|counter| (&*counter.key, counter.value)).collect()
}

#[test]
fn modes() {
    let mut counters = Counters::default();
    for (name, given, expected) in [
        ("Increase", 5, 5),
        ("Increase", -7, -2),
        ("Decrease", 3, -5),
        ("Set", 100, 100),
        ("Decrease", -1, 101),
    ] {
        let mode = Mode::from_name(name).unwrap();
        let change = counters.update(mode, &[("likes", given)]).unwrap();
        assert_eq!(pairs(&change.counters), [("likes", expected)]);
    }
    assert_eq!(counters.seq(), 5);
    assert_eq!(Mode::from_name("set"), None);
}

#[test]
fn a_key_given_twice_changes_twice_and_is_told_once() {
    let mut counters = Counters::default();
    let given = [("a", 1), ("b", 2), ("a", 3)];
    let change = counters.update(Mode::Increase, &given).unwrap();
    assert_eq!((change.seq, pairs(&change.counters)), (1, vec![("a", 4), ("b", 2)]));
}

#[test]
fn the_range_is_not_left() {
    for (start, mode, given) in [
        (i64::MAX, Mode::Increase, 1),
        (i64::MIN, Mode::Decrease, 1),
        (i64::MIN, Mode::Increase, -1),
        (0, Mode::Decrease, i64::MIN),
    ] {
        let mut counters = Counters::default();
        counters.update(Mode::Set, &[("a", start)]).unwrap();
        let outcome = counters.update(mode, &[("b", 1), ("a", given)]);
        assert_eq!(outcome, Err(Refusal::OutOfRange));
        assert_eq!((pairs(counters.entries()), counters.seq()), (vec![("a", start)], 1));
    }
}

#[test]
fn limits() {
    let names: Vec<String> = (0..=MAX_KEYS).map(|place| format!("k{place}")).collect();
    let many: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let key = "k".repeat(MAX_KEY_BYTES);
    let long_key = "k".repeat(MAX_KEY_BYTES + 1);
    for (given, outcome) in [
        (vec![], Err(Refusal::NothingGiven)),
        (vec![("a", 1), ("", 1)], Err(Refusal::EmptyKey)),
        (vec![(&*key, 1)], Ok(())),
        (vec![("a", 1), (&*long_key, 1)], Err(Refusal::KeyTooLong)),
        (many[..MAX_KEYS].to_vec(), Ok(())),
        (many, Err(Refusal::TooManyKeys)),
    ] {
        let mut counters = Counters::default();
        assert_eq!(counters.update(Mode::Set, &given).map(|_| ()), outcome);
        assert_eq!(counters.seq(), u64::from(outcome.is_ok()));
        assert_eq!(counters.entries().is_empty(), outcome.is_err());
    }
}

#[test]
fn reads_and_deletes_by_key_or_all() {
    let mut counters = Counters::default();
    counters.update(Mode::Set, &[("a", 1), ("b", 2), ("c", 3)]).unwrap();
    let found: Vec<i64> = counters.get(&["c", "x", "a"]).map(|counter| counter.value).collect();
    assert_eq!((found, counters.get(&[]).count()), (vec![1, 3], 3));

    let change = counters.delete(&["b", "x"]).unwrap();
    assert_eq!((change.seq, pairs(&change.counters)), (2, vec![("b", 2)]));
    assert_eq!(counters.delete(&["b"]), None);
    let change = counters.delete(&[]).unwrap();
    assert_eq!((change.seq, pairs(&change.counters)), (3, vec![("a", 1), ("c", 3)]));
    assert_eq!((counters.delete(&[]), counters.seq()), (None, 3));
}

#[derive(Debug, Clone)]
enum Write {
    Update(Mode, Vec<(String, i64)>),
    Delete(Vec<String>),
}

fn writes() -> impl Strategy<Value = Write> {
    let modes = prop_oneof![Just(Mode::Set), Just(Mode::Increase), Just(Mode::Decrease)];
    let values = prop_oneof![3 => -9..9_i64, 1 => any::<i64>()];
    prop_oneof![
        4 => (modes, prop::collection::vec(("[a-z]", values), 0..12))
            .prop_map(|(mode, given)| Write::Update(mode, given)),
        1 => prop::collection::vec("[a-z]", 0..3).prop_map(Write::Delete),
    ]
}

proptest! {
    /// A client that applies each push has the server's counters; a refused write leaves no trace.
    #[test]
    fn pushes_rebuild_the_counters(history in prop::collection::vec(writes(), 0..60)) {
        let mut counters = Counters::default();
        let mut mirror: BTreeMap<String, i64> = BTreeMap::new();
        for write in history {
            let seq = counters.seq();
            let change = match &write {
                Write::Update(mode, given) => {
                    let given: Vec<(&str, i64)> =
                        given.iter().map(|(key, value)| (&**key, *value)).collect();
                    counters.update(*mode, &given).ok()
                }
                Write::Delete(keys) => {
                    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                    counters.delete(&keys)
                }
            };
            prop_assert_eq!(counters.seq(), seq + u64::from(change.is_some()));
            for counter in change.into_iter().flat_map(|change| change.counters) {
                match write {
                    Write::Update(..) => { mirror.insert(counter.key.to_string(), counter.value); }
                    Write::Delete(_) => { mirror.remove(&*counter.key); }
                }
            }
            let held: BTreeMap<String, i64> = counters
                .entries()
                .iter()
                .map(|counter| (counter.key.to_string(), counter.value))
                .collect();
            prop_assert_eq!(&held, &mirror);
            prop_assert_eq!(held.len(), counters.entries().len());
            prop_assert!(held.len() <= MAX_KEYS);
        }
    }
}
