//! The stage: a few slots in which everybody sees and hears who matters, however many are there.

use model::unit::{UnitFact, Voice};
use model::{ParticipantId, PeerId, UnitId};
use wire::{ClientMessage, ServerMessage};

use crate::common::{Lines, MEETING, World, mid};

/// Asks for a seat on one of the usual slots.
fn sit(world: &mut World, who: ParticipantId, stream_id: &str, on: &str) -> String {
    world.say(
        who,
        ClientMessage::RequestStream {
            producer_id: "@speakers".to_owned(),
            stream_id: stream_id.to_owned(),
            rid: None,
            receive_mid: Some(mid(on)),
        },
    )
}

/// So many people with camera and microphone.
fn crowd(world: &mut World, people: u8) -> Vec<(ParticipantId, PeerId)> {
    (1..=people)
        .map(|n| {
            let who = world.join_hello(n);
            world.offer(who);
            let peer = world.peer_of_last_offer();
            world.answer(Ok(Lines::usual().answer(false)));
            (who, peer)
        })
        .collect()
}

fn speaks(world: &mut World, peer: PeerId) {
    let voice = Voice { peer, level_dbov: 20, activity: 90 };
    world.fact(UnitFact::Speakers { meeting: MEETING, unit: UnitId(1), speakers: vec![voice] });
    world.pass_ms(100);
}

fn shown(world: &World, who: ParticipantId, on: &str) -> Option<ParticipantId> {
    world.slots(who).get(&mid(on)).map(|s| s.producer_id)
}

#[test]
fn slots_follow_the_stage_without_being_asked_for_again() {
    let mut world = World::new();
    let people = crowd(&mut world, 5);
    let (viewer, _) = people[4];
    sit(&mut world, viewer, "video-1", "4");
    sit(&mut world, viewer, "audio-1", "2");
    world.pass_ms(100);
    assert_eq!(shown(&world, viewer, "4"), Some(people[0].0), "who came first, until somebody speaks");

    world.take_commands();
    speaks(&mut world, people[2].1);
    assert_eq!(shown(&world, viewer, "4"), Some(people[2].0));
    let binds = world.take_binds();
    assert_eq!(binds.len(), 1, "sound was there already: {binds:?}");
    assert_eq!(binds[0].2.map(|s| s.peer), Some(people[2].1));

    // The speaker sees who spoke before.
    let (speaker, peer) = people[1];
    sit(&mut world, speaker, "video-1", "4");
    speaks(&mut world, peer);
    assert_eq!(shown(&world, speaker, "4"), Some(people[2].0));
    assert_eq!(shown(&world, viewer, "4"), Some(speaker));
}

#[test]
fn who_leaves_or_turns_off_makes_room_and_the_seat_stays() {
    let mut world = World::new();
    let people = crowd(&mut world, 4);
    let (viewer, _) = people[3];
    sit(&mut world, viewer, "video-1", "4");
    speaks(&mut world, people[0].1);
    assert_eq!(shown(&world, viewer, "4"), Some(people[0].0));
    world.say(people[0].0, ClientMessage::MuteStream { mid: mid("1"), muted: true });
    world.pass_ms(100);
    let next = shown(&world, viewer, "4").expect("somebody else");
    assert_ne!(next, people[0].0);
    for (who, _) in &people[..3] {
        world.say(*who, ClientMessage::Leave {});
    }
    world.pass_ms(100);
    assert_eq!(shown(&world, viewer, "4"), None, "nobody is left");
    let newcomer = world.join_hello(9);
    world.negotiate(newcomer, &Lines::usual());
    world.pass_ms(100);
    assert_eq!(shown(&world, viewer, "4"), Some(newcomer));
}

/// The line-ups that somebody was told of.
fn line_ups(world: &World, who: ParticipantId) -> Vec<Vec<ParticipantId>> {
    let told = world.got(who).iter().filter_map(|e| match &e.message {
        ServerMessage::Stage { people } => Some(people.clone()),
        _ => None,
    });
    told.collect()
}

