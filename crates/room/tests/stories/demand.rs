//! What of a sender's streams is looked at: the unit knows, the sender is told.

use std::collections::BTreeMap;

use model::unit::{Source, UnitFact};
use model::{Codec, MediaKind, Mid, ParticipantId, PeerId, Semantic};
use serde_json::json;
use wire::ServerMessage;
use wire::server::StreamDemand;

use crate::common::{Lines, World, mid, rid};

type Demand = BTreeMap<Mid, StreamDemand>;

/// All that a client was told of it.
fn told(world: &World, who: ParticipantId) -> Vec<Demand> {
    let told = world.got(who).iter().filter_map(|e| match &e.message {
        ServerMessage::Demand { streams } => Some(streams.clone()),
        _ => None,
    });
    told.collect()
}

fn demand(rids: &[&str]) -> StreamDemand {
    StreamDemand {
        watched: !rids.is_empty(),
        rids: rids.iter().map(|r| rid(r)).collect(),
        codecs: Vec::new(),
    }
}

fn on(line: &str, rids: &[&str]) -> Demand {
    BTreeMap::from([(mid(line), demand(rids))])
}

fn fact(peer: PeerId, line: &str, rids: &[&str]) -> UnitFact {
    let StreamDemand { watched, rids, codecs } = demand(rids);
    UnitFact::Demand { source: Source { peer, mid: mid(line) }, watched, rids, codecs }
}

/// Somebody who sends a camera on `1`.
fn sender(world: &mut World) -> (ParticipantId, PeerId) {
    let ada = world.join_hello(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.answer(Ok(Lines::usual().answer(false)));
    world.clear();
    (ada, peer)
}

#[test]
fn a_sender_hears_at_once_what_is_looked_at_and_only_of_changes() {
    let mut world = World::new();
    let (ada, peer) = sender(&mut world);
    let bob = world.join_hello(2);
    world.fact(fact(peer, "1", &["l"]));
    world.fact(fact(peer, "1", &["l"]));
    world.fact(fact(peer, "1", &[]));
    world.fact(fact(peer, "9", &["l"]));
    assert_eq!(told(&world, ada), [on("1", &["l"]), on("1", &[])]);
    assert_eq!(told(&world, bob), [Demand::new()], "with the answer to its hello, and nothing of others");
}

#[test]
fn a_sender_hears_which_codec_to_send_instead_and_when_it_need_not_any_more() {
    let mut world = World::new();
    let (ada, peer) = sender(&mut world);
    let source = Source { peer, mid: mid("1") };
    let in_codecs = |codecs: &[Codec]| StreamDemand { codecs: codecs.to_vec(), ..demand(&["l"]) };
    let expected = [&[Codec::H264, Codec::Vp8][..], &[Codec::Vp8], &[]].map(in_codecs);
    for StreamDemand { watched, rids, codecs } in expected.clone() {
        world.fact(UnitFact::Demand { source, watched, rids, codecs });
    }
    assert_eq!(told(&world, ada), expected.map(|demand| BTreeMap::from([(mid("1"), demand)])));
}

#[test]
fn who_said_no_hello_hears_nothing() {
    let mut world = World::new();
    let ada = world.join(1);
    world.offer(ada);
    let peer = world.peer_of_last_offer();
    world.answer(Ok(Lines::usual().answer(false)));
    world.fact(fact(peer, "1", &["l"]));
    assert!(told(&world, ada).is_empty());
    world.hello(ada, json!(null));
    assert_eq!(told(&world, ada), [on("1", &["l"])]);
}

#[test]
fn a_new_socket_hears_what_holds() {
    let mut world = World::new();
    let (ada, peer) = sender(&mut world);
    world.fact(fact(peer, "1", &["m"]));
    world.lose_socket(ada);
    world.fact(fact(peer, "1", &["m", "h"]));
    world.join_hello(1);
    assert_eq!(told(&world, ada), [on("1", &["m", "h"])]);
}

#[test]
fn a_new_peer_connection_and_other_encodings_begin_with_everything() {
    let mut world = World::new();
    let (ada, peer) = sender(&mut world);
    world.fact(fact(peer, "1", &[]));
    world.negotiate(ada, &Lines::usual());
    assert_eq!(told(&world, ada).last(), Some(&on("1", &[])), "the same goes on");
    world.negotiate_anew(ada, &Lines::usual());
    assert_eq!(told(&world, ada).last(), Some(&Demand::new()));
    world.fact(fact(peer, "1", &[]));
    let lines =
        Lines::none().publish("1", Codec::Vp8, Semantic::Main, &["a", "b"]).slot("4", MediaKind::Video);
    world.negotiate(ada, &lines);
    assert_eq!(told(&world, ada).last(), Some(&Demand::new()));
}
