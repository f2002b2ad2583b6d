//! WebSocket framing (RFC 6455), the client's side of it, as little as this protocol needs: whole
//! frames, no extensions. Bytes come from a buffer that all connections of a thread share; only an
//! incomplete frame is kept for its connection.

/// The example key of RFC 6455 1.3. Nothing here needs it to be secret.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer that belongs to [`KEY`].
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The longest head of an HTTP answer that is read.
const MOST_HEAD: usize = 8 * 1024;
/// The longest frame that is read; servers send up to 1 MiB.
const MOST_FRAME: u64 = 16 * 1024 * 1024;

/// What the server did that it should not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The handshake was refused.
    #[error("the server refuses the WebSocket: {0}")]
    Refused(String),
    /// The answer to the handshake is not one.
    #[error("no WebSocket handshake: {0}")]
    Handshake(&'static str),
    /// A frame that a server must not send.
    #[error("bad frame: {0}")]
    Frame(&'static str),
}

/// Kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Binary: what `/binfo` carries.
    Binary,
    /// The end, with code and reason.
    Close,
    /// To be answered by a pong.
    Ping,
    /// An answer to a ping.
    Pong,
}

impl Kind {
    fn opcode(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }
}

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its content.
    pub payload: &'a [u8],
    /// Bytes that it took, with its header.
    pub taken: usize,
}

/// Takes the first frame out of `bytes`; `None` if it is not complete yet.
///
/// # Errors
/// [`ProtocolError::Frame`] when it breaks the rules, or is fragmented or longer than is read here.
pub fn next_frame(bytes: &[u8]) -> Result<Option<Frame<'_>>, ProtocolError> {
    let [first, second, ..] = *bytes else {
        return Ok(None);
    };
    let kind = match first {
        0x81 => Kind::Text,
        0x82 => Kind::Binary,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8A => Kind::Pong,
        _ => return Err(ProtocolError::Frame("fragmented, compressed or of an unknown kind")),
    };
    let (header, len) = match second {
        0..=125 => (2, u64::from(second)),
        126 => match bytes.get(2..4) {
            Some(len) => (4, len.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(len) => (10, len.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))),
            None => return Ok(None),
        },
        _ => return Err(ProtocolError::Frame("masked by a server")),
    };
    if len > MOST_FRAME {
        return Err(ProtocolError::Frame("longer than 16 MiB"));
    }
    let end = header + usize::try_from(len).map_err(|_| ProtocolError::Frame("too long"))?;
    Ok(bytes.get(header..end).map(|payload| Frame { kind, payload, taken: end }))
}

/// Appends a masked frame. `mask` should differ from frame to frame.
pub fn put_frame(out: &mut Vec<u8>, kind: Kind, payload: &[u8], mask: u32) {
    out.push(0x80 | kind.opcode());
    let len = payload.len();
    if len <= 125 {
        out.push(0x80 | u8::try_from(len).expect("checked"));
    } else if let Ok(len) = u16::try_from(len) {
        out.push(0x80 | 126);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(0x80 | 127);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
    let mask = mask.to_be_bytes();
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Looks at the answer to a handshake: how long it is once it is complete and good.
///
/// # Errors
/// [`ProtocolError`] when the server refuses or speaks something else.
pub fn take_handshake(bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > MOST_HEAD {
            Err(ProtocolError::Handshake("the head does not end"))
        } else {
            Ok(None)
        };
    };
    let head = &bytes[..end];
    if !head.starts_with(b"HTTP/1.1 101 ") {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        return Err(ProtocolError::Refused(String::from_utf8_lossy(line).into_owned()));
    }
    if !head.windows(ACCEPT.len()).any(|window| window == ACCEPT) {
        return Err(ProtocolError::Handshake("Sec-WebSocket-Accept does not fit"));
    }
    Ok(Some(end + 4))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the server sees it.
    fn unmask(frame: &[u8]) -> Vec<u8> {
        let header = match frame[1] & 0x7F {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let (mask, masked) = frame[header..].split_at(4);
        masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
    }

    fn from_server(payload: &[u8]) -> Vec<u8> {
        let mut masked = Vec::new();
        put_frame(&mut masked, Kind::Binary, payload, 0);
        let header = match masked[1] & 0x7F {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        masked[1] &= 0x7F;
        masked.drain(header..header + 4);
        masked
    }

    proptest! {
        #[test]
        fn frames_survive_in_any_pieces(len in 0_usize..70_000, mask: u32, cut in 0.0..1.0) {
            let payload: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let mut out = Vec::new();
            put_frame(&mut out, Kind::Binary, &payload, mask);
            prop_assert_eq!(&unmask(&out), &payload);

            let sent = from_server(&payload);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in the frame")]
            let piece = &sent[..(sent.len() as f64 * cut) as usize];
            prop_assert_eq!(next_frame(piece), Ok(None));
            let frame = next_frame(&sent).unwrap().unwrap();
            prop_assert_eq!(frame.payload, &payload[..]);
            prop_assert_eq!(frame.taken, sent.len());
        }
    }

    #[test]
    fn handshakes() {
        let good = b"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x82\x00";
        assert_eq!(take_handshake(good), Ok(Some(good.len() - 2)));
        assert_eq!(take_handshake(&good[..40]), Ok(None));
        let refused = take_handshake(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap_err();
        assert!(refused.to_string().contains("503"));
        assert!(take_handshake(b"HTTP/1.1 101 x\r\n\r\n").is_err());
    }
}
