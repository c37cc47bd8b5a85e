//! Meetings as a gateway and a unit see them.

mod common;

use bus::Address;
use bus::control::{ConnectError, MeetingFact, RoomCommand};
use model::unit::{OfferError, UnitCommand, UnitFact, Voice};
use model::{ParticipantId, UnitId};
use store::{MeetingStatus, ParticipantStatus, Store, Timestamp};
use wire::server::{GoodbyeReason, MemberConnection};
use wire::{ClientMessage, CloseCode, ErrorType, ServerMessage};

use common::{MEETING, Unit, World, is_bind, mid, person, request};

#[tokio::test]
async fn two_people_meet() {
    let mut world = World::new().await;
    let mut unit = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    let bob = world.connect(person(2)).await.unwrap();
    world.offer(ada).await;
    world.offer(bob).await;
    let (adas, bobs) = (unit.next_peer().await, unit.next_peer().await);
    let video = world.stream_of(ada, bob.who).await;
    let id = world.say(ada, request(bob.who, video)).await;
    let response = ServerMessage::RequestStreamResponse { receive_mid: mid("1") };
    assert_eq!(world.reply(ada, &id).await, response);
    let UnitCommand::Bind { peer, slot, source: Some(source), .. } = unit.until(is_bind).await else {
        panic!("no bind")
    };
    assert_eq!((peer, slot, source.peer, source.mid), (adas, mid("1"), bobs, mid("0")));
    world.say(bob, ClientMessage::Leave {}).await;
    assert_eq!(world.closed(bob).await, CloseCode::Final);
    unit.until(|c| *c == UnitCommand::Close { peer: bobs }).await;
    world
        .until(ada, |m| matches!(m, ServerMessage::RosterUpdate { participants } if participants.is_empty()))
        .await;
}

#[tokio::test]
async fn what_happens_is_told_and_recorded() {
    let mut world = World::new().await;
    let _unit = Unit::start(&world.bus, UnitId(1));
    let mut facts = world.bus.subscribe::<MeetingFact>(Address::Control);
    let ada = world.connect(person(1)).await.unwrap();
    world.say(ada, ClientMessage::Leave {}).await;
    let expected = [
        MeetingFact::Started(MEETING),
        MeetingFact::Joined(MEETING, ada.who),
        MeetingFact::Left(MEETING, ada.who),
    ];
    for fact in expected {
        assert_eq!(facts.next().await, Some(Ok(fact)));
    }
    world.connect(person(2)).await.unwrap();
    let store = world.stop().await;
    assert_eq!(store.meetings().get(MEETING).await.unwrap().unwrap().status, MeetingStatus::Running);
    assert_eq!(status(&store, 1).await, ParticipantStatus::Left);
    assert_eq!(status(&store, 2).await, ParticipantStatus::Joined);
}

async fn status(store: &Store, n: u8) -> ParticipantStatus {
    store.participants().get(MEETING, person(n)).await.unwrap().unwrap().status
}

#[tokio::test]
async fn facts_of_a_unit_reach_the_people() {
    let mut world = World::new().await;
    let mut unit = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.offer(ada).await;
    let peer = unit.next_peer().await;
    let voice = Voice { peer, level_dbov: 0, activity: 50 };
    unit.say(UnitFact::Speakers { meeting: MEETING, unit: UnitId(1), speakers: vec![voice] });
    let speaks = |m: &ServerMessage| matches!(m, ServerMessage::Speakers { speakers } if speakers.first().is_some_and(|s| s.participant_id == ada.who));
    world.until(ada, speaks).await;
    unit.say(UnitFact::PeersLost { peers: vec![peer] });
    world.until(ada, |m| matches!(m, ServerMessage::Reoffer { .. })).await;
}

#[tokio::test]
async fn after_a_restart_everybody_has_what_they_had() {
    for killed in [false, true] {
        let mut world = World::new().await;
        let unit = Unit::start(&world.bus, UnitId(1));
        let ada = world.connect(person(1)).await.unwrap();
        let bob = world.connect(person(2)).await.unwrap();
        world.hello(ada).await;
        world.offer(ada).await;
        world.offer(bob).await;
        let video = world.stream_of(ada, bob.who).await;
        world.say(ada, request(bob.who, video)).await;
        let store = if killed {
            written(&world.store, "\"stream\"").await;
            world.kill()
        } else {
            world.tell(RoomCommand::Stop).await;
            let goodbye = ServerMessage::Goodbye { reason: GoodbyeReason::Restart };
            world.until(ada, |m| *m == goodbye).await;
            assert_eq!(world.closed(ada).await, CloseCode::Restart);
            world.stop().await
        };
        drop(unit);
        let mut world = World::with(store);
        let mut unit = Unit::start(&world.bus, UnitId(2));
        let ada = world.connect(person(1)).await.unwrap();
        let bob = world.connect(person(2)).await.unwrap();
        world.offer(ada).await;
        world.offer(bob).await;
        let (adas, bobs) = (unit.next_peer().await, unit.next_peer().await);
        let bind = unit.until(is_bind).await;
        let UnitCommand::Bind { peer, source: Some(source), .. } = bind else { panic!("{bind:?}") };
        assert_eq!((peer, source.peer), (adas, bobs));
        assert_eq!(world.stream_of(ada, bob.who).await, video);
        world.stop().await;
    }
}

