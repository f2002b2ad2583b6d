//! Frames of the WebSocket protocol (RFC 6455) as a server reads and writes them. Plain code. What is
//! read stays in the caller's buffer until a message is whole, so a connection that is silent keeps
//! none.

use bytes::{BufMut, Bytes, BytesMut};

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
/// Payload of a control frame at most (RFC 6455, 5.5).
const CONTROL_BYTES: usize = 125;
/// The longest header that a server writes.
const HEADER_BYTES: usize = 10;

/// Opcodes (RFC 6455, 5.2).
pub(super) mod op {
    pub(in crate::connection) const CONTINUE: u8 = 0;
    pub(in crate::connection) const TEXT: u8 = 1;
    pub(in crate::connection) const BINARY: u8 = 2;
    pub(in crate::connection) const CLOSE: u8 = 8;
    pub(in crate::connection) const PING: u8 = 9;
    pub(in crate::connection) const PONG: u8 = 10;
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A text or a binary message: nobody minds which.
    Message(Bytes),
    /// To be answered with a pong of the same payload.
    Ping(Bytes),
    /// Shows that the client lives.
    Pong,
    /// The client closes, with this code if it gave one.
    Close(Option<u16>),
}

/// The client does not keep to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Protocol,
    TooLong,
}

/// Takes a client's bytes apart. The fuzzer looks at what it keeps.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The beginning of a frame that is not whole.
    pub(super) rest: Vec<u8>,
    /// The parts of a message that is not whole.
    pub(super) message: Option<Vec<u8>>,
}

impl Parser {
    /// Takes what was read; `sink` gets everything that is whole. `most` bounds a message's bytes.
    ///
    /// # Errors
    /// [`Broken`]; nothing can be read after it.
    pub(super) fn feed(
        &mut self,
        bytes: &mut [u8],
        most: usize,
        sink: &mut impl FnMut(Input),
    ) -> Result<(), Broken> {
        if self.rest.is_empty() {
            let used = self.take_all(bytes, most, sink)?;
            self.rest.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.rest);
        rest.extend_from_slice(bytes);
        let used = self.take_all(&mut rest, most, sink)?;
        if used < rest.len() {
            rest.drain(..used);
            self.rest = rest;
        }
        Ok(())
    }

    fn take_all(
        &mut self,
        bytes: &mut [u8],
        most: usize,
        sink: &mut impl FnMut(Input),
    ) -> Result<usize, Broken> {
        let mut used = 0;
        while let Some(frame) = Frame::read(&bytes[used..], most)? {
            let start = used + frame.header;
            let Some(payload) = bytes.get_mut(start..start + frame.payload) else { break };
            used = start + frame.payload;
            unmask(payload, frame.mask);
            if let Some(input) = self.take(&frame, payload, most)? {
                sink(input);
            }
        }
        Ok(used)
    }

    fn take(
        &mut self,
        frame: &Frame,
        payload: &[u8],
        most: usize,
    ) -> Result<Option<Input>, Broken> {
        Ok(match (frame.opcode, frame.is_final, &mut self.message) {
            (op::TEXT | op::BINARY, true, None) => {
                Some(Input::Message(Bytes::copy_from_slice(payload)))
            }
            (op::TEXT | op::BINARY, false, None) => {
                self.message = Some(payload.to_vec());
                None
            }
            (op::CONTINUE, is_final, Some(message)) => {
                if message.len() + payload.len() > most {
                    return Err(Broken::TooLong);
                }
                message.extend_from_slice(payload);
                let whole = if is_final { self.message.take() } else { None };
                whole.map(|message| Input::Message(message.into()))
            }
            (op::PING, ..) => Some(Input::Ping(Bytes::copy_from_slice(payload))),
            (op::PONG, ..) => Some(Input::Pong),
            (op::CLOSE, ..) => match payload {
                [] => Some(Input::Close(None)),
                [high, low, ..] => Some(Input::Close(Some(u16::from_be_bytes([*high, *low])))),
                [_] => return Err(Broken::Protocol),
            },
            _ => return Err(Broken::Protocol),
        })
    }
}

/// A frame's header.
#[derive(Debug)]
struct Frame {
    opcode: u8,
    is_final: bool,
    mask: [u8; 4],
    /// Bytes of the header, the mask included.
    header: usize,
    payload: usize,
}

impl Frame {
    /// `None`: the header is not whole.
    fn read(bytes: &[u8], most: usize) -> Result<Option<Self>, Broken> {
        let &[first, second, ref after @ ..] = bytes else { return Ok(None) };
        let (opcode, is_final) = (first & 0x0f, first & FINAL != 0);
        let is_control = opcode >= op::CLOSE;
        if first & RESERVED != 0 || second & MASKED == 0 || (is_control && !is_final) {
            return Err(Broken::Protocol);
        }
        let (length, after, extended) = match second & !MASKED {
            126 => {
                let Some((length, after)) = after.split_first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*length)), after, 2)
            }
            127 => {
                let Some((length, after)) = after.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*length), after, 8)
            }
            length => (u64::from(length), after, 0),
        };
        let payload = usize::try_from(length).unwrap_or(usize::MAX);
        if is_control && payload > CONTROL_BYTES {
            return Err(Broken::Protocol);
        }
        if payload > most {
            return Err(Broken::TooLong);
        }
        let Some((mask, _)) = after.split_first_chunk() else { return Ok(None) };
        Ok(Some(Self { opcode, is_final, mask: *mask, header: 6 + extended, payload }))
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([
        mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3],
    ]);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in tail.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Writes the header of a whole message or control frame.
