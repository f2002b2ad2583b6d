use proptest::prelude::*;

use super::*;

#[test]
fn a_type_has_the_same_name_both_ways() {
    for kind in GroupType::ALL {
        assert_eq!(GroupType::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(GroupType::parse("AvChatRoom"), None);
    assert_eq!(GroupType::parse("Work"), None);
}

#[test]
fn user_ids_are_1_to_32_bytes_of_printable_ascii() {
    for good in ["a", "alice_01", "with space", "@RBT#bot", &"x".repeat(32)] {
        assert_eq!(user_id(good), Ok(()), "{good}");
    }
    for (bad, problem) in [
        ("", "user ID: empty"),
        (&*"x".repeat(33), "user ID: 33 bytes, at most 32"),
        ("tab\t", "user ID: only printable ASCII"),
        ("é", "user ID: only printable ASCII"),
        ("\u{7f}", "user ID: only printable ASCII"),
    ] {
        let error = user_id(bad).expect_err("refused");
        assert_eq!((error.code, error.info.as_str()), (Code::ACCOUNT_BAD_PARAMETER, problem));
    }
}

#[test]
fn chosen_group_ids_keep_off_the_servers_prefixes() {
    use GroupType::{AvChatRoom, Community, Public};
    for (good, kind) in [
        ("live1", AvChatRoom),
        ("@TGS", Public),
        (&*"x".repeat(48), Public),
        ("@TGS#_club", Community),
    ] {
        assert_eq!(custom_group_id(good, kind), Ok(()), "{good}");
    }
    for (bad, kind) in [
        ("", AvChatRoom),
        ("@TGS#live", AvChatRoom),
        ("@TGS#_club", Public),
        ("club", Community),
        ("@TGS#_", Community),
        ("@TGS#_@TGS#club", Community),
        ("a@TOPIC#_b", Public),
        ("Ünïcode", Public),
        (&*"x".repeat(49), Public),
    ] {
        let error = custom_group_id(bad, kind).expect_err("refused");
        assert_eq!(error.code, Code::GROUP_BAD_ID, "{bad}");
        assert!(error.info.starts_with("GroupId: "), "{bad}");
    }
}

#[test]
fn generated_group_ids_tell_their_type() {
    assert_eq!(generated_group_id(GroupType::AvChatRoom, 0), "@TGS#a0");
    assert_eq!(generated_group_id(GroupType::AvChatRoom, 36), "@TGS#a10");
    assert_eq!(generated_group_id(GroupType::Community, 35), "@TGS#_@TGS#cZ");
    let longest = generated_group_id(GroupType::Community, u64::MAX);
    assert!(longest.len() <= limits::GROUP_ID_BYTES);
}

/// The placement of every group hangs on these: they must never change. Checked against the
/// reference implementation of XXH3.
#[test]
fn shards_are_as_specified() {
    let vectors = [
        (1_400_000_001, "live1", 349),
        (1_400_000_001, "@TGS#aABC", 91),
        (1_400_000_002, "live1", 257),
        (0, "", 317),
    ];
    for (app, group, shard) in vectors {
        assert_eq!(shard_of(AppId(app), group, 1024), shard, "{app} {group}");
    }
    assert_eq!(shard_of(AppId(1), "any", 1), 0);
    assert_eq!(shard_of(AppId(1), "any", 0), 0);
}

#[test]
fn a_topic_lives_with_its_community() {
    let community = shard_of(AppId(7), "@TGS#_@TGS#cX1", 1024);
    assert_eq!(shard_of(AppId(7), "@TGS#_@TGS#cX1@TOPIC#_@TOPIC#c2", 1024), community);
}

#[test]
fn groups_spread_evenly_over_the_shards() {
    let mut counts = [0_u32; 64];
    for number in 0..64_000 {
        counts[shard_of(AppId(1), &format!("live{number}"), 64) as usize] += 1;
    }
    assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
}

#[test]
fn a_users_number_is_stable_and_large_but_no_larger_than_64_bits_signed() {
    let key = [7; 32];
    let alice = tiny_id(&key, AppId(1), "alice");
    assert_eq!(alice, 266_906_828_415_030_841);
    assert_ne!(alice, tiny_id(&key, AppId(2), "alice"));
    assert_ne!(alice, tiny_id(&key, AppId(1), "alicf"));
    assert_ne!(alice, tiny_id(&[8; 32], AppId(1), "alice"));
}

proptest! {
    #[test]
    fn numbers_of_users_have_58_bits(key: [u8; 32], app: u32, user in ".{0,40}") {
        let number = tiny_id(&key, AppId(app), &user);
        prop_assert!((1 << 57..1 << 58).contains(&number));
    }

    #[test]
    fn different_numbers_make_different_group_ids(a: u64, b: u64) {
        let id = |number| generated_group_id(GroupType::AvChatRoom, number);
        prop_assert_eq!(a == b, id(a) == id(b));
    }

    #[test]
    fn a_shard_is_one_of_those_asked_for(app: u32, group in ".{0,60}", shards in 1..5000_u32) {
        prop_assert!(shard_of(AppId(app), &group, shards) < shards);
    }
}
