//! The compressed form of a frame that a server may send on `/binfo` (SDK protocol notes 01, 1.2):
//! `COMP`, then the JSON text as a zlib stream. Clients send none.

use flate2::{Compress, Compression, FlushCompress, Status};

/// What a compressed frame begins with.
pub const MARK: &[u8] = b"COMP";

/// Compresses one frame after the other. Its state is some hundred kilobytes, so one is kept for
/// each thread that needs it.
#[derive(Debug)]
pub struct Compressor {
    deflate: Compress,
}

impl Default for Compressor {
    fn default() -> Self {
        // The fastest level: what is gained after it costs several times as much.
        Self { deflate: Compress::new(Compression::fast(), true) }
    }
}

impl Compressor {
    /// The compressed form of a frame that consists of these parts; `None` when it is not shorter.
    pub fn compress(&mut self, parts: &[&[u8]]) -> Option<Vec<u8>> {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let mut out = Vec::with_capacity(size);
        if size <= MARK.len() {
            return None;
        }
        out.extend_from_slice(MARK);
        self.deflate.reset();
        for part in parts {
            self.add(part, FlushCompress::None, &mut out)?;
        }
        let status = self.add(&[], FlushCompress::Finish, &mut out)?;
        (status == Status::StreamEnd).then_some(out)
    }

    /// `None` when there is no room.
    fn add(&mut self, part: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Option<Status> {
        let before = self.deflate.total_in();
        let status = self.deflate.compress_vec(part, out, flush).ok()?;
        let taken = self.deflate.total_in() - before;
        (taken == part.len() as u64).then_some(status)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    fn inflate(frame: &[u8]) -> Vec<u8> {
        let zlib = frame.strip_prefix(MARK).expect("it is marked");
        let mut out = Vec::new();
        flate2::read::ZlibDecoder::new(zlib).read_to_end(&mut out).expect("it is zlib");
        out
    }

    #[test]
    fn what_gets_no_shorter_stays() {
        let mut compressor = Compressor::default();
        for text in ["", "{}", "COMP", "{\"a\":1}"] {
            assert_eq!(compressor.compress(&[text.as_bytes()]), None);
        }
        // And leaves nothing behind for the next one.
        let text = "[1,2,3]".repeat(50);
        let compressed = compressor.compress(&[b"x", text.as_bytes()]).expect("it repeats itself");
        assert!(compressed.len() < 40, "{}", compressed.len());
        assert_eq!(inflate(&compressed), format!("x{text}").as_bytes());
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(
            parts in prop::collection::vec("[a-f]{0,300}|[ -~]{0,2000}", 0..8),
        ) {
            let mut compressor = Compressor::default();
            let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            for _ in 0..2 {
                if let Some(compressed) = compressor.compress(&parts) {
                    prop_assert!(compressed.len() <= parts.concat().len());
                    prop_assert_eq!(inflate(&compressed), parts.concat());
                }
            }
        }
    }
}
