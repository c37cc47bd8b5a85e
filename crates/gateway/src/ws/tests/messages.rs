//! What is said in both directions, and what is not listened to.

use bus::control::{Deliverable, RoomCommand};
use futures_util::{SinkExt, StreamExt};
use model::limits;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use wire::{ClientMessage, CloseCode, Envelope, ServerMessage};

use super::harness::{Client, Guest, Heard, connected, deliver, pong, serve_deliveries};
use crate::testing::Harness;

#[tokio::test]
async fn messages_go_to_the_room_in_order_with_their_ids() {
    let harness = Harness::new().await;
    let (mut client, mut room, connect) = connected(&harness).await;
    client.say(json!({"type": "hello", "client": "test 1", "profile": null, "id": "h"})).await;
    client.say(json!({"type": "chat", "text": "hi", "id": "c", "trace": {"traceparent": "00-1-2-01"}})).await;
    client.say(json!({"type": "disconnect_stream", "receive_mid": "3"})).await;
    match room.commands.next().await {
        Some(RoomCommand::Intent { meeting, participant, connection, envelope }) => {
            let expected = (connect.meeting, connect.participant, connect.connection);
            assert_eq!((meeting, participant, connection), expected);
            assert_eq!(envelope.id.as_deref(), Some("h"));
        }
        other => panic!("{other:?}"),
    }
    let chat = room.intent().await;
    assert_eq!(chat.id.as_deref(), Some("c"));
    assert_eq!(chat.trace.unwrap().traceparent.as_deref(), Some("00-1-2-01"));
    assert!(matches!(room.intent().await.message, ClientMessage::DisconnectStream { .. }));
}

