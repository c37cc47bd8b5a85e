//! A socket whose participant is known and in the room.

use std::pin::pin;
use std::time::Duration;

use axum::extract::ws::Message;
use bus::Address;
use bus::control::RoomCommand;
use bytes::Bytes;
use model::{ConnectionId, MeetingId, ParticipantId, limits};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use wire::{ClientMessage, CloseCode, Envelope, ErrorType, MessageId, ServerMessage, parse_client_message};

use super::budget::Budget;
use super::outbox::{Outbox, Outgoing};
use super::socket::{Entry, Gone, Line, Received, Refusal};
use crate::metrics::Closed;

/// How often the client is asked for a sign of life. Proxies drop what is silent for a minute.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long nothing at all may come from the client: two pings and their answers may be lost.
const SILENT_MAX: Duration = Duration::from_secs(30);

/// Messages at once, and per second in the long run. A client that enters a large room asks for some hundred streams
/// at once; after that a person clicks, and tiles move.
const MESSAGES_BURST: u32 = 600;
const MESSAGES_PER_SECOND: u32 = 100;

/// Messages that cannot be used, likewise, before the socket is ended. A newer client may send a few types that we do
/// not know; nobody sends these by the hundred but to harm.
const ERRORS_BURST: u32 = 50;
const ERRORS_PER_SECOND: u32 = 1;

const _: () = assert!(PING_INTERVAL.as_secs() * 3 <= SILENT_MAX.as_secs());

/// A socket whose participant is known and in the room.
#[derive(Debug)]
pub(crate) struct Session {
    line: Line,
    meeting: MeetingId,
    participant: ParticipantId,
    connection: ConnectionId,
    outbox: Outbox,
    heard_at: Instant,
    messages: Budget,
    errors: Budget,
}

/// Why a session is over.
enum End {
    /// The client closed it, with this intent.
    Client { on_purpose: bool },
    /// The client cannot be reached.
    Gone(Closed),
    /// We end it, with words.
    Refuse(Refusal),
    /// The client does not read.
    Slow,
    /// The room ends it.
    Room(CloseCode, String),
    /// The program stops.
    Restart,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        End::Gone(Closed::slow)
    }
}

impl Session {
    pub(crate) fn new(line: Line, meeting: MeetingId, entry: Entry) -> Self {
        let now = Instant::now();
        Self {
            line,
            meeting,
            participant: entry.participant,
            connection: entry.connection,
            outbox: entry.outbox,
            heard_at: now,
            messages: Budget::new(MESSAGES_BURST, MESSAGES_PER_SECOND, now),
            errors: Budget::new(ERRORS_BURST, ERRORS_PER_SECOND, now),
        }
    }

    /// Answers `authenticate`, before anything that the room has sent already.
    pub(crate) async fn welcome(mut self, reference: Option<MessageId>) -> Result<Self, Closed> {
        tracing::info!(meeting = %self.meeting, participant = %self.participant, "participant connected");
        let reason = "authenticated".to_owned();
        match self.line.reply(reference, ServerMessage::Success { reason }).await {
            Ok(()) => Ok(self),
            Err(Gone) => Err(self.finish(End::Gone(Closed::lost)).await),
        }
    }

    /// Carries messages both ways until the socket ends.
    pub(crate) async fn run(mut self) -> Closed {
        let end = match self.carry().await {
            Ok(end) | Err(end) => end,
        };
        self.finish(end).await
    }

