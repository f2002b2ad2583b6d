//! Reads one element: its type, then its content against the type's schema.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Check;
use super::schema::{self, Kind, Schema};

/// Reads one element and gives the name of its type.
pub(super) struct ElementSeed<'c, 'a> {
    pub(super) check: &'c Check<'a>,
}

impl<'a> DeserializeSeed<'a> for ElementSeed<'_, 'a> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'a>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for ElementSeed<'_, 'a> {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element, an object with MsgType and MsgContent")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut fields: M) -> Result<Self::Value, M::Error> {
        let check = self.check;
        let mut found: Option<&'static Schema> = None;
        let mut early: Option<&'a RawValue> = None;
        let mut content = false;
        while let Some(Name(name)) = fields.next_key()? {
            match name.as_ref() {
                "MsgType" if found.is_some() => return Err(check.fail(".MsgType", "given twice")),
                "MsgType" => found = Some(msg_type(check, fields.next_value()?)?),
                "MsgContent" if content => return Err(check.fail(".MsgContent", "given twice")),
                "MsgContent" => {
                    content = true;
                    match found {
                        Some(schema) => fields.next_value_seed(ContentSeed { check, schema })?,
                        None => early = Some(fields.next_value()?),
                    }
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        let schema = found.ok_or_else(|| check.fail(".MsgType", "missing field"))?;
        if !content {
            return Err(check.fail(".MsgContent", "missing field"));
        }
        if let Some(raw) = early {
            let mut source = serde_json::Deserializer::from_str(raw.get());
            let seed = ContentSeed { check, schema };
            seed.deserialize(&mut source).map_err(serde::de::Error::custom)?;
        }
        Ok(schema.name)
    }
}

fn msg_type<'a, E: serde::de::Error>(
    check: &Check<'a>,
    raw: &'a RawValue,
) -> Result<&'static Schema, E> {
    let Ok(Name(name)) = serde_json::from_str(raw.get()) else {
        return Err(check.fail(".MsgType", Kind::Text.wanted()));
    };
    schema::of(&name).ok_or_else(|| check.fail(".MsgType", "unknown type of element"))
}

/// A string that is only copied if it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Checks an element's content.
struct ContentSeed<'c, 'a> {
    check: &'c Check<'a>,
    schema: &'static Schema,
}

impl<'a> DeserializeSeed<'a> for ContentSeed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for ContentSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the content of an element, an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut fields: M) -> Result<(), M::Error> {
        let ContentSeed { check, schema } = self;
        // Bit n: field n of the schema was there; and was not empty.
        let (mut present, mut filled) = (0_u32, 0_u32);
        while let Some(Name(name)) = fields.next_key()? {
            let Some(at) = schema.position(&name) else {
                fields.next_value::<IgnoredAny>()?;
                continue;
            };
            let field = &schema.fields[at];
            let value: &'a RawValue = fields.next_value()?;
            if present & (1 << at) != 0 {
                return Err(check.fail(&format!(".MsgContent.{}", field.name), "given twice"));
            }
            present |= 1 << at;
            if !matches!(value.get(), r#""""# | "[]") {
                filled |= 1 << at;
            }
            if field.kind == Kind::Images {
                images(check, value)?;
            } else if !fits(field.kind, value.get()) {
                let path = format!(".MsgContent.{}", field.name);
                return Err(check.fail(&path, field.kind.wanted()));
            }
        }
        for (at, field) in schema.fields.iter().enumerate() {
            if field.required && present & (1 << at) == 0 {
                return Err(check.fail(&format!(".MsgContent.{}", field.name), "missing field"));
            }
        }
        if !schema.one_of.is_empty() {
            let given =
                |name: &&&str| schema.position(name).is_some_and(|at| filled & (1 << at) != 0);
            if schema.one_of.iter().filter(given).count() != 1 {
                let problem = format!("must have exactly one of {}", schema.one_of.join(" and "));
                return Err(check.fail(".MsgContent", &problem));
            }
        }
        Ok(())
    }
}

