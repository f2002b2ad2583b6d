//! What is kept of a message's body: what it is made of and how long it is, never what it says.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Element;

/// Elements of one message that are looked at.
const MOST_ELEMENTS: usize = 64;
const TEXT: &str = "TIMTextElem";
const KINDS: [&str; 9] = [
    TEXT,
    "TIMCustomElem",
    "TIMFaceElem",
    "TIMFileElem",
    "TIMImageElem",
    "TIMLocationElem",
    "TIMRelayElem",
    "TIMSoundElem",
    "TIMVideoFileElem",
];
const PRIORITIES: [&str; 4] = ["High", "Normal", "Low", "Lowest"];

/// The shape of a `send_group_msg` body. All texts in it are ours, none is the client's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// `Random`, by which a repeated message is known.
    pub random: u64,
    /// One of the four, if it named one.
    pub priority: Option<&'static str>,
    /// Its elements.
    pub elements: Vec<Element>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    #[serde(default)]
    random: u64,
    #[serde(default, borrow)]
    msg_priority: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    msg_body: Vec<RawElement<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawElement<'a> {
    #[serde(default, borrow)]
    msg_type: Cow<'a, str>,
    #[serde(default, borrow)]
    msg_content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

impl Shape {
    /// Of a body's JSON text; of one that is no message, an empty shape.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body<'_>>(body) else {
            return Self::default();
        };
        let named = body.msg_priority.unwrap_or_default();
        Self {
            random: body.random,
            priority: PRIORITIES.into_iter().find(|known| *known == named),
            elements: body.msg_body.iter().take(MOST_ELEMENTS).map(element).collect(),
        }
    }
}

fn element(raw: &RawElement<'_>) -> Element {
    let kind = KINDS.into_iter().find(|known| *known == raw.msg_type).unwrap_or("other");
    let content = raw.msg_content.map_or("", RawValue::get);
    let text = (kind == TEXT).then(|| serde_json::from_str::<Text<'_>>(content).ok()).flatten();
    let bytes = text.map_or(content.len(), |text| text.text.len());
    Element { kind: kind.into(), bytes: u32::try_from(bytes).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_and_lengths() {
        let body = json!({
            "From_Account": "ann", "GroupId": "room", "Random": 17, "MsgPriority": "High",
            "MsgBody": [
                {"MsgType": "TIMTextElem", "MsgContent": {"Text": "gr\u{fc}n \"7\""}},
                {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "abc"}},
                {"MsgType": "my secret", "MsgContent": {}},
            ],
        });
        let shape = Shape::of(body.to_string().as_bytes());
        assert_eq!((shape.random, shape.priority), (17, Some("High")));
        let found: Vec<_> = shape.elements.iter().map(|it| (&*it.kind, it.bytes)).collect();
        assert_eq!(found, [("TIMTextElem", 9), ("TIMCustomElem", 14), ("other", 2)]);
        assert_eq!(Shape::of(b"nonsense"), Shape::default());
        assert_eq!(Shape::of(br#"{"MsgPriority":"hush"}"#).priority, None);
    }

    proptest! {
        /// Letters that no name of the format has.
        #[test]
        fn nothing_of_a_body_is_kept(
            text in "[\u{4e00}-\u{4fff}]{1,60}", kind in "[\u{4e00}-\u{4fff}]{1,9}",
            priority in "[\u{4e00}-\u{4fff}]{1,9}", random: u32,
        ) {
            let body = json!({
                "From_Account": text, "GroupId": text, "Random": random, "MsgPriority": priority,
                "CloudCustomData": text, "MsgBody": [
                    {"MsgType": "TIMTextElem", "MsgContent": {"Text": text}},
                    {"MsgType": kind, "MsgContent": {"Data": text, "Desc": text, (text.clone()): 1}},
                ],
            });
            let shape = Shape::of(body.to_string().as_bytes());
            prop_assert_eq!(shape.elements[0].bytes as usize, text.len());
            let written = serde_json::to_string(&shape.elements).unwrap();
            prop_assert!(written.is_ascii(), "{}", written);
            prop_assert_eq!(shape.priority, None);
        }
    }
}
