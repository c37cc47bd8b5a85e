//! The web client's files, embedded, with the headers that keep them safe and quick.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the build of the web client made. A development build reads the folder whenever a file is asked for.
#[derive(RustEmbed)]
#[folder = "../../web/apps/meet/dist/"]
struct Files;

/// Vite puts files there whose names hold a hash of what is in them.
const HASHED: &str = "assets/";

/// Only our own files run and are shown; sockets may go anywhere because the platform may be at another address. A
/// page's inline styles are allowed for the sake of `style` attributes that libraries write; scripts are not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self'; media-src 'self' blob:; connect-src 'self' http: https: ws: wss:; \
    worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), \
    autoplay=(self), screen-wake-lock=(self), speaker-selection=(self), picture-in-picture=(self), \
    clipboard-write=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()";

/// Serves a file, or the page of the application for its own addresses.
pub(crate) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let path = request.uri().path();
        // Nothing is here, whatever the method; only what could be a file has a method that is wrong.
        return match find(path) {
            Some(_) => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    match find(request.uri().path()) {
        Some((name, file)) => answer(&name, file, request.headers()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn find(path: &str) -> Option<(String, EmbeddedFile)> {
    let name = match path {
        "/" => "index.html",
        // A meeting's link: the application reads the name of the room from the address.
        path if path.starts_with("/m/") => "index.html",
        path => path.strip_prefix('/')?,
    };
    Files::get(name).map(|file| (name.to_owned(), file))
}

fn answer(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    // Weak, because compression on the way changes the bytes.
    let tag = format!("W/\"{}\"", HEXLOWER.encode(&file.metadata.sha256_hash()));
    let known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = if known.is_some_and(|known| known.split(',').any(|t| t.trim() == tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_str(file.metadata.mimetype());
        let mut response = Response::new(Body::from(file.data.into_owned()));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream")));
        response
    };
    let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Headers of every answer: what a browser may do with it.
pub(crate) async fn security_headers(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        // A meeting's link is its key: it is told to nobody.
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // What the API says is for this caller at this moment.
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::testing::Harness;

    #[tokio::test]
    async fn the_application_is_served_at_its_addresses() {
        let harness = Harness::new().await;
        for path in ["/", "/m/abcd-efgh-jkmn", "/index.html"] {
            let response = harness.send(Request::get(path).body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self'"));
            assert!(response.headers()["permissions-policy"].to_str().unwrap().contains("camera=(self)"));
            let tag = response.headers()[ETAG].clone();
            let again = Request::get(path).header(IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
            assert_eq!(harness.send(again).await.status(), StatusCode::NOT_MODIFIED);
        }
    }

    #[tokio::test]
    async fn a_page_comes_compressed_to_whoever_can_read_that() {
        let harness = Harness::new().await;
        let request = Request::get("/").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
        assert_eq!(harness.send(request).await.headers()["content-encoding"], "gzip");
    }

    #[tokio::test]
    async fn nothing_outside_the_folder_is_served() {
        let harness = Harness::new().await;
        for path in
            ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "//etc/passwd", "/x.js", "/m"]
        {
            let response = harness.send(Request::get(path).body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let response = harness.send(Request::post("/").body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
