//! Recorded conversations of the published package, played again.

use bus::control::{Deliverable, RoomCommand};
use serde_json::{Value, json};
use wire::{Envelope, ServerMessage};

use super::harness::{Client, Guest, Heard, Room, deliver, serve_deliveries};
use crate::testing::Harness;

const JOIN_AND_REQUEST: &str = include_str!("../../../transcripts/join-and-request.jsonl");
const PRESENT: &str = include_str!("../../../transcripts/present.jsonl");
const RESTART: &str = include_str!("../../../transcripts/restart.jsonl");
const LEAVE: &str = include_str!("../../../transcripts/leave.jsonl");

/// Everything that the package says reaches the room as it was said, and everything that the room says reaches the
/// package as it was recorded.
#[tokio::test]
async fn recorded_conversations_go_through_unchanged() {
    for transcript in [JOIN_AND_REQUEST, PRESENT, RESTART, LEAVE] {
        let harness = Harness::new().await;
        serve_deliveries(&harness);
        let mut player = Player::new(&harness).await;
        for line in transcript.lines() {
            player.play(serde_json::from_str(line).unwrap()).await;
        }
        assert!(player.messages > 4, "{} messages", player.messages);
    }
}

struct Player<'a> {
    harness: &'a Harness,
    room: Room,
    guest: Guest,
    client: Option<(Client, model::ConnectionId)>,
    messages: u32,
}

impl<'a> Player<'a> {
    async fn new(harness: &'a Harness) -> Self {
        let room = Room::new(harness);
        Self { harness, room, guest: Guest::new(harness).await, client: None, messages: 0 }
    }

    async fn play(&mut self, line: Value) {
        if line.get("opened").is_some() {
            let client = Client::open(self.harness, &self.guest.meeting).await;
            self.client = Some((client, model::ConnectionId(0)));
        } else if line.get("closed").is_some() {
            self.client = None;
        } else if let Some(message) = line.get("client") {
            self.messages += 1;
            self.say(message).await;
        } else {
            self.messages += 1;
            self.hear(&line["server"]).await;
        }
    }

    async fn say(&mut self, message: &Value) {
        let (client, connection) = self.client.as_mut().unwrap();
        let mut message = message.clone();
        if message["type"] == "authenticate" {
            message["token"] = json!(self.guest.token);
            message["participant_id"] = json!(self.guest.id);
            client.say(message).await;
            *connection = self.room.answer(Ok(())).await.connection;
            return;
        }
        client.say(message.clone()).await;
        // The socket of before the restart may still be on its way out.
        let envelope = loop {
            match self.room.commands.next().await.unwrap() {
                RoomCommand::Intent { envelope, .. } => break envelope,
                RoomCommand::Disconnected { .. } => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(serde_json::to_value(&envelope).unwrap(), message);
    }

    async fn hear(&mut self, message: &Value) {
        let (client, connection) = self.client.as_mut().unwrap();
        // The answer to `authenticate` is the gateway's own; everything else is the room's.
        if message["reason"] != "authenticated" {
            let envelope: Envelope<ServerMessage> = serde_json::from_value(message.clone()).unwrap();
            deliver(self.harness, &[*connection], Deliverable::Message(Box::new(envelope)));
        }
        assert_eq!(client.hear().await, Heard::Message(message.clone()));
    }
}
