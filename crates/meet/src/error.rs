use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use wire::rest::ErrorBody;

/// An error as the platform's REST API writes them, too.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    reason: String,
    description: Option<String>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), description: None }
    }

    pub(crate) fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A failure of ours: the log says what it was.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self { status, reason, description } = self;
        let body = ErrorBody { status: status.as_u16(), reason, description, details: None };
        (status, Json(body)).into_response()
    }
}
