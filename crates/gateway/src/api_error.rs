//! The body of every error answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use wire::rest::ErrorBody;

/// An error as the REST API answers it: `{status, reason, description?, details?}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    reason: Cow<'static, str>,
    description: Option<String>,
    details: BTreeMap<String, Vec<String>>,
}

impl ApiError {
    /// An error with a short and stable reason.
    pub fn new(status: StatusCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status, reason: reason.into(), description: None, details: BTreeMap::new() }
    }

    /// Says more: where, and what to do.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Names a problem of a field.
    #[must_use]
    pub fn detail(mut self, field: &str, problem: impl Into<String>) -> Self {
        self.details.entry(field.to_owned()).or_default().push(problem.into());
        self
    }

    /// The same under another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A failure of ours. The log says what it was, the client only that it was.
    pub fn internal(error: &dyn Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            status: self.status.as_u16(),
            reason: self.reason.into_owned(),
            description: self.description,
            details: Some(self.details).filter(|d| !d.is_empty()),
        };
        (self.status, Json(body)).into_response()
    }
}
