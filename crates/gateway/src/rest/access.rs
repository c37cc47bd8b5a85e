//! Who may call, and for what.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use model::ProjectId;
use store::Timestamp;

use crate::api_error::ApiError;
use crate::app::App;
use crate::tokens::{AccessToken, Scope, TokenError};

/// A request with a good access token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access(AccessToken);

/// Why a request may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("missing access token")]
    Missing,
    #[error("invalid access token")]
    Invalid,
    #[error("access token has expired")]
    Expired,
    #[error("access token is for another purpose")]
    WrongPurpose,
    #[error("access token lacks a scope")]
    Scope(Scope),
}

impl From<TokenError> for Denied {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Denied::Invalid,
            TokenError::WrongPurpose => Denied::WrongPurpose,
            TokenError::Expired => Denied::Expired,
        }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let reason = denied.to_string();
        match denied {
            Denied::Missing => ApiError::new(StatusCode::UNAUTHORIZED, reason)
                .describe("send the header `Authorization: Bearer …` with a token from POST /oauth/token"),
            Denied::Invalid | Denied::Expired | Denied::WrongPurpose => {
                ApiError::new(StatusCode::UNAUTHORIZED, reason)
                    .describe("get a new token from POST /oauth/token")
            }
            Denied::Scope(scope) => ApiError::new(StatusCode::FORBIDDEN, reason)
                .describe(format!("ask for the scope {} in the client assertion", scope.as_str())),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = ApiError::from(self).into_response();
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl FromRequestParts<App> for Access {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Denied> {
        let token = bearer(&parts.headers).ok_or(Denied::Missing)?;
        Ok(Self(app.tokens.read_access(token, Timestamp::now())?))
    }
}

impl Access {
    /// The caller's project, if the token is good for this.
    pub(crate) fn allows(self, scope: Scope) -> Result<ProjectId, Denied> {
        if self.0.scopes.has(scope) { Ok(self.0.project) } else { Err(Denied::Scope(scope)) }
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
