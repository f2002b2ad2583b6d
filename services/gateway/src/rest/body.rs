//! The gate of the body: taken in within its limit, and JSON.

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::IgnoredAny;
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

/// The whole body.
///
/// # Errors
/// 60002 when it is over the limit or does not arrive as HTTP says.
pub(super) async fn read(mut body: Body) -> Result<Bytes, CommandError> {
    let too_long = || {
        let most = limits::REST_BODY_BYTES;
        Code::BAD_URL.with(format!("the body is longer than {most} bytes"))
    };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits::REST_BODY_BYTES {
        return Err(too_long());
    }
    let mut whole = BytesMut::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Code::BAD_URL.with("the body broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.len() + data.len() > limits::REST_BODY_BYTES {
            return Err(too_long());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Takes in and drops the body of a request that was refused already, so that its connection can
/// serve the next one. A body over the limit ends the connection instead.
pub(super) async fn discard(mut body: Body) {
    let mut dropped = 0;
    while let Some(Ok(frame)) = body.frame().await {
        dropped += frame.data_ref().map_or(0, Bytes::len);
        if dropped > limits::REST_BODY_BYTES {
            return;
        }
    }
}

/// Checks that a body is one JSON object, not nested too deeply, in UTF-8.
///
/// # Errors
/// 60003 when it is empty, else `bad`.
pub(super) fn check(body: &[u8], bad: Code) -> Result<(), CommandError> {
    if body.is_empty() {
        return Err(Code::BODY_NOT_JSON.with("the body is empty: send {} to say nothing"));
    }
    if std::str::from_utf8(body).is_err() {
        return Err(bad.with("the body is not UTF-8"));
    }
    envelope::parse::<IgnoredAny>(body, bad).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &[u8]) -> u32 {
        check(body, Code::MSG_REST_BAD_JSON).map_or_else(|error| error.code.number(), |()| 0)
    }

    #[test]
    fn only_an_object_passes() {
        let nested = |depth: usize| {
            format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1)).into_bytes()
        };
        assert_eq!(code(b"{}"), 0);
        assert_eq!(code(b" {\"a\":[1,\"\xc3\xa9\"]}\n"), 0);
        assert_eq!(code(&nested(limits::JSON_DEPTH)), 0);
        assert_eq!(code(b""), 60003);
        for bad in [&b"{"[..], b"[]", b"1", b"{}{}", b"{\"a\":\"\xff\"}", b"{'a':1}", b"\0"] {
            assert_eq!(code(bad), 90001, "{bad:?}");
        }
        assert_eq!(code(&nested(limits::JSON_DEPTH + 1)), 90001);
        assert_eq!(code(&nested(200_000)), 90001);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let most = vec![b' '; limits::REST_BODY_BYTES];
        assert_eq!(read(Body::from(most.clone())).await.unwrap().len(), most.len());
        let more = vec![b' '; limits::REST_BODY_BYTES + 1];
        assert_eq!(read(Body::from(more)).await.unwrap_err().code, Code::BAD_URL);
        // In chunks its length is not announced.
        let chunk = Bytes::from(vec![b' '; limits::REST_BODY_BYTES / 2 + 1]);
        let chunks = [Ok::<_, std::convert::Infallible>(chunk.clone()), Ok(chunk)];
        let chunked = Body::from_stream(futures_util::stream::iter(chunks));
        assert_eq!(read(chunked).await.unwrap_err().code, Code::BAD_URL);
    }
}
