//! A room on several units.

use model::unit::{OfferError, Source, UnitCommand, UnitFact, Voice};
use model::{LayerReason, Mid, ParticipantId, PeerId, UnitId};
use room::OfferFailure;
use wire::ServerMessage;

use crate::common::{Lines, MEETING, World, mid, person};

const FIRST: UnitId = UnitId(1);
const SECOND: UnitId = UnitId(2);
const THIRD: UnitId = UnitId(3);

fn unit_of(world: &World, n: u8) -> u64 {
    world.home(person(n)).0.0
}

/// A client of ours with its media up.
fn come(world: &mut World, n: u8) -> ParticipantId {
    let who = world.join_hello(n);
    world.negotiate(who, &Lines::usual());
    who
}

/// Which unit was told, who receives, on which slot, what, from where.
type Bind = (UnitId, PeerId, Mid, Option<Source>, Option<UnitId>);

/// Bindings since the last call.
fn binds(world: &mut World) -> Vec<Bind> {
    let bind = |(unit, command)| match command {
        UnitCommand::Bind { peer, slot, source, home, .. } => Some((unit, peer, slot, source, home)),
        _ => None,
    };
    world.commands.drain(..).filter_map(bind).collect()
}

/// Who speaks, as units were told since the last call.
fn told_speaking(world: &mut World) -> Vec<(UnitId, Option<PeerId>)> {
    let speaking = |(unit, command)| match command {
        UnitCommand::Speaking { peer, .. } => Some((unit, peer)),
        _ => None,
    };
    world.commands.drain(..).filter_map(speaking).collect()
}

/// A unit says who speaks: person, −dBov, activity.
fn heard(world: &mut World, unit: UnitId, voices: &[(ParticipantId, u8, u8)]) {
    let voice = |&(who, level_dbov, activity): &_| {
        let peer = world.home(who).1;
        Voice { peer, level_dbov, activity }
    };
    let speakers = voices.iter().map(voice).collect();
    world.fact(UnitFact::Speakers { meeting: MEETING, unit, speakers });
}

fn speakers(world: &World, viewer: ParticipantId) -> Vec<ParticipantId> {
    let told = world.got(viewer).iter().rev().find_map(|e| match &e.message {
        ServerMessage::Speakers { speakers } => Some(speakers.iter().map(|s| s.participant_id).collect()),
        _ => None,
    });
    told.expect("speakers")
}

fn was_told_to_offer(world: &World, who: ParticipantId) -> bool {
    world.types(who).contains(&"reoffer".to_owned())
}

#[test]
fn a_room_spills_over_and_fills_up_where_it_was_first() {
    let mut world = World::with_units(3, 2);
    let units: Vec<u64> = (1..=7)
        .map(|n| {
            world.join(n);
            unit_of(&world, n)
        })
        .collect();
    assert_eq!(units, [1, 1, 2, 2, 3, 3, 1], "the seventh where there is most place");
    world.close_on_purpose(person(3));
    world.join(8);
    assert_eq!(unit_of(&world, 8), 2);
    world.lose_socket(person(8));
    world.join(8);
    assert_eq!(unit_of(&world, 8), 2, "whoever comes back is there already");
}

#[test]
fn a_binding_says_where_its_source_lives() {
    let mut world = World::with_units(2, 2);
    let [ada, bob, cat] = [1, 2, 3].map(|n| come(&mut world, n));
    for viewer in [ada, cat] {
        let video = world.video(viewer, bob);
        world.request_with(viewer, bob, video, None, Some("4"));
    }
    let [adas, bobs, cats] = [ada, bob, cat].map(|who| world.home(who).1);
    let source = Some(Source { peer: bobs, mid: mid("1") });
    let expected = [(FIRST, adas, mid("4"), source, None), (SECOND, cats, mid("4"), source, Some(FIRST))];
    assert_eq!(binds(&mut world), expected);
}

