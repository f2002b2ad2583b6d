//! Frames of messages, compressed where the client understands that and it pays. The compressor is
//! one for each thread: its state is many times what a connection has.

use std::cell::RefCell;

use bytes::Bytes;
use throng_protocol::compress::Compressor;

use super::{Kind, wire};

thread_local! {
    static COMPRESSOR: RefCell<Compressor> = RefCell::default();
}

/// The frame of a message that consists of these parts. From `least` bytes on it is compressed; 0:
/// never.
pub(super) fn frame(kind: Kind, least: usize, parts: &[&[u8]]) -> Bytes {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    if kind == Kind::Compressed
        && least > 0
        && size >= least
        && let Some(packed) = COMPRESSOR.with_borrow_mut(|one| one.compress(parts))
    {
        return wire::frame(kind.opcode(), &[&packed]);
    }
    wire::frame(kind.opcode(), parts)
}
