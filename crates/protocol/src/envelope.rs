//! What every answer begins with (`ActionStatus`, `ErrorCode`, `ErrorInfo`), and how a request's
//! body becomes the type that a handler asked for.
//!
//! Bodies are serialised straight into the answer's buffer, behind the envelope's fields: no tree of
//! values is built on the way.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, CommandError};
use crate::{json, limits};

const OK: &[u8] = br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#;

/// A successful answer with the fields of `body`, a struct or map without the envelope's own fields;
/// `()` for none.
#[must_use]
pub fn ok(body: &impl Serialize) -> Bytes {
    with_fields(OK.to_vec(), body)
}

/// A successful answer with a text, for the commands whose documents show one (`modify_group_msg`
/// says "succeed", the topic commands "ok").
#[must_use]
pub fn ok_saying(info: &str, body: &impl Serialize) -> Bytes {
    with_fields(opening("OK", Code::OK, info), body)
}

/// A batch that failed for some: `ActionStatus` "SomeError" with code 0 (`openim/batchsendmsg`).
#[must_use]
pub fn some_failed(body: &impl Serialize) -> Bytes {
    with_fields(opening("SomeError", Code::OK, ""), body)
}

/// The answer to a command that failed, with the fields that the error brings.
#[must_use]
pub fn fail(error: &CommandError) -> Bytes {
    let fields = error.fields.as_deref().and_then(|json| serde_json::from_str(json).ok());
    match fields {
        Some::<&RawValue>(fields) => fail_with(error, &fields),
        None => fail_with(error, &()),
    }
}

/// The answer to a command that failed, with fields beside the envelope's (such as the current
/// version after an edit conflict).
#[must_use]
pub fn fail_with(error: &CommandError, extra: &impl Serialize) -> Bytes {
    with_fields(opening("FAIL", error.code, &error.info), extra)
}

/// The envelope's fields, the closing brace still missing.
fn opening(status: &str, code: Code, info: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + info.len());
    out.extend_from_slice(br#"{"ActionStatus":""#);
    out.extend_from_slice(status.as_bytes());
    out.extend_from_slice(br#"","ErrorCode":"#);
    out.extend_from_slice(code.number().to_string().as_bytes());
    out.extend_from_slice(br#","ErrorInfo":"#);
    serde_json::to_writer(&mut out, info).expect("a string always serialises into memory");
    out
}

fn with_fields(mut out: Vec<u8>, body: &impl Serialize) -> Bytes {
    let start = out.len();
    if serde_json::to_writer(&mut out, body).is_err() {
        return internal();
    }
    match &out[start..] {
        b"{}" | b"null" => {
            out.truncate(start);
            out.push(b'}');
        }
        [b'{', ..] => out[start] = b',',
        _ => {
            debug_assert!(false, "the body of an answer is an object");
            return internal();
        }
    }
    out.into()
}

/// For a body that no JSON can express: a mistake of ours, not the caller's.
fn internal() -> Bytes {
    let mut out = opening("FAIL", Code::GROUP_INTERNAL, "the answer could not be written");
    out.push(b'}');
    out.into()
}

/// Reads a body. The error has the code `bad` and names the field, as in `GroupId: missing field` or
/// `MsgBody[0].MsgType: invalid type: null, expected a string`.
///
/// # Errors
/// `bad`, if the body is no JSON object, is nested too deeply or does not fit `T`.
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8], bad: Code) -> Result<T, CommandError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(bad.with("the body is not a JSON object"));
    }
    if !json::depth_within(body, limits::JSON_DEPTH) {
        return Err(bad.with("the body is nested too deeply"));
    }
    let text = std::str::from_utf8(body).map_err(|_| bad.with("the body is not UTF-8"))?;
    serde_json::from_str(text).map_err(|error| bad.with(explain::<T>(text, &error)))
}

/// Reads the body a second time, with more care, to name the field that is wrong.
#[cold]
fn explain<'a, T: Deserialize<'a>>(text: &'a str, error: &serde_json::Error) -> String {
    if !error.is_data() {
        return format!("the body is not valid JSON: {error}");
    }
    let mut source = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut source) {
        Err(error) => in_one_line(&error),
        Ok(_) => error.to_string(),
    }
}

/// One line of text: the field's path, then what is wrong with it.
fn in_one_line(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let inner = error.inner();
    let text = inner.to_string();
    let position = format!(" at line {} column {}", inner.line(), inner.column());
    let problem = text.strip_suffix(&position).unwrap_or(&text);
    let path = error.path().to_string();
    let field = problem.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match (path.as_str(), field) {
        (".", Some(field)) => format!("{field}: missing field"),
        (_, Some(field)) => format!("{path}.{field}: missing field"),
        (".", None) => problem.to_owned(),
        (_, None) => format!("{path}: {problem}"),
    }
}

#[cfg(test)]
mod tests;
