//! Who is there and what they publish.

use model::unit::{Source, UnitFact};
use model::{Codec, Layer, Semantic};
use serde_json::json;
use wire::ClientMessage;
use wire::server::{MemberConnection, RosterStream};

use crate::common::{Lines, World, mid, person, rid};

#[test]
fn the_receiver_is_not_in_its_own_roster() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.pass_ms(1000);
    assert_eq!(world.roster(ada).keys().collect::<Vec<_>>(), [&bob]);
    assert_eq!(world.roster(bob).keys().collect::<Vec<_>>(), [&ada]);
}

#[test]
fn a_stream_appears_once_its_offer_is_answered_with_its_layers() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.offer(bob);
    world.pass_ms(1000);
    assert!(world.roster(ada)[&bob].streams.is_empty());
    world.answer(Ok(Lines::usual().answer(false)));
    world.pass_ms(1000);
    let message = serde_json::to_value(&world.got(ada).last().unwrap().message).unwrap();
    let streams = message["participants"][bob.to_string()]["streams"].as_object().unwrap();
    assert_eq!(streams.len(), 2);
    for (id, stream) in streams {
        assert!(!id.contains('-'));
        let layer = |rid| json!({ "rid": rid, "width": 0, "height": 0 });
        match stream["type"].as_str().unwrap() {
            "audio" => assert_eq!(*stream, json!({ "type": "audio", "codec": "opus", "semantic": "main" })),
            _ => assert_eq!(stream["layers"], json!([layer("l"), layer("m"), layer("h")])),
        }
    }
}

#[test]
fn somebody_without_streams_is_listed_with_none() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.pass_ms(1000);
    let roster = serde_json::to_value(world.roster(ada)).unwrap();
    assert_eq!(roster[bob.to_string()], json!({ "streams": {} }));
}

#[test]
fn sizes_learned_later_are_told() {
    let mut world = World::new();
    let ada = world.join(1);
    let bob = world.join(2);
    world.offer(bob);
    let peer = world.peer_of_last_offer();
    world.answer(Ok(Lines::usual().answer(false)));
    let layers = vec![Layer { rid: rid("m"), width: 640, height: 360 }];
    let source = Source { peer, mid: mid("1") };
    world.fact(UnitFact::SourceChanged { source, codec: Codec::Vp9, layers, active: true });
    let video = world.video(ada, bob);
    let RosterStream::Video { codec, layers, .. } = &world.roster(ada)[&bob].streams[&video] else {
        panic!()
    };
    assert_eq!(*codec, Codec::Vp9);
    assert_eq!(layers.iter().map(|l| (l.width, l.height)).collect::<Vec<_>>(), [(0, 0), (640, 360), (0, 0)]);
    // A later offer that names no sizes does not take them away.
    world.negotiate(bob, &Lines::usual().screen("7"));
    assert_eq!(world.video(ada, bob), world.video(ada, bob));
    let RosterStream::Video { layers, .. } = &world.roster(ada)[&bob].streams[&video] else { panic!() };
    assert_eq!(layers[1].width, 640);
}

#[test]
fn a_stopped_line_takes_its_stream_away() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(bob, &Lines::usual());
    world.pass_ms(1000);
    assert_eq!(world.roster(ada)[&bob].streams.len(), 2);
    world.negotiate(bob, &Lines::usual().without("1"));
    world.pass_ms(1000);
    assert_eq!(world.roster(ada)[&bob].streams.len(), 1);
}

#[test]
fn a_reused_mid_of_another_kind_or_semantic_is_another_stream() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    let mut ids = Vec::new();
    for lines in [
        Lines::none().camera("0"),
        Lines::none().audio("0"),
        Lines::none().screen("0"),
        Lines::none().camera("0"),
    ] {
        world.negotiate(bob, &lines);
        world.pass_ms(1000);
        ids.push(*world.roster(ada)[&bob].streams.keys().next().unwrap());
    }
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    assert_ne!(ids[0], ids[2]);
    assert_eq!(ids[0], ids[3], "the same line again is the same stream");
}

#[test]
fn more_streams_than_one_may_publish_are_not_listed() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    let most = model::limits::PUBLISHED_STREAMS_MAX;
    let lines = (0..most + 3).fold(Lines::none(), |lines, n| lines.audio(&n.to_string()));
    world.negotiate(bob, &lines);
    world.pass_ms(1000);
    assert_eq!(world.roster(ada)[&bob].streams.len(), most);
}

#[test]
fn changes_close_to_each_other_are_told_together() {
    let mut world = World::new();
    let ada = world.join(1);
    world.pass_ms(1000);
    world.clear();
    for n in 2..30 {
        world.join(n);
    }
    world.pass_ms(1000);
    assert_eq!(world.rosters(ada).len(), 2, "the first change at once, the others after the interval");
    assert_eq!(world.roster(ada).len(), 28);
}

