//! Custom fields of groups and members: what a request may write (REST notes 01, 4.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

/// A custom field, in requests and answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CustomField {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// Where fields are, and what they may be.
struct Place {
    name: &'static str,
    most: usize,
    value_bytes: usize,
}

const GROUP: Place = Place {
    name: "AppDefinedData",
    most: limits::GROUP_CUSTOM_FIELDS,
    value_bytes: limits::GROUP_CUSTOM_VALUE_BYTES,
};

const MEMBER: Place = Place {
    name: "AppMemberDefinedData",
    most: limits::MEMBER_CUSTOM_FIELDS,
    value_bytes: limits::MEMBER_CUSTOM_VALUE_BYTES,
};

/// Checks fields of a group; an empty value is to delete its key.
pub(super) fn group_fields(
    fields: Vec<CustomField>,
) -> Result<BTreeMap<String, String>, CommandError> {
    checked(&GROUP, fields)
}

/// Checks fields of a member; an empty value is to delete its key.
pub(super) fn member_fields(
    fields: Vec<CustomField>,
) -> Result<BTreeMap<String, String>, CommandError> {
    checked(&MEMBER, fields)
}

/// Writes checked fields into those that there are; refuses what gets too much.
pub(super) fn change_group_fields(
    fields: &mut BTreeMap<String, String>,
    change: BTreeMap<String, String>,
) -> Result<(), CommandError> {
    merged(&GROUP, fields, change)
}

/// The same for a member's.
pub(super) fn change_member_fields(
    fields: &mut BTreeMap<String, String>,
    change: BTreeMap<String, String>,
) -> Result<(), CommandError> {
    merged(&MEMBER, fields, change)
}

/// As answers have them.
pub(super) fn listed<'a>(
    fields: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Vec<CustomField> {
    let field =
        |(key, value): (&String, &String)| CustomField { key: key.clone(), value: value.clone() };
    fields.into_iter().map(field).collect()
}

fn checked(
    place: &Place,
    fields: Vec<CustomField>,
) -> Result<BTreeMap<String, String>, CommandError> {
    let mut checked = BTreeMap::new();
    for CustomField { key, value } in fields {
        let bad = |info: String| Err(Code::GROUP_BAD_PARAMETER.with(info));
        let letters = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if key.is_empty() || key.len() > limits::CUSTOM_KEY_BYTES || !letters {
            return bad(format!(
                "{}.Key: {key:?} is not 1 to {} letters, digits or _",
                place.name,
                limits::CUSTOM_KEY_BYTES
            ));
        }
        if value.len() > place.value_bytes {
            return bad(format!("{}.Value of {key}: over {} bytes", place.name, place.value_bytes));
        }
        checked.insert(key, value);
    }
    check_number(place, &checked)?;
    Ok(checked)
}

fn merged(
    place: &Place,
    fields: &mut BTreeMap<String, String>,
    change: BTreeMap<String, String>,
) -> Result<(), CommandError> {
    fields.extend(change);
    fields.retain(|_, value| !value.is_empty());
    check_number(place, fields)
}

fn check_number(place: &Place, fields: &BTreeMap<String, String>) -> Result<(), CommandError> {
    if fields.len() > place.most {
        let info = format!("{}: over {} fields", place.name, place.most);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, value: &str) -> CustomField {
        CustomField { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn keys_and_values_have_their_limits() {
        assert!(group_fields(vec![field("a_1", &"v".repeat(512))]).is_ok());
        assert!(member_fields(vec![field("a_1", &"v".repeat(64))]).is_ok());
        for bad in [field("", "v"), field("a b", "v"), field(&"k".repeat(17), "v")] {
            assert!(group_fields(vec![bad]).is_err());
        }
        assert!(group_fields(vec![field("k", &"v".repeat(513))]).is_err());
        assert!(member_fields(vec![field("k", &"v".repeat(65))]).is_err());
    }

    #[test]
    fn an_empty_value_deletes_and_makes_room() {
        let fields = |keys: std::ops::Range<u8>| {
            keys.map(|key| (format!("k{key}"), "v".to_owned())).collect::<BTreeMap<_, _>>()
        };
        let mut five = fields(0..5);
        assert!(change_member_fields(&mut five.clone(), fields(5..6)).is_err());
        let change = [("k0".to_owned(), String::new()), ("k5".to_owned(), "v".to_owned())];
        change_member_fields(&mut five, change.into()).unwrap();
        assert_eq!(five, fields(1..6));
    }
}
