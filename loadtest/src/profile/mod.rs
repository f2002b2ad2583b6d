//! Profiles: what a run does and what it must reach, as a small TOML file with a version.
//!
//! All scenarios are values of one schema: rooms with members, a stream of messages, and on top of it
//! bursts, people who come and go, and cut connections.

mod check;
mod schema;

pub use schema::{
    Burst, Churn, Cut, Generator, Login, Phases, Priorities, Profile, Rest, RoomKind, Rooms,
    Thresholds, Traffic,
};

/// The version of the schema that this tool reads.
pub const VERSION: u32 = 1;

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Not TOML, or fields that do not exist or have another type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// Made for another version of this tool.
    #[error("version {0} is not supported, only {VERSION}")]
    Version(u32),
    /// A value that makes no sense.
    #[error("{field}: {problem}")]
    Field {
        /// Path of the field, such as `rooms.count`.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Profile {
    /// Reads a profile and checks its values.
    ///
    /// # Errors
    /// [`ProfileError`] that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)?;
        if profile.version != VERSION {
            return Err(ProfileError::Version(profile.version));
        }
        profile.check()?;
        Ok(profile)
    }

    /// Checks that the values make sense together.
    ///
    /// # Errors
    /// [`ProfileError::Field`] that names the value.
    pub fn check(&self) -> Result<(), ProfileError> {
        check::check(self)
    }

    /// How many clients take part.
    #[must_use]
    pub fn clients(&self) -> u32 {
        self.members() + self.login.clients
    }

    /// How many of them are in rooms.
    #[must_use]
    pub fn members(&self) -> u32 {
        self.rooms.count * self.rooms.members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every profile that is shipped can be read.
    #[test]
    fn shipped_profiles_are_valid() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let profile =
                Profile::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), profile.name);
            read += 1;
        }
        assert!(read > 0);
    }

    #[test]
    fn mistakes_are_named() {
        let rooms = "[rooms]\ncount = 1\nmembers = 3\n[traffic]\nmessages_per_second = 5\n";
        let error = |text: &str| Profile::parse(text).unwrap_err().to_string();
        assert!(Profile::parse(&format!("version = 1\nname = 'x'\n{rooms}")).is_ok());
        assert!(error(&format!("version = 2\nname = 'x'\n{rooms}")).contains("version 2"));
        assert!(error(&format!("version = 1\nname = 'x'\nspeed = 3\n{rooms}")).contains("speed"));
        let error = error("version = 1\nname = 'x'\n[rooms]\ncount = 1\nmembers = 0\n");
        assert!(error.contains("rooms.members"), "{error}");
    }
}