#[test]
fn nothing_is_told_when_nothing_has_changed() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join(2));
    world.negotiate(bob, &Lines::usual());
    world.pass_ms(1000);
    world.clear();
    world.negotiate(bob, &Lines::usual());
    world.pass_ms(1000);
    assert!(world.rosters(ada).is_empty());
}

#[test]
fn in_a_large_room_snapshots_are_rarer() {
    let mut world = World::new();
    for n in 0..=250 {
        world.join(n);
    }
    world.pass_ms(5000);
    world.clear();
    for _ in 0..20 {
        world.say(person(1), ClientMessage::MediaOffer { sdp: String::new() });
        world.answer(Ok(Lines::usual().answer(false)));
        world.pass_ms(50);
        world.say(person(1), ClientMessage::MediaOffer { sdp: String::new() });
        world.answer(Ok(Lines::none().answer(false)));
        world.pass_ms(50);
    }
    let told = world.rosters(person(2)).len();
    assert!((6..=9).contains(&told), "{told} in two seconds of constant change among 251 people");
}

#[test]
fn clients_without_hello_get_only_what_the_public_package_knows() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join_hello(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    let video = world.video(ada, bob);
    world.request(ada, bob, video);
    world.say(bob, ClientMessage::Chat { text: "hello".to_owned(), to: None });
    world.say(bob, ClientMessage::MuteStream { mid: mid("0"), muted: true });
    world.pass_ms(5000);
    let known = ["roster_update", "media_offer", "request_stream_response"];
    for kind in world.types(ada) {
        assert!(known.contains(&kind.as_str()), "{kind}");
    }
}

#[test]
fn hello_is_answered_with_everything_there_is_to_know() {
    let mut world = World::new();
    let bob = world.join_hello(2);
    world.negotiate(bob, &Lines::usual());
    world.say(bob, ClientMessage::Chat { text: "early".to_owned(), to: None });
    world.pass_ms(1000);
    let ada = world.join(1);
    world.clear();
    let hello = world.hello(ada, json!({ "name": "Ada" }));
    let welcome = serde_json::to_value(world.reply(ada, &hello)).unwrap();
    assert_eq!(welcome["participant_id"], json!(ada));
    assert_eq!(welcome["grace_ms"], json!(30_000));
    assert_eq!(welcome["chat"][0]["text"], "early");
    assert_eq!(world.types(ada), ["welcome", "members", "published", "slots", "demand", "speakers", "stage"]);
    let members = world.members(ada);
    assert_eq!((members[&bob].order, members[&ada].order), (1, 2));
    assert_eq!(members[&ada].profile, json!({ "name": "Ada" }));
}

#[test]
fn a_client_learns_the_ids_of_its_own_streams() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join(2));
    world.clear();
    world.negotiate(ada, &Lines::usual());
    assert_eq!(world.types(ada)[..3], ["media_offer", "published", "roster_update"]);
    let published = serde_json::to_value(&world.got(ada)[1].message).unwrap();
    let video = world.video(bob, ada);
    assert_eq!(published["streams"]["1"], json!(video));
}

#[test]
fn members_say_who_is_here_and_what_is_muted() {
    let mut world = World::new();
    let (ada, bob) = (world.join_hello(1), world.join(2));
    let state = |world: &mut World| {
        world.pass_ms(100);
        world.members(ada)[&bob].connection
    };
    assert_eq!(state(&mut world), MemberConnection::Connected, "media was never asked for");
    world.offer(bob);
    let peer = world.peer_of_last_offer();
    assert_eq!(state(&mut world), MemberConnection::Connecting);
    world.answer(Ok(Lines::usual().answer(false)));
    assert_eq!(state(&mut world), MemberConnection::Connecting);
    world.fact(UnitFact::Connected { peer, after_ms: 80 });
    assert_eq!(state(&mut world), MemberConnection::Connected);
    world.fact(UnitFact::PathLost { peer });
    assert_eq!(state(&mut world), MemberConnection::Reconnecting);
    world.fact(UnitFact::PathRestored { peer });
    assert_eq!(state(&mut world), MemberConnection::Connected);
    world.lose_socket(bob);
    assert_eq!(state(&mut world), MemberConnection::Reconnecting);
    world.join(2);
    assert_eq!(state(&mut world), MemberConnection::Connected);
    world.say(bob, ClientMessage::MuteStream { mid: mid("0"), muted: true });
    let audio = world.audio(ada, bob);
    assert_eq!(world.members(ada)[&bob].muted, [audio]);
}

#[test]
fn a_share_is_listed_as_a_presentation() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(bob, &Lines::usual().screen("7"));
    world.listed(ada, bob, |s| {
        matches!(s, RosterStream::Video { semantic: Semantic::Presentation, layers, .. } if layers.is_empty())
    });
}
