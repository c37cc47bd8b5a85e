//! Who receives what.

use model::unit::{Source, UnitCommand, UnitFact};
use model::{LayerReason, MediaKind, StreamId};
use serde_json::json;
use wire::client::TileSize;
use wire::{ClientMessage, ErrorType, ServerMessage};

use crate::common::{Lines, World, mid, person, rid};

/// Two people with media; the first one's slots are `2`, `3` (audio) and `4`, `5`, `6` (video).
fn pair() -> (World, model::ParticipantId, model::ParticipantId) {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(ada, &Lines::usual());
    world.negotiate(bob, &Lines::usual());
    world.pass_ms(100);
    (world, ada, bob)
}

#[test]
fn a_request_without_a_line_gets_the_one_that_is_free_longest() {
    let (mut world, ada, bob) = pair();
    let (video, audio) = (world.video(ada, bob), world.audio(ada, bob));
    let taken = |world: &mut World, stream| {
        let id = world.request(ada, bob, stream);
        world.requested_mid(ada, &id)
    };
    assert_eq!(taken(&mut world, audio), "2");
    assert_eq!(taken(&mut world, video), "4");
    assert_eq!(taken(&mut world, video), "5", "several slots may show the same stream");
    world.disconnect(ada, "4");
    world.disconnect(ada, "5");
    let again = [video; 3].map(|v| taken(&mut world, v));
    assert_eq!(again, ["6", "4", "5"]);
}

#[test]
fn the_unit_is_told_what_to_send_where() {
    let (mut world, ada, bob) = pair();
    let video = world.video(ada, bob);
    world.take_commands();
    world.request_with(ada, bob, video, Some("m"), Some("6"));
    let binds = world.take_binds();
    let [(_, slot, Some(Source { mid: from, .. }), with)] = binds[..] else { panic!("{binds:?}") };
    assert_eq!((slot, from, with), (mid("6"), mid("1"), Some(rid("m"))));
    world.disconnect(ada, "6");
    let binds = world.take_binds();
    assert!(matches!(binds[..], [(_, slot, None, None)] if slot == mid("6")), "{binds:?}");
}

#[test]
fn a_named_line_that_is_taken_is_switched() {
    let (mut world, ada, bob) = pair();
    let cat = world.join(3);
    world.negotiate(cat, &Lines::usual());
    let (bobs, cats) = (world.video(ada, bob), world.video(ada, cat));
    world.request_with(ada, bob, bobs, None, Some("4"));
    world.take_commands();
    let id = world.request_with(ada, cat, cats, None, Some("4"));
    assert_eq!(world.requested_mid(ada, &id), "4");
    assert_eq!(world.take_binds().len(), 1);
    let other_layer = world.request_with(ada, cat, cats, Some("l"), Some("4"));
    assert_eq!(world.requested_mid(ada, &other_layer), "4");
    assert_eq!(world.take_binds()[0].3, Some(rid("l")));
}

#[test]
fn a_request_that_cannot_be_met_names_what_is_wrong() {
    let (mut world, ada, bob) = pair();
    let (video, audio) = (world.video(ada, bob), world.audio(ada, bob));
    let nobody = person(9);
    let unknown = StreamId::from_bytes([3; 10]);
    let wrong = [
        (world.request(ada, nobody, video), "producer_id"),
        (world.request(ada, ada, video), "producer_id"),
        (world.request(ada, bob, unknown), "stream_id"),
        (world.request_with(ada, bob, video, Some("x"), None), "rid"),
        (world.request_with(ada, bob, audio, Some("l"), None), "rid"),
        (world.request_with(ada, bob, video, None, Some("99")), "receive_mid"),
        (world.request_with(ada, bob, video, None, Some("2")), "receive_mid"),
        (world.request_with(ada, bob, video, None, Some("1")), "receive_mid"),
    ];
    for (id, parameter) in &wrong {
        let (error_type, text, detail) = world.error(ada, id);
        assert_eq!(error_type, ErrorType::InvalidParameter, "{parameter}");
        assert_eq!(detail["parameter"], json!(parameter), "{text}");
        assert!(detail["value"].is_string() && !text.is_empty());
    }
    let virtual_producer = ClientMessage::RequestStream {
        producer_id: "@nobody".to_owned(),
        stream_id: "video-1".to_owned(),
        rid: None,
        receive_mid: None,
    };
    let id = world.say(ada, virtual_producer);
    assert_eq!(world.error(ada, &id).0, ErrorType::InvalidParameter);
    assert!(world.take_binds().is_empty());
}

#[test]
fn when_no_line_is_free_the_request_is_refused() {
    let (mut world, ada, bob) = pair();
    let audio = world.audio(ada, bob);
    world.request(ada, bob, audio);
    world.request(ada, bob, audio);
    let id = world.request(ada, bob, audio);
    assert_eq!(world.error(ada, &id).0, ErrorType::ResourceUnavailable);
}

