//! What the server gives a client to carry: the session token `a2` and the key of a polling loop.
//!
//! Clients never take over a new `a2` and send the old one for as long as the page lives, through
//! reconnects and restarts of the server (SDK protocol notes 01, 3.2). So a token says everything
//! about its session itself, any gateway can open it alone, and the same session always seals to
//! the same text. Revocation compares `issued_at` with the user's "not valid before".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ids::AppId;

/// Bytes of the signature at a token's end.
const MAC: usize = 16;
/// Longest text that [`A2::open`] and [`PollKey::open`] look at.
const TEXT_MAX: usize = 1024;
/// First byte of each kind of token: its format. Kinds never share one.
const A2_FORMAT: u8 = 0xA1;
const POLL_FORMAT: u8 = 0xB1;

/// A session: what `a2` in the head of every request stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct A2 {
    /// The app.
    pub app: AppId,
    /// The user.
    pub user: String,
    /// The user's number.
    pub tiny_id: u64,
    /// `InstId` of the session, never 0.
    pub inst_id: u32,
    /// When the session began, in seconds since 1970.
    pub issued_at: i64,
    /// The SDK object that logged in; see [`instance`].
    pub instance: [u8; 16],
}

/// The place of a polling client: what `LongPollingKey` and `Key` stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollKey {
    /// The app.
    pub app: AppId,
    /// The live room.
    pub group_id: String,
    /// The user; empty for a guest.
    pub user: String,
    /// `InstId` of the session, made by the gateway for a guest.
    pub inst_id: u32,
}

/// Bits of an event number in a poll cursor.
pub const CURSOR_EVENT_BITS: u32 = 32;
/// Bits of the epoch above them: with 20 of them JavaScript still counts exactly.
pub const CURSOR_EPOCH_MASK: u64 = 0xF_FFFF;

/// A polling client's place in a room's stream of events as one number below 2^53 (`StartSeq`,
/// `NextSeq`).
#[must_use]
pub fn poll_cursor(epoch: u64, event_no: u64) -> u64 {
    ((epoch & CURSOR_EPOCH_MASK) << CURSOR_EVENT_BITS) | (event_no & u64::from(u32::MAX))
}

/// The 16 bytes of an `instanceid` from a connection's URL: 32 hex digits as they are, anything else
/// by hash.
#[must_use]
pub fn instance(text: &str) -> [u8; 16] {
    from_hex(text).unwrap_or_else(|| {
        let mut out = [0; 16];
        out.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
        out
    })
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let mut out = [0; 16];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(out)
}

impl A2 {
    /// The token's text; equal sessions have equal tokens.
    #[must_use]
    pub fn seal(&self, key: &[u8; 32]) -> String {
        let mut out = Vec::with_capacity(42 + self.user.len() + MAC);
        out.push(A2_FORMAT);
        out.extend_from_slice(&self.app.0.to_be_bytes());
        out.extend_from_slice(&self.tiny_id.to_be_bytes());
        out.extend_from_slice(&self.inst_id.to_be_bytes());
        out.extend_from_slice(&self.issued_at.to_be_bytes());
        out.extend_from_slice(&self.instance);
        out.extend_from_slice(self.user.as_bytes());
        seal(out, key)
    }

    /// The session of a token that was sealed with this key; nothing for any other text.
    #[must_use]
    pub fn open(text: &str, key: &[u8; 32]) -> Option<A2> {
        let token = open(text, key, A2_FORMAT)?;
        let mut fields = Fields(&token);
        Some(A2 {
            app: AppId(u32::from_be_bytes(fields.take()?)),
            tiny_id: u64::from_be_bytes(fields.take()?),
            inst_id: u32::from_be_bytes(fields.take()?),
            issued_at: i64::from_be_bytes(fields.take()?),
            instance: fields.take()?,
            user: fields.rest()?,
        })
    }
}

impl PollKey {
    /// The key's text; equal places have equal keys.
    #[must_use]
    pub fn seal(&self, key: &[u8; 32]) -> String {
        let mut out = Vec::with_capacity(11 + self.group_id.len() + self.user.len() + MAC);
        out.push(POLL_FORMAT);
        out.extend_from_slice(&self.app.0.to_be_bytes());
        out.extend_from_slice(&self.inst_id.to_be_bytes());
        let length = u16::try_from(self.group_id.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self.group_id.as_bytes());
        out.extend_from_slice(self.user.as_bytes());
        seal(out, key)
    }

    /// The place of a key that was sealed with this key; nothing for any other text.
    #[must_use]
    pub fn open(text: &str, key: &[u8; 32]) -> Option<PollKey> {
        let token = open(text, key, POLL_FORMAT)?;
        let mut fields = Fields(&token);
        let app = AppId(u32::from_be_bytes(fields.take()?));
        let inst_id = u32::from_be_bytes(fields.take()?);
        let length = u16::from_be_bytes(fields.take()?);
        let group_id = fields.text(usize::from(length))?;
        Some(PollKey { app, group_id, user: fields.rest()?, inst_id })
    }
}

fn mac(token: &[u8], key: &[u8; 32]) -> [u8; MAC] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(token);
    let mut out = [0; MAC];
    out.copy_from_slice(&mac.finalize().into_bytes()[..MAC]);
    out
}

fn seal(mut token: Vec<u8>, key: &[u8; 32]) -> String {
    let signature = mac(&token, key);
    token.extend_from_slice(&signature);
    URL_SAFE_NO_PAD.encode(token)
}

/// The fields of a token of this format, if its signature is right.
fn open(text: &str, key: &[u8; 32], format: u8) -> Option<Vec<u8>> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let mut token = URL_SAFE_NO_PAD.decode(text).ok()?;
    let signed = token.len().checked_sub(MAC)?;
    let right = mac(&token[..signed], key).ct_eq(&token[signed..]);
    if !bool::from(right) || token.first() != Some(&format) {
        return None;
    }
    token.truncate(signed);
    token.remove(0);
    Some(token)
}

/// Reads fields one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(field.to_vec()).ok()
    }

    fn rest(self) -> Option<String> {
        String::from_utf8(self.0.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests;
