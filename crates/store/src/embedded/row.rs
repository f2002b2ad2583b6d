//! A row's value on disk: when it expires (8 bytes, 0 for never), then the bytes it was given.

use bytes::Bytes;
use fjall::UserValue;

use crate::StoreError;
use crate::plan::{self, Put};

const HEAD: usize = size_of::<i64>();

/// What is stored for a put.
pub(crate) fn encode(put: &Put, now_millis: i64) -> UserValue {
    let mut stored = Vec::with_capacity(HEAD + put.value.len());
    stored.extend_from_slice(&put.expires_at(now_millis).to_le_bytes());
    stored.extend_from_slice(&put.value);
    stored.into()
}

/// The value if the row has not expired, without copying it.
pub(crate) fn live(stored: UserValue, now_millis: i64) -> Result<Option<Bytes>, StoreError> {
    let expires_at =
        expires_at(&stored).ok_or(StoreError::Damaged { reason: "a row too short" })?;
    Ok((!plan::is_expired(expires_at, now_millis)).then(|| Bytes::from(stored).slice(HEAD..)))
}

/// When a stored row expires; None if it is not a row.
pub(crate) fn expires_at(stored: &[u8]) -> Option<i64> {
    stored.first_chunk().map(|head| i64::from_le_bytes(*head))
}