#[test]
fn who_is_heard_on_any_unit_is_one_list() {
    let mut world = World::with_units(2, 2);
    let [ada, bob, cat, dan] = [1, 2, 3, 4].map(|n| come(&mut world, n));
    heard(&mut world, FIRST, &[(bob, 20, 50), (ada, 40, 10)]);
    heard(&mut world, SECOND, &[(cat, 10, 30), (dan, 30, 20)]);
    assert_eq!(speakers(&world, ada), [cat, bob, dan, ada], "loudest first");
    heard(&mut world, SECOND, &[(dan, 15, 20)]);
    assert_eq!(speakers(&world, ada), [dan, bob, ada], "a newer list of a unit replaces its own only");
    heard(&mut world, FIRST, &[(bob, 20, 50), (dan, 1, 90)]);
    assert_eq!(speakers(&world, ada), [dan, bob], "a unit hears its own people only");
    assert_eq!(level(&world, ada, dan), 88, "as its own unit hears it");
    // What a unit heard goes with its last person, and with the unit.
    world.close_on_purpose(dan);
    assert_eq!(speakers(&world, ada), [bob]);
    heard(&mut world, SECOND, &[(cat, 10, 30)]);
    world.lose_unit(SECOND);
    assert_eq!(speakers(&world, ada), [bob]);
    world.fact(UnitFact::Speakers { meeting: MEETING, unit: SECOND, speakers: vec![] });
    assert_eq!(speakers(&world, ada), [bob]);
}

fn level(world: &World, viewer: ParticipantId, speaker: ParticipantId) -> u8 {
    let told = world.got(viewer).iter().rev().find_map(|e| match &e.message {
        ServerMessage::Speakers { speakers } => speakers.iter().find(|s| s.participant_id == speaker),
        _ => None,
    });
    told.expect("the speaker").level
}

#[test]
fn no_more_speakers_are_told_than_one_unit_would_name() {
    let mut world = World::with_units(2, 5);
    let people: Vec<ParticipantId> = (1..=10).map(|n| come(&mut world, n)).collect();
    let loud = |people: &[ParticipantId], level: u8| -> Vec<(ParticipantId, u8, u8)> {
        people.iter().enumerate().map(|(n, who)| (*who, level + 2 * n as u8, 50)).collect()
    };
    let (first, second) = (loud(&people[..5], 20), loud(&people[5..], 21));
    heard(&mut world, FIRST, &first);
    heard(&mut world, SECOND, &second);
    let expected = [0, 5, 1, 6, 2].map(|n| people[n]);
    assert_eq!(speakers(&world, people[0]), expected);
}

#[test]
fn each_of_several_units_is_told_who_speaks() {
    let mut world = World::with_units(3, 2);
    let [ada, bob] = [1, 2].map(|n| come(&mut world, n));
    heard(&mut world, FIRST, &[(bob, 20, 80)]);
    assert_eq!(told_speaking(&mut world), [], "one unit hears it itself");
    let bobs = world.home(bob).1;
    let cat = world.join_hello(3);
    assert_eq!(told_speaking(&mut world), [], "the second unit knows nobody of this room yet");
    world.negotiate(cat, &Lines::usual());
    assert_eq!(told_speaking(&mut world), [(FIRST, Some(bobs)), (SECOND, Some(bobs))]);
    heard(&mut world, FIRST, &[(bob, 25, 70)]);
    assert_eq!(told_speaking(&mut world), [], "the same");
    heard(&mut world, FIRST, &[]);
    heard(&mut world, SECOND, &[(cat, 20, 80)]);
    let cats = world.home(cat).1;
    assert_eq!(told_speaking(&mut world), [(FIRST, Some(cats)), (SECOND, Some(cats))]);
    // A third unit comes late.
    come(&mut world, 4);
    come(&mut world, 5);
    assert_eq!(told_speaking(&mut world), [(THIRD, Some(cats))]);
    world.close_on_purpose(person(5));
    assert_eq!(told_speaking(&mut world), [(THIRD, None)], "it may be of the room again");
    world.close_on_purpose(person(4));
    assert_eq!(told_speaking(&mut world), []);
    // The speaker goes, and with the speaker all who were not on the first unit.
    world.close_on_purpose(cat);
    assert_eq!(told_speaking(&mut world), [(FIRST, None), (SECOND, None)]);
    heard(&mut world, FIRST, &[(ada, 20, 80)]);
    assert_eq!(told_speaking(&mut world), [], "one unit is left");
}

