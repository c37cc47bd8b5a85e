//! Connections: how they begin, move, fail and come back.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{Camera, Line, World, meeting};
use model::PeerId;
use model::unit::{Offer, OfferError, UnitFact};
use str0m::media::MediaKind::Video;

fn failure(world: &World, client: usize) -> Option<&str> {
    let peer = world.clients[client].peer;
    world.facts.iter().find_map(|f| match f {
        UnitFact::Failed { peer: p, reason } if *p == peer => Some(reason.as_str()),
        _ => None,
    })
}

#[test]
fn a_certificate_that_is_not_the_offers_is_refused() {
    let mut world = World::new();
    let client = world.client(1);
    let mut offer = world.offer_text(client);
    let at =
        offer.sdp.find("a=fingerprint:sha-256 ").expect("a fingerprint") + "a=fingerprint:sha-256 ".len();
    let digit = if &offer.sdp[at..=at] == "0" { "1" } else { "0" };
    offer.sdp.replace_range(at..=at, digit);
    let answer = world.unit.handle_offer(world.now, &offer).expect("an answer");
    world.answer(client, &answer.sdp);
    world.until("the failure is told", |w| failure(w, client).is_some());
    assert!(failure(&world, client).is_some_and(|r| r.starts_with("fingerprint_mismatch")));
}

#[test]
fn who_never_reaches_us_is_told_so() {
    let mut world = World::new();
    let client = world.client(1);
    world.filter = Box::new(|_| false);
    world.offer(client, &[Line::Send(Video)]);
    world.run(Duration::from_secs(29));
    assert_eq!(failure(&world, client), None);
    world.run(Duration::from_secs(2));
    assert!(failure(&world, client).is_some_and(|r| r.starts_with("ice_timeout")));
}

#[test]
fn a_lost_path_is_noticed_and_comes_back() {
    let mut world = World::new();
    let sender = world.client(1);
    let receiver = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    world.filter = Box::new(move |hop| hop.client != receiver);
    let peer = world.clients[receiver].peer;
    world.run(Duration::from_secs(9));
    assert!(!world.facts.contains(&UnitFact::PathLost { peer }));
    world.run(Duration::from_secs(3));
    assert!(world.facts.contains(&UnitFact::PathLost { peer }));
    world.filter = Box::new(|_| true);
    world.until("the path is back", |w| w.facts.contains(&UnitFact::PathRestored { peer }));
    let mut camera = Camera::new(sender, sent[0], None, (640, 360));
    for _ in 0..20 {
        camera.frame(&mut world, true);
        world.run(Duration::from_millis(40));
    }
    assert!(world.take_packets(receiver).len() >= 30);
}

#[test]
fn media_follows_a_client_to_another_address() {
    let mut world = World::new();
    let sender = world.client(1);
    let receiver = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    // A router has forgotten the mapping: the same client is seen elsewhere from now on.
    world.clients[receiver].seen_as = SocketAddr::from(([203, 0, 113, 9], 7777));
    world.run(Duration::from_secs(6));
    world.take_packets(receiver);
    let mut camera = Camera::new(sender, sent[0], None, (640, 360));
    for _ in 0..10 {
        camera.frame(&mut world, true);
        world.run(Duration::from_millis(40));
    }
    assert!(world.take_packets(receiver).len() >= 20);
}

#[test]
fn an_ice_restart_has_new_credentials_and_the_same_streams() {
    let mut world = World::new();
    let sender = world.client(1);
    let receiver = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, first) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    let (_, second) = world.restart_ice(receiver);
    let line = |sdp: &str, start: &str| sdp.lines().find(|l| l.starts_with(start)).map(str::to_owned);
    assert_ne!(line(&first.sdp, "a=ice-ufrag:"), line(&second, "a=ice-ufrag:"));
    assert_ne!(line(&first.sdp, "a=ice-pwd:"), line(&second, "a=ice-pwd:"));
    assert_eq!(line(&first.sdp, "a=ssrc:"), line(&second, "a=ssrc:"));
    assert_eq!(line(&first.sdp, "a=msid:"), line(&second, "a=msid:"));
    world.run(Duration::from_secs(2));
    let mut camera = Camera::new(sender, sent[0], None, (640, 360));
    for _ in 0..10 {
        camera.frame(&mut world, true);
        world.run(Duration::from_millis(40));
    }
    assert!(world.take_packets(receiver).len() >= 20, "{:?}", world.facts);
}

#[test]
fn a_bad_offer_has_a_named_error_and_harms_nothing() {
    let mut world = World::new();
    let client = world.client(1);
    world.offer(client, &[Line::Send(Video)]);
    world.connect(&[client]);
    let peer = world.clients[client].peer;
    for (sdp, expected) in
        [("", "line"), ("hello", "line"), ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", "m-line")]
    {
        let offer = Offer { peer, meeting: meeting(1), sdp: sdp.to_owned() };
        match world.unit.handle_offer(world.now, &offer) {
            Err(OfferError::Invalid(text)) => assert!(text.contains(expected), "{sdp:?}: {text}"),
            other => panic!("{sdp:?}: {other:?}"),
        }
    }
    let lines = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(1000);
    let sdp = format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{lines}");
    let refused = world.unit.handle_offer(world.now, &Offer { peer, meeting: meeting(1), sdp });
    assert!(
        matches!(&refused, Err(OfferError::Invalid(text)) if text.contains("1000") && text.contains("128")),
        "{refused:?}"
    );
    assert_eq!(failure(&world, client), None);
    world.run(Duration::from_secs(1));
    assert!(world.clients[client].rtc.is_alive());
}

#[test]
fn a_full_unit_says_so() {
    let mut world = World::new();
    let client = world.client(1);
    let offer = world.offer_text(client);
    for n in 0..100 {
        let offer = Offer { peer: PeerId(1000 + n), ..offer.clone() };
        assert!(world.unit.handle_offer(world.now, &offer).is_ok(), "{n}");
    }
    assert_eq!(world.unit.handle_offer(world.now, &offer), Err(OfferError::Full));
}
