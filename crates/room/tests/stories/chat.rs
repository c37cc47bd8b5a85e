//! Chat and profiles.

use serde_json::json;
use wire::server::ChatMessage;
use wire::{ClientMessage, ErrorType, ServerMessage};

use crate::common::{World, person};

fn chat(text: &str) -> ClientMessage {
    ClientMessage::Chat { text: text.to_owned(), to: None }
}

fn heard(world: &World, n: u8) -> Vec<&ChatMessage> {
    let message =
        |e: &'_ wire::Envelope<ServerMessage>| matches!(e.message, ServerMessage::ChatMessage { .. });
    let found = world.got(person(n)).iter().filter(|e| message(e)).map(|e| &e.message);
    found
        .filter_map(|m| match m {
            ServerMessage::ChatMessage { message } => Some(message),
            _ => None,
        })
        .collect()
}

fn history(world: &mut World, n: u8) -> Vec<ChatMessage> {
    let who = world.join(n);
    let hello = world.hello(who, json!(null));
    match world.reply(who, &hello) {
        ServerMessage::Welcome { chat, .. } => chat.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_reaches_everybody_and_its_author_with_the_ref() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.join_hello(2);
    world.join(3);
    let id = world.say(ada, chat("hi"));
    assert!(matches!(world.reply(ada, &id), ServerMessage::ChatMessage { .. }));
    let message = heard(&world, 2)[0];
    assert_eq!((message.number, message.from, message.text.as_str()), (1, ada, "hi"));
    assert_eq!(message.name.as_deref(), Some("name 1"));
    assert_eq!(message.at_ms, world.now().unix_ms);
    assert!(heard(&world, 3).is_empty(), "a client without hello does not know chat");
}

#[test]
fn a_message_to_one_stays_between_the_two() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    world.join_hello(3);
    world.say(ada, ClientMessage::Chat { text: "psst".to_owned(), to: Some(bob) });
    world.say(ada, chat("all"));
    assert_eq!([1, 2, 3].map(|n| heard(&world, n).len()), [2, 2, 1]);
    assert_eq!([1, 2, 3, 4].map(|n| history(&mut world, n).len()), [2, 2, 1, 1]);
}

#[test]
fn a_message_to_nobody_is_refused() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    let id = world.say(ada, ClientMessage::Chat { text: "psst".to_owned(), to: Some(person(9)) });
    assert_eq!(world.error(ada, &id).0, ErrorType::InvalidParameter);
}

#[test]
fn the_history_is_bounded_and_the_oldest_goes_first() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    for n in 0..model::limits::CHAT_HISTORY_MAX + 5 {
        world.say(ada, chat(&n.to_string()));
        world.pass_ms(1000);
    }
    let history = history(&mut world, 2);
    assert_eq!(history.len(), model::limits::CHAT_HISTORY_MAX);
    assert_eq!((history[0].text.as_str(), history[0].number), ("5", 6));
}

#[test]
fn who_writes_too_fast_is_slowed_down() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    for _ in 0..10 {
        world.say(ada, chat("x"));
    }
    let refused = world.say(ada, chat("x"));
    assert_eq!(world.error(ada, &refused).0, ErrorType::ResourceUnavailable);
    world.pass_ms(1000);
    let accepted = world.say(ada, chat("x"));
    assert!(matches!(world.reply(ada, &accepted), ServerMessage::ChatMessage { .. }));
}

#[test]
fn chat_needs_hello() {
    let mut world = World::new();
    let ada = world.join(1);
    let id = world.say(ada, chat("hi"));
    assert_eq!(world.error(ada, &id).0, ErrorType::UnsupportedMessage);
}

#[test]
fn a_new_profile_is_told_to_the_others() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    world.say(bob, ClientMessage::SetProfile { profile: json!({ "name": "Bob" }) });
    world.pass_ms(100);
    assert_eq!(world.members(ada)[&bob].profile, json!({ "name": "Bob" }));
}

#[test]
fn what_people_write_is_in_no_snapshot_and_no_debug_output() {
    let mut world = World::new();
    let ada = world.join(1);
    world.hello(ada, json!({ "name": "Grace Secret" }));
    world.say(ada, chat("very secret"));
    world.pass_ms(5000);
    let snapshot = serde_json::to_string(world.persisted.last().unwrap()).unwrap();
    for text in [snapshot, format!("{:?}", world.room)] {
        assert!(!text.to_lowercase().contains("secret"), "{text}");
    }
}
