//! A client, and a room of a few lines on the bus, with the real router between them over a pipe in memory.

use std::io;

use axum::http::StatusCode;
use axum::serve::Listener;
use bus::control::{Connect, ConnectError, Deliverable, Delivery, RoomCommand};
use bus::{Address, Commands, Requests};
use futures_util::{SinkExt, StreamExt};
use model::ConnectionId;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as Code;
use tokio_tungstenite::tungstenite::{Error, Message};
use wire::{ClientMessage, Envelope, ServerMessage};

use crate::testing::Harness;

/// Bytes that a pipe holds before its writer waits: as a network does that holds little.
const PIPE_BYTES: usize = 16 * 1024;

/// A listener at which one pipe arrives.
struct OnePipe(Option<DuplexStream>);

impl Listener for OnePipe {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.take() {
            Some(pipe) => (pipe, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What a client hears.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Message(Value),
    Closed(u16, String),
    /// The connection is gone without a word.
    Gone,
}

pub(super) struct Client(pub(super) WebSocketStream<DuplexStream>);

impl Client {
    pub(super) async fn open(harness: &Harness, meeting: &str) -> Self {
        Self::try_open(harness, meeting, None).await.unwrap()
    }

    pub(super) async fn try_open(
        harness: &Harness,
        meeting: &str,
        authorization: Option<&str>,
    ) -> Result<Self, Error> {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let router = harness.router.clone();
        tokio::spawn(async move { axum::serve(OnePipe(Some(theirs)), router).await });
        let url = format!("ws://althing.test:8080/v1/meetings/{meeting}/ws");
        let mut request = url.into_client_request()?;
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        tokio_tungstenite::client_async(request, ours).await.map(|(socket, _)| Self(socket))
    }

    pub(super) async fn say(&mut self, message: Value) {
        self.say_text(message.to_string()).await;
    }

    pub(super) async fn say_text(&mut self, text: String) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Heard::Message(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Heard::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Gone,
            }
        }
    }

    pub(super) async fn message(&mut self) -> Value {
        match self.hear().await {
            Heard::Message(message) => message,
            other => panic!("no message but {other:?}"),
        }
    }

    /// The error and the close code with which the socket ends.
    pub(super) async fn refusal(&mut self) -> (String, String, u16) {
        let error = self.message().await;
        assert_eq!(error["type"], "error", "{error}");
        assert_eq!(error["detail"], json!({}));
        let Heard::Closed(code, _) = self.hear().await else { panic!("not closed") };
        let text = |field: &str| error[field].as_str().unwrap().to_owned();
        (text("error_type"), text("error_message"), code)
    }

    pub(super) async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: Code::from(code), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
    }
}

/// The room's end of the bus.
pub(super) struct Room {
    pub(super) connects: Requests<Connect>,
    pub(super) commands: Commands<RoomCommand>,
}

impl Room {
    pub(super) fn new(harness: &Harness) -> Self {
        Self {
            connects: harness.bus.serve(Address::Control),
            commands: harness.bus.consume(Address::Control),
        }
    }

    pub(super) async fn answer(&mut self, answer: Result<(), ConnectError>) -> Connect {
        let asked = self.connects.next().await.unwrap();
        let connect = asked.request.clone();
        asked.reply(answer);
        connect
    }

    pub(super) async fn intent(&mut self) -> Envelope<ClientMessage> {
        match self.commands.next().await {
            Some(RoomCommand::Intent { envelope, .. }) => envelope,
            other => panic!("no intent but {other:?}"),
        }
    }

    pub(super) async fn disconnected(&mut self) -> bool {
        match self.commands.next().await {
            Some(RoomCommand::Disconnected { on_purpose, .. }) => on_purpose,
            other => panic!("not disconnected but {other:?}"),
        }
    }
}

/// A participant that has joined and whose socket is not open yet.
pub(super) struct Guest {
    pub(super) meeting: String,
    pub(super) id: String,
    pub(super) token: String,
}

impl Guest {
    pub(super) async fn new(harness: &Harness) -> Self {
        let meeting = harness.meeting().await;
        let (id, secret) = harness.participant(&meeting).await;
        Self::join(harness, meeting, id, &secret).await
    }

    pub(super) async fn join(harness: &Harness, meeting: String, id: String, secret: &str) -> Self {
        let (status, body) = harness.join(&meeting, &id, secret).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        Self { meeting, id, token: body["token"].as_str().unwrap().to_owned() }
    }

    pub(super) fn authenticate(&self) -> Value {
        json!({"type": "authenticate", "token": self.token, "participant_id": self.id, "id": "a1"})
    }
}

/// A client in a room.
pub(super) async fn connected(harness: &Harness) -> (Client, Room, Connect) {
    let mut room = Room::new(harness);
    let guest = Guest::new(harness).await;
    let mut client = Client::open(harness, &guest.meeting).await;
    client.say(guest.authenticate()).await;
    let connect = room.answer(Ok(())).await;
    assert_eq!(client.message().await, json!({"type": "success", "ref": "a1", "reason": "authenticated"}));
    (client, room, connect)
}

pub(super) fn deliver(harness: &Harness, to: &[ConnectionId], what: Deliverable) {
    let delivery = Delivery { connections: to.to_vec(), what };
    harness.bus.try_send(Address::Gateway(harness.app.config.node), delivery).unwrap();
}

pub(super) fn pong() -> Deliverable {
    Deliverable::Message(Box::new(Envelope::new(ServerMessage::Pong {})))
}

pub(super) fn serve_deliveries(harness: &Harness) {
    tokio::spawn(crate::ws::deliver(harness.app.clone()));
}
