//! UserSig 2.0: the signature by which an app's server vouches for a user (CN 32688, REST notes 02, 2).
//!
//! A UserSig is a small JSON object, signed with HMAC-SHA256, compressed with zlib and written in a
//! base64 of its own. Every login and every REST call brings one, from anybody: sizes are bounded
//! before and after inflating.

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use flate2::{Compression, Decompress, FlushDecompress, Status};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use sha2::Sha256;
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use subtle::ConstantTimeEq;

use crate::error::{Code, CommandError};
use crate::ids::AppId;
use crate::limits;

/// The version this module speaks; "1.0" was made with key pairs and ended in 2019.
const VERSION: &str = "2.0";

/// What a valid UserSig says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// When it was made, in seconds since 1970. A user's revocation time is compared with this.
    pub issued_at: i64,
    /// Until when it is valid, in seconds since 1970.
    pub expires_at: i64,
    /// Bytes that the app put into the signature, not interpreted here.
    pub userbuf: Option<Vec<u8>>,
}

/// Makes a UserSig.
///
/// `issued_at_s` is in seconds since 1970, `expire_s` its lifetime in seconds.
#[must_use]
pub fn sign(
    app: AppId,
    key: &str,
    user: &str,
    issued_at_s: i64,
    expire_s: i64,
    userbuf: Option<&[u8]>,
) -> String {
    let userbuf = userbuf.map(|bytes| STANDARD.encode(bytes));
    let signature = STANDARD.encode(hmac(
        key,
        &Signed {
            app,
            user,
            issued_at: issued_at_s,
            expire: expire_s,
            userbuf: userbuf.as_deref(),
        },
    ));
    let mut ticket = serde_json::json!({
        "TLS.ver": VERSION,
        "TLS.identifier": user,
        "TLS.sdkappid": app.0,
        "TLS.time": issued_at_s,
        "TLS.expire": expire_s,
        "TLS.sig": signature,
    });
    if let Some(userbuf) = userbuf {
        ticket["TLS.userbuf"] = userbuf.into();
    }
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    let compressed = zlib
        .write_all(ticket.to_string().as_bytes())
        .and_then(|()| zlib.finish())
        .expect("writing into memory does not fail");
    BASE64.encode(compressed).replace('=', "_")
}

/// Checks a UserSig that `user` of `app` brought, against every key that is valid now.
///
/// # Errors
/// In this order: 70003 if it is empty, cannot be decoded or is not of version 2.0; 70014 if it is
/// another app's; 70013 if it is another user's; 70009 if no key fits; 70001 if it has expired.
pub fn verify(
    sig: &str,
    app: AppId,
    keys: &[impl AsRef<str>],
    user: &str,
    now_s: i64,
) -> Result<Verified, CommandError> {
    let ticket_text = unpack(sig)?;
    let ticket: Ticket<'_> = serde_json::from_slice(&ticket_text)
        .map_err(|_| invalid("its content is not the JSON object expected"))?;
    if ticket.version != VERSION {
        return Err(invalid("its version is not 2.0"));
    }
    if ticket.app != i64::from(app.0) {
        return Err(Code::SIG_OTHER_APP.with("usersig: made for another app"));
    }
    if ticket.user != user {
        return Err(Code::SIG_OTHER_USER.with("usersig: made for another user"));
    }
    check_signature(&ticket, app, keys)?;

    let expires_at = ticket.issued_at.saturating_add(ticket.expire);
    if now_s > expires_at {
        return Err(Code::SIG_EXPIRED.with("usersig: expired"));
    }
    let userbuf = match ticket.userbuf {
        None => None,
        Some(text) => Some(
            STANDARD.decode(text.as_bytes()).map_err(|_| invalid("TLS.userbuf is not base64"))?,
        ),
    };
    Ok(Verified { issued_at: ticket.issued_at, expires_at, userbuf })
}

fn invalid(problem: &str) -> CommandError {
    Code::SIG_INVALID.with(format!("usersig: {problem}"))
}

