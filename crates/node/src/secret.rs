//! The cluster's secret: 32 random bytes that all nodes share. Session tokens and numeric user
//! identities hang on it, so it must outlive restarts; losing it logs every client out.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use sha2::Sha256;

/// Keys derived from the cluster's secret, one for each purpose.
#[derive(Clone)]
pub struct Secret {
    token_key: [u8; 32],
    tiny_key: [u8; 32],
    cluster_mark: u64,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file could not be read or written.
    #[error("secret file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file does not hold 64 hexadecimal digits.
    #[error("secret file {0} does not hold 64 hexadecimal digits")]
    Malformed(PathBuf),
}

impl Secret {
    /// Derives the keys from the secret.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = derive(secret, b"cluster mark");
        Self {
            token_key: derive(secret, b"session token"),
            tiny_key: derive(secret, b"tiny id"),
            cluster_mark: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        }
    }

    /// Reads the secret from `path`, or makes one there that only the owner may read.
    ///
    /// # Errors
    /// [`SecretError`] when the file can't be used; an existing file is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, SecretError> {
        let io_error = |source| SecretError::Io { path: path.to_owned(), source };
        match Self::load(path) {
            Err(SecretError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let secret: [u8; 32] = rand::rng().random();
                replace_file(path, &to_hex(&secret)).map_err(io_error)?;
                Ok(Self::new(&secret))
            }
            loaded => loaded,
        }
    }

    /// Reads the secret from `path`.
    ///
    /// # Errors
    /// [`SecretError`] when the file can't be used.
    pub fn load(path: &Path) -> Result<Self, SecretError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SecretError::Io { path: path.to_owned(), source })?;
        Self::from_hex(text.trim()).ok_or_else(|| SecretError::Malformed(path.to_owned()))
    }

    /// The secret that these 64 hexadecimal digits stand for; `None` if they are none.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        parse_hex(text).map(|secret| Self::new(&secret))
    }

    /// Signs session tokens and poll keys.
    #[must_use]
    pub fn token_key(&self) -> &[u8; 32] {
        &self.token_key
    }

    /// Turns users into numbers.
    #[must_use]
    pub fn tiny_key(&self) -> &[u8; 32] {
        &self.tiny_key
    }

    /// Tells this cluster from another one. It is no proof of anything.
    #[must_use]
    pub fn cluster_mark(&self) -> u64 {
        self.cluster_mark
    }
}

fn derive(secret: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut secret = [0; 32];
    for (byte, digits) in secret.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(secret)
}

/// Writes a small file that only the owner may read: beside the old one, then renamed, so that a
/// crash leaves the one or the other.
///
/// # Errors
/// What the file system says.
pub fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_survives_a_restart_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let first = Secret::load_or_create(&path).unwrap();
        let again = Secret::load_or_create(&path).unwrap();
        assert_eq!(first.token_key, again.token_key);
        assert_ne!(first.token_key, first.tiny_key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_secret_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for text in ["", "00", "zz".repeat(32).as_str(), "é".repeat(32).as_str()] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Secret::load_or_create(&path), Err(SecretError::Malformed(_))));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
