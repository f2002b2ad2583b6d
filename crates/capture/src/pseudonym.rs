//! Pseudonyms: a keyed hash of an ID. Who has a capture and not its key cannot find the ID again, not
//! even by trying all IDs.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Sha256;
use throng_protocol::AppId;

/// What stands for an ID in a capture: 64 bits, written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub u64);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Pseudonym {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pseudonym {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(source)?;
        let good = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = good.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        number.map(Self).ok_or_else(|| de::Error::custom("not 16 hexadecimal digits"))
    }
}

/// The key of a capture. It is never written into one.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    /// A key that nobody knows, and that is gone with this process.
    #[must_use]
    pub fn random() -> Self {
        Self::new(&rand::random::<[u8; 32]>())
    }

    /// The key of a secret, for several writers whose files belong together.
    #[must_use]
    pub fn from_secret(secret: &str) -> Self {
        Self::new(secret.as_bytes())
    }

    fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// Tells files of one key from files of another, without telling the key.
    #[must_use]
    pub fn fingerprint(&self) -> Pseudonym {
        self.hash(b"fingerprint", &[])
    }

    /// A user of an app.
    #[must_use]
    pub fn user(&self, app: AppId, user: &str) -> Pseudonym {
        self.hash(b"user", &[&app.0.to_le_bytes(), user.as_bytes()])
    }

    /// A group of an app.
    #[must_use]
    pub fn group(&self, app: AppId, group: &str) -> Pseudonym {
        self.hash(b"group", &[&app.0.to_le_bytes(), group.as_bytes()])
    }

    /// A message: its sender repeats it under the same `Random`.
    #[must_use]
    pub fn message(&self, sender: Pseudonym, group: Pseudonym, random: u64) -> Pseudonym {
        let parts = [sender.0, group.0, random].map(u64::to_le_bytes);
        self.hash(b"message", &[&parts[0], &parts[1], &parts[2]])
    }

    /// Whether a user is among the share (from 0 to 1) that is captured: always the same answer.
    #[must_use]
    pub fn takes(&self, user: Pseudonym, share: f64) -> bool {
        let place = self.hash(b"share", &[&user.0.to_le_bytes()]).0 >> 11;
        // 53 bits are what a float holds exactly.
        (place as f64) < share * (1_u64 << 53) as f64
    }

    fn hash(&self, kind: &[u8], parts: &[&[u8]]) -> Pseudonym {
        let mut mac = self.0.clone();
        mac.update(kind);
        // Parts but the last have a fixed length, and no kind is the beginning of another.
        for part in parts {
            mac.update(part);
        }
        let digest = mac.finalize().into_bytes();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Pseudonym(u64::from_be_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const APP: AppId = AppId(7);

    #[test]
    fn they_are_written_as_digits() {
        let text = serde_json::to_string(&Pseudonym(0xAB)).unwrap();
        assert_eq!(text, "\"00000000000000ab\"");
        assert_eq!(serde_json::from_str::<Pseudonym>(&text).unwrap(), Pseudonym(0xAB));
        for bad in ["\"ab\"", "\"+0000000000000ab\"", "7", "\"zz000000000000ab\""] {
            assert!(serde_json::from_str::<Pseudonym>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_shows_the_key() {
        let key = Key::from_secret("hush");
        assert!(!format!("{key:?}").contains("hush"));
    }

    #[test]
    fn a_share_is_about_that_part_of_all() {
        let key = Key::random();
        let taken = |share| (0..4000).filter(|n| key.takes(Pseudonym(*n), share)).count();
        assert_eq!((taken(0.0), taken(1.0)), (0, 4000));
        assert!((800..1200).contains(&taken(0.25)), "{}", taken(0.25));
    }

    proptest! {
        #[test]
        fn the_same_id_has_the_same_pseudonym_under_one_key(
            id in ".{0,40}", other in ".{0,40}", secret in "[a-z]{32}", share in 0.0..=1.0,
        ) {
            let (key, again) = (Key::from_secret(&secret), Key::from_secret(&secret));
            prop_assert_eq!(key.user(APP, &id), again.user(APP, &id));
            prop_assert_eq!(key.user(APP, &id) == key.user(APP, &other), id == other);
            prop_assert_ne!(key.user(APP, &id), key.group(APP, &id));
            prop_assert_ne!(key.user(APP, &id), key.user(AppId(8), &id));
            prop_assert_ne!(key.user(APP, &id), Key::random().user(APP, &id));
            let user = key.user(APP, &id);
            prop_assert_eq!(key.takes(user, share), again.takes(user, share));
            // Whoever is in a share is in every larger one.
            prop_assert!(!key.takes(user, share / 2.0) || key.takes(user, share));
        }
    }
}
