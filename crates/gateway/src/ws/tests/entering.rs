//! Who gets in.

use bus::control::ConnectError;
use futures_util::SinkExt;
use model::ConnectionId;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::harness::{Client, Guest, Heard, Room, deliver, pong, serve_deliveries};
use crate::testing::Harness;

#[tokio::test]
async fn a_participant_says_who_it_is_and_is_let_in() {
    let harness = Harness::new().await;
    serve_deliveries(&harness);
    let mut room = Room::new(&harness);
    let guest = Guest::new(&harness).await;
    let mut client = Client::open(&harness, &guest.meeting).await;
    client.say(guest.authenticate()).await;
    let asked = room.connects.next().await.unwrap();
    let connect = asked.request.clone();
    assert_eq!((connect.meeting.to_string(), connect.participant.to_string()), (guest.meeting, guest.id));
    assert_eq!(connect.gateway, harness.app.config.node);
    // What the room sends before it lets the client in is heard after the answer.
    deliver(&harness, &[connect.connection, ConnectionId(7)], pong());
    asked.reply(Ok(()));
    assert_eq!(client.message().await["ref"], "a1");
    assert_eq!(client.message().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn the_first_message_must_say_who_it_is() {
    let harness = Harness::new().await;
    let meeting = harness.meeting().await;
    for (first, reference) in [
        (Message::text(json!({"type": "ping", "id": "p"}).to_string()), json!("p")),
        (Message::text(json!({"type": "media_offer", "sdp": "v=0", "id": "o"}).to_string()), json!("o")),
        (Message::text(json!({"type": "authenticate", "id": "x"}).to_string()), json!("x")),
        (Message::text("{"), Value::Null),
        (Message::binary(vec![0; 4]), Value::Null),
    ] {
        let mut client = Client::open(&harness, &meeting).await;
        client.0.send(first).await.unwrap();
        let error = client.message().await;
        assert_eq!((&error["error_type"], &error["ref"]), (&json!("authentication_failed"), &reference));
        assert!(matches!(client.hear().await, Heard::Closed(4999, _)));
    }
}

#[tokio::test]
async fn each_wrong_token_has_its_own_words_and_is_final() {
    let harness = Harness::new().await;
    let guest = Guest::new(&harness).await;
    let other = Guest::new(&harness).await;
    let refused = async |meeting: &str, token: &str, id: &str| {
        let mut client = Client::open(&harness, meeting).await;
        client.say(json!({"type": "authenticate", "token": token, "participant_id": id})).await;
        let (error_type, words, code) = client.refusal().await;
        assert_eq!((error_type.as_str(), code), ("authentication_failed", 4999));
        words
    };
    let tampered = format!("{}AAAA", &guest.token[..guest.token.len() - 4]);
    assert_eq!(refused(&guest.meeting, "", &guest.id).await, "invalid token");
    assert_eq!(refused(&guest.meeting, &tampered, &guest.id).await, "invalid token");
    assert_eq!(refused(&guest.meeting, &harness.token(), &guest.id).await, "token is for another purpose");
    assert_eq!(refused(&other.meeting, &guest.token, &guest.id).await, "token is for another meeting");
    assert_eq!(refused(&guest.meeting, &guest.token, &other.id).await, "token is for another participant");

    let participant = format!("/v1/meetings/{}/participants/{}", guest.meeting, guest.id);
    let (_, body) = harness.post(&format!("{participant}/regenerate_secret"), json!({})).await;
    assert_eq!(
        refused(&guest.meeting, &guest.token, &guest.id).await,
        "participant secret was replaced by a newer one"
    );
    let secret = body["participant_secret"].as_str().unwrap();
    let again = Guest::join(&harness, guest.meeting.clone(), guest.id.clone(), secret).await;
    harness.call("DELETE", &participant, None).await;
    assert_eq!(refused(&again.meeting, &again.token, &again.id).await, "participant was removed");
    harness.call("DELETE", &format!("/v1/meetings/{}", other.meeting), None).await;
    assert_eq!(refused(&other.meeting, &other.token, &other.id).await, "meeting has ended");
}

#[tokio::test]
async fn a_token_in_the_header_is_checked_before_the_upgrade() {
    let harness = Harness::new().await;
    let guest = Guest::new(&harness).await;
    let status =
        async |meeting: &str, token: &str| match Client::try_open(&harness, meeting, Some(token)).await {
            Ok(_) => 101,
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other}"),
        };
    let bearer = |token: &str| format!("Bearer {token}");
    let other = harness.meeting().await;
    assert_eq!(status(&guest.meeting, &bearer(&guest.token)).await, 101);
    assert_eq!(status(&guest.meeting, &bearer("nonsense")).await, 401);
    assert_eq!(status(&guest.meeting, "Basic x").await, 401);
    assert_eq!(status(&guest.meeting, &bearer(&harness.token())).await, 401, "made for something else");
    assert_eq!(status(&other, &bearer(&guest.token)).await, 401, "another meeting's");
    assert_eq!(status("nonsense", &bearer(&guest.token)).await, 404);
    harness.call("DELETE", &format!("/v1/meetings/{}", guest.meeting), None).await;
    assert_eq!(status(&guest.meeting, &bearer(&guest.token)).await, 401, "the meeting has ended");
    harness.app.stop();
    assert_eq!(status(&guest.meeting, &bearer(&guest.token)).await, 503);
}

#[tokio::test]
async fn a_room_that_lets_nobody_in_says_why() {
    let harness = Harness::new().await;
    for (answer, expected) in [
        (ConnectError::Full, ("resource_unavailable", "Meeting is full", 4999)),
        (ConnectError::Ended, ("authentication_failed", "the meeting has ended", 4999)),
        (
            ConnectError::Removed,
            ("authentication_failed", "the participant was removed from the meeting", 4999),
        ),
        (ConnectError::Unknown, ("authentication_failed", "no such participant", 4999)),
        (ConnectError::Unavailable, ("resource_unavailable", "the service is not ready", 1013)),
    ] {
        let mut room = Room::new(&harness);
        let guest = Guest::new(&harness).await;
        let mut client = Client::open(&harness, &guest.meeting).await;
        client.say(guest.authenticate()).await;
        room.answer(Err(answer)).await;
        let (error_type, words, code) = client.refusal().await;
        assert_eq!((error_type.as_str(), words.as_str(), code), expected);
    }
    // Nobody serves rooms at all.
    let guest = Guest::new(&harness).await;
    let mut client = Client::open(&harness, &guest.meeting).await;
    client.say(guest.authenticate()).await;
    let (error_type, _, code) = client.refusal().await;
    assert_eq!((error_type.as_str(), code), ("resource_unavailable", 1013));
}

#[tokio::test]
async fn who_says_nothing_is_sent_away_but_may_come_back() {
    let harness = Harness::new().await;
    let meeting = harness.meeting().await;
    let mut client = Client::open(&harness, &meeting).await;
    tokio::time::pause();
    let (error_type, _, code) = client.refusal().await;
    assert_eq!((error_type.as_str(), code), ("authentication_failed", 1013));
}
