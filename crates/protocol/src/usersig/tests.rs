use flate2::write::{DeflateEncoder, ZlibEncoder};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const APP: AppId = AppId(1_400_000_001);
const KEY: &str = "local-test-secret-0123456789abcdef";
const USER: &str = "alice_01";
const TIME: i64 = 1_700_000_000;
const EXPIRE: i64 = 86_400;

/// Made by another implementation: stored, not compressed, without and with userbuf "room-7".
const STORED: &str = "eAEBqQBW-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWxpY2VfMDEiLCJUTFMuc2RrYXBwaWQiOjE0MDAwMDAwMDEsIlRMUy5leHBpcmUiOjg2NDAwLCJUTFMudGltZSI6MTcwMDAwMDAwMCwiVExTLnNpZyI6IlNzdlZiODk4bzJoNHZnTWhUb3dXb0ozK2JnQk5SQmhhUVJsdGRDVGphT1E9In0i-jGo";
const STORED_USERBUF: &str = "eAEBwgA9-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWxpY2VfMDEiLCJUTFMuc2RrYXBwaWQiOjE0MDAwMDAwMDEsIlRMUy5leHBpcmUiOjg2NDAwLCJUTFMudGltZSI6MTcwMDAwMDAwMCwiVExTLnVzZXJidWYiOiJjbTl2YlMwMyIsIlRMUy5zaWciOiJPNGVVM3hUeE1KRUVNYWlSUytSenRDQ1Q4bHZITzVCdmVoMWtJRmtVTVB3PSJ9OQ441w__";
const SIGNATURE: &str = "SsvVb898o2h4vgMhTowWoJ3+bgBNRBhaQRltdCTjaOQ=";

fn check(sig: &str) -> Result<Verified, CommandError> {
    verify(sig, APP, &[KEY], USER, TIME + 10)
}

fn code(sig: &str) -> Code {
    check(sig).expect_err("refused").code
}

/// A UserSig around any JSON text.
fn wrap(ticket: &str) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(ticket.as_bytes()).expect("in memory");
    encode(&zlib.finish().expect("in memory"))
}

fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "*").replace('/', "-").replace('=', "_")
}

fn ticket() -> Value {
    json!({
        "TLS.ver": "2.0", "TLS.identifier": USER, "TLS.sdkappid": APP.0,
        "TLS.expire": EXPIRE, "TLS.time": TIME, "TLS.sig": SIGNATURE,
    })
}

#[test]
fn signatures_of_other_libraries_are_accepted() {
    let verified = check(STORED).expect("valid");
    assert_eq!(verified.issued_at, TIME);
    assert_eq!(verified.expires_at, TIME + EXPIRE);
    assert_eq!(verified.userbuf, None);
    let verified = check(STORED_USERBUF).expect("valid");
    assert_eq!(verified.userbuf.as_deref(), Some(&b"room-7"[..]));
}

#[test]
fn our_signatures_are_the_same_inside() {
    for (userbuf, theirs) in [(None, STORED), (Some(&b"room-7"[..]), STORED_USERBUF)] {
        let ours = sign(APP, KEY, USER, TIME, EXPIRE, userbuf);
        let inside = |sig| -> Value {
            serde_json::from_slice(&unpack(sig).expect("unpacks")).expect("JSON")
        };
        assert_eq!(inside(&ours), inside(theirs));
        assert_eq!(check(&ours).expect("valid").userbuf.as_deref(), userbuf);
    }
}

#[test]
fn two_keys_are_valid_while_one_replaces_the_other() {
    assert!(verify(STORED, APP, &["new", KEY], USER, TIME).is_ok());
    assert!(verify(STORED, APP, &[KEY, "new"], USER, TIME).is_ok());
    let none: [&str; 0] = [];
    for keys in [&["new", "newer"][..], &none] {
        let error = verify(STORED, APP, keys, USER, TIME).expect_err("no key fits");
        assert_eq!(error.code, Code::SIG_MISMATCH);
    }
}

#[test]
fn the_last_second_counts() {
    assert!(verify(STORED, APP, &[KEY], USER, TIME + EXPIRE).is_ok());
    let error = verify(STORED, APP, &[KEY], USER, TIME + EXPIRE + 1).expect_err("late");
    assert_eq!(error.code, Code::SIG_EXPIRED);
    let endless = sign(APP, KEY, USER, TIME, i64::MAX, None);
    assert_eq!(check(&endless).expect("valid").expires_at, i64::MAX);
}

#[test]
fn what_belongs_to_others_has_its_own_code() {
    let of = |app, user| verify(STORED, app, &[KEY], user, TIME).expect_err("refused").code;
    assert_eq!(of(AppId(1), USER), Code::SIG_OTHER_APP);
    assert_eq!(of(APP, "bob"), Code::SIG_OTHER_USER);
    assert_eq!(of(APP, "ALICE_01"), Code::SIG_OTHER_USER);
}