/// Waits until the room's snapshot holds this text.
async fn written(store: &Store, text: &str) {
    loop {
        let snapshot = store.snapshots().load(MEETING).await.unwrap();
        if snapshot.is_some_and(|s| s.json.contains(text)) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn whoever_may_not_come_is_told_why() {
    let mut world = World::new().await;
    let _unit = Unit::start(&world.bus, UnitId(1));
    let now = Timestamp::now();
    assert_eq!(world.connect(person(77)).await, Err(ConnectError::Unknown));
    world.store.participants().remove(MEETING, person(2), now).await.unwrap();
    assert_eq!(world.connect(person(2)).await, Err(ConnectError::Removed));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.tell(RoomCommand::Remove { meeting: MEETING, participant: ada.who }).await;
    assert_eq!(world.closed(ada).await, CloseCode::Final);
    assert_eq!(world.connect(ada.who).await, Err(ConnectError::Removed));
}

#[tokio::test]
async fn an_ended_meeting_is_over() {
    let mut world = World::new().await;
    let _unit = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.store.meetings().end(MEETING, Timestamp::now()).await.unwrap();
    world.tell(RoomCommand::End { meeting: MEETING }).await;
    let goodbye = ServerMessage::Goodbye { reason: GoodbyeReason::Ended };
    world.until(ada, |m| *m == goodbye).await;
    assert_eq!(world.closed(ada).await, CloseCode::Final);
    assert_eq!(world.connect(person(2)).await, Err(ConnectError::Ended));
    let store = world.stop().await;
    assert_eq!(store.snapshots().load(MEETING).await.unwrap(), None);
}

#[tokio::test]
async fn whoever_comes_before_a_unit_is_up_waits_for_it() {
    let mut world = World::new().await;
    let bus = world.bus.clone();
    let (connected, _unit) = tokio::join!(world.connect(person(1)), async {
        tokio::task::yield_now().await;
        Unit::start(&bus, UnitId(1))
    });
    assert!(connected.is_ok());
}

#[tokio::test]
async fn when_all_units_are_full_the_meeting_is_full() {
    let mut world = World::new().await;
    let _unit = Unit::start_with(&world.bus, UnitId(1), 0, |_| None);
    assert_eq!(world.connect(person(1)).await, Err(ConnectError::Full));
}

#[tokio::test]
async fn whom_a_full_unit_refuses_another_takes() {
    let mut world = World::new().await;
    let mut first = Unit::start_with(&world.bus, UnitId(2), 100, |_| Some(Err(OfferError::Full)));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    let mut second = Unit::start(&world.bus, UnitId(1));
    let id = world.say(ada, ClientMessage::MediaOffer { sdp: "offer".to_owned() }).await;
    let refused = first.next_peer().await;
    let reply = world.reply(ada, &id).await;
    assert!(
        matches!(reply, ServerMessage::Error { error_type: ErrorType::ResourceUnavailable, .. }),
        "{reply:?}"
    );
    world.offer(ada).await;
    assert_ne!(second.next_peer().await, refused);
}

#[tokio::test]
async fn a_unit_that_refuses_or_says_nothing_is_an_error_for_its_offer_only() {
    let mut world = World::new().await;
    let _unit = Unit::start_with(&world.bus, UnitId(1), 100, |offer| match offer.sdp.as_str() {
        "bad" => Some(Err(OfferError::Invalid("no m-line".to_owned()))),
        "ignored" => None,
        _ => Some(Ok(common::answer())),
    });
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    let mut errors = Vec::new();
    for sdp in ["bad", "ignored"] {
        let id = world.say(ada, ClientMessage::MediaOffer { sdp: sdp.to_owned() }).await;
        match world.reply(ada, &id).await {
            ServerMessage::Error { error_type, .. } => errors.push(error_type),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(errors, [ErrorType::SdpOfferProcessing, ErrorType::ServerError]);
    world.offer(ada).await;
}

#[tokio::test]
async fn a_silent_unit_is_left_for_another() {
    let mut world = World::new().await;
    let first = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.offer(ada).await;
    let mut second = Unit::start(&world.bus, UnitId(2));
    drop(first);
    world.until(ada, |m| matches!(m, ServerMessage::Reoffer { .. })).await;
    world.offer(ada).await;
    second.next_peer().await;
}

#[tokio::test]
async fn a_room_goes_to_a_further_unit_and_is_one_room() {
    let mut world = World::with_room_peers_per_unit(common::store().await, 1);
    let mut first = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.offer(ada).await;
    let adas = first.next_peer().await;
    let mut second = Unit::start(&world.bus, UnitId(2));
    let bob = world.connect(person(2)).await.unwrap();
    world.offer(bob).await;
    let bobs = second.next_peer().await;

    // What is sent crosses from unit to unit, and the receiver's unit is told from where.
    let video = world.stream_of(ada, bob.who).await;
    world.say(ada, request(bob.who, video)).await;
    let bind = first.until(is_bind).await;
    let UnitCommand::Bind { peer, source: Some(source), home, .. } = bind else { panic!("{bind:?}") };
    assert_eq!((peer, source.peer, home), (adas, bobs, Some(UnitId(2))));

    // Who is heard on one unit is told to the other.
    let voice = Voice { peer: bobs, level_dbov: 20, activity: 80 };
    second.say(UnitFact::Speakers { meeting: MEETING, unit: UnitId(2), speakers: vec![voice] });
    let speaks =
        |c: &UnitCommand| matches!(c, UnitCommand::Speaking { peer: Some(peer), .. } if *peer == bobs);
    first.until(speaks).await;
    second.until(speaks).await;

    // A third goes where most place is, as both hold what they should.
    let cat = world.connect(person(3)).await.unwrap();
    world.offer(cat).await;
    first.next_peer().await;
}

#[tokio::test]
async fn a_crowd_that_comes_at_once_is_spread() {
    let mut world = World::with_room_peers_per_unit(common::store().await, 3);
    let mut units = [1, 2, 3].map(|id| Unit::start(&world.bus, UnitId(id)));
    for n in 1..10 {
        let client = world.connect(person(n)).await.unwrap();
        world.offer(client).await;
    }
    for unit in &mut units {
        for _ in 0..3 {
            unit.next_peer().await;
        }
        assert!(unit.offered.try_recv().is_err(), "a fourth");
    }
}

#[tokio::test]
async fn only_the_people_of_a_silent_unit_offer_again() {
    let mut world = World::with_room_peers_per_unit(common::store().await, 1);
    let mut first = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.offer(ada).await;
    let adas = first.next_peer().await;
    let mut second = Unit::start(&world.bus, UnitId(2));
    let bob = world.connect(person(2)).await.unwrap();
    world.hello(bob).await;
    world.offer(bob).await;
    let former = second.next_peer().await;
    let video = world.stream_of(ada, bob.who).await;
    world.say(ada, request(bob.who, video)).await;
    first.until(is_bind).await;

    drop(second);
    world.until(bob, |m| matches!(m, ServerMessage::Reoffer { .. })).await;
    world.offer(bob).await;
    let bobs = first.next_peer().await;
    assert_ne!(bobs, former);
    let bind = first.until(is_bind).await;
    let UnitCommand::Bind { peer, source: Some(source), home, .. } = bind else { panic!("{bind:?}") };
    assert_eq!((peer, source.peer, home), (adas, bobs, None));
    // Facts of the new place reach the room, those of the former do nothing.
    first.say(UnitFact::Failed { peer: former, reason: "late".to_owned() });
    first.say(UnitFact::Connected { peer: bobs, after_ms: 5 });
    world.until(bob, |m| is_shown(m, bob.who, MemberConnection::Connected)).await;
    let bad = |m: &ServerMessage| matches!(m, ServerMessage::Reoffer { .. } | ServerMessage::Error { .. });
    assert!(!world.got(ada).iter().any(bad), "who was on the other unit hears nothing");
}

#[tokio::test]
async fn whoever_has_no_unit_gets_the_next_that_takes_more() {
    let mut world = World::new().await;
    let first = Unit::start(&world.bus, UnitId(1));
    let _full = Unit::start_with(&world.bus, UnitId(2), 0, |_| None);
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.offer(ada).await;
    drop(first);
    world.until(ada, |m| is_shown(m, ada.who, MemberConnection::Reconnecting)).await;
    let id = world.say(ada, ClientMessage::MediaOffer { sdp: "offer".to_owned() }).await;
    let reply = world.reply(ada, &id).await;
    assert!(
        matches!(reply, ServerMessage::Error { error_type: ErrorType::ServerError, .. }),
        "there is nowhere to go: {reply:?}"
    );
    let mut third = Unit::start(&world.bus, UnitId(3));
    world.until(ada, |m| matches!(m, ServerMessage::Reoffer { .. })).await;
    world.offer(ada).await;
    third.next_peer().await;
}

#[tokio::test]
async fn the_people_of_a_lost_gateway_are_awaited() {
    let mut world = World::new().await;
    let _unit = Unit::start(&world.bus, UnitId(1));
    let ada = world.connect(person(1)).await.unwrap();
    world.hello(ada).await;
    world.lose_gateway();
    // Something to tell, which does not arrive.
    world.say(ada, ClientMessage::Chat { text: "hi".to_owned(), to: None }).await;
    world.connect(person(2)).await.unwrap();
    world.find_gateway();
    let cat = world.connect(person(3)).await.unwrap();
    world.hello(cat).await;
    world.until(cat, |m| is_shown(m, ada.who, MemberConnection::Reconnecting)).await;
}

/// Whether this tells that somebody is connected like that.
fn is_shown(message: &ServerMessage, who: ParticipantId, connection: MemberConnection) -> bool {
    match message {
        ServerMessage::Members { members } => members.get(&who).is_some_and(|m| m.connection == connection),
        _ => false,
    }
}
