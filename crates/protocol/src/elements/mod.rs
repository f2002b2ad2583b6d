//! Message bodies: every element is checked against the documents before the message goes anywhere,
//! because one bad element costs every receiver the whole frame (SDK protocol notes 02, 1.10).
//!
//! The text of a good body is kept as it came: one pass checks it, and only white space and the
//! order of image sizes ever make a copy necessary.

mod element;
mod schema;

use std::borrow::Cow;
use std::cell::RefCell;

use bytes::Bytes;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Code, CommandError};
use crate::json;
use element::ElementSeed;

/// The checked elements of a message, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsgBody<'a> {
    text: Cow<'a, str>,
}

impl<'a> MsgBody<'a> {
    /// Checks the array of elements of a message (REST notes 02, 4; SDK protocol notes 03, 2). `limit`
    /// is what the array's text may have in bytes; `bad` is the code for a malformed element (10004
    /// for groups).
    ///
    /// # Errors
    /// 80002 if it is longer than `limit`; `bad`, with a text such as
    /// `MsgBody[0].MsgContent.Text: must be a string`, if an element is not as documented.
    pub fn parse(raw: &'a RawValue, limit: usize, bad: Code) -> Result<Self, CommandError> {
        let source = raw.get();
        // White space does not count, but nobody needs that much of it.
        if source.len() > limit.saturating_mul(4) {
            return Err(too_long(source.len(), limit));
        }
        if !source.starts_with('[') {
            return Err(bad.with("MsgBody: must be an array of elements"));
        }
        let check = Check::default();
        let mut json = serde_json::Deserializer::from_str(source);
        if let Err(error) = json.deserialize_seq(ElementsVisitor { check: &check }) {
            let index = check.index.get();
            let problem = check.problem.take();
            return Err(bad.with(problem.unwrap_or_else(|| format!("MsgBody[{index}]: {error}"))));
        }
        let text = compacted(check.patched(source));
        if text.len() > limit {
            return Err(too_long(text.len(), limit));
        }
        Ok(MsgBody { text })
    }

    /// The array's JSON text, without white space, to be put into a frame as it is.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.text
    }

    /// Bytes of the text.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a message has at least one element")]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The same body, no longer tied to the request it came with.
    #[must_use]
    pub fn into_owned(self) -> MsgBody<'static> {
        MsgBody { text: Cow::Owned(self.text.into_owned()) }
    }

    /// The text as bytes that can be shared.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from(self.text.into_owned())
    }
}

fn too_long(length: usize, limit: usize) -> CommandError {
    Code::MESSAGE_TOO_LONG.with(format!("MsgBody: {length} bytes, at most {limit}"))
}

fn compacted(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => json::compact(text),
        Cow::Owned(text) => match json::compact(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(shorter) => Cow::Owned(shorter),
        },
    }
}

/// What the pass over the text finds out.
#[derive(Default)]
struct Check<'a> {
    /// Number of the element being read.
    index: std::cell::Cell<usize>,
    /// The first thing that is wrong.
    problem: RefCell<Option<String>>,
    /// Slices of the text and what has to stand there instead.
    patches: RefCell<Vec<(&'a str, String)>>,
}

impl<'a> Check<'a> {
    /// Notes what is wrong with a field of the current element; the error ends the pass.
    fn fail<E: serde::de::Error>(&self, path: &str, problem: &str) -> E {
        let text = format!("MsgBody[{}]{path}: {problem}", self.index.get());
        self.problem.replace(Some(text));
        E::custom("element refused")
    }

    /// The text with all patches applied.
    fn patched(&self, source: &'a str) -> Cow<'a, str> {
        let patches = self.patches.borrow();
        if patches.is_empty() {
            return Cow::Borrowed(source);
        }
        let mut out = String::with_capacity(source.len());
        let mut kept = 0;
        for (slice, replacement) in patches.iter() {
            // Slices of the source, in its order.
            let start = slice.as_ptr() as usize - source.as_ptr() as usize;
            out.push_str(&source[kept..start]);
            out.push_str(replacement);
            kept = start + slice.len();
        }
        out.push_str(&source[kept..]);
        Cow::Owned(out)
    }
}

struct ElementsVisitor<'c, 'a> {
    check: &'c Check<'a>,
}

impl<'a> Visitor<'a> for ElementsVisitor<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of elements")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut elements: S) -> Result<(), S::Error> {
        let mut custom = 0;
        while let Some(kind) = elements.next_element_seed(ElementSeed { check: self.check })? {
            if kind == schema::CUSTOM {
                custom += 1;
            }
            if custom > 1 {
                return Err(self.check.fail(".MsgType", "at most one TIMCustomElem in a message"));
            }
            self.check.index.set(self.check.index.get() + 1);
        }
        if self.check.index.get() == 0 {
            self.check.problem.replace(Some("MsgBody: no element".to_owned()));
            return Err(serde::de::Error::custom("empty"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
