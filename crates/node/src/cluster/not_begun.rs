//! "Not here": the answer of a node that was asked for what another one owns, or that ends. Nothing
//! of the call was begun, so whoever asked may ask the right node, whatever the call does.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// Metadata of such an answer.
pub const NOT_BEGUN: &str = "throng-not-begun";

/// `UNAVAILABLE`, with the word that nothing was begun.
#[must_use]
pub fn not_begun(text: impl Into<String>) -> Status {
    let mut status = Status::unavailable(text);
    status.metadata_mut().insert(NOT_BEGUN, MetadataValue::from_static("1"));
    status
}

/// Whether a status says so.
#[must_use]
pub fn is_not_begun(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.metadata().contains_key(NOT_BEGUN)
}
