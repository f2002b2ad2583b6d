//! The values of a key's columns, partition or clustering, as callers write and read them.

use bytes::Bytes;

use crate::ColumnType;

/// The value of one key column. Values of one type are ordered as the store orders them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// A [`ColumnType::Text`] value.
    Text(String),
    /// A [`ColumnType::U32`] value.
    U32(u32),
    /// A [`ColumnType::U64`] value.
    U64(u64),
    /// A [`ColumnType::I64`] value.
    I64(i64),
    /// A [`ColumnType::Bytes`] value.
    Bytes(Bytes),
}

impl Component {
    /// The type of the column it fits.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Self::Text(_) => ColumnType::Text,
            Self::U32(_) => ColumnType::U32,
            Self::U64(_) => ColumnType::U64,
            Self::I64(_) => ColumnType::I64,
            Self::Bytes(_) => ColumnType::Bytes,
        }
    }
}

macro_rules! component_from {
    ($($from:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$from> for Component {
            fn from($value: $from) -> Self {
                $make
            }
        })*
    };
}

component_from! {
    &str => |value| Self::Text(value.to_owned());
    &String => |value| Self::Text(value.clone());
    String => |value| Self::Text(value);
    std::borrow::Cow<'_, str> => |value| Self::Text(value.into_owned());
    u32 => |value| Self::U32(value);
    u64 => |value| Self::U64(value);
    i64 => |value| Self::I64(value);
    Bytes => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(Bytes::copy_from_slice(value));
    Vec<u8> => |value| Self::Bytes(value.into());
}

/// A key: the values of the partition columns or of the clustering columns, in the table's order.
///
/// Made by [`key!`](crate::key!) (`key![app, group_id]`) or by the builder
/// (`Key::new().u32(app).text(group_id)`). A bound of a page may leave out trailing columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Key(Vec<Component>);

/// A [`Key`] of the given values. Number literals need their type: `key![7u32, "a"]`.
#[macro_export]
macro_rules! key {
    ($($value:expr),* $(,)?) => {
        $crate::Key::from(vec![$($crate::Component::from($value)),*])
    };
}

impl From<Vec<Component>> for Key {
    fn from(components: Vec<Component>) -> Self {
        Self(components)
    }
}

impl Key {
    /// The key without columns: the clustering key of a table that has none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text column.
    #[must_use]
    pub fn text(self, value: impl Into<String>) -> Self {
        self.with(Component::Text(value.into()))
    }

    /// Adds an unsigned 32-bit column.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        self.with(Component::U32(value))
    }

    /// Adds an unsigned 64-bit column.
    #[must_use]
    pub fn u64(self, value: u64) -> Self {
        self.with(Component::U64(value))
    }

    /// Adds a signed 64-bit column.
    #[must_use]
    pub fn i64(self, value: i64) -> Self {
        self.with(Component::I64(value))
    }

    /// Adds a column of bytes.
    #[must_use]
    pub fn bytes(self, value: impl Into<Bytes>) -> Self {
        self.with(Component::Bytes(value.into()))
    }

    fn with(mut self, component: Component) -> Self {
        self.0.push(component);
        self
    }

    /// The values, in order.
    pub fn components(&self) -> &[Component] {
        &self.0
    }

    /// The text in column `index`; None if there is no such column or it holds something else.
    pub fn get_text(&self, index: usize) -> Option<&str> {
        match self.0.get(index)? {
            Component::Text(value) => Some(value),
            Component::U32(_) | Component::U64(_) | Component::I64(_) | Component::Bytes(_) => None,
        }
    }

    /// The number in column `index`, likewise.
    pub fn get_u32(&self, index: usize) -> Option<u32> {
        match self.0.get(index)? {
            Component::U32(value) => Some(*value),
            Component::Text(_) | Component::U64(_) | Component::I64(_) | Component::Bytes(_) => {
                None
            }
        }
    }

    /// The number in column `index`, likewise.
    pub fn get_u64(&self, index: usize) -> Option<u64> {
        match self.0.get(index)? {
            Component::U64(value) => Some(*value),
            Component::Text(_) | Component::U32(_) | Component::I64(_) | Component::Bytes(_) => {
                None
            }
        }
    }

    /// The number in column `index`, likewise.
    pub fn get_i64(&self, index: usize) -> Option<i64> {
        match self.0.get(index)? {
            Component::I64(value) => Some(*value),
            Component::Text(_) | Component::U32(_) | Component::U64(_) | Component::Bytes(_) => {
                None
            }
        }
    }

    /// The bytes in column `index`, likewise.
    pub fn get_bytes(&self, index: usize) -> Option<&Bytes> {
        match self.0.get(index)? {
            Component::Bytes(value) => Some(value),
            Component::Text(_) | Component::U32(_) | Component::U64(_) | Component::I64(_) => None,
        }
    }
}
