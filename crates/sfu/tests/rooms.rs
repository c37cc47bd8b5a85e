//! What a room's commands cannot do, whatever the room says.

mod common;

use std::time::Duration;

use common::{Camera, Line, World};
use model::Mid;
use model::unit::UnitCommand;
use str0m::media::MediaKind::Video;

#[test]
fn a_slot_bound_ahead_to_a_source_of_another_room_stays_empty() {
    let mut world = World::new();
    let stranger = world.client(2);
    let (slots, _) = world.offer(stranger, &[Line::Receive(Video)]);
    world.connect(&[stranger]);
    let sender = world.client(1);
    let offer = world.offer_text(sender);
    let mid = offer.sdp.lines().find_map(|line| line.strip_prefix("a=mid:")).expect("a mid");
    let mid: Mid = mid.parse().expect("a mid");
    world.bind(stranger, slots[0], Some(world.source(sender, mid)));
    let now = world.now;
    let answer = world.unit_of(sender).handle_offer(now, &offer).expect("an answer");
    world.answer(sender, &answer.sdp);
    world.connect(&[sender]);
    let mut camera = Camera::new(sender, mid, None, (640, 360));
    for _ in 0..5 {
        camera.frame(&mut world, true);
        world.run(Duration::from_millis(40));
    }
    assert_eq!(world.take_packets(stranger).len(), 0);
}

#[test]
fn a_mute_for_somebody_who_never_came_leaves_nothing_when_they_are_closed() {
    let mut world = World::new();
    let client = world.client(1);
    let source = world.source(client, "0".parse().expect("a mid"));
    world.command(UnitCommand::Mute { source, muted: true });
    let peer = world.clients[client].peer;
    world.command(UnitCommand::Close { peer });
    world.settle();
    assert!(world.is_empty(), "{:?} {:?}", world.unit, world.others);
}
