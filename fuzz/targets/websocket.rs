//! What a client sends on its WebSocket, cut into pieces as a socket might hand it out. However it is
//! cut the same comes of it, nothing is longer than it may be, and what is kept of messages that are not
//! whole is bounded.
//!
//! The first two bytes of an input bound a message, the third says how many of those after it are sizes
//! of pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The gateway's own file, compiled in: nothing of it is public, and a gateway takes long to build.
#[path = "."]
mod connection {
    #[allow(dead_code, reason = "what writes frames is not fuzzed")]
    #[path = "../../services/gateway/src/connection/wire.rs"]
    mod wire;

    use self::wire::{Broken, Input, Parser};

    /// The longest header of a client's frame.
    const HEADER: usize = 14;
    /// Payload of a control frame at most.
    const CONTROL: usize = 125;

    /// Reads these bytes at once, one by one, and in pieces of these sizes.
    pub fn check(bytes: &[u8], cuts: &[u8], most: usize) {
        let whole = read(std::iter::once(bytes), most);
        assert_eq!(read(bytes.chunks(1), most), whole, "byte by byte");
        if !cuts.is_empty() {
            assert_eq!(read(super::pieces(bytes, cuts), most), whole, "cut at {cuts:?}");
        }
    }

    /// What was read until the end, or until the protocol was broken.
    type Outcome = (Vec<Input>, Result<(), Broken>);

    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, most: usize) -> Outcome {
        let (mut parser, mut inputs, mut result) = (Parser::default(), Vec::new(), Ok(()));
        for piece in pieces {
            let mut sink = |input| {
                let fits = match &input {
                    Input::Message(message) => message.len() <= most,
                    Input::Ping(payload) => payload.len() <= CONTROL,
                    Input::Pong | Input::Close(_) => true,
                };
                assert!(fits, "longer than {most}: {input:?}");
                // Nothing counts after an error, but what is read until the end must do no harm.
                if result.is_ok() {
                    inputs.push(input);
                }
            };
            let fed = parser.feed(&mut piece.to_vec(), most, &mut sink);
            result = result.and(fed);
            let parts = parser.message.as_ref().map_or(0, Vec::len);
            assert!(parts <= most, "{parts} bytes of a message are kept");
            let rest = parser.rest.len();
            assert!(rest < HEADER + most.max(CONTROL), "{rest} bytes of a frame are kept");
        }
        (inputs, result)
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&[low, high, cuts], rest)) = input.split_first_chunk() else { return };
    let most = usize::from(u16::from_le_bytes([low, high]));
    let Some((cuts, bytes)) = rest.split_at_checked(cuts.into()) else { return };
    connection::check(bytes, cuts, most);
});

/// Pieces of these sizes, in turn; 0 is a piece of 256 bytes.
fn pieces<'a>(mut bytes: &'a [u8], cuts: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut cuts = cuts.iter().cycle();
    std::iter::from_fn(move || {
        let size = usize::from(cuts.next()?.wrapping_sub(1)) + 1;
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}
