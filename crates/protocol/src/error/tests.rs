use std::collections::HashSet;

use super::*;

#[test]
fn numbers_and_names_are_unique_and_every_code_is_documented() {
    let (mut numbers, mut names) = (HashSet::new(), HashSet::new());
    for entry in FAMILIES.iter().flat_map(|family| family.entries) {
        assert!(numbers.insert(entry.number), "{} is there twice", entry.number);
        assert!(names.insert(entry.name), "{} is there twice", entry.name);
        assert!(!entry.meaning.is_empty() && !entry.source.is_empty(), "{}", entry.number);
        assert!(!entry.meaning.contains('|') && !entry.meaning.ends_with('.'), "{}", entry.number);
    }
}

#[test]
fn each_part_of_the_registry_is_ordered_by_number() {
    for family in FAMILIES {
        assert!(family.entries.is_sorted_by_key(|entry| entry.number), "{}", family.title);
    }
}

#[test]
fn a_code_is_found_by_its_number() {
    assert_eq!(Code::from_number(10017), Some(Code::GROUP_MUTED));
    assert_eq!(Code::from_number(0), Some(Code::OK));
    assert_eq!(Code::from_number(10022), None);
    assert_eq!(Code::GROUP_MUTED.name(), "GROUP_MUTED");
    assert_eq!(Code::GROUP_MUTED.meaning(), "the sender is muted");
    assert_eq!(Code::GROUP_MUTED.source(), "CN 1671");
}

#[test]
fn a_webhook_may_return_only_the_ranges_left_to_apps() {
    for number in [10_100, 10_200, 38_000, 39_000, 120_001, 130_000] {
        let code = Code::from_callback(number).expect("in a range");
        assert_eq!((code.number(), code.name()), (number, "CALLBACK_CODE"));
    }
    for number in [0, 10_004, 10_099, 10_201, 37_999, 39_001, 120_000, 130_001] {
        assert_eq!(Code::from_callback(number), None);
    }
}

#[test]
fn an_error_shows_number_name_and_text() {
    let error = CommandError::new(Code::GROUP_BAD_PARAMETER, "GroupId: missing field");
    assert_eq!(error.to_string(), "10004 GROUP_BAD_PARAMETER: GroupId: missing field");
    assert_eq!(CommandError::from(Code::GROUP_MUTED).info, "the sender is muted");
}

/// The numbers that the documents' tables list for each service, group and gateway.
#[test]
fn all_documented_numbers_are_registered() {
    let ranges: &[&[u32]] = &[
        &[10001, 10002, 10003, 10004, 10005, 10006, 10007, 10008, 10009, 10010, 10011, 10012],
        &[10013, 10014, 10015, 10016, 10017, 10018, 10019, 10020, 10021, 10023, 10024, 10025],
        &[10026, 10030, 10031, 10032, 10033, 10034, 10035, 10036, 10037, 10038, 10041, 10045],
        &[10046, 10047, 10048, 10049, 10050, 10056, 10058, 10059, 10060, 10062, 10063, 10070],
        &[10071, 11000, 110002, 110003, 23001, 23002, 23003, 23004, 23005, 23006, 23007, 23008],
        &[60002, 60003, 60004, 60005, 60006, 60007, 60008, 60009, 60010, 60011, 60012, 60013],
        &[60014, 60015, 60016, 60017, 60018, 60019, 60020, 60021, 60022, 60025, 60026, 60027],
        &[60028, 80001, 80002, 80003, 80004, 80005, 1002, 70001, 70002, 70003, 70005, 70009],
        &[70013, 70014, 70016, 70020, 70050, 70051, 70052, 70107, 70114, 70169, 70202, 70206],
        &[70398, 70399, 70402, 70403, 70404, 70500, 71000, 72000, 72001, 72002, 72010, 72011],
        &[72012, 40001, 40002, 40003, 40004, 40005, 40006, 40007, 40008, 40009, 40601, 40605],
        &[40610, 30001, 30002, 30003, 30004, 30005, 30006, 30007, 30008, 30009, 30010, 30011],
        &[30012, 30013, 30014, 30515, 30516, 30525, 30539, 30540, 31707, 30614, 31704, 31804],
        &[32216, 50001, 50002, 50003, 50004, 50005, 51006, 51007, 51008, 51009, 51010, 51011],
        &[51012, 51013, 20001, 20002, 20003, 20004, 20005, 20006, 20007, 20008, 20009, 20010],
        &[20011, 20012, 20016, 20018, 20022, 20023, 20027, 20028, 21005, 22001, 22002, 22003],
        &[22004, 22005, 22006, 22007, 23009, 90001, 90002, 90003, 90005, 90006, 90007, 90008],
        &[90009, 90010, 90011, 90012, 90018, 90020, 90022, 90024, 90026, 90028, 90029, 90030],
        &[90031, 90032, 90033, 90034, 90039, 90040, 90043, 90044, 90045, 90047, 90048, 90054],
        &[90055, 90057, 90992, 90994, 90995, 91000, 91101, 93000, 1001, 1003, 1004, 1005],
        &[130001, 130002, 130003, 130004, 130005, 130007, 130008, 130009, 130010, 130011],
        &[130012, 130014],
    ];
    for &number in ranges.iter().copied().flatten() {
        assert!(Code::from_number(number).is_some(), "{number} is missing");
    }
}

#[test]
fn the_page_of_codes_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/error-codes.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == error_codes_markdown(),
        "docs/error-codes.md differs from the registry; make it again with\n    \
         cargo run -p throng-protocol --example coverage -- error-codes > docs/error-codes.md"
    );
}
