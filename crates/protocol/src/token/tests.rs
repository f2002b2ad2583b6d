use proptest::prelude::*;

use super::*;

const KEY: [u8; 32] = [7; 32];

fn session() -> A2 {
    A2 {
        app: AppId(1_400_000_001),
        user: "alice".to_owned(),
        tiny_id: 144_115_200_663_665_735,
        inst_id: 1001,
        issued_at: 1_795_165_947,
        instance: instance("00112233445566778899aabbccddeeff"),
    }
}

#[test]
fn a_session_has_one_token() {
    let token = session().seal(&KEY);
    assert_eq!(session().seal(&KEY), token);
    assert_eq!(A2::open(&token, &KEY), Some(session()));
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
}

#[test]
fn another_key_opens_nothing() {
    assert_eq!(A2::open(&session().seal(&KEY), &[8; 32]), None);
}

#[test]
fn kinds_of_tokens_cannot_stand_for_each_other() {
    let place =
        PollKey { app: AppId(1), group_id: "live1".to_owned(), user: String::new(), inst_id: 3 };
    let token = place.seal(&KEY);
    assert_eq!(PollKey::open(&token, &KEY), Some(place));
    assert_eq!(A2::open(&token, &KEY), None);
    assert_eq!(PollKey::open(&session().seal(&KEY), &KEY), None);
}

#[test]
fn no_change_of_a_token_goes_unnoticed() {
    let token = session().seal(&KEY);
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        assert_eq!(A2::open(&changed, &KEY), None, "character {at}");
    }
    for length in 0..token.len() {
        assert_eq!(A2::open(&token[..length], &KEY), None);
    }
    assert_eq!(A2::open(&format!("{token}A"), &KEY), None);
    assert_eq!(A2::open(&"A".repeat(1_000_000), &KEY), None);
}

#[test]
fn instances_are_hex_or_hashed() {
    assert_eq!(instance("00112233445566778899AABBccddeeff")[..4], [0, 0x11, 0x22, 0x33]);
    assert_eq!(instance("00112233445566778899AABBccddeeff")[15], 0xff);
    assert_ne!(instance("something else"), instance("something els"));
    assert_ne!(instance(""), [0; 16]);
    assert_eq!(instance("zz112233445566778899aabbccddeeff").len(), 16);
}

proptest! {
    #[test]
    fn every_session_survives_its_token(
        app: u32, user in ".{0,40}", tiny_id: u64, inst_id: u32, issued_at: i64, instance: [u8; 16],
    ) {
        let session = A2 { app: AppId(app), user, tiny_id, inst_id, issued_at, instance };
        prop_assert_eq!(A2::open(&session.seal(&KEY), &KEY), Some(session));
    }

    #[test]
    fn every_place_survives_its_key(app: u32, group_id in ".{0,60}", user in ".{0,40}", inst_id: u32) {
        let place = PollKey { app: AppId(app), group_id, user, inst_id };
        prop_assert_eq!(PollKey::open(&place.seal(&KEY), &KEY), Some(place));
    }

    #[test]
    fn any_text_at_all_is_survived(text in ".{0,200}") {
        prop_assert_eq!(A2::open(&text, &KEY), None);
        prop_assert_eq!(PollKey::open(&text, &KEY), None);
    }
}