fn check_signature(
    ticket: &Ticket<'_>,
    app: AppId,
    keys: &[impl AsRef<str>],
) -> Result<(), CommandError> {
    let mismatch =
        || Code::SIG_MISMATCH.with("usersig: the signature does not match the app's key");
    let signature = STANDARD.decode(ticket.signature.as_bytes()).map_err(|_| mismatch())?;
    let signed = Signed {
        app,
        user: &ticket.user,
        issued_at: ticket.issued_at,
        expire: ticket.expire,
        userbuf: ticket.userbuf.as_deref(),
    };
    // All keys are tried, whichever fits: time tells nothing.
    let mut fits = subtle::Choice::from(0);
    for key in keys {
        fits |= hmac(key.as_ref(), &signed).ct_eq(&signature);
    }
    if bool::from(fits) { Ok(()) } else { Err(mismatch()) }
}

/// What the signature covers.
struct Signed<'a> {
    app: AppId,
    user: &'a str,
    issued_at: i64,
    expire: i64,
    userbuf: Option<&'a str>,
}

fn hmac(key: &str, signed: &Signed<'_>) -> [u8; 32] {
    let mut text = format!(
        "TLS.identifier:{}\nTLS.sdkappid:{}\nTLS.time:{}\nTLS.expire:{}\n",
        signed.user, signed.app, signed.issued_at, signed.expire
    );
    if let Some(userbuf) = signed.userbuf {
        text.push_str("TLS.userbuf:");
        text.push_str(userbuf);
        text.push('\n');
    }
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The JSON object inside. Numbers may come as strings: not every library writes them alike.
#[derive(Deserialize)]
struct Ticket<'a> {
    #[serde(rename = "TLS.ver", borrow)]
    version: Cow<'a, str>,
    #[serde(rename = "TLS.identifier", borrow)]
    user: Cow<'a, str>,
    #[serde(rename = "TLS.sdkappid", deserialize_with = "lenient")]
    app: i64,
    #[serde(rename = "TLS.time", deserialize_with = "lenient")]
    issued_at: i64,
    #[serde(rename = "TLS.expire", deserialize_with = "lenient")]
    expire: i64,
    #[serde(rename = "TLS.userbuf", borrow, default)]
    userbuf: Option<Cow<'a, str>>,
    #[serde(rename = "TLS.sig", borrow)]
    signature: Cow<'a, str>,
}

/// An integer, or a string of digits.
fn lenient<'de, D: Deserializer<'de>>(source: D) -> Result<i64, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }
        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::custom("number too large"))
        }
        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }
        fn visit_str<E: de::Error>(self, value: &str) -> Result<i64, E> {
            value.parse().map_err(|_| E::custom("not a number"))
        }
    }
    source.deserialize_any(Number)
}

/// Base64 as a UserSig has it: `*` for `+`, `-` for `/`; and `_` for `=`, which is not its business.
static BASE64: GeneralPurpose = {
    let alphabet =
        Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-");
    let config = GeneralPurposeConfig::new();
    let config = config.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    match alphabet {
        Ok(alphabet) => GeneralPurpose::new(&alphabet, config),
        Err(_) => panic!("64 different characters"),
    }
};

/// The JSON text inside a UserSig.
fn unpack(sig: &str) -> Result<Vec<u8>, CommandError> {
    let sig = sig.trim();
    if sig.is_empty() {
        return Err(invalid("empty"));
    }
    if sig.len() > limits::USERSIG_BYTES {
        return Err(invalid("too long"));
    }
    let text = sig.trim_end_matches('_');
    let compressed = BASE64.decode(text).map_err(|_| invalid("not the base64 expected"))?;
    inflate(&compressed)
}

/// Inflates at most [`limits::USERSIG_INFLATED_BYTES`].
fn inflate(compressed: &[u8]) -> Result<Vec<u8>, CommandError> {
    let mut out = Vec::with_capacity(limits::USERSIG_INFLATED_BYTES);
    let mut zlib = Decompress::new(true);
    match zlib.decompress_vec(compressed, &mut out, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) => Ok(out),
        Ok(_) => Err(invalid("truncated or too long")),
        Err(_) => Err(invalid("not a zlib stream")),
    }
}

#[cfg(test)]
mod tests;
