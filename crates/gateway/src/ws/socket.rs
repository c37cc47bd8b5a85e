//! One socket, from the first message to the last.

use std::error::Error;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bus::control::{Connect, ConnectError};
use bus::{Address, BusError};
use model::{MeetingId, ParticipantId};
use serde_json::Map;
use tokio::time::{Instant, timeout};
use wire::{ClientMessage, CloseCode, Envelope, ErrorType, MessageId, ServerMessage, parse_client_message};

use super::admission::Refused;
use super::connections::Place;
use super::session::Session;
use crate::app::App;
use crate::metrics::Closed;

/// How long a client may take to say who it is.
const AUTHENTICATE_WITHIN: Duration = Duration::from_secs(10);

/// How long one message may take to leave. Slower, and the client does not read.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How long we wait for the client's half of the closing handshake. Without waiting, a close that crosses a message
/// of the client would be lost with it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of a close frame's reason (RFC 6455 §5.5: 125 with the code).
const CLOSE_REASON_BYTES_MAX: usize = 123;

/// The client cannot be reached any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A socket that we talk through, whoever is at the other end.
#[derive(Debug)]
pub(crate) struct Line {
    app: App,
    socket: WebSocket,
}

/// Serves a socket until it ends.
pub(crate) async fn serve(app: App, socket: WebSocket, meeting: MeetingId, mut place: Place) {
    let opened_at = Instant::now();
    let line = Line { app: app.clone(), socket };
    let closed = match authenticate(line, meeting).await {
        Ok(session) => {
            place.unauthenticated = None;
            session.run().await
        }
        Err(closed) => closed,
    };
    app.metrics.closed(closed, opened_at.elapsed());
    tracing::debug!(%meeting, ?closed, "socket closed");
}

/// Reads the first message and proves with it who this is.
async fn authenticate(mut line: Line, meeting: MeetingId) -> Result<Session, Closed> {
    let closing = line.app.connections.closing();
    let first = tokio::select! {
        first = timeout(AUTHENTICATE_WITHIN, line.first_message()) => first,
        () = closing => return Err(line.restart().await),
    };
    let (reference, token, participant) = match first {
        Ok(Ok(Some(first))) => first,
        Ok(Ok(None)) => return Err(Closed::lost),
        Ok(Err(refusal)) => return Err(line.refuse(refusal).await),
        // Not final: a phone that slept meanwhile comes back.
        Err(_) => {
            let refusal = Refusal::failed(None, "no `authenticate` came in time");
            return Err(line.refuse(Refusal { code: CloseCode::TryAgainLater, ..refusal }).await);
        }
    };
    match enter(&line.app, meeting, &token, &participant).await {
        Ok(entry) => {
            let session = Session::new(line, meeting, entry);
            session.welcome(reference).await
        }
        Err(error) => Err(line.refuse(Refusal::from_error(reference, &error)).await),
    }
}

/// A participant that the room let in.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) participant: ParticipantId,
    pub(crate) connection: model::ConnectionId,
    pub(crate) outbox: super::outbox::Outbox,
}

