//! Every error code of the outside interface, once, and the error that carries one through the
//! services to whoever asked.

mod account;
mod gateway;
mod group;
mod message;
mod page;
mod relation;

use std::fmt;

use serde::Serialize;

pub use page::error_codes_markdown;

/// An error code of the vendor's interface. There is no way to make a code that the registry does
/// not hold, except those that an app's own webhook returns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u32);

/// What the registry knows of a code.
#[derive(Debug)]
struct Entry {
    number: u32,
    name: &'static str,
    meaning: &'static str,
    source: &'static str,
}

/// One part of the registry, ordered by number.
struct Family {
    title: &'static str,
    entries: &'static [Entry],
}

/// The whole registry, as the page of codes shows it.
static FAMILIES: &[Family] = &[
    Family { title: "Gateway and content", entries: gateway::ENTRIES },
    Family { title: "Accounts and signatures", entries: account::ENTRIES },
    Family { title: "Groups", entries: group::ENTRIES },
    Family { title: "Profiles, relations, conversations", entries: relation::ENTRIES },
    Family { title: "Messages and operations", entries: message::ENTRIES },
];

/// Declares a part of the registry: a constant of [`Code`] and an [`Entry`] for each row.
macro_rules! codes {
    ($($name:ident = $number:literal, $source:literal, $meaning:literal;)*) => {
        impl $crate::error::Code {
            $(#[doc = concat!($number, ": ", $meaning, " (", $source, ").")]
            pub const $name: $crate::error::Code = $crate::error::Code($number);)*
        }
        pub(super) static ENTRIES: &[$crate::error::Entry] = &[$($crate::error::Entry {
            number: $number,
            name: stringify!($name),
            meaning: $meaning,
            source: $source,
        },)*];
    };
}
use codes;

impl Code {
    /// Success, in the envelope of every answer that is not an error.
    pub const OK: Code = Code(0);

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The code with this number, if the registry has it.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Code> {
        (number == 0 || entry(number).is_some()).then_some(Code(number))
    }

    /// The code that an app's before-webhook returned, if it lies in a range that the documents leave
    /// to apps (10100–10200 groups, 38000–39000 relations, 120001–130000 messages).
    #[must_use]
    pub fn from_callback(number: u32) -> Option<Code> {
        matches!(number, 10_100..=10_200 | 38_000..=39_000 | 120_001..=130_000)
            .then_some(Code(number))
    }

    /// The name, in capitals; the same as the constant's.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "OK",
            number => entry(number).map_or("CALLBACK_CODE", |entry| entry.name),
        }
    }

    /// What the code means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0 => "success",
            number => {
                entry(number).map_or("a code of the app's own webhook", |entry| entry.meaning)
            }
        }
    }

    /// The vendor's document that defines the code.
    #[must_use]
    pub fn source(self) -> &'static str {
        entry(self.0).map_or("", |entry| entry.source)
    }

    /// An error of this code that says what went wrong; the text should name the field.
    #[must_use]
    pub fn with(self, info: impl Into<String>) -> CommandError {
        CommandError { code: self, info: info.into(), fields: None }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.name())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.name())
    }
}

fn entry(number: u32) -> Option<&'static Entry> {
    FAMILIES.iter().find_map(|family| {
        let at = family.entries.binary_search_by_key(&number, |entry| entry.number).ok()?;
        family.entries.get(at)
    })
}

/// A command that failed: what its caller is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {info}")]
pub struct CommandError {
    /// `ErrorCode`.
    pub code: Code,
    /// `ErrorInfo`. A client's user may see it, so it holds no secret and no address.
    pub info: String,
    /// What the answer holds beside, as the JSON text of an object.
    pub fields: Option<Box<str>>,
}

impl CommandError {
    /// An error of this code that says what went wrong.
    #[must_use]
    pub fn new(code: Code, info: impl Into<String>) -> Self {
        code.with(info)
    }

    /// The same with fields beside the envelope's in the answer, such as what the server has after a
    /// conflict of two changes.
    #[must_use]
    pub fn with_fields(self, fields: &impl Serialize) -> Self {
        let fields = serde_json::to_string(fields).ok().map(String::into_boxed_str);
        Self { fields, ..self }
    }
}

impl From<Code> for CommandError {
    /// An error whose text is the code's own meaning.
    fn from(code: Code) -> Self {
        code.with(code.meaning())
    }
}

#[cfg(test)]
mod tests;
