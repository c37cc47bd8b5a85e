//! How a socket ends.

use std::time::Duration;

use bus::Address;
use bus::control::{Deliverable, Delivery};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use wire::server::ChatMessage;
use wire::{Envelope, ServerMessage};

use super::harness::{Client, Heard, connected, serve_deliveries};
use crate::testing::Harness;

#[tokio::test]
async fn a_silent_client_is_asked_for_a_sign_of_life_and_then_given_up() {
    let harness = Harness::new().await;
    let (mut client, mut room, _) = connected(&harness).await;
    tokio::time::pause();
    // It answers pings while it is read: it stays, for much longer than silence is borne.
    let read_for = tokio::time::timeout(Duration::from_secs(300), client.0.next());
    assert!(matches!(read_for.await, Ok(Some(Ok(Message::Ping(_))))));
    for _ in 0..20 {
        assert!(matches!(client.0.next().await, Some(Ok(Message::Ping(_)))));
    }
    // It is not read any more: no answers.
    assert!(!room.disconnected().await);
}

#[tokio::test]
async fn who_does_not_read_is_sent_away_and_may_come_back() {
    let harness = Harness::new().await;
    serve_deliveries(&harness);
    let (mut client, mut room, connect) = connected(&harness).await;
    let message = ChatMessage {
        number: 1,
        from: connect.participant,
        name: None,
        to: None,
        text: "x".repeat(4000),
        at_ms: 0,
    };
    let chat = Deliverable::Message(Box::new(Envelope::new(ServerMessage::ChatMessage { message })));
    let node = Address::Gateway(harness.app.config.node);
    for _ in 0..1100 {
        let delivery = Delivery { connections: vec![connect.connection], what: chat.clone() };
        harness.bus.send(node, delivery).await.unwrap();
    }
    assert!(!room.disconnected().await);
    // What was under way is heard, and then that it is over, or nothing if the close did not get through.
    let end = loop {
        match client.hear().await {
            Heard::Message(_) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Heard::Closed(1013, _) | Heard::Gone), "{end:?}");
}

#[tokio::test]
async fn how_the_client_leaves_is_told_to_the_room() {
    let harness = Harness::new().await;
    let (mut client, mut room, _) = connected(&harness).await;
    client.close(1000).await;
    assert!(room.disconnected().await, "1000: on purpose");
    let (mut client, mut room, _) = connected(&harness).await;
    client.0.close(None).await.unwrap();
    assert!(room.disconnected().await, "without a code: on purpose");
    let (mut client, mut room, _) = connected(&harness).await;
    client.close(1001).await;
    assert!(!room.disconnected().await, "1001: maybe a reload");
    let (client, mut room, _) = connected(&harness).await;
    drop(client);
    assert!(!room.disconnected().await, "the network is gone");
}

#[tokio::test]
async fn a_server_that_stops_tells_everybody_to_come_back() {
    let harness = Harness::new().await;
    let meeting = harness.meeting().await;
    let mut waiting = Client::open(&harness, &meeting).await;
    let (mut client, mut room, _) = connected(&harness).await;
    let app = harness.app.clone();
    let closing = tokio::spawn(async move { app.connections.close_all(Duration::ZERO).await });
    assert!(matches!(client.hear().await, Heard::Closed(1012, _)));
    assert!(matches!(waiting.hear().await, Heard::Closed(1012, _)), "who has not authenticated yet, too");
    assert!(!room.disconnected().await);
    drop((client, waiting));
    assert_eq!(closing.await.unwrap(), 0);
}

#[tokio::test]
async fn a_room_that_is_gone_sends_its_people_back() {
    let harness = Harness::new().await;
    let (mut client, room, _) = connected(&harness).await;
    drop(room);
    client.say(json!({"type": "chat", "text": "hi", "id": "c"})).await;
    let error = client.message().await;
    assert_eq!((&error["error_type"], &error["ref"]), (&json!("server_error"), &json!("c")));
    assert!(matches!(client.hear().await, Heard::Closed(1013, _)));
}
