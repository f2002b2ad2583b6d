use proptest::prelude::*;

use super::*;

#[test]
fn depth_counts_what_is_open_at_once() {
    assert!(depth_within(b"[[],[],[],[]]", 2));
    assert!(!depth_within(b"[[[]]]", 2));
    assert!(depth_within(br#"["[[[[[[","{\"[[[[","\\"]"#, 1));
    assert!(depth_within(br#"["\\",["\\"]]"#, 2));
    assert!(!depth_within("[".repeat(100_000).as_bytes(), 64));
}

#[test]
fn white_space_goes_but_not_out_of_strings() {
    assert_eq!(compact("[ {\n\"a b\" :\t\"c \\\" d\" } ]"), r#"[{"a b":"c \" d"}]"#);
    assert_eq!(compact(" "), "");
    assert!(matches!(compact(r#"{"a b":" "}"#), Cow::Borrowed(_)));
    assert_eq!(compact(" {}"), "{}");
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        ".{0,12}".prop_map(serde_json::Value::from),
        r#"[\[\]{}"\\ ]{0,12}"#.prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn depth_of(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(list) => 1 + list.iter().map(depth_of).max().unwrap_or(0),
        serde_json::Value::Object(map) => 1 + map.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn depth_is_the_parsers(value in value(), max in 0..8_usize) {
        let text = value.to_string();
        prop_assert_eq!(depth_within(text.as_bytes(), max), depth_of(&value) <= max);
    }

    #[test]
    fn compact_text_is_what_a_printer_would_write(value in value()) {
        let pretty = serde_json::to_string_pretty(&value).expect("prints");
        prop_assert_eq!(compact(&pretty), value.to_string());
    }

    #[test]
    fn any_text_at_all_is_survived(text in ".{0,80}") {
        let _ = compact(&text);
        let _ = depth_within(text.as_bytes(), 3);
    }
}
