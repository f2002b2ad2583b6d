//! Finds the part of a body that says which node a request belongs to, without reading the rest.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::command::{RoutingKey, UserKey};
use crate::error::{Code, CommandError};

/// The group that a request belongs to; empty if any node will do.
///
/// # Errors
/// 10004 that names the field, 10011 if the body is not a JSON object.
pub fn routing_group(key: RoutingKey, body: &[u8]) -> Result<Cow<'_, str>, CommandError> {
    let field = match key {
        RoutingKey::GroupId | RoutingKey::NewGroupId => "GroupId",
        RoutingKey::FirstOfGroupIdList => "GroupIdList",
        RoutingKey::User(_) | RoutingKey::None => return Ok(Cow::Borrowed("")),
    };
    let bad = |problem: &str| Code::GROUP_BAD_PARAMETER.with(format!("{field}: {problem}"));
    let Some(value) = find(field, body)? else {
        return match key {
            RoutingKey::NewGroupId => Ok(Cow::Borrowed("")),
            _ => Err(bad("missing field")),
        };
    };
    let group = match key {
        RoutingKey::FirstOfGroupIdList => serde_json::from_str::<First<'_>>(value.get())
            .map_err(|_| bad("must be an array of strings"))?
            .0
            .ok_or_else(|| bad("empty"))?,
        _ => text(value).ok_or_else(|| bad("must be a string"))?,
    };
    if group.is_empty() && key != RoutingKey::NewGroupId {
        return Err(bad("empty"));
    }
    Ok(group)
}

/// The user that a request is about: the caller, or whoever the body names. A body that cannot be
/// read gives the caller; the owner will say what is wrong with it.
#[must_use]
pub fn routing_user<'a>(key: UserKey, body: &'a [u8], caller: &'a str) -> Cow<'a, str> {
    let named = match key {
        UserKey::Caller => None,
        UserKey::Field(field) => find(field, body).ok().flatten().and_then(text),
    };
    named.filter(|user| !user.is_empty()).unwrap_or(Cow::Borrowed(caller))
}

fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|text| text.0)
}

/// The value of one field of an object.
fn find<'a>(field: &str, body: &'a [u8]) -> Result<Option<&'a RawValue>, CommandError> {
    let bad = |problem: String| Code::GROUP_BAD_JSON.with(format!("the body is not {problem}"));
    let text = std::str::from_utf8(body).map_err(|_| bad("UTF-8".to_owned()))?;
    let mut source = serde_json::Deserializer::from_str(text);
    source.deserialize_map(Find { field }).map_err(|error| bad(format!("valid JSON: {error}")))
}

struct Find<'f> {
    field: &'f str,
}

impl<'a> Visitor<'a> for Find<'_> {
    type Value = Option<&'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut fields: M) -> Result<Self::Value, M::Error> {
        let mut found = None;
        while let Some(Text(name)) = fields.next_key()? {
            if name == self.field {
                found = Some(fields.next_value()?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A string that is only copied if it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The first string of an array.
struct First<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for First<'a> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Option<Cow<'de, str>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of strings")
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<Self::Value, S::Error> {
                let first = entries.next_element::<Text<'de>>()?;
                while entries.next_element::<IgnoredAny>()?.is_some() {}
                Ok(first.map(|text| text.0))
            }
        }
        source.deserialize_seq(Entries).map(First)
    }
}
