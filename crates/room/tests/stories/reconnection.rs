//! Sockets and peer connections that are lost and come again.

use model::unit::{UnitCommand, UnitFact};
use serde_json::json;
use wire::client::TileSize;
use wire::server::GoodbyeReason;
use wire::{ClientMessage, CloseCode, ServerMessage};

use crate::common::{Lines, World, mid};

#[test]
fn the_newest_socket_wins_and_the_older_one_says_so() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    let older = world.socket[&ada];
    world.join_hello(1);
    let goodbye = &world.inbox[&older].last().unwrap().message;
    assert_eq!(*goodbye, ServerMessage::Goodbye { reason: GoodbyeReason::Replaced });
    assert_eq!(world.closed[&older], CloseCode::Final);
    world.clear();
    world.say_on(ada, older, ClientMessage::Ping {});
    assert!(world.inbox.is_empty(), "what the older socket still says is not heard");
    world.room.handle_disconnected(world.now(), ada, older, true);
    assert!(world.room.holds(ada), "nor that it closes");
}

#[test]
fn a_client_without_hello_is_closed_without_goodbye() {
    let mut world = World::new();
    let ada = world.join(1);
    let older = world.socket[&ada];
    world.join(1);
    assert!(world.inbox[&older].iter().all(|e| !matches!(e.message, ServerMessage::Goodbye { .. })));
    assert_eq!(world.closed[&older], CloseCode::Final);
}

#[test]
fn streams_slots_and_chat_stay_across_a_reconnection() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let (adas, bobs) = (world.video(bob, ada), world.video(ada, bob));
    world.request_with(ada, bob, bobs, None, Some("5"));
    world.say(bob, ClientMessage::Chat { text: "still here".to_owned(), to: None });
    world.lose_socket(ada);
    world.pass_ms(20_000);
    assert_eq!(world.video(bob, ada), adas, "media goes on");
    world.join_hello(1);
    let welcome = world.got(ada).iter().find(|e| matches!(e.message, ServerMessage::Welcome { .. }));
    assert!(serde_json::to_string(welcome.unwrap()).unwrap().contains("still here"));
    world.take_commands();
    world.negotiate_anew(ada, &Lines::usual());
    let binds = world.take_binds();
    assert!(matches!(binds[..], [(_, slot, Some(_), None)] if slot == mid("5")), "{binds:?}");
    assert_eq!(world.video(bob, ada), adas, "stream ids stay");
    assert_eq!(world.slots(ada)[&mid("5")].stream_id, bobs);
}

#[test]
fn whoever_does_not_come_back_in_time_leaves() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(bob, &Lines::usual());
    world.lose_socket(bob);
    world.take_commands();
    world.pass_ms(29_900);
    assert!(world.roster(ada).contains_key(&bob));
    world.pass_ms(200);
    assert!(!world.roster(ada).contains_key(&bob));
    assert!(matches!(world.take_commands()[..], [UnitCommand::Close { .. }]));
}

#[test]
fn whoever_closes_on_purpose_leaves_at_once() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.close_on_purpose(bob);
    world.pass_ms(100);
    assert!(!world.roster(ada).contains_key(&bob));
    assert!(!world.room.holds(bob));
}

#[test]
fn whoever_says_leave_leaves_at_once() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    let connection = world.socket[&ada];
    let id = world.say(ada, ClientMessage::Leave {});
    assert!(matches!(world.reply(ada, &id), ServerMessage::Success { .. }));
    assert_eq!(world.closed[&connection], CloseCode::Final);
    assert!(!world.room.holds(ada));
}

#[test]
fn a_new_peer_connection_of_a_producer_is_bound_again_for_all_its_receivers() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let video = world.video(ada, bob);
    world.request(ada, bob, video);
    world.take_commands();
    world.negotiate_anew(bob, &Lines::usual());
    let binds = world.take_binds();
    assert!(matches!(binds[..], [(_, slot, Some(_), None)] if slot == mid("4")), "{binds:?}");
    world.negotiate(bob, &Lines::usual());
    assert!(world.take_binds().is_empty(), "an offer of the same peer connection changes nothing");
}

