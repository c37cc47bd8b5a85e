//! The envelope around every WebSocket message: `{type, id?, ref?, trace?, …}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::{ClientMessage, ErrorType};

/// A message's own id, or the `ref` that answers it: a text the client chose. The public packages use UUIDs.
pub type MessageId = String;

/// Characters of a message id. Twice a UUID, and some.
const MESSAGE_ID_CHARS_MAX: usize = 100;

/// Trace context of the W3C (`traceparent`, `tracestate`), passed through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct Trace {
    /// `traceparent` header value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub traceparent: Option<String>,
    /// `tracestate` header value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tracestate: Option<String>,
}

/// A message with its envelope. `M` is [`ClientMessage`] or [`crate::ServerMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<M> {
    /// The message's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The id of the message that this one answers.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<MessageId>,
    /// Trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// `type` and the fields of that type.
    #[serde(flatten)]
    pub message: M,
}

impl<M> Envelope<M> {
    /// A message that answers nothing.
    pub fn new(message: M) -> Self {
        Self { id: None, reference: None, trace: None, message }
    }

    /// The answer to the message with this id, if it had one.
    pub fn reply(reference: Option<MessageId>, message: M) -> Self {
        Self { id: None, reference, trace: None, message }
    }
}

/// Why a text from a client is not a message. Carries what an error reply needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ParseError {
    /// What to answer.
    pub error_type: ErrorType,
    /// What is wrong and where.
    pub text: String,
    /// The id of the message, where one could be read: the reply's `ref`.
    pub id: Option<MessageId>,
}

/// Reads a client's message and checks its fields. Unknown fields are ignored, as newer clients may send more.
///
/// # Errors
/// `invalid_json`: no JSON object. `unsupported_message`: a `type` that no version knows. `invalid_message`: fields
/// missing or of the wrong type. `invalid_parameter`: a value out of bounds.
pub fn parse_client_message(text: &str) -> Result<Envelope<ClientMessage>, ParseError> {
    let value: Value = serde_json::from_str(text).map_err(|e| ParseError {
        error_type: ErrorType::InvalidJson,
        text: format!("not JSON: {e}"),
        id: None,
    })?;
    let Value::Object(fields) = &value else {
        return Err(ParseError {
            error_type: ErrorType::InvalidJson,
            text: "a message is a JSON object".to_owned(),
            id: None,
        });
    };
    let id = fields.get("id").and_then(Value::as_str).filter(|id| id.len() <= MESSAGE_ID_CHARS_MAX);
    let id = id.map(str::to_owned);
    let fail = |error_type, text: String| ParseError { error_type, text, id: id.clone() };
    let Some(kind) = fields.get("type").and_then(Value::as_str) else {
        return Err(fail(ErrorType::InvalidMessage, "`type` is missing or no string".to_owned()));
    };
    if !ClientMessage::TYPES.contains(&kind) {
        let kind: String = kind.chars().take(40).collect();
        return Err(fail(ErrorType::UnsupportedMessage, format!("unknown message type {kind:?}")));
    }
    // `id`, `ref` and `trace` are never worth refusing a message for: what is not usable is left out.
    let trace = fields.get("trace").and_then(|t| Trace::deserialize(t).ok());
    let message = ClientMessage::deserialize(&value)
        .map_err(|e| fail(ErrorType::InvalidMessage, format!("{kind}: {e}")))?;
    message.validate().map_err(|text| fail(ErrorType::InvalidParameter, format!("{kind}: {text}")))?;
    Ok(Envelope { id, reference: None, trace, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_public_package_sends_is_read() {
        let text = r#"{"type":"request_stream","producer_id":"gaytemzugu3doobzmfrggzdfmy","stream_id":"gaytemzugu3doobz",
            "rid":null,"receive_mid":null,"trace":{"traceparent":"00-1-2-01"},"id":"8a2d"}"#;
        let envelope = parse_client_message(text).unwrap();
        assert_eq!(envelope.id.as_deref(), Some("8a2d"));
        assert!(matches!(
            envelope.message,
            ClientMessage::RequestStream { rid: None, receive_mid: None, .. }
        ));
    }

    #[test]
    fn errors_name_type_and_message() {
        let error_of = |text: &str| parse_client_message(text).map_err(|e| (e.error_type, e.id)).unwrap_err();
        assert_eq!(error_of("{"), (ErrorType::InvalidJson, None));
        assert_eq!(error_of("[]"), (ErrorType::InvalidJson, None));
        assert_eq!(error_of(r#"{"id":"1"}"#), (ErrorType::InvalidMessage, Some("1".into())));
        assert_eq!(
            error_of(r#"{"type":"dance","id":"2"}"#),
            (ErrorType::UnsupportedMessage, Some("2".into()))
        );
        assert_eq!(
            error_of(r#"{"type":"media_offer","id":"3"}"#),
            (ErrorType::InvalidMessage, Some("3".into()))
        );
        let long = "x".repeat(model::limits::CHAT_CHARS_MAX + 1);
        let chat = format!(r#"{{"type":"chat","text":"{long}","id":"4"}}"#);
        assert_eq!(error_of(&chat), (ErrorType::InvalidParameter, Some("4".into())));
    }
}
