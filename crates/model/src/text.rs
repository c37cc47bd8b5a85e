//! Short texts that name parts of a session description, held inline so that the packet path copies and compares
//! them without an allocation.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;

/// Why a text is not a MID or RID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Empty, or longer than the one-byte form of a header extension can carry (RFC 8285 §4.2).
    #[error("must have 1 to 16 characters")]
    Length,
    /// Holds a character that the grammar has not.
    #[error("holds a character that is not allowed")]
    Character,
}

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
        #[ts(as = "String")]
        pub struct $name(ArrayString<16>);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > 16 {
                    return Err(TextError::Length);
                }
                if !text.chars().all(allowed) {
                    return Err(TextError::Character);
                }
                ArrayString::from(text).map(Self).map_err(|_| TextError::Length)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|e| de::Error::custom(format_args!("{}: {e}", stringify!($name))))
            }
        }
    };
}

short_text!(
    /// The identification tag of an m-line (`a=mid`, RFC 5888 §4; a token).
    Mid, |c| c.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]".contains(c)
);
short_text!(
    /// The restriction identifier of a simulcast encoding (`a=rid`, RFC 8851 §10: letters, digits, `-` and `_`).
    Rid, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar_is_enforced() {
        assert_eq!("0".parse::<Mid>().map(|m| m.to_string()), Ok("0".to_owned()));
        assert_eq!("{a-b}".parse::<Mid>().map(|m| m.to_string()), Ok("{a-b}".to_owned()));
        assert_eq!("".parse::<Mid>(), Err(TextError::Length));
        assert_eq!("12345678901234567".parse::<Mid>(), Err(TextError::Length));
        assert_eq!("a b".parse::<Mid>(), Err(TextError::Character));
        assert_eq!("a;b".parse::<Rid>(), Err(TextError::Character));
    }
}