#[test]
fn mutes_and_sizes_are_told_again_to_a_new_peer_connection() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.negotiate(ada, &Lines::usual());
    world.say(ada, ClientMessage::MuteStream { mid: mid("0"), muted: true });
    let tile = TileSize { receive_mid: mid("4"), width: 320, height: 180, quality: None };
    world.say(ada, ClientMessage::TileSizes { tiles: vec![tile] });
    world.take_commands();
    world.negotiate_anew(ada, &Lines::usual());
    let commands = world.take_commands();
    assert!(commands.iter().any(|c| matches!(c, UnitCommand::Mute { muted: true, .. })), "{commands:?}");
    assert!(commands.iter().any(|c| matches!(c, UnitCommand::Resize { width: 320, .. })), "{commands:?}");
}

#[test]
fn a_new_peer_connection_that_offers_its_lines_one_by_one_gets_each_back() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let (video, audio) = (world.video(ada, bob), world.audio(ada, bob));
    world.request(ada, bob, audio);
    world.request(ada, bob, video);
    world.take_commands();
    world.negotiate_anew(ada, &Lines::usual().without("4"));
    assert_eq!(world.take_binds().len(), 1);
    world.negotiate(ada, &Lines::usual());
    assert_eq!(world.take_binds().len(), 1);
}

#[test]
fn a_failed_media_path_makes_our_client_offer_again() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.answer(Ok(Lines::usual().answer(false)));
    world.fact(UnitFact::Connected { peer, after_ms: 1 });
    let failed = || UnitFact::Failed { peer, reason: "test".to_owned() };
    world.clear();
    world.fact(failed());
    world.pass_ms(1000);
    assert_eq!(world.types(ada).iter().filter(|t| *t == "reoffer").count(), 1);
    world.negotiate(ada, &Lines::usual());
    // A client that mends its media by itself is not told to.
    world.clear();
    world.fact(failed());
    world.pass_ms(100);
    world.negotiate(ada, &Lines::usual());
    world.pass_ms(5000);
    assert!(!world.types(ada).contains(&"reoffer".to_owned()));
}

#[test]
fn a_failed_media_path_makes_the_public_package_connect_anew() {
    let mut world = World::new();
    let ada = world.join(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.answer(Ok(Lines::usual().answer(false)));
    let first = world.socket[&ada];
    world.fact(UnitFact::PeersLost { peers: vec![peer] });
    assert_eq!(world.closed[&first], CloseCode::Restart);
    // It comes back and closes its old peer connection before it offers: no reason to close the new socket too.
    world.join(1);
    world.fact(UnitFact::Failed { peer, reason: "closed by the client".to_owned() });
    world.pass_ms(2000);
    assert!(!world.closed.contains_key(&world.socket[&ada]));
    world.negotiate(ada, &Lines::usual());
}

#[test]
fn what_was_bound_is_bound_again_after_the_unit_lost_its_peers() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join_hello(2));
    let mut peers = Vec::new();
    for who in [ada, bob] {
        world.offer(who);
        peers.push(world.peer_of_last_offer());
        world.answer(Ok(Lines::usual().answer(false)));
    }
    let video = world.video(ada, bob);
    world.request(ada, bob, video);
    world.clear();
    world.fact(UnitFact::PeersLost { peers });
    assert!(world.types(ada).contains(&"reoffer".to_owned()));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let binds = world.take_binds();
    assert!(binds.iter().all(|(_, slot, source, _)| *slot == mid("4") && source.is_some()), "{binds:?}");
    assert!(!binds.is_empty());
}

#[test]
fn a_client_whose_media_is_gone_hears_it_after_its_hello() {
    let mut world = World::new();
    let ada = world.join_hello(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.answer(Ok(Lines::usual().answer(false)));
    world.lose_socket(ada);
    world.fact(UnitFact::Failed { peer, reason: "test".to_owned() });
    world.pass_ms(3000);
    world.join(1);
    world.hello(ada, json!(null));
    world.pass_ms(1000);
    assert!(world.types(ada).contains(&"reoffer".to_owned()));
}
