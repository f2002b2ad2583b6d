//! The fields of a profile: which there are, what type each has and which values (CN 1500).

use serde_json::Value;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use crate::records::TagValue;

/// Nickname.
pub(crate) const NICK: &str = "Tag_Profile_IM_Nick";
/// URL of the avatar.
pub(crate) const IMAGE: &str = "Tag_Profile_IM_Image";
/// Level, a number that means what the app wants.
pub(crate) const LEVEL: &str = "Tag_Profile_IM_Level";

const CUSTOM_PREFIX: &str = "Tag_Profile_Custom_";

/// What a standard field takes.
enum Kind {
    /// Text of at most so many bytes.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number of 32 bits.
    Number,
}

fn standard(tag: &str) -> Option<Kind> {
    let kind = match tag {
        NICK | IMAGE | "Tag_Profile_IM_SelfSignature" => Kind::Text(limits::PROFILE_VALUE_BYTES),
        "Tag_Profile_IM_Location" => Kind::Text(limits::PROFILE_LOCATION_BYTES),
        "Tag_Profile_IM_Gender" => {
            Kind::Word(&["Gender_Type_Unknown", "Gender_Type_Female", "Gender_Type_Male"])
        }
        "Tag_Profile_IM_AllowType" => Kind::Word(&[
            "AllowType_Type_NeedConfirm",
            "AllowType_Type_AllowAny",
            "AllowType_Type_DenyAny",
        ]),
        "Tag_Profile_IM_AdminForbidType" => {
            Kind::Word(&["AdminForbid_Type_None", "AdminForbid_Type_SendOut"])
        }
        LEVEL
        | "Tag_Profile_IM_BirthDay"
        | "Tag_Profile_IM_Language"
        | "Tag_Profile_IM_MsgSettings"
        | "Tag_Profile_IM_Role" => Kind::Number,
        _ => return None,
    };
    Some(kind)
}

/// Whether a tag names a field of the app's own.
pub(crate) fn is_custom(tag: &str) -> bool {
    tag.strip_prefix(CUSTOM_PREFIX).is_some_and(|key| {
        (1..=limits::PROFILE_CUSTOM_KEY_BYTES).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// Whether there is such a field at all.
///
/// # Errors
/// 40009 names the tag.
pub(crate) fn check_known(tag: &str) -> Result<(), CommandError> {
    if standard(tag).is_some() || is_custom(tag) {
        return Ok(());
    }
    Err(Code::PROFILE_UNKNOWN_TAG.with(format!("Tag: no field {}", shown(tag))))
}

/// The value of a field as it is kept.
///
/// # Errors
/// 40009 unknown tag, 40610 wrong type, 40601 too long, 40605 not one of the field's values; each
/// names the tag.
pub(crate) fn check_value(tag: &str, value: &Value) -> Result<TagValue, CommandError> {
    check_known(tag)?;
    match standard(tag).unwrap_or(Kind::Text(limits::PROFILE_VALUE_BYTES)) {
        Kind::Text(most) => {
            let text = text_of(tag, value)?;
            if text.len() > limits::PROFILE_VALUE_BYTES {
                let info = format!("{tag}: longer than {} bytes", limits::PROFILE_VALUE_BYTES);
                return Err(Code::PROFILE_VALUE_TOO_LONG.with(info));
            }
            if text.len() > most {
                return Err(
                    Code::PROFILE_BAD_VALUE.with(format!("{tag}: longer than {most} bytes"))
                );
            }
            Ok(TagValue::Text(text.to_owned()))
        }
        Kind::Word(words) => {
            let text = text_of(tag, value)?;
            if !words.contains(&text) {
                let info = format!("{tag}: must be one of {}", words.join(", "));
                return Err(Code::PROFILE_BAD_VALUE.with(info));
            }
            Ok(TagValue::Text(text.to_owned()))
        }
        Kind::Number => {
            let Value::Number(number) = value else {
                return Err(Code::PROFILE_WRONG_TYPE.with(format!("{tag}: must be a number")));
            };
            let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
            let number = number.ok_or_else(|| {
                Code::PROFILE_BAD_VALUE.with(format!("{tag}: must be a whole number of 32 bits"))
            })?;
            Ok(TagValue::Number(number))
        }
    }
}

fn text_of<'a>(tag: &str, value: &'a Value) -> Result<&'a str, CommandError> {
    value.as_str().ok_or_else(|| Code::PROFILE_WRONG_TYPE.with(format!("{tag}: must be a string")))
}

/// A tag as an error text may repeat it.
fn shown(tag: &str) -> String {
    format!("{:?}", tag.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_the_right_kind_are_kept() {
        for (tag, value) in [
            (NICK, json!("Ann")),
            (NICK, json!("")),
            (IMAGE, json!("x".repeat(500))),
            ("Tag_Profile_IM_Gender", json!("Gender_Type_Female")),
            ("Tag_Profile_IM_AllowType", json!("AllowType_Type_DenyAny")),
            ("Tag_Profile_IM_AdminForbidType", json!("AdminForbid_Type_SendOut")),
            ("Tag_Profile_IM_Location", json!("0123456789abcdef")),
            ("Tag_Profile_IM_BirthDay", json!(20_010_203)),
            (LEVEL, json!(u32::MAX)),
            ("Tag_Profile_Custom_Color", json!("red")),
        ] {
            let kept = check_value(tag, &value).unwrap();
            assert_eq!(serde_json::to_value(kept).unwrap(), value);
        }
    }

    #[test]
    fn wrong_values_get_the_documented_code_and_name_the_tag() {
        let long = "é".repeat(251);
        for (tag, value, code) in [
            ("Tag_Profile_IM_Nickname", json!("x"), 40009),
            ("Tag_Profile_Custom_", json!("x"), 40009),
            ("Tag_Profile_Custom_TooLongKey", json!("x"), 40009),
            ("Tag_Profile_Custom_a_b", json!("x"), 40009),
            ("", json!("x"), 40009),
            (NICK, json!(5), 40610),
            (NICK, json!(null), 40610),
            ("Tag_Profile_Custom_Color", json!(5), 40610),
            ("Tag_Profile_IM_Gender", json!(1), 40610),
            (LEVEL, json!("5"), 40610),
            (NICK, json!(long), 40601),
            ("Tag_Profile_Custom_Color", json!(long), 40601),
            ("Tag_Profile_IM_Location", json!(long), 40601),
            ("Tag_Profile_IM_Location", json!("0123456789abcdefg"), 40605),
            ("Tag_Profile_IM_Gender", json!("male"), 40605),
            ("Tag_Profile_IM_AllowType", json!(""), 40605),
            (LEVEL, json!(-1), 40605),
            (LEVEL, json!(1.5), 40605),
            (LEVEL, json!(4_294_967_296_u64), 40605),
        ] {
            let error = check_value(tag, &value).unwrap_err();
            assert_eq!(error.code.number(), code, "{tag} {value}");
            assert!(error.info.contains(tag), "{}", error.info);
        }
    }
}
