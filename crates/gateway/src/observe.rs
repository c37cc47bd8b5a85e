//! What happens around every request: an id, a count, a log line, headers, and JSON for every error.

use std::any::Any;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use tokio::time::Instant;
use tower_http::cors::{Any as AnyOrigin, CorsLayer};
use tracing::Instrument;

use crate::api_error::ApiError;
use crate::app::App;
use crate::random;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Characters of a caller's request id that are passed on; longer ones get another.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// How long a browser may remember what a preflight request was told.
const PREFLIGHT_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Pages of any origin may call: the API is for foreign pages, and what authorises a call is a bearer token that the
/// page holds, never a cookie that a browser adds by itself.
pub(crate) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, ACCEPT, TRACEPARENT, TRACESTATE, REQUEST_ID])
        .expose_headers([REQUEST_ID])
        .max_age(PREFLIGHT_MAX_AGE)
}

/// Gives the request an id (the caller's, if it has a usable one), counts and logs its answer.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let span = tracing::debug_span!("request", id = %id.to_str().unwrap_or_default(), %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, "answered"));
    app.metrics.request(method_label(&method), &route, status, started.elapsed());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Methods are anybody's words: those that we do not serve are one label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn request_id(request: &Request) -> HeaderValue {
    let usable = |value: &&HeaderValue| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    let given = request.headers().get(REQUEST_ID).filter(usable).cloned();
    given.unwrap_or_else(|| {
        let random = random::bytes::<16>().unwrap_or_default();
        HeaderValue::from_str(&HEXLOWER.encode(&random)).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// Makes a JSON object of every error that is none yet: those of the router (404, 405) and of its extractors.
pub(crate) async fn json_errors(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(CONTENT_TYPE);
    if !is_error || kind.is_some_and(|kind| kind == "application/json") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let words = axum::body::to_bytes(body, crate::body::BODY_BYTES_MAX).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words).into_owned();
    let mut error = ApiError::new(status, status.canonical_reason().unwrap_or("error").to_lowercase());
    if !words.is_empty() {
        error = error.describe(words);
    }
    // Headers such as `Allow` stay.
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    let (made, body) = error.into_response().into_parts();
    parts.headers.extend(made.headers);
    Response::from_parts(parts, Body::new(body))
}

/// A handler that panicked is a bug of ours and an ordinary 500 for the caller.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked; the message is above");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::testing::{Harness, body_json};

    #[tokio::test]
    async fn every_error_is_a_json_object_that_any_page_may_read() {
        let harness = Harness::new().await;
        for (method, path, status, reason) in [
            ("GET", "/v1/nothing", 404, "not found"),
            ("PUT", "/v1/meetings", 405, "method not allowed"),
            ("GET", "/oauth/token", 405, "method not allowed"),
            ("GET", "/v1/meetings", 401, "missing access token"),
            ("GET", "/v1/meetings/aaaaaaaaaaaaaaaaaaaaaaaaaa/ws", 400, "expected a WebSocket"),
        ] {
            let request = Request::builder().method(method).uri(path).header("origin", "https://app.example");
            let response = harness.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status().as_u16(), status, "{method} {path}");
            assert_eq!(response.headers()["access-control-allow-origin"], "*", "{method} {path}");
            let body = body_json(response).await;
            assert_eq!((&body["status"], &body["reason"]), (&status.into(), &reason.into()), "{path}");
        }
    }

    #[tokio::test]
    async fn a_query_that_cannot_be_read_is_a_json_error() {
        let harness = Harness::new().await;
        let (status, body) = harness.get("/v1/meetings?cursor=a&cursor=b").await;
        assert_eq!((status, &body["status"]), (StatusCode::BAD_REQUEST, &400.into()), "{body}");
    }

    #[tokio::test]
    async fn a_preflight_request_is_told_what_is_allowed() {
        let harness = Harness::new().await;
        let request = Request::options("/v1/meetings")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,traceparent,tracestate");
        let response = harness.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
        for header in ["authorization", "content-type", "accept", "traceparent", "tracestate"] {
            assert!(allowed.contains(header), "{header} in {allowed}");
        }
        assert!(response.headers()["access-control-allow-methods"].to_str().unwrap().contains("DELETE"));
    }

    #[tokio::test]
    async fn a_request_id_comes_back() {
        let harness = Harness::new().await;
        let answered = async |id: &str| {
            let request = Request::get("/healthz").header("x-request-id", id).body(Body::empty()).unwrap();
            harness.send(request).await.headers()["x-request-id"].to_str().unwrap().to_owned()
        };
        assert_eq!(answered("abc-1").await, "abc-1");
        assert_eq!(answered("").await.len(), 32);
        assert_eq!(answered("with space").await.len(), 32);
        assert_eq!(answered(&"x".repeat(200)).await.len(), 32);
    }
}