/// A client drops its session on 70001, so only a signature that was good may get it.
#[test]
fn a_forged_signature_is_not_called_expired() {
    let forged = sign(APP, "guess", USER, 0, 1, None);
    assert_eq!(code(&forged), Code::SIG_MISMATCH);
}

#[test]
fn what_cannot_be_decoded_is_70003() {
    for sig in ["", "   ", "nonsense", "____", "eA", "eAE*", "\u{1f600}", &"A".repeat(10_000)] {
        assert_eq!(code(sig), Code::SIG_INVALID, "{sig}");
    }
    for length in [1, 20, STORED.len() / 2, STORED.len() - 12] {
        assert_eq!(code(&STORED[..length]), Code::SIG_INVALID, "{length}");
    }
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(ticket().to_string().as_bytes()).expect("in memory");
    assert_eq!(code(&encode(&raw.finish().expect("in memory"))), Code::SIG_INVALID);
    for content in ["", "7", "[]", "{}", "{\"TLS.ver\":\"2.0\"}"] {
        assert_eq!(code(&wrap(content)), Code::SIG_INVALID, "{content}");
    }
}

#[test]
fn a_bomb_inflates_no_further_than_its_bound() {
    let bomb = wrap(&" ".repeat(2_000_000));
    assert!(bomb.len() < limits::USERSIG_BYTES);
    assert_eq!(code(&bomb), Code::SIG_INVALID);
    let largest = ticket().to_string() + &" ".repeat(limits::USERSIG_INFLATED_BYTES);
    assert_eq!(code(&wrap(&largest)), Code::SIG_INVALID);
}

#[test]
fn other_versions_are_refused() {
    for version in [json!("1.0"), json!("201512300000"), json!(2.0), Value::Null] {
        let mut other = ticket();
        other["TLS.ver"] = version;
        assert_eq!(code(&wrap(&other.to_string())), Code::SIG_INVALID);
    }
}

#[test]
fn numbers_may_be_strings_and_white_space_may_follow() {
    let mut lax = ticket();
    lax["TLS.time"] = json!(TIME.to_string());
    lax["TLS.expire"] = json!(EXPIRE.to_string());
    lax["TLS.sdkappid"] = json!(APP.0.to_string());
    lax["more"] = json!([1]);
    assert!(check(&wrap(&format!(" {lax}\r\n\n"))).is_ok());
    assert!(check(&format!(" {}\n", wrap(&lax.to_string()))).is_ok());
    lax["TLS.time"] = json!("soon");
    assert_eq!(code(&wrap(&lax.to_string())), Code::SIG_INVALID);
}

#[test]
fn padding_may_be_missing() {
    assert!(check(STORED_USERBUF.trim_end_matches('_')).is_ok());
}

#[test]
fn no_field_can_be_changed_or_left_out() {
    let changes = [
        ("TLS.time", json!(TIME + 1)),
        ("TLS.expire", json!(EXPIRE + 1)),
        ("TLS.userbuf", json!("cm9vbS03")),
        ("TLS.userbuf", json!("")),
        ("TLS.sig", json!("")),
        ("TLS.sig", json!("not base64")),
        ("TLS.sig", json!("SsvVb898o2h4vgMhTowWoJ3+bgBNRBhaQRltdCTjaOE=")),
    ];
    for (field, value) in changes {
        let mut changed = ticket();
        changed[field] = value;
        assert_eq!(code(&wrap(&changed.to_string())), Code::SIG_MISMATCH, "{changed}");
    }
    let mut without = json!({});
    for (name, value) in serde_json::from_slice::<serde_json::Map<String, Value>>(
        &unpack(STORED_USERBUF).expect("unpacks"),
    )
    .expect("JSON")
    {
        if name != "TLS.userbuf" {
            without[name] = value;
        }
    }
    assert_eq!(code(&wrap(&without.to_string())), Code::SIG_MISMATCH);
}

#[test]
fn a_user_with_line_breaks_cannot_pretend_to_be_another() {
    let crafted = "x\nTLS.sdkappid:1400000001";
    let sig = sign(APP, KEY, crafted, TIME, EXPIRE, None);
    assert_eq!(code(&sig), Code::SIG_OTHER_USER);
}

proptest! {
    #[test]
    fn every_signature_verifies(
        app: u32, key in ".{0,80}", user in ".{0,40}", time in 0..4_000_000_000_i64,
        expire in 0..100_000_000_i64, userbuf in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200)),
    ) {
        let sig = sign(AppId(app), &key, &user, time, expire, userbuf.as_deref());
        let verified = verify(&sig, AppId(app), &[&key], &user, time).expect("valid");
        prop_assert_eq!(verified, Verified { issued_at: time, expires_at: time + expire, userbuf });
    }

    #[test]
    fn any_text_at_all_is_survived(sig in ".{0,200}", bytes: Vec<u8>) {
        prop_assert!(check(&sig).is_err());
        prop_assert!(check(&encode(&bytes)).is_err());
        let _ = check(&wrap(&sig));
    }
}
