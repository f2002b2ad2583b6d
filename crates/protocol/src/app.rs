//! An app as command lines name it.

use std::fmt;
use std::str::FromStr;

use crate::ids::AppId;

/// An app and its secret key, written `ID:KEY`. The key is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedApp {
    /// Above 0.
    pub id: AppId,
    /// Not empty; may hold colons.
    pub key: String,
}

/// The text is no `ID:KEY`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamedAppError {
    /// No colon, the ID 0, or no key.
    #[error("expected ID:KEY with an ID above 0 and a key")]
    Form,
    /// What stands before the colon is no number of 32 bits.
    #[error("{0:?} is not an app ID")]
    Id(String),
}

impl FromStr for NamedApp {
    type Err = NamedAppError;

    fn from_str(text: &str) -> Result<Self, NamedAppError> {
        let (id, key) = text.split_once(':').ok_or(NamedAppError::Form)?;
        let id = id.parse().map_err(|_| NamedAppError::Id(id.to_owned()))?;
        if id == 0 || key.is_empty() {
            return Err(NamedAppError::Form);
        }
        Ok(Self { id: AppId(id), key: key.to_owned() })
    }
}

impl fmt::Debug for NamedApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedApp").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_a_key_that_is_not_shown() {
        let app: NamedApp = "7:a:b".parse().unwrap();
        assert_eq!((app.id, &*app.key), (AppId(7), "a:b"));
        for bad in ["", "7", "7:", ":k", "x:k", "0:k", "-1:k", "4294967296:k"] {
            assert!(bad.parse::<NamedApp>().is_err(), "{bad}");
        }
        assert!(!format!("{:?}", "7:hush".parse::<NamedApp>().unwrap()).contains("hush"));
    }
}
