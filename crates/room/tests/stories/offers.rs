//! Offers and their answers.

use model::Codec;
use model::unit::{OfferError, UnitCommand};
use room::OfferFailure;
use wire::{ClientMessage, CloseCode, ErrorType, ServerMessage};

use crate::common::{Lines, UNIT, World};

#[test]
fn each_offer_is_answered_once_in_order_with_its_ref() {
    let mut world = World::new();
    let ada = world.join(1);
    let ids = [world.offer(ada), world.offer(ada), world.offer(ada)];
    for waiting in [1, 1, 1] {
        assert_eq!(world.offers.len(), waiting, "one offer is in flight at a time");
        world.answer(Ok(Lines::usual().answer(false)));
    }
    let answers = world.got(ada).iter().filter(|e| matches!(e.message, ServerMessage::MediaOffer { .. }));
    let refs: Vec<_> = answers.map(|e| e.reference.clone().unwrap()).collect();
    assert_eq!(refs, ids);
}

#[test]
fn an_answer_is_followed_by_the_roster() {
    let mut world = World::new();
    let ada = world.join(1);
    world.join(2);
    world.pass_ms(1000);
    world.clear();
    world.negotiate(ada, &Lines::usual());
    assert_eq!(world.types(ada), ["media_offer", "roster_update"]);
}

#[test]
fn a_bad_first_offer_and_a_bad_later_offer_have_errors_of_their_own() {
    let mut world = World::new();
    let ada = world.join(1);
    let bad = || Err(OfferFailure::Refused(OfferError::Invalid("no fingerprint".to_owned())));
    let first = world.offer(ada);
    world.answer(bad());
    assert_eq!(world.error(ada, &first).0, ErrorType::SdpOfferProcessing);
    assert_eq!(world.error(ada, &first).1, "no fingerprint");
    world.negotiate(ada, &Lines::usual());
    let later = world.offer(ada);
    world.answer(bad());
    assert_eq!(world.error(ada, &later).0, ErrorType::SdpOfferUpdateProcessing);
    world.negotiate(ada, &Lines::usual());
}

#[test]
fn a_client_that_ignores_errors_is_told_to_connect_anew_when_the_unit_cannot_take_it() {
    let mut world = World::new();
    let ada = world.join(1);
    let id = world.offer(ada);
    let connection = world.socket[&ada];
    world.answer(Err(OfferFailure::Refused(OfferError::Full)));
    assert_eq!(world.error(ada, &id).0, ErrorType::ResourceUnavailable);
    assert_eq!(world.closed[&connection], CloseCode::TryAgainLater);

    let bob = world.join_hello(2);
    let id = world.offer(bob);
    world.answer(Err(OfferFailure::NoAnswer));
    assert_eq!(world.error(bob, &id).0, ErrorType::ServerError);
    assert!(!world.closed.contains_key(&world.socket[&bob]), "a client of ours knows what to do");
}

#[test]
fn without_a_unit_an_offer_is_refused_at_once() {
    let mut world = World::new();
    let ada = world.join(1);
    world.lose_unit(UNIT);
    let id = world.offer(ada);
    assert_eq!(world.error(ada, &id).0, ErrorType::ServerError);
    assert!(world.offers.is_empty());
}

#[test]
fn requests_wait_for_the_answer_that_makes_their_slots() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(bob, &Lines::usual());
    let video = world.video(ada, bob);
    world.offer(ada);
    let request = world.request(ada, bob, video);
    assert!(world.replies(ada, &request).is_empty());
    world.answer(Ok(Lines::usual().answer(false)));
    assert_eq!(world.requested_mid(ada, &request), "4");
}

#[test]
fn what_waits_for_an_answer_is_bounded() {
    let mut world = World::new();
    let ada = world.join(1);
    world.offer(ada);
    for _ in 0..room::WAITING_OFFERS_MAX {
        world.offer(ada);
    }
    let refused = world.offer(ada);
    assert_eq!(world.error(ada, &refused).0, ErrorType::ResourceUnavailable);
}

#[test]
fn an_answer_for_somebody_who_has_left_closes_the_peer_again() {
    let mut world = World::new();
    let ada = world.join(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.say(ada, ClientMessage::Leave {});
    assert_eq!(world.take_commands(), [UnitCommand::Close { peer }]);
    world.answer(Ok(Lines::usual().answer(false)));
    assert_eq!(world.take_commands(), [UnitCommand::Close { peer }]);
}

#[test]
fn an_answer_is_not_given_to_a_newer_socket() {
    let mut world = World::new();
    let ada = world.join(1);
    world.offer(ada);
    world.join(1);
    let id = world.offer(ada);
    world.answer(Ok(Lines::usual().answer(false)));
    assert!(!world.types(ada).contains(&"media_offer".to_owned()), "the answer was for the former socket");
    world.answer(Ok(Lines::usual().answer(true)));
    assert!(matches!(world.reply(ada, &id), ServerMessage::MediaOffer { .. }));
}

#[test]
fn candidates_reach_the_unit_and_the_end_of_candidates_does_not() {
    let mut world = World::new();
    let ada = world.join(1);
    world.negotiate(ada, &Lines::none().publish("0", Codec::Opus, Default::default(), &[]));
    let candidate = |text: &str| ClientMessage::AddNewCandidate {
        candidate: text.to_owned(),
        mid: "0".to_owned(),
        ufrag: String::new(),
        pwd: String::new(),
    };
    world.take_commands();
    world.say(ada, candidate("candidate:1 1 udp 1 192.0.2.1 9 typ host"));
    world.say(ada, candidate(""));
    let commands = world.take_commands();
    assert!(matches!(commands[..], [UnitCommand::AddCandidate { .. }]), "{commands:?}");
}

#[test]
fn an_offer_that_was_perhaps_carried_out_leaves_no_peer_behind() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.answer(Err(OfferFailure::NoAnswer));
    world.say(ada, ClientMessage::Leave {});
    assert_eq!(world.take_commands(), [UnitCommand::Close { peer }]);
}