#[tokio::test]
async fn a_message_that_cannot_be_used_is_answered_and_the_socket_stays() {
    let harness = Harness::new().await;
    let (mut client, _room, _) = connected(&harness).await;
    for (text, error_type, reference) in [
        ("{", "invalid_json", Value::Null),
        ("[]", "invalid_json", Value::Null),
        (r#"{"id":"1"}"#, "invalid_message", json!("1")),
        (r#"{"type":"dance","id":"2"}"#, "unsupported_message", json!("2")),
        (r#"{"type":"media_offer","id":"3"}"#, "invalid_message", json!("3")),
        (r#"{"type":"disconnect_stream","receive_mid":"a b","id":"4"}"#, "invalid_message", json!("4")),
        (r#"{"type":"chat","text":" ","id":"5"}"#, "invalid_parameter", json!("5")),
        (
            r#"{"type":"authenticate","token":"x","participant_id":"y","id":"6"}"#,
            "invalid_message",
            json!("6"),
        ),
    ] {
        client.say_text(text.to_owned()).await;
        let error = client.message().await;
        assert_eq!((&error["type"], &error["error_type"]), (&json!("error"), &json!(error_type)), "{text}");
        assert_eq!(error["ref"], reference, "{text}");
        assert!(error["error_message"].is_string() && error["detail"] == json!({}), "{text}");
    }
    client.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.message().await["error_type"], "invalid_json");
    client.say(json!({"type": "ping", "id": "7"})).await;
    assert_eq!(client.message().await, json!({"type": "pong", "ref": "7"}));
    client.say(json!({"type": "pong"})).await;
}

#[tokio::test]
async fn who_floods_with_garbage_is_sent_away_for_good() {
    let harness = Harness::new().await;
    let (client, mut room, _) = connected(&harness).await;
    let (mut sending, mut receiving) = client.0.split();
    let flood = tokio::spawn(async move { while sending.send(Message::text("{")).await.is_ok() {} });
    let mut errors = 0;
    let code = loop {
        match receiving.next().await {
            Some(Ok(Message::Text(text))) => {
                assert!(text.contains("invalid_json"));
                errors += 1;
            }
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 4999);
    assert!((50..60).contains(&errors), "{errors} answers before the end");
    assert!(!room.disconnected().await);
    drop(receiving);
    flood.await.unwrap();
}

#[tokio::test]
async fn who_floods_with_messages_is_told_and_then_sent_away() {
    let harness = Harness::new().await;
    let (client, mut room, _) = connected(&harness).await;
    // A room that takes everything, so that it is the gateway that says stop.
    let taken = tokio::spawn(async move {
        let mut intents = 0;
        while let Some(RoomCommand::Intent { .. }) = room.commands.next().await {
            intents += 1;
        }
        intents
    });
    let (mut sending, mut receiving) = client.0.split();
    let message = json!({"type": "chat", "text": "spam", "id": "s"}).to_string();
    let flood =
        tokio::spawn(async move { while sending.send(Message::text(message.clone())).await.is_ok() {} });
    let error: Value = match receiving.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!((&error["error_type"], &error["ref"]), (&json!("resource_unavailable"), &json!("s")));
    let code = loop {
        match receiving.next().await {
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 4999);
    drop(receiving);
    flood.await.unwrap();
    assert!(taken.await.unwrap() >= 600);
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_socket_for_good() {
    let harness = Harness::new().await;
    for bytes in [limits::CLIENT_MESSAGE_BYTES_MAX + 1, 2 * limits::CLIENT_MESSAGE_BYTES_MAX] {
        let (mut client, mut room, _) = connected(&harness).await;
        let (mut sending, mut receiving) = (&mut client.0).split();
        let large = Message::text("x".repeat(bytes));
        let send = async {
            // The server may close while the message is still being written.
            let _ = sending.send(large).await;
        };
        let hear = async {
            let mut heard = Vec::new();
            while let Some(Ok(message)) = receiving.next().await {
                heard.push(message);
            }
            heard
        };
        let ((), heard) = tokio::join!(send, hear);
        let [Message::Text(error), Message::Close(Some(frame)), ..] = heard.as_slice() else {
            panic!("{bytes}: {heard:?}")
        };
        assert!(error.contains("invalid_message") && error.contains("at most"), "{error}");
        assert_eq!(u16::from(frame.code), 4999);
        assert!(!room.disconnected().await);
    }
}

#[tokio::test]
async fn what_the_room_delivers_arrives_in_order_and_its_close_is_last() {
    let harness = Harness::new().await;
    serve_deliveries(&harness);
    let (mut client, mut room, connect) = connected(&harness).await;
    let to = [connect.connection];
    deliver(&harness, &to, pong());
    let success = ServerMessage::Success { reason: "done".to_owned() };
    deliver(&harness, &to, Deliverable::Message(Box::new(Envelope::reply(Some("x".to_owned()), success))));
    deliver(&harness, &to, Deliverable::Close(CloseCode::Final, "removed by an administrator".to_owned()));
    deliver(&harness, &to, pong());
    assert_eq!(client.message().await, json!({"type": "pong"}));
    assert_eq!(client.message().await, json!({"type": "success", "reason": "done", "ref": "x"}));
    assert_eq!(client.hear().await, Heard::Closed(4999, "removed by an administrator".to_owned()));
    assert_eq!(client.hear().await, Heard::Gone);
    // The room knows: it is told of nothing, not even of what another socket does later.
    let guest = Guest::new(&harness).await;
    let mut next = Client::open(&harness, &guest.meeting).await;
    next.say(guest.authenticate()).await;
    let connect = room.answer(Ok(())).await;
    next.message().await;
    next.close(1000).await;
    match room.commands.next().await {
        Some(RoomCommand::Disconnected { connection, .. }) => assert_eq!(connection, connect.connection),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_reason_is_cut_and_not_lost() {
    let harness = Harness::new().await;
    serve_deliveries(&harness);
    let (mut client, _room, connect) = connected(&harness).await;
    let close = Deliverable::Close(CloseCode::Final, "ä".repeat(200));
    deliver(&harness, &[connect.connection], close);
    assert_eq!(client.hear().await, Heard::Closed(4999, "ä".repeat(61)));
}

#[tokio::test]
async fn frames_that_are_none_end_only_their_own_socket() {
    let harness = Harness::new().await;
    let (mut well, mut room, _) = connected(&harness).await;
    let guest = Guest::new(&harness).await;
    let mut broken = Client::open(&harness, &guest.meeting).await;
    broken.say(guest.authenticate()).await;
    room.answer(Ok(())).await;
    broken.message().await;
    // A client must mask its frames (RFC 6455 §5.1); a server's socket over the same pipe does not.
    let pipe = broken.0.into_inner();
    let mut unmasked = WebSocketStream::from_raw_socket(pipe, Role::Server, None).await;
    unmasked.send(Message::text("{}")).await.unwrap();
    assert!(!room.disconnected().await);
    well.say(json!({"type": "ping"})).await;
    assert_eq!(well.message().await, json!({"type": "pong"}));
}