#[test]
fn an_ended_meeting_leaves_nothing_on_its_units() {
    let mut world = World::with_units(2, 1);
    let people = [1, 2].map(|n| come(&mut world, n));
    heard(&mut world, FIRST, &[(people[0], 20, 80)]);
    let [adas, bobs] = people.map(|who| world.home(who).1);
    world.clear();
    world.end();
    let nobody = || UnitCommand::Speaking { meeting: MEETING, peer: None };
    let expected = [
        (FIRST, UnitCommand::Close { peer: adas }),
        (SECOND, UnitCommand::Close { peer: bobs }),
        (FIRST, nobody()),
        (SECOND, nobody()),
    ];
    assert_eq!(world.commands, expected);
    assert!(world.room.units().is_empty());
}

#[test]
fn a_lost_unit_costs_its_own_people_an_offer_and_others_nothing() {
    let mut world = World::with_units(3, 2);
    let [ada, bob, cat, dan] = [1, 2, 3, 4].map(|n| come(&mut world, n));
    let public = world.join(5);
    world.negotiate(public, &Lines::usual());
    world.lose_socket(dan);
    let former = world.home(cat);
    world.pass_ms(1000);
    world.clear();
    world.lose_unit(SECOND);
    assert!(was_told_to_offer(&world, cat));
    let replacement = world.home(cat);
    assert_eq!(replacement.0, THIRD, "where the room is and has place");
    assert_ne!(replacement.1, former.1, "what the former unit still says is of nobody");
    world.pass_ms(5_000);
    for untouched in [ada, bob, public] {
        let types = world.types(untouched);
        assert!(types.iter().all(|t| t == "members"), "{untouched}: {types:?}");
        assert!(!world.closed.contains_key(&world.socket[&untouched]));
    }
    // Its socket was lost when its unit was: it is placed when it is back.
    world.join_hello(4);
    assert_eq!(unit_of(&world, 4), 1, "crowded: where there is most place");
    world.pass_ms(1_000);
    assert!(was_told_to_offer(&world, dan));
}

#[test]
fn a_client_of_the_public_package_comes_anew_when_its_unit_is_lost() {
    let mut world = World::with_units(2, 1);
    let (_, bob) = (world.join(1), world.join(2));
    world.negotiate(bob, &Lines::usual());
    world.lose_unit(SECOND);
    assert_eq!(world.closed[&world.socket[&bob]], wire::CloseCode::Restart);
    assert_eq!(unit_of(&world, 2), 1);
}

#[test]
fn who_receives_somebody_whose_unit_is_lost_is_bound_again_at_the_new_one() {
    let mut world = World::with_units(3, 1);
    let [ada, bob] = [1, 2].map(|n| come(&mut world, n));
    let video = world.video(ada, bob);
    world.request_with(ada, bob, video, None, Some("4"));
    let (adas, bobs) = (world.home(ada).1, world.home(bob).1);
    world.fact(UnitFact::SlotLayer {
        peer: adas,
        slot: mid("4"),
        rid: None,
        spatial: None,
        active: true,
        reason: LayerReason::default(),
    });
    world.pass_ms(1_000);
    assert!(world.slots(ada)[&mid("4")].active);
    world.clear();
    world.lose_unit(SECOND);
    world.pass_ms(100);
    assert_eq!(binds(&mut world), [(FIRST, adas, mid("4"), None, None)], "nothing to wait for");
    let slot = &world.slots(ada)[&mid("4")];
    assert_eq!((slot.stream_id, slot.active), (video, false), "still wanted");
    world.negotiate(bob, &Lines::usual());
    let (unit, moved) = world.home(bob);
    assert_eq!(unit, THIRD);
    assert_ne!(moved, bobs);
    let source = Some(Source { peer: moved, mid: mid("1") });
    assert_eq!(binds(&mut world), [(FIRST, adas, mid("4"), source, Some(THIRD))]);
    world.pass_ms(1_000);
    assert_eq!(world.slots(ada)[&mid("4")].stream_id, video, "the stream is the same");
    assert!(!world.types(ada).contains(&"roster_update".to_owned()));
}

#[test]
fn who_moves_is_bound_again_to_what_it_received() {
    let mut world = World::with_units(3, 2);
    let [ada, bob, cat] = [1, 2, 3].map(|n| come(&mut world, n));
    for (of, slot) in [(ada, "4"), (bob, "5")] {
        let video = world.video(cat, of);
        world.request_with(cat, of, video, None, Some(slot));
    }
    world.lose_unit(SECOND);
    world.clear();
    world.negotiate(cat, &Lines::usual());
    let [adas, bobs, cats] = [ada, bob, cat].map(|who| world.home(who).1);
    let source = |peer| Some(Source { peer, mid: mid("1") });
    let expected = [
        (THIRD, cats, mid("4"), source(adas), Some(FIRST)),
        (THIRD, cats, mid("5"), source(bobs), Some(FIRST)),
    ];
    assert_eq!(binds(&mut world), expected);
}