    async fn carry(&mut self) -> Result<End, End> {
        let mut closing = pin!(self.line.app().connections.closing());
        let overflow = self.outbox.overflow();
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = self.line.receive() => self.handle(received).await?,
                outgoing = self.outbox.next() => match outgoing {
                    Some(Outgoing::Message(text)) => {
                        let sending = self.line.send(Message::Text(text));
                        tokio::select! {
                            sent = sending => sent?,
                            () = overflow.notified() => return Ok(End::Slow),
                        }
                    }
                    Some(Outgoing::Close(code, reason)) => return Ok(End::Room(code, reason)),
                    None => return Ok(End::Slow),
                },
                () = overflow.notified() => return Ok(End::Slow),
                _ = pings.tick() => {
                    if self.heard_at.elapsed() >= SILENT_MAX {
                        return Ok(End::Gone(Closed::silent));
                    }
                    self.line.send(Message::Ping(Bytes::new())).await?;
                }
                () = &mut closing => return Ok(End::Restart),
            }
        }
    }

    async fn handle(&mut self, received: Received) -> Result<(), End> {
        self.heard_at = Instant::now();
        match received {
            Received::Text(text) => {
                self.handle_text(&text).await?;
                // A room that was slow to take the message has held us up: that was not the client's silence.
                self.heard_at = Instant::now();
                Ok(())
            }
            Received::Binary => {
                self.fail(None, ErrorType::InvalidJson, "a message is text, not binary").await
            }
            Received::Life => Ok(()),
            Received::Closed(code) => Err(End::Client { on_purpose: is_on_purpose(code) }),
            Received::Broken => Err(End::Gone(Closed::lost)),
            Received::TooLarge => Err(too_large()),
        }
    }

    async fn handle_text(&mut self, text: &str) -> Result<(), End> {
        if text.len() > limits::CLIENT_MESSAGE_BYTES_MAX {
            return Err(too_large());
        }
        let envelope = match parse_client_message(text) {
            Ok(envelope) => envelope,
            Err(error) => return self.fail(error.id, error.error_type, &error.text).await,
        };
        if !self.messages.take(Instant::now()) {
            let words = "too many messages; this one was dropped";
            return self.fail(envelope.id, ErrorType::ResourceUnavailable, words).await;
        }
        match envelope.message {
            ClientMessage::Ping {} => Ok(self.line.reply(envelope.id, ServerMessage::Pong {}).await?),
            ClientMessage::Pong {} => Ok(()),
            ClientMessage::Authenticate { .. } => {
                self.fail(envelope.id, ErrorType::InvalidMessage, "this socket is authenticated").await
            }
            _ => self.forward(envelope).await,
        }
    }

    async fn forward(&mut self, envelope: Envelope<ClientMessage>) -> Result<(), End> {
        let id = envelope.id.clone();
        let intent = RoomCommand::Intent {
            meeting: self.meeting,
            participant: self.participant,
            connection: self.connection,
            envelope,
        };
        if self.line.app().bus.send(Address::Control, intent).await.is_err() {
            self.line.reply_error(id, ErrorType::ServerError, "the service is not ready").await?;
            return Err(End::Room(CloseCode::TryAgainLater, "the service is not ready".to_owned()));
        }
        Ok(())
    }

    /// Answers a message that cannot be used; too many of them end the socket.
    async fn fail(
        &mut self,
        reference: Option<MessageId>,
        error_type: ErrorType,
        words: &str,
    ) -> Result<(), End> {
        if self.errors.take(Instant::now()) {
            return Ok(self.line.reply_error(reference, error_type, words).await?);
        }
        let words = format!("too many messages that cannot be used; the last: {words}");
        Err(End::Refuse(Refusal::abusive(reference, error_type, &words)))
    }

    /// Ends the socket and tells the room, unless it was the room's wish.
    async fn finish(&mut self, end: End) -> Closed {
        let app = self.line.app().clone();
        app.connections.remove(self.connection);
        let on_purpose = matches!(end, End::Client { on_purpose: true });
        // First the room, which need not wait for a client that may be slow to close.
        if !matches!(end, End::Room(..)) {
            let (meeting, participant, connection) = (self.meeting, self.participant, self.connection);
            let gone = RoomCommand::Disconnected { meeting, participant, connection, on_purpose };
            // Nobody there to be told: the room is gone, too.
            let _ = app.bus.send(Address::Control, gone).await;
        }
        let closed = match end {
            End::Client { on_purpose: true } => Closed::left,
            End::Client { on_purpose: false } => Closed::lost,
            End::Gone(closed) => closed,
            End::Refuse(refusal) => self.line.refuse(refusal).await,
            End::Slow => {
                self.line.close(CloseCode::TryAgainLater, "messages are not read fast enough").await;
                Closed::slow
            }
            End::Room(code, reason) => {
                self.line.close(code, &reason).await;
                if code == CloseCode::Restart { Closed::restart } else { Closed::ended }
            }
            End::Restart => self.line.restart().await,
        };
        let (meeting, participant) = (self.meeting, self.participant);
        tracing::info!(%meeting, %participant, ?closed, "participant disconnected");
        closed
    }
}

/// Final: with any code that the public package takes for temporary it would come back and send the same again.
fn too_large() -> End {
    let words = format!("a message has at most {} bytes", limits::CLIENT_MESSAGE_BYTES_MAX);
    End::Refuse(Refusal::abusive(None, ErrorType::InvalidMessage, &words))
}

/// 1000, and a close without a code (RFC 6455 §7.1.5: 1005), are what an application's `close()` sends: the person
/// leaves. 1001 is what a browser sends when the page goes away: mostly a reload, whose next socket is here in a second;
/// without the grace time the others would see that person leave and come. Our own client says `leave` when a tab is
/// closed, so only foreign clients are shown as reconnecting for the length of the grace time.
fn is_on_purpose(code: Option<u16>) -> bool {
    matches!(code, None | Some(1000 | 1005))
}