/// Whether a valid JSON text is a value of this kind.
fn fits(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Text => text.starts_with('"'),
        Kind::Count => text.bytes().all(|byte| byte.is_ascii_digit()),
        Kind::Number => text.starts_with(|first: char| first == '-' || first.is_ascii_digit()),
        Kind::Flag => matches!(text, "true" | "false") || fits(Kind::Number, text),
        Kind::TextList => list_of(text, '"'),
        Kind::ObjectList => list_of(text, '{'),
        Kind::Images => false,
    }
}

/// Whether a JSON text is an array of which all entries begin with this character.
fn list_of(text: &str, first: char) -> bool {
    struct Entries(char);
    impl<'de> Visitor<'de> for Entries {
        type Value = bool;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<S: SeqAccess<'de>>(self, mut entries: S) -> Result<bool, S::Error> {
            let mut all = true;
            while let Some(entry) = entries.next_element::<&'de RawValue>()? {
                all &= entry.get().starts_with(self.0);
            }
            Ok(all)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_seq(Entries(first)).unwrap_or(false)
}

/// One size of an image.
#[derive(Deserialize)]
struct ImageSize<'a> {
    #[serde(rename = "Type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(rename = "URL", borrow)]
    url: Option<&'a RawValue>,
    #[serde(rename = "Width", borrow)]
    width: Option<&'a RawValue>,
    #[serde(rename = "Height", borrow)]
    height: Option<&'a RawValue>,
    #[serde(rename = "Size", borrow)]
    size: Option<&'a RawValue>,
}

/// Checks the sizes of an image and notes a patch if they are not in the order 1, 2, 3: clients go by
/// place, not by `Type`, and a forwarded image comes as 1, 3, 2.
fn images<'a, E: serde::de::Error>(check: &Check<'a>, raw: &'a RawValue) -> Result<(), E> {
    let path = ".MsgContent.ImageInfoArray";
    let entries: Vec<&'a RawValue> = serde_json::from_str(raw.get())
        .map_err(|_| check.fail::<E>(path, Kind::Images.wanted()))?;
    if entries.is_empty() || entries.len() > 3 {
        return Err(check.fail(path, Kind::Images.wanted()));
    }
    let mut sizes = Vec::with_capacity(3);
    for (at, entry) in entries.into_iter().enumerate() {
        let kind = image(entry).map_err(|(field, problem)| {
            check.fail::<E>(&format!("{path}[{at}]{field}"), problem)
        })?;
        sizes.push((kind, entry.get()));
    }
    let in_order = sizes.is_sorted_by_key(|&(kind, _)| kind);
    sizes.sort_by_key(|&(kind, _)| kind);
    if sizes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(check.fail(path, "two entries of the same Type"));
    }
    if !in_order {
        let texts: Vec<&str> = sizes.into_iter().map(|(_, text)| text).collect();
        check.patches.borrow_mut().push((raw.get(), format!("[{}]", texts.join(","))));
    }
    Ok(())
}

/// The `Type` of one image size, or the field that is wrong and why.
fn image(entry: &RawValue) -> Result<u8, (&'static str, &'static str)> {
    if !entry.get().starts_with('{') {
        return Err(("", "must be an object"));
    }
    let size: ImageSize<'_> =
        serde_json::from_str(entry.get()).map_err(|_| ("", "a field is given twice"))?;
    let checks = [
        (".URL", size.url, Kind::Text, true),
        (".Width", size.width, Kind::Number, true),
        (".Height", size.height, Kind::Number, true),
        (".Size", size.size, Kind::Number, false),
    ];
    for (field, value, kind, required) in checks {
        match value {
            Some(value) if !fits(kind, value.get()) => return Err((field, kind.wanted())),
            None if required => return Err((field, "missing field")),
            _ => {}
        }
    }
    match size.kind.map(RawValue::get) {
        Some("1") => Ok(1),
        Some("2") => Ok(2),
        Some("3") => Ok(3),
        _ => Err((".Type", "must be 1, 2 or 3")),
    }
}