#[test]
fn a_stream_that_ends_frees_its_slots_and_a_late_disconnect_is_harmless() {
    let (mut world, ada, bob) = pair();
    let video = world.video(ada, bob);
    world.request(ada, bob, video);
    world.take_commands();
    world.negotiate(bob, &Lines::usual().without("1"));
    let binds = world.take_binds();
    assert!(matches!(binds[..], [(_, slot, None, None)] if slot == mid("4")), "{binds:?}");
    let late = world.disconnect(ada, "4");
    assert!(matches!(world.reply(ada, &late), ServerMessage::Success { .. }));
    let unknown = world.disconnect(ada, "none");
    assert!(matches!(world.reply(ada, &unknown), ServerMessage::Success { .. }));
    assert!(world.take_commands().is_empty());
}

#[test]
fn when_a_producer_leaves_its_slots_are_free() {
    let (mut world, ada, bob) = pair();
    world.hello(ada, json!(null));
    let video = world.video(ada, bob);
    for _ in 0..3 {
        world.request(ada, bob, video);
    }
    world.pass_ms(100);
    assert_eq!(world.slots(ada).len(), 3);
    world.say(bob, ClientMessage::Leave {});
    world.pass_ms(100);
    assert!(world.slots(ada).is_empty());
    let cat = world.join(3);
    world.negotiate(cat, &Lines::usual());
    let video = world.video(ada, cat);
    let id = world.request(ada, cat, video);
    assert_eq!(world.requested_mid(ada, &id), "4");
}

#[test]
fn slots_say_what_is_really_shown() {
    let (mut world, ada, bob) = pair();
    world.hello(ada, json!(null));
    let video = world.video(ada, bob);
    world.take_commands();
    world.request(ada, bob, video);
    let peer = world.take_binds()[0].0;
    world.pass_ms(100);
    let slot = &world.slots(ada)[&mid("4")];
    assert_eq!((slot.producer_id, slot.stream_id, slot.rid, slot.active), (bob, video, None, false));
    world.fact(UnitFact::SlotLayer {
        peer,
        slot: mid("4"),
        rid: Some(rid("m")),
        spatial: None,
        active: true,
        reason: LayerReason::TileSize,
    });
    world.pass_ms(100);
    let slot = &world.slots(ada)[&mid("4")];
    assert_eq!((slot.rid, slot.active, slot.reason), (Some(rid("m")), true, LayerReason::TileSize));
    world.fact(UnitFact::SlotLayer {
        peer,
        slot: mid("4"),
        rid: Some(rid("m")),
        spatial: None,
        active: true,
        reason: LayerReason::Bandwidth,
    });
    world.pass_ms(100);
    assert_eq!(world.slots(ada)[&mid("4")].reason, LayerReason::Bandwidth);
}

#[test]
fn sizes_go_to_the_unit_when_they_change() {
    let (mut world, ada, _) = pair();
    world.take_commands();
    let tile = |m: &str, width, height| TileSize { receive_mid: mid(m), width, height, quality: None };
    let sizes = |tiles: &[TileSize]| ClientMessage::TileSizes { tiles: tiles.to_vec() };
    world.say(ada, sizes(&[tile("4", 640, 360), tile("5", 0, 0), tile("unknown", 1, 1)]));
    assert_eq!(world.take_commands().len(), 2);
    world.say(ada, sizes(&[tile("4", 640, 360), tile("5", 160, 90)]));
    let commands = world.take_commands();
    assert!(
        matches!(commands[..], [UnitCommand::Resize { slot, width: 160, height: 90, .. }] if slot == mid("5")),
        "{commands:?}"
    );
}

#[test]
fn only_ones_own_streams_can_be_muted() {
    let (mut world, ada, _) = pair();
    world.take_commands();
    let mute = |m: &str, muted| ClientMessage::MuteStream { mid: mid(m), muted };
    world.say(ada, mute("0", true));
    world.say(ada, mute("0", true));
    let commands = world.take_commands();
    assert!(matches!(commands[..], [UnitCommand::Mute { muted: true, .. }]), "{commands:?}");
    let receiving = world.say(ada, mute("4", true));
    assert_eq!(world.error(ada, &receiving).0, ErrorType::InvalidParameter);
    world.say(ada, mute("0", false));
    let commands = world.take_commands();
    assert!(matches!(commands[..], [UnitCommand::Mute { muted: false, .. }]), "{commands:?}");
}

#[test]
fn a_line_meant_for_presentations_is_taken_last_by_a_camera() {
    let mut world = World::new();
    let (ada, bob) = (world.join(1), world.join(2));
    world.negotiate(bob, &Lines::none().camera("0").screen("1"));
    world.offer(ada);
    let mut answer = Lines::none().slot("0", MediaKind::Video).slot("1", MediaKind::Video).answer(false);
    answer.slots[0].semantic = model::Semantic::Presentation;
    world.answer(Ok(answer));
    let camera = world.video(ada, bob);
    let id = world.request(ada, bob, camera);
    let streams = &world.roster(ada)[&bob].streams;
    let is_camera = serde_json::to_value(&streams[&camera]).unwrap()["semantic"] == "main";
    assert_eq!(world.requested_mid(ada, &id), if is_camera { "1" } else { "0" });
}
