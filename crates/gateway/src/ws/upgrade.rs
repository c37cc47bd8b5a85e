//! `GET /v1/meetings/{meeting}/ws`: opens the socket. Browsers cannot send headers here, so the first message carries
//! the token; a client that can may send it as `Authorization: Bearer …` too, and is refused before the upgrade (401)
//! when it is worth nothing.

use axum::extract::rejection::PathRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{MeetingId, limits};

use super::admission::Refused;
use super::socket;
use crate::api_error::ApiError;
use crate::app::App;
use crate::rest::bearer;

/// What each socket keeps for reading. Most messages are smaller; offers grow it for a moment. The library's own size,
/// 128 KiB, would be most of what a participant costs.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Bytes of a message that are read at all. A message above its bound but below this is answered with words; a larger
/// one ends the socket while it comes in.
const READ_BYTES_MAX: usize = limits::CLIENT_MESSAGE_BYTES_MAX + 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("meeting not found")]
    NoMeeting,
    #[error("expected a WebSocket")]
    NoWebSocket(#[from] WebSocketUpgradeRejection),
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("server is stopping")]
    Stopping,
    #[error("too many sockets")]
    Full,
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        let of = |status| ApiError::new(status, reason.clone());
        match error {
            Error::NoMeeting => of(StatusCode::NOT_FOUND),
            Error::NoWebSocket(why) => of(why.status()).describe(why.body_text()),
            Error::Refused(Refused::Store(source)) => ApiError::internal(&source),
            Error::Refused(_) => of(StatusCode::UNAUTHORIZED),
            Error::Stopping | Error::Full => {
                of(StatusCode::SERVICE_UNAVAILABLE).describe("try again in a moment")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        ApiError::from(self).into_response()
    }
}

pub(crate) async fn handle(
    State(app): State<App>,
    meeting: Result<Path<MeetingId>, PathRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Error> {
    let Path(meeting) = meeting.map_err(|_| Error::NoMeeting)?;
    let upgrade = upgrade?;
    if app.is_stopping() {
        return Err(Error::Stopping);
    }
    if headers.contains_key(header::AUTHORIZATION) {
        app.admit_socket(meeting, bearer(&headers).unwrap_or_default()).await?;
    }
    let place = app.connections.place().ok_or(Error::Full)?;
    let upgrade = upgrade
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| socket::serve(app, socket, meeting, place)))
}