/// Why a participant is not let in.
#[derive(Debug, thiserror::Error)]
enum EnterError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Room(#[from] ConnectError),
    #[error("the service is not ready")]
    Bus(#[from] BusError),
}

async fn enter(app: &App, meeting: MeetingId, token: &str, participant: &str) -> Result<Entry, EnterError> {
    let token = app.admit_socket(meeting, token).await?;
    if participant != token.participant.to_string() {
        return Err(Refused::OtherParticipant.into());
    }
    // Known before the room hears of it, so that nothing it sends at once is lost.
    let (connection, outbox) = app.connections.add();
    let participant = token.participant;
    let gateway = app.config.node;
    let connect = Connect { meeting, participant, connection, gateway };
    let answer = app.bus.request(Address::Control, connect).await;
    let answer = answer.map_err(EnterError::from).and_then(|answer| answer.map_err(EnterError::from));
    if let Err(error) = answer {
        app.connections.remove(connection);
        return Err(error);
    }
    Ok(Entry { participant, connection, outbox })
}

/// An error that ends the socket.
#[derive(Debug)]
pub(crate) struct Refusal {
    reference: Option<MessageId>,
    error_type: ErrorType,
    text: String,
    code: CloseCode,
    closed: Closed,
}

impl Refusal {
    fn failed(reference: Option<MessageId>, text: impl Into<String>) -> Self {
        Self {
            reference,
            error_type: ErrorType::AuthenticationFailed,
            text: text.into(),
            code: CloseCode::Final,
            closed: Closed::unauthenticated,
        }
    }

    fn from_error(reference: Option<MessageId>, error: &EnterError) -> Self {
        let failed = Self::failed(reference, error.to_string());
        let unavailable = ErrorType::ResourceUnavailable;
        let (error_type, code, closed) = match error {
            EnterError::Refused(Refused::Store(source)) => {
                tracing::error!(error = %source, "a token cannot be checked");
                (ErrorType::ServerError, CloseCode::TryAgainLater, Closed::refused)
            }
            EnterError::Room(ConnectError::Full) => (unavailable, CloseCode::Final, Closed::refused),
            EnterError::Room(ConnectError::Unavailable) | EnterError::Bus(_) => {
                (unavailable, CloseCode::TryAgainLater, Closed::refused)
            }
            EnterError::Refused(_) | EnterError::Room(_) => return failed,
        };
        Self { error_type, code, closed, ..failed }
    }

    /// The client sends what cannot be used, and too much of it.
    pub(crate) fn abusive(reference: Option<MessageId>, error_type: ErrorType, text: &str) -> Self {
        let code = CloseCode::Final;
        Self { reference, error_type, text: text.to_owned(), code, closed: Closed::abusive }
    }
}

/// What a frame from the client comes to.
#[derive(Debug)]
pub(crate) enum Received {
    /// A message.
    Text(Utf8Bytes),
    /// A sign of life.
    Life,
    /// Something that is no message of this protocol.
    Binary,
    /// The client closed the socket with this code, if any.
    Closed(Option<u16>),
    /// A message is larger than is read at all.
    TooLarge,
    /// The connection broke, or what came is no WebSocket frame.
    Broken,
}

impl Line {
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The next frame. Cancel safe.
    pub(crate) async fn receive(&mut self) -> Received {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                self.app.metrics.messages_in.inc();
                Received::Text(text)
            }
            Some(Ok(Message::Binary(_))) => Received::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Life,
            Some(Ok(Message::Close(frame))) => Received::Closed(frame.map(|f| f.code)),
            Some(Err(error)) if is_too_large(&error) => Received::TooLarge,
            Some(Err(_)) | None => Received::Broken,
        }
    }

    /// Who the first message says this is: its id, token and participant. `None`: the client went away.
    async fn first_message(&mut self) -> Result<Option<(Option<MessageId>, String, String)>, Refusal> {
        loop {
            match self.receive().await {
                Received::Text(text) => return first(&text).map(Some),
                Received::Binary => return Err(Refusal::failed(None, "the first message is not text")),
                Received::TooLarge => return Err(Refusal::failed(None, "the first message is too large")),
                Received::Life => {}
                Received::Closed(_) | Received::Broken => return Ok(None),
            }
        }
    }

    /// Sends a message and waits until it is on its way.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Gone> {
        self.app.metrics.messages_out.inc();
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Answers a message.
    pub(crate) async fn reply(
        &mut self,
        reference: Option<MessageId>,
        message: ServerMessage,
    ) -> Result<(), Gone> {
        let envelope = Envelope::reply(reference, message);
        let text = serde_json::to_string(&envelope).map_err(|_| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    /// Answers a message with an error.
    pub(crate) async fn reply_error(
        &mut self,
        reference: Option<MessageId>,
        error_type: ErrorType,
        text: impl Into<String>,
    ) -> Result<(), Gone> {
        self.app.metrics.bad_messages.inc();
        let detail = Map::new();
        self.reply(reference, ServerMessage::Error { error_type, error_message: Some(text.into()), detail })
            .await
    }

    /// Says why, and ends the socket.
    pub(crate) async fn refuse(&mut self, refusal: Refusal) -> Closed {
        let Refusal { reference, error_type, text, code, closed } = refusal;
        if self.reply_error(reference, error_type, text.clone()).await.is_ok() {
            self.close(code, &text).await;
        }
        closed
    }

    /// Ends the socket because the program stops: the client comes back.
    pub(crate) async fn restart(&mut self) -> Closed {
        self.close(CloseCode::Restart, "the server is restarting").await;
        Closed::restart
    }

    /// Ends the socket and waits, for a moment, until the client has heard it.
    pub(crate) async fn close(&mut self, code: CloseCode, reason: &str) {
        let end = reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX);
        let reason = reason.get(..end).unwrap_or_default().into();
        let frame = CloseFrame { code: code.code(), reason };
        let _ = timeout(CLOSE_TIMEOUT, async {
            self.socket.send(Message::Close(Some(frame))).await?;
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<_, axum::Error>(())
        })
        .await;
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<tungstenite::Error>());
    matches!(source, Some(tungstenite::Error::Capacity(_)))
}

/// Reads the first message.
fn first(text: &str) -> Result<(Option<MessageId>, String, String), Refusal> {
    match parse_client_message(text) {
        Ok(Envelope { id, message: ClientMessage::Authenticate { token, participant_id }, .. }) => {
            Ok((id, token, participant_id))
        }
        Ok(Envelope { id, .. }) => Err(Refusal::failed(id, "the first message must be `authenticate`")),
        Err(error) => Err(Refusal::failed(
            error.id,
            format!("the first message must be `authenticate`: {}", error.text),
        )),
    }
}
