//! How participation ends.

use room::{JoinError, RoomFact};
use wire::server::GoodbyeReason;
use wire::{CloseCode, ServerMessage};

use crate::common::{Lines, World, person};

fn goodbyes(world: &World, n: u8) -> Vec<GoodbyeReason> {
    let messages = world.got(person(n)).iter().map(|e| &e.message);
    messages
        .filter_map(|m| match m {
            ServerMessage::Goodbye { reason } => Some(*reason),
            _ => None,
        })
        .collect()
}

#[test]
fn when_the_meeting_ends_everybody_goes_for_good() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join(2));
    world.negotiate(ada, &Lines::usual());
    world.end();
    assert_eq!(goodbyes(&world, 1), [GoodbyeReason::Ended]);
    assert!(goodbyes(&world, 2).is_empty());
    for who in [ada, bob] {
        assert_eq!(world.closed[&world.socket[&who]], CloseCode::Final);
    }
    assert_eq!(world.connect(person(3)), Err(JoinError::Ended));
    assert!(world.room.is_over(world.now().at));
    assert!(world.persisted.last().unwrap().is_empty());
}

#[test]
fn a_removed_participant_does_not_come_back() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.join(2);
    world.remove(ada);
    world.pass_ms(100);
    assert_eq!(goodbyes(&world, 1), [GoodbyeReason::Removed]);
    assert_eq!(world.closed[&world.socket[&ada]], CloseCode::Final);
    assert_eq!(world.connect(ada), Err(JoinError::Removed));
    assert!(!world.roster(person(2)).contains_key(&ada));
}

#[test]
fn when_the_program_stops_everybody_is_told_to_come_back() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join(2));
    world.negotiate(ada, &Lines::usual());
    world.take_commands();
    world.stop();
    assert_eq!(goodbyes(&world, 1), [GoodbyeReason::Restart]);
    for who in [ada, bob] {
        assert_eq!(world.closed[&world.socket[&who]], CloseCode::Restart);
    }
    assert!(world.take_commands().is_empty(), "media goes on");
    assert_eq!(world.persisted.last().unwrap().participants.len(), 2);
    assert!(!world.facts.contains(&RoomFact::Left(ada)));
    assert_eq!(world.connect(person(3)), Err(JoinError::Stopping));
}

#[test]
fn comings_and_goings_are_facts() {
    let mut world = World::new();
    let ada = world.join(1);
    let bob = world.join(2);
    world.lose_socket(ada);
    world.join(1);
    world.close_on_purpose(bob);
    assert_eq!(
        world.facts,
        [RoomFact::Started, RoomFact::Joined(ada), RoomFact::Joined(bob), RoomFact::Left(bob)]
    );
}

#[test]
fn an_empty_room_is_kept_for_a_while() {
    let mut world = World::new();
    let ada = world.join(1);
    world.close_on_purpose(ada);
    world.pass_ms(59_000);
    assert!(!world.room.is_over(world.now().at));
    world.join(1);
    world.pass_ms(120_000);
    assert!(!world.room.is_over(world.now().at));
    world.close_on_purpose(ada);
    world.pass_ms(60_000);
    assert!(world.room.is_over(world.now().at));
    assert!(world.persisted.last().unwrap().is_empty());
}
