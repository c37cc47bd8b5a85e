//! Replies, and errors that name what is wrong.

use serde_json::{Map, Value};
use wire::{ErrorType, ServerMessage};

/// Why an intent is not carried out. Becomes an `error` message with the intent's id as `ref`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    error_type: ErrorType,
    text: String,
    detail: Map<String, Value>,
}

impl Refusal {
    pub(crate) fn new(error_type: ErrorType, text: impl Into<String>) -> Self {
        Self { error_type, text: text.into(), detail: Map::new() }
    }

    /// A value that names nothing that exists, or nothing that can be used here.
    pub(crate) fn parameter(name: &str, value: impl ToString, text: impl Into<String>) -> Self {
        let mut detail = Map::new();
        detail.insert("parameter".to_owned(), Value::from(name));
        detail.insert("value".to_owned(), Value::from(value.to_string()));
        Self { error_type: ErrorType::InvalidParameter, text: text.into(), detail }
    }

    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(ErrorType::ResourceUnavailable, text)
    }
}

impl From<Refusal> for ServerMessage {
    fn from(refusal: Refusal) -> Self {
        ServerMessage::Error {
            error_type: refusal.error_type,
            error_message: Some(refusal.text),
            detail: refusal.detail,
        }
    }
}

pub(crate) fn success(reason: &str) -> ServerMessage {
    ServerMessage::Success { reason: reason.to_owned() }
}