pub(super) fn put_header(out: &mut BytesMut, opcode: u8, payload: usize) {
    out.put_u8(FINAL | opcode);
    match payload {
        0..=125 => out.put_u8(u8::try_from(payload).unwrap_or_default()),
        126..=0xffff => {
            out.put_u8(126);
            out.put_u16(u16::try_from(payload).unwrap_or_default());
        }
        _ => {
            out.put_u8(127);
            out.put_u64(payload as u64);
        }
    }
}

/// A frame of these parts.
pub(super) fn frame(opcode: u8, parts: &[&[u8]]) -> Bytes {
    let payload = parts.iter().map(|part| part.len()).sum();
    let mut out = BytesMut::with_capacity(HEADER_BYTES + payload);
    put_header(&mut out, opcode, payload);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.freeze()
}

/// The payload of a frame that a server wrote.
#[cfg(test)]
pub(super) fn payload(frame: &Bytes) -> Bytes {
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    frame.slice(header..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: usize = 100_000;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut header = BytesMut::new();
        put_header(&mut header, 0, payload.len());
        header[0] = first;
        header[1] |= MASKED;
        let mask = [7, 77, 177, 17];
        let mut bytes = header.to_vec();
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Input>, Broken> {
        let (mut parser, mut inputs) = (Parser::default(), Vec::new());
        parser.feed(&mut bytes.to_vec(), MOST, &mut |input| inputs.push(input))?;
        Ok(inputs)
    }

    fn message(text: &'static [u8]) -> Input {
        Input::Message(Bytes::from_static(text))
    }

    #[test]
    fn parts_of_a_message_may_have_control_frames_between() {
        let mut bytes = masked(op::TEXT, b"he");
        bytes.extend(masked(FINAL | op::PING, b"there?"));
        bytes.extend(masked(op::CONTINUE, b""));
        bytes.extend(masked(FINAL | op::PONG, b""));
        bytes.extend(masked(FINAL | op::CONTINUE, b"llo"));
        bytes.extend(masked(FINAL | op::BINARY, b"next"));
        bytes.extend(masked(FINAL | op::CLOSE, &4000u16.to_be_bytes()));
        let expected = [
            Input::Ping(Bytes::from_static(b"there?")),
            Input::Pong,
            message(b"hello"),
            message(b"next"),
            Input::Close(Some(4000)),
        ];
        assert_eq!(read(&bytes).unwrap(), expected);
        assert_eq!(read(&masked(FINAL | op::CLOSE, b"")).unwrap(), [Input::Close(None)]);
    }

    #[test]
    fn what_breaks_the_protocol_is_refused() {
        let unmasked = frame(op::TEXT, &[b"x"]).to_vec();
        let broken = [
            unmasked,
            masked(FINAL | 0x40 | op::TEXT, b"x"),
            masked(FINAL | 3, b"x"),
            masked(FINAL | 11, b"x"),
            masked(op::PING, b"x"),
            masked(FINAL | op::PING, &[0; 126]),
            masked(FINAL | op::CONTINUE, b"x"),
            masked(FINAL | op::CLOSE, b"x"),
            [masked(op::TEXT, b"x"), masked(FINAL | op::TEXT, b"x")].concat(),
        ];
        for bytes in broken {
            assert_eq!(read(&bytes), Err(Broken::Protocol), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_came() {
        let long = masked(FINAL | op::TEXT, &vec![0; MOST + 1]);
        assert_eq!(read(&long[..14]), Err(Broken::TooLong));
        assert_eq!(read(&[0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0]), Err(Broken::TooLong));
        let halves = [masked(op::TEXT, &[0; MOST]), masked(FINAL | op::CONTINUE, b"x")].concat();
        assert_eq!(read(&halves), Err(Broken::TooLong));
    }

    #[test]
    fn a_silent_connection_keeps_nothing() {
        let mut parser = Parser::default();
        let bytes = masked(FINAL | op::TEXT, &[b'x'; 5000]);
        for byte in bytes {
            parser.feed(&mut [byte], MOST, &mut |_| {}).unwrap();
        }
        assert_eq!((parser.rest.capacity(), parser.message), (0, None));
    }

    proptest! {
        #[test]
        fn however_bytes_come_the_messages_are_the_same(
            payloads in prop::collection::vec(
                prop_oneof![
                    9 => prop::collection::vec(any::<u8>(), 0..200),
                    1 => prop::collection::vec(any::<u8>(), 65_500..65_600),
                ],
                1..6,
            ),
            cuts in prop::collection::vec(1..3000usize, 1..50),
        ) {
            let mut bytes: Vec<u8> =
                payloads.iter().flat_map(|payload| masked(FINAL | op::BINARY, payload)).collect();
            let (mut parser, mut read) = (Parser::default(), Vec::new());
            let mut cuts = cuts.into_iter().cycle();
            let mut rest = &mut bytes[..];
            while !rest.is_empty() {
                let cut = cuts.next().unwrap_or(1).min(rest.len());
                let (now, later) = rest.split_at_mut(cut);
                parser.feed(now, MOST, &mut |input| read.push(input)).unwrap();
                rest = later;
            }
            let expected: Vec<_> =
                payloads.into_iter().map(|payload| Input::Message(payload.into())).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn nothing_that_is_read_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