#[test]
fn a_unit_that_lost_peers_has_them_again() {
    let mut world = World::with_units(2, 2);
    let [ada, bob, cat] = [1, 2, 3].map(|n| come(&mut world, n));
    let video = world.video(cat, ada);
    world.request_with(cat, ada, video, None, Some("4"));
    let homes = [ada, bob, cat].map(|who| world.home(who));
    world.clear();
    world.fact(UnitFact::PeersLost { peers: vec![homes[0].1] });
    assert_eq!([ada, bob, cat].map(|who| was_told_to_offer(&world, who)), [true, false, false]);
    world.negotiate(ada, &Lines::usual());
    assert_eq!([ada, bob, cat].map(|who| world.home(who)), homes, "same unit, same place");
    let source = Some(Source { peer: homes[0].1, mid: mid("1") });
    let slot = |source, home| (SECOND, homes[2].1, mid("4"), source, home);
    assert_eq!(binds(&mut world), [slot(None, None), slot(source, Some(FIRST))]);
}

#[test]
fn whom_a_unit_has_no_place_for_goes_to_another() {
    let mut world = World::with_units(2, 2);
    let [ada, bob] = [1, 2].map(|n| world.join_hello(n));
    world.negotiate(bob, &Lines::usual());
    world.units.insert(FIRST, 0);
    for who in [ada, bob] {
        world.offer(who);
        world.answer(Err(OfferFailure::Refused(OfferError::Full)));
    }
    assert_eq!([ada, bob].map(|who| world.home(who).0), [SECOND, FIRST], "who is on the unit stays on it");
    world.negotiate(ada, &Lines::usual());
    world.lose_unit(SECOND);
    assert_eq!((world.room.homeless(), world.room.units().len()), (vec![ada], 1));
}

#[test]
fn what_a_former_unit_says_does_no_harm() {
    let mut world = World::with_units(2, 1);
    let [ada, bob] = [1, 2].map(|n| come(&mut world, n));
    let video = world.video(ada, bob);
    world.request_with(ada, bob, video, None, Some("4"));
    let former = world.home(bob).1;
    world.lose_unit(SECOND);
    world.negotiate(bob, &Lines::usual());
    world.fact(UnitFact::Connected { peer: world.home(bob).1, after_ms: 5 });
    world.pass_ms(1_000);
    world.clear();
    let source = Source { peer: former, mid: mid("1") };
    for fact in [
        UnitFact::PathLost { peer: former },
        UnitFact::Failed { peer: former, reason: "the program slept".to_owned() },
        UnitFact::PeersLost { peers: vec![former] },
        UnitFact::Demand { source, watched: false, rids: vec![], codecs: vec![] },
        UnitFact::Speakers {
            meeting: MEETING,
            unit: SECOND,
            speakers: vec![Voice { peer: former, level_dbov: 5, activity: 90 }],
        },
        // The first unit is right about the meeting, not about the peer.
        UnitFact::Speakers {
            meeting: MEETING,
            unit: FIRST,
            speakers: vec![Voice { peer: former, level_dbov: 5, activity: 90 }],
        },
    ] {
        world.fact(fact);
    }
    world.pass_ms(5_000);
    assert!(world.inbox.is_empty() && world.commands.is_empty(), "{:?} {:?}", world.inbox, world.commands);
}

#[test]
fn units_that_receive_somebody_who_leaves_are_told_so() {
    let mut world = World::with_units(2, 2);
    let [ada, bob, cat] = [1, 2, 3].map(|n| come(&mut world, n));
    for viewer in [ada, cat] {
        let video = world.video(viewer, bob);
        world.request_with(viewer, bob, video, None, Some("4"));
    }
    world.clear();
    let (bobs, cats) = (world.home(bob).1, world.home(cat).1);
    world.close_on_purpose(bob);
    let unbind = UnitCommand::Bind { peer: cats, slot: mid("4"), source: None, home: None, rid: None };
    let expected = [(FIRST, UnitCommand::Close { peer: bobs }), (SECOND, unbind)];
    assert_eq!(world.commands, expected, "the first unit knows that its own peer is gone");
}
