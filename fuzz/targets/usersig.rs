//! A UserSig: the first byte says whether the rest is the text itself, the zlib stream in it, or the
//! JSON object in that. None of them may verify, since the key is never known.
#![no_main]

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use libfuzzer_sys::fuzz_target;
use throng_protocol::ids::AppId;
use throng_protocol::usersig;

fuzz_target!(|input: &[u8]| {
    let Some((&layer, rest)) = input.split_first() else {
        return;
    };
    let sig = match layer % 3 {
        0 => String::from_utf8_lossy(rest).into_owned(),
        1 => encode(rest),
        _ => encode(&compress(rest)),
    };
    let keys = ["a key that no input holds", "another one"];
    let verdict = usersig::verify(&sig, AppId(1_400_000_001), &keys, "alice_01", 1_700_000_000);
    assert!(verdict.is_err(), "verified without the key");
});

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::none());
    zlib.write_all(bytes).expect("in memory");
    zlib.finish().expect("in memory")
}

fn encode(bytes: &[u8]) -> String {
    STANDARD
        .encode(bytes)
        .replace('+', "*")
        .replace('/', "-")
        .replace('=', "_")
}
