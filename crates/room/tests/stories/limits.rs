//! Bounds and floods.

use room::JoinError;
use serde_json::json;
use wire::{ClientMessage, CloseCode, ErrorType, ServerMessage};

use crate::common::{Lines, UNIT, World, person};

#[test]
fn a_full_unit_takes_nobody_new_but_everybody_back() {
    let mut world = World::new();
    let ada = world.join(1);
    world.units.insert(UNIT, 1);
    assert_eq!(world.connect(person(2)), Err(JoinError::Full));
    assert!(world.connect(ada).is_ok());
}

#[test]
fn a_full_meeting_takes_nobody_new() {
    let mut world = World::new();
    let id = |n: usize| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        model::ParticipantId::from_bytes(bytes)
    };
    for n in 0..model::limits::PARTICIPANTS_MAX {
        assert!(world.connect(id(n)).is_ok());
    }
    assert_eq!(world.connect(id(5000)), Err(JoinError::Full));
    assert!(world.connect(id(5)).is_ok());
}

#[test]
fn a_client_that_floods_is_told_and_then_closed() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    let mut refused = 0;
    for _ in 0..2000 {
        if world.closed.contains_key(&world.socket[&ada]) {
            break;
        }
        let id = world.say(ada, ClientMessage::Ping {});
        if let [ServerMessage::Error { error_type, .. }] = world.replies(ada, &id)[..] {
            assert_eq!(*error_type, ErrorType::ResourceUnavailable);
            refused += 1;
        }
    }
    assert_eq!(refused, 200);
    assert_eq!(world.closed[&world.socket[&ada]], CloseCode::Final);
    let id = world.say(bob, ClientMessage::Ping {});
    assert_eq!(*world.reply(bob, &id), ServerMessage::Pong {});
}

#[test]
fn a_client_at_the_allowed_rate_is_never_refused() {
    let mut world = World::new();
    let ada = world.join(1);
    for _ in 0..2000 {
        let id = world.say(ada, ClientMessage::Ping {});
        assert_eq!(*world.reply(ada, &id), ServerMessage::Pong {});
        world.pass_ms(10);
    }
}

#[test]
fn a_second_authenticate_is_an_error() {
    let mut world = World::new();
    let ada = world.join(1);
    let again = ClientMessage::Authenticate { token: String::new(), participant_id: String::new() };
    let id = world.say(ada, again);
    assert_eq!(world.error(ada, &id).0, ErrorType::InvalidMessage);
}

#[test]
fn a_client_can_say_hello_again() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.negotiate(ada, &Lines::usual());
    let id = world.hello(ada, json!(null));
    assert!(matches!(world.reply(ada, &id), ServerMessage::Welcome { .. }));
}
