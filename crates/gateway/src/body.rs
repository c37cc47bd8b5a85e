//! Bodies of requests: bounded in size and time, JSON objects, fields checked by name.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde_json::{Map, Value};

use crate::api_error::ApiError;

/// Bytes of a body. The largest one that we know, an assertion with much in it, has a few KiB.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to come. Slower than a few KiB in this time is no network but somebody who holds sockets.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a body is not what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("body too large")]
    TooLarge,
    #[error("body incomplete")]
    Incomplete,
    #[error("unsupported content type")]
    ContentType { expected: &'static str },
    #[error("body is not JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("body is not a JSON object")]
    NotAnObject,
    #[error("body is not a form")]
    NotAForm,
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let reason = error.to_string();
        match error {
            BodyError::TooLarge => ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
                .describe(format!("at most {BODY_BYTES_MAX} bytes are read")),
            BodyError::ContentType { expected } => {
                ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason).describe(format!("send {expected}"))
            }
            BodyError::NotJson(error) => {
                ApiError::new(StatusCode::BAD_REQUEST, reason).describe(error.to_string())
            }
            BodyError::Incomplete | BodyError::NotAnObject | BodyError::NotAForm => {
                ApiError::new(StatusCode::BAD_REQUEST, reason)
            }
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        ApiError::from(self).into_response()
    }
}

/// A body that is a JSON object; an empty body is an empty object.
#[derive(Debug, Default)]
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = BodyError;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body).await?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        if !has_type(&parts.headers, "application/json") {
            return Err(BodyError::ContentType { expected: "application/json" });
        }
        match serde_json::from_slice(&bytes)? {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(BodyError::NotAnObject),
        }
    }
}

impl JsonObject {
    /// A field that must be there and be a string.
    pub(crate) fn string(&self, field: &'static str) -> Result<&str, FieldError> {
        self.optional_string(field)?.ok_or(FieldError::Missing(field))
    }

    /// A field that may be there and be a string.
    pub(crate) fn optional_string(&self, field: &'static str) -> Result<Option<&str>, FieldError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FieldError::NotAString(field)),
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid body")]
pub(crate) enum FieldError {
    Missing(&'static str),
    NotAString(&'static str),
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        let (field, problem) = match error {
            FieldError::Missing(field) => (field, "is missing"),
            FieldError::NotAString(field) => (field, "must be a string"),
        };
        ApiError::new(StatusCode::BAD_REQUEST, error.to_string()).detail(field, problem)
    }
}

/// The fields of a form (`application/x-www-form-urlencoded`).
#[derive(Debug)]
pub(crate) struct Form(pub(crate) HashMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = BodyError;

    async fn from_request(request: Request, state: &S) -> Result<Self, BodyError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body).await?;
        let expected = "application/x-www-form-urlencoded";
        if !has_type(&parts.headers, expected) {
            return Err(BodyError::ContentType { expected });
        }
        let whole = Request::from_parts(parts, Body::from(bytes));
        let fields = axum::Form::from_request(whole, state).await.map_err(|_| BodyError::NotAForm)?;
        Ok(Self(fields.0))
    }
}

async fn read(body: Body) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(BodyError::TooLarge),
        Ok(Err(_)) | Err(_) => Err(BodyError::Incomplete),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    error.source().is_some_and(|source| source.is::<LengthLimitError>())
}

fn has_type(headers: &HeaderMap, expected: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}
