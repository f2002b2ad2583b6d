//! The nine kinds of elements, as data: which fields their content has and of what kind.

/// What a field's value has to be. Strings and numbers are told by their first character, so nothing
/// is decoded or copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// A number without a sign, a fraction or an exponent.
    Count,
    /// Any number.
    Number,
    /// A boolean or a number; the clients disagree.
    Flag,
    /// An array of strings.
    TextList,
    /// An array of objects.
    ObjectList,
    /// The array of sizes of an image.
    Images,
}

/// One field of an element's content.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// One kind of element. Fields that are not listed are let through as they are.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
    /// Fields of which exactly one has to be there and not be empty.
    pub(super) one_of: &'static [&'static str],
}

/// A message has at most one of this kind.
pub(super) const CUSTOM: &str = "TIMCustomElem";

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

use Kind::{Count, Flag, Images, Number, ObjectList, Text, TextList};

/// The kinds, from the documents (CN 2720) and from what the web SDK sends.
static SCHEMAS: &[Schema] = &[
    Schema { name: "TIMTextElem", fields: &[must("Text", Text)], one_of: &[] },
    Schema {
        name: CUSTOM,
        fields: &[may("Data", Text), may("Desc", Text), may("Ext", Text), may("Sound", Text)],
        one_of: &[],
    },
    Schema {
        name: "TIMFaceElem",
        fields: &[must("Index", Number), may("Data", Text)],
        one_of: &[],
    },
    Schema {
        name: "TIMLocationElem",
        fields: &[may("Desc", Text), must("Latitude", Number), must("Longitude", Number)],
        one_of: &[],
    },
    Schema {
        name: "TIMImageElem",
        fields: &[must("UUID", Text), may("ImageFormat", Count), must("ImageInfoArray", Images)],
        one_of: &[],
    },
    Schema {
        name: "TIMSoundElem",
        fields: &[
            must("Url", Text),
            must("UUID", Text),
            may("Size", Count),
            may("Second", Number),
            may("Download_Flag", Count),
        ],
        one_of: &[],
    },
    Schema {
        name: "TIMFileElem",
        fields: &[
            must("Url", Text),
            must("UUID", Text),
            // Without these two the web SDK throws and loses the whole frame.
            must("FileName", Text),
            must("FileSize", Count),
            may("Download_Flag", Count),
        ],
        one_of: &[],
    },
    Schema {
        name: "TIMVideoFileElem",
        fields: &[
            must("VideoUrl", Text),
            must("VideoUUID", Text),
            may("VideoSize", Count),
            may("VideoSecond", Number),
            may("VideoFormat", Text),
            may("VideoDownloadFlag", Count),
            must("ThumbUrl", Text),
            must("ThumbUUID", Text),
            may("ThumbSize", Count),
            must("ThumbWidth", Number),
            must("ThumbHeight", Number),
            may("ThumbFormat", Text),
            may("ThumbDownloadFlag", Count),
        ],
        one_of: &[],
    },
    Schema {
        name: "TIMRelayElem",
        fields: &[
            may("Title", Text),
            may("MsgNum", Count),
            may("CompatibleText", Text),
            may("AbstractList", TextList),
            may("Version", Number),
            may("LayersOverLimit", Flag),
            may("JsonMsgKey", Text),
            may("PbMsgKey", Text),
            may("MsgList", ObjectList),
        ],
        one_of: &["MsgList", "JsonMsgKey"],
    },
];

/// The schema of an element's kind.
pub(super) fn of(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().find(|schema| schema.name == name)
}

impl Schema {
    /// The place of a field in `fields`.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl Kind {
    /// What a value of this kind is called in an error's text.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Kind::Text => "must be a string",
            Kind::Count => "must be a whole number, not negative",
            Kind::Number => "must be a number",
            Kind::Flag => "must be a number or a boolean",
            Kind::TextList => "must be an array of strings",
            Kind::ObjectList => "must be an array of objects",
            Kind::Images => "must be an array of 1 to 3 image sizes",
        }
    }
}
