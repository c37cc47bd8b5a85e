//! The program is started again, with what was written down.

use serde_json::json;
use wire::ClientMessage;
use wire::server::MemberConnection;

use crate::common::{Lines, World, mid};

/// Ada shows Bob's camera on `5`; Bob has muted his microphone. Then the program stops.
fn before() -> (World, model::ParticipantId, model::ParticipantId, model::StreamId) {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let video = world.video(ada, bob);
    world.request_with(ada, bob, video, Some("m"), Some("5"));
    world.say(bob, ClientMessage::MuteStream { mid: mid("0"), muted: true });
    world.stop();
    (world, ada, bob, video)
}

#[test]
fn clients_get_back_what_they_had_without_asking() {
    for bob_first in [false, true] {
        let (world, ada, bob, video) = before();
        let mut world = world.restarted();
        world.join(1);
        world.join(2);
        let order = if bob_first { [bob, ada] } else { [ada, bob] };
        for who in order {
            assert!(world.take_binds().is_empty(), "bound only when both ends are there");
            world.negotiate(who, &Lines::usual());
        }
        let binds = world.take_binds();
        let [(_, slot, Some(source), with)] = binds[..] else { panic!("{binds:?}") };
        assert_eq!((slot, source.mid, with.unwrap().as_str()), (mid("5"), mid("1"), "m"));
        assert_eq!(world.video(ada, bob), video, "stream ids stay");
    }
}

#[test]
fn everybody_is_awaited_for_the_grace_time() {
    let (world, ada, bob, _) = before();
    let mut world = world.restarted();
    world.join(1);
    world.hello(ada, json!(null));
    assert_eq!(world.members(ada)[&bob].connection, MemberConnection::Reconnecting);
    assert!(world.roster(ada)[&bob].streams.is_empty(), "its streams are not there yet");
    world.pass_ms(30_100);
    assert!(!world.roster(ada).contains_key(&bob));
    assert!(world.room.holds(ada));
}

#[test]
fn mutes_and_order_survive() {
    let (world, ada, bob, _) = before();
    let mut world = world.restarted();
    world.join_hello(3);
    world.join_hello(2);
    world.negotiate(bob, &Lines::usual());
    let audio = world.audio(model::ParticipantId::from_bytes([3; 16]), bob);
    let members = world.members(bob);
    assert_eq!([1, 2, 3].map(|n| members[&crate::common::person(n)].order), [1, 2, 3]);
    assert_eq!(members[&bob].muted, [audio]);
    let commands = world.take_commands();
    assert!(
        commands.iter().any(|c| matches!(c, model::unit::UnitCommand::Mute { muted: true, .. })),
        "{commands:?}"
    );
    assert!(world.room.holds(ada));
}

#[test]
fn a_client_that_kept_its_peer_connection_is_told_to_make_a_new_one() {
    let (world, ada, ..) = before();
    let mut world = world.restarted();
    world.join_hello(1);
    world.pass_ms(1000);
    assert!(world.types(ada).contains(&"reoffer".to_owned()));
}

#[test]
fn a_removed_participant_stays_removed() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.remove(bob);
    world.pass_ms(2000);
    assert!(world.room.holds(ada));
    world = world.restarted();
    assert_eq!(world.connect(bob), Err(room::JoinError::Removed));
}

#[test]
fn a_snapshot_is_written_soon_but_not_at_each_change() {
    let mut world = World::new();
    for n in 0..20 {
        world.join(n);
        world.pass_ms(10);
    }
    world.pass_ms(2000);
    assert_eq!(world.persisted.len(), 2);
    assert_eq!(world.persisted.last().unwrap().participants.len(), 20);
    world.pass_ms(70_000);
    assert_eq!(world.persisted.len(), 3, "and once a minute while people are there");
}