#[test]
fn everybody_is_told_the_same_order_at_once() {
    let mut world = World::new();
    let people = crowd(&mut world, 12);
    let ids: Vec<ParticipantId> = people.iter().map(|(who, _)| *who).collect();
    world.pass_ms(1_000);
    world.clear();
    // Twelve talk in turn.
    for (turn, (_, peer)) in people.iter().enumerate() {
        let voice = Voice { peer: *peer, level_dbov: 20, activity: 90 };
        world.fact(UnitFact::Speakers { meeting: MEETING, unit: UnitId(1), speakers: vec![voice] });
        for viewer in &ids {
            let told = line_ups(&world, *viewer);
            // The first was in front before.
            assert_eq!(told.len(), turn, "once for each change, and at once");
            if let Some(newest) = told.last() {
                let spoke: Vec<ParticipantId> = ids[..=turn].iter().rev().copied().collect();
                assert_eq!(newest.len(), 9);
                assert!(newest.iter().zip(&spoke).all(|(shown, spoke)| shown == spoke), "{newest:?}");
            }
        }
        world.pass_ms(1_000);
    }

    // A cough of somebody while the last one is silent; the one who left is replaced.
    world.clear();
    let voice = Voice { peer: people[2].1, level_dbov: 10, activity: 60 };
    world.fact(UnitFact::Speakers { meeting: MEETING, unit: UnitId(1), speakers: vec![voice] });
    world.pass_ms(1_000);
    assert!(line_ups(&world, ids[0]).is_empty());
    world.say(ids[11], ClientMessage::Leave {});
    let told = line_ups(&world, ids[0]);
    assert_eq!(told, [ids[2..11].iter().rev().copied().collect::<Vec<_>>()]);

    // Whoever comes is told too, those that know no added messages are not.
    let newcomer = world.join_hello(20);
    world.pass_ms(200);
    assert_eq!(line_ups(&world, newcomer), told);
    let stranger = world.join(21);
    world.pass_ms(200);
    speaks(&mut world, people[0].1);
    assert!(line_ups(&world, stranger).is_empty());
}

#[test]
fn a_speaker_without_a_camera_is_the_speaker() {
    let mut world = World::new();
    let people = crowd(&mut world, 3);
    world.say(people[1].0, ClientMessage::MuteStream { mid: mid("1"), muted: true });
    world.pass_ms(200);
    let (first, second, third) = (people[0].0, people[1].0, people[2].0);
    assert_eq!(line_ups(&world, first).last(), Some(&vec![first, third, second]), "cameras first");
    speaks(&mut world, people[1].1);
    assert_eq!(line_ups(&world, first).last(), Some(&vec![second, first, third]));
}

#[test]
fn a_seat_survives_a_reconnection_and_a_restart() {
    let mut world = World::new();
    let people = crowd(&mut world, 3);
    let (viewer, _) = people[2];
    sit(&mut world, viewer, "video-1", "4");
    world.pass_ms(2_000);
    world.negotiate_anew(viewer, &Lines::usual());
    world.pass_ms(100);
    assert_eq!(shown(&world, viewer, "4"), Some(people[0].0));

    world.pass_ms(2_000);
    world.stop();
    let mut world = world.restarted();
    for n in 1..=3 {
        let who = world.join_hello(n);
        world.negotiate(who, &Lines::usual());
    }
    world.pass_ms(200);
    assert_eq!(shown(&world, viewer, "4"), Some(people[0].0));
}

#[test]
fn a_seat_is_given_back() {
    let mut world = World::new();
    let people = crowd(&mut world, 3);
    let (viewer, _) = people[2];
    sit(&mut world, viewer, "video-1", "4");
    world.disconnect(viewer, "4");
    world.pass_ms(100);
    assert_eq!(shown(&world, viewer, "4"), None);
    speaks(&mut world, people[0].1);
    assert_eq!(shown(&world, viewer, "4"), None);
    // An ordinary stream takes the slot of a seat.
    sit(&mut world, viewer, "video-1", "4");
    let video = world.video(viewer, people[1].0);
    world.request_with(viewer, people[1].0, video, None, Some("4"));
    speaks(&mut world, people[0].1);
    assert_eq!(shown(&world, viewer, "4"), Some(people[1].0));
}

#[test]
fn a_seat_that_does_not_exist_is_refused() {
    let mut world = World::new();
    let people = crowd(&mut world, 2);
    for (stream, on) in [("video-9", "4"), ("audio-0", "2"), ("main", "4")] {
        let id = sit(&mut world, people[0].0, stream, on);
        let (_, text, _) = world.error(people[0].0, &id);
        assert!(text.contains("seat"), "{text}");
    }
    let id = sit(&mut world, people[0].0, "video-1", "2");
    let (_, text, _) = world.error(people[0].0, &id);
    assert!(text.contains("kind"), "{text}");
}
