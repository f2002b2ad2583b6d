//! The frames of a client's WebSocket (SDK protocol notes 01, 1.2 to 1.4): what a client sends, taken
//! apart without copying, and what it is sent, put together without a tree of values.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{json, limits};

/// Largest `seq` that JavaScript can count to.
const SEQ_MAX: u64 = 1 << 53;

/// A request of a client.
#[derive(Debug)]
pub struct RequestFrame<'a> {
    /// Who asks for what.
    pub head: RequestHead<'a>,
    /// The body's JSON text, a slice of the frame. Its shape is the command's business.
    pub body: &'a RawValue,
}

/// The fields of a request's head that a server needs; all others are ignored. Strings that are
/// absent are empty, numbers 0.
#[derive(Debug, Default, Deserialize)]
pub struct RequestHead<'a> {
    /// `service.command`.
    #[serde(borrow, default)]
    pub servcmd: Cow<'a, str>,
    /// Number of the request, to be echoed with `servcmd`. At most 2^53.
    #[serde(default)]
    pub seq: u64,
    /// Session token; present after login.
    #[serde(borrow, default)]
    pub a2: Cow<'a, str>,
    /// Number of the user; present after login.
    #[serde(borrow, default)]
    pub tinyid: Cow<'a, str>,
    /// User ID; present before login.
    #[serde(borrow, default)]
    pub identifier: Cow<'a, str>,
    /// Signature; present before login.
    #[serde(borrow, default)]
    pub usersig: Cow<'a, str>,
    /// `InstId` of the session, 0 before login.
    #[serde(default)]
    pub status_instid: u32,
    /// The app.
    #[serde(default)]
    pub sdkappid: u32,
    /// Kind of device, 7 for browsers.
    #[serde(default)]
    pub platform: u32,
}

/// Why a frame cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame begins with `COMP`: only servers compress.
    #[error("compressed frames are not accepted from clients")]
    Compressed,
    /// The frame is not UTF-8.
    #[error("the frame is not UTF-8")]
    NotUtf8,
    /// The frame is not one JSON object.
    #[error("the frame is not a JSON object: {0}")]
    NotJson(String),
    /// Arrays and objects are nested too deeply.
    #[error("the frame is nested too deeply")]
    TooDeep,
    /// A field of the head has the wrong type or size.
    #[error("{field}: {problem}")]
    Field {
        /// Path of the field, such as `head.seq`.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// The head has no `servcmd`.
    #[error("head.servcmd: missing")]
    NoServcmd,
    /// `servcmd` is not `service.command`.
    #[error("head.servcmd: not of the form service.command")]
    BadServcmd,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    head: RequestHead<'a>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl<'a> RequestFrame<'a> {
    /// Takes a frame apart. Everything in the result is a slice of `frame`, except strings with
    /// escapes.
    ///
    /// # Errors
    /// See [`FrameError`]; its text names the field and can go to the client.
    pub fn parse(frame: &'a [u8]) -> Result<Self, FrameError> {
        if frame.starts_with(b"COMP") {
            return Err(FrameError::Compressed);
        }
        let text = std::str::from_utf8(frame).map_err(|_| FrameError::NotUtf8)?;
        if !text.trim_ascii_start().starts_with('{') {
            return Err(FrameError::NotJson("it does not begin with {".to_owned()));
        }
        if !json::depth_within(frame, limits::JSON_DEPTH) {
            return Err(FrameError::TooDeep);
        }
        let raw: Raw<'a> = serde_json::from_str(text).map_err(|error| explain(text, &error))?;
        check(&raw.head)?;
        let body = match raw.body {
            Some(body) => body,
            None => serde_json::from_str("{}").expect("an empty object is JSON"),
        };
        Ok(RequestFrame { head: raw.head, body })
    }
}

impl RequestHead<'_> {
    /// `servcmd` in two: service and command.
    #[must_use]
    pub fn service_and_command(&self) -> (&str, &str) {
        self.servcmd.split_once('.').unwrap_or((&self.servcmd, ""))
    }
}

fn check(head: &RequestHead<'_>) -> Result<(), FrameError> {
    if head.servcmd.is_empty() {
        return Err(FrameError::NoServcmd);
    }
    match head.servcmd.split_once('.') {
        Some((service, command)) if !service.is_empty() && !command.is_empty() => {}
        _ => return Err(FrameError::BadServcmd),
    }
    if head.seq > SEQ_MAX {
        return Err(FrameError::Field {
            field: "head.seq".to_owned(),
            problem: "larger than 2^53".to_owned(),
        });
    }
    Ok(())
}

/// Reads the frame a second time, with more care, to name the field that is wrong.
#[cold]
fn explain(text: &str, error: &serde_json::Error) -> FrameError {
    if !error.is_data() {
        return FrameError::NotJson(error.to_string());
    }
    let mut source = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, Raw<'_>>(&mut source) {
        Ok(_) => FrameError::NotJson(error.to_string()),
        Err(error) => FrameError::Field {
            field: error.path().to_string(),
            problem: error.inner().to_string(),
        },
    }
}

/// The answer to a request: `servcmd` and `seq` as they came, `body` a JSON object's text.
#[must_use]
pub fn reply(servcmd: &str, seq: u64, body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(64 + servcmd.len() + body.len());
    out.extend_from_slice(br#"{"head":{"servcmd":"#);
    quote(&mut out, servcmd);
    out.extend_from_slice(br#","seq":"#);
    out.extend_from_slice(seq.to_string().as_bytes());
    finish(out, body)
}

/// What a push of items begins with, up to the first entry of `EventArray` (SDK protocol notes 01, 4).
pub const PUSH_START: &[u8] =
    br#"{"head":{"servcmd":"im_open_push.msg_push"},"body":{"EventArray":["#;
/// What it ends with, behind the last entry.
pub const PUSH_END: &[u8] = b"]}}";

/// The entries of `EventArray` in a push, as one text.
#[must_use]
pub fn push_entries(frame: &[u8]) -> Option<&[u8]> {
    frame.strip_prefix(PUSH_START)?.strip_suffix(PUSH_END)
}

/// A frame that answers nothing: `body` is a JSON object's text.
#[must_use]
pub fn push(servcmd: &str, body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(48 + servcmd.len() + body.len());
    out.extend_from_slice(br#"{"head":{"servcmd":"#);
    quote(&mut out, servcmd);
    finish(out, body)
}

fn finish(mut out: Vec<u8>, body: &[u8]) -> Bytes {
    out.extend_from_slice(br#"},"body":"#);
    out.extend_from_slice(body);
    out.push(b'}');
    out.into()
}

fn quote(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a string always serialises into memory");
    }
}

#[cfg(test)]
mod tests;
