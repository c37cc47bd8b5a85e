//! Identifiers. Public ones are 128 random bits written as 26 lower-case base-32 characters; internal ones are
//! counters. Randomness is always handed in: `from_bytes` takes what the caller drew.

use std::fmt;
use std::str::FromStr;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;

/// RFC 4648 base 32 in lower case without padding: 16 bytes become 26 characters.
fn base32() -> &'static Encoding {
    use std::sync::OnceLock;
    static ENCODING: OnceLock<Encoding> = OnceLock::new();
    ENCODING.get_or_init(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
        spec.encoding().expect("a constant, valid specification")
    })
}

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is {expected} characters of a-z and 2-7")]
pub struct ParseIdError {
    /// How many characters this kind of id has.
    pub expected: usize,
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $chars:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
        #[ts(as = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// How many characters the text form has.
            pub const CHARS: usize = $chars;

            /// The id made of these bytes, which the caller drew from a cryptographic source.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The bytes behind the text form.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0u8; $chars];
                base32().encode_mut(&self.0, &mut text);
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                const ERROR: ParseIdError = ParseIdError { expected: $chars };
                if text.len() != $chars {
                    return Err(ERROR);
                }
                let mut bytes = [0u8; $bytes];
                base32().decode_mut(text.as_bytes(), &mut bytes).map_err(|_| ERROR)?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

random_id!(
    /// A project of an organisation: what keys, meetings and limits belong to.
    ProjectId, 16, 26
);
random_id!(
    /// A public key registered for a project.
    KeyId, 16, 26
);
random_id!(
    /// A meeting of the platform.
    MeetingId, 16, 26
);
random_id!(
    /// A participant, made for one meeting and linked to nothing else.
    ParticipantId, 16, 26
);
random_id!(
    /// A stream that a participant publishes; unique in its meeting, free of `-`, the same across reconnections.
    StreamId, 10, 16
);

macro_rules! counter_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

counter_id!(
    /// One WebSocket of one participant, counted by the gateway that holds it.
    ConnectionId, "c"
);
counter_id!(
    /// One participant's place on a unit. A room makes a new one for each time a participant comes, or moves to
    /// another unit.
    PeerId, "p"
);
counter_id!(
    /// A running program of a deployment.
    NodeId, "n"
);

counter_id!(
    /// A forwarding unit: one thread of one node.
    UnitId, "u"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_26_lower_case_characters_and_come_back() {
        let id = MeetingId::from_bytes(*b"0123456789abcdef");
        let text = id.to_string();
        assert_eq!(text, "gaytemzugu3doobzmfrggzdfmy");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(serde_json_like(&text), id);
    }

    fn serde_json_like(text: &str) -> MeetingId {
        use serde::de::IntoDeserializer;
        let deserializer: de::value::StrDeserializer<'_, de::value::Error> = text.into_deserializer();
        MeetingId::deserialize(deserializer).unwrap()
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["", "gaytemzugu3doobzmfrggzdfm", "GAYTEMZUGU3DOOBZMFRGGZDFMY", "1aytemzugu3doobzmfrggzdfmy"]
        {
            assert_eq!(text.parse::<MeetingId>(), Err(ParseIdError { expected: 26 }), "{text}");
        }
    }
}
