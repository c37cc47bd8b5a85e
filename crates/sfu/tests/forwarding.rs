//! Media through a real endpoint on both ends: what receivers get, and what nobody gets.

mod common;

use std::time::Duration;

use common::{Camera, Line, World, key_frame_width, picture_id, sequences};
use model::Mid;
use model::unit::{UnitCommand, UnitFact};
use str0m::media::MediaKind::{Audio, Video};

const FRAME: Duration = Duration::from_millis(35);
const LADDER: [(&str, (u16, u16)); 3] = [("l", (320, 180)), ("m", (640, 360)), ("h", (1280, 720))];

/// A sender with a camera and a receiver with a slot, connected.
fn pair(world: &mut World) -> (usize, Mid, usize, Mid) {
    let sender = world.client(1);
    let receiver = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    (sender, sent[0], receiver, slots[0])
}

/// A simulcast sender with its three encodings.
fn simulcast(world: &mut World) -> (usize, Mid, Vec<Camera>) {
    let sender = world.client(1);
    let (mids, answer) = world.offer(sender, &[Line::Simulcast(&["l", "m", "h"])]);
    assert_eq!(
        answer.published[0].layers.iter().map(|l| l.rid.to_string()).collect::<Vec<_>>(),
        ["l", "m", "h"]
    );
    let cameras = LADDER.iter().map(|(rid, size)| Camera::new(sender, mids[0], Some(rid), *size)).collect();
    (sender, mids[0], cameras)
}

/// Sends frames; a key frame on an encoding whenever one was asked for.
fn film(world: &mut World, cameras: &mut [Camera], frames: usize) {
    for _ in 0..frames {
        for camera in cameras.iter_mut() {
            let asked = &mut world.clients[camera.client].key_frame_requests;
            let before = asked.len();
            asked.retain(|(_, rid, _)| rid.as_deref() != camera.rid);
            // An encoder begins with a key frame.
            let key = asked.len() < before || !camera.begun;
            camera.frame(world, key);
        }
        world.run(FRAME);
    }
}

fn assert_continuous(numbers: &[u64]) {
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{numbers:?}");
}

#[test]
fn a_picture_reaches_its_receiver_from_the_first_key_frame_on_with_continuous_numbers() {
    let mut world = World::new();
    let (sender, mid, receiver, slot) = pair(&mut world);
    let mut camera = [Camera::new(sender, mid, None, (640, 360))];
    camera[0].frame(&mut world, false);
    world.bind(receiver, slot, Some(world.source(sender, mid)));
    film(&mut world, &mut camera, 20);
    let packets = world.take_packets(receiver);
    assert!(packets.len() >= 3 * 15, "{}", packets.len());
    assert_eq!(key_frame_width(&packets[0]), Some(640), "starts with the key frame that the unit asked for");
    assert_continuous(&packets.iter().map(|p| *p.seq_no).collect::<Vec<_>>());
    assert!(packets.iter().all(|p| p.payload.len() >= 900 && p.header.csrc_count == 1));
    assert_eq!(
        packets.windows(2).filter(|w| w[1].header.timestamp != w[0].header.timestamp).count(),
        packets.len() / 3 - 1
    );
}

#[test]
fn the_tile_decides_the_encoding_and_a_switch_is_seamless() {
    let mut world = World::without_estimates();
    let (sender, mid, mut cameras) = simulcast(&mut world);
    let receiver = world.client(1);
    let other = world.client(1);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    let (others, _) = world.offer(other, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver, other]);
    for (client, slot) in [(receiver, slots[0]), (other, others[0])] {
        world.resize(client, slot, 320, 180);
        world.bind(client, slot, Some(world.source(sender, mid)));
    }
    film(&mut world, &mut cameras, 20);
    let mut packets = world.take_packets(receiver);
    world.take_packets(other);
    assert_eq!(packets.iter().filter_map(key_frame_width).collect::<Vec<_>>(), [320]);

    world.resize(receiver, slots[0], 1280, 720);
    film(&mut world, &mut cameras, 30);
    packets.extend(world.take_packets(receiver));
    assert_eq!(packets.iter().filter_map(key_frame_width).collect::<Vec<_>>(), [320, 1280]);
    let seen_by_other = world.take_packets(other);
    assert!(
        seen_by_other.len() >= 60 && seen_by_other.iter().all(|p| key_frame_width(p).is_none()),
        "nobody else changed"
    );

    let numbers = sequences(&packets);
    assert_eq!(numbers.len(), 1, "one SSRC for the life of the slot");
    numbers.values().for_each(|n| assert_continuous(n));
    for pair in packets.windows(2) {
        let step = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        assert!(step < 90_000, "the clock does not jump: {step}");
        let picture = picture_id(&pair[1]).wrapping_sub(picture_id(&pair[0])) & 0x7fff;
        assert!(picture <= 1, "picture ids do not jump: {picture}");
    }
    let layers: Vec<_> = world
        .facts
        .iter()
        .filter_map(|f| match f {
            UnitFact::SlotLayer { peer, rid, active: true, .. } if *peer == world.clients[receiver].peer => {
                *rid
            }
            _ => None,
        })
        .map(|r| r.to_string())
        .collect();
    assert_eq!(layers, ["l", "h"]);
}

#[test]
fn a_hidden_tile_costs_nothing_and_comes_back_with_a_key_frame() {
    let mut world = World::new();
    let (sender, mid, receiver, slot) = pair(&mut world);
    let mut camera = [Camera::new(sender, mid, None, (640, 360))];
    world.bind(receiver, slot, Some(world.source(sender, mid)));
    film(&mut world, &mut camera, 10);
    world.resize(receiver, slot, 0, 0);
    film(&mut world, &mut camera, 2);
    world.take_packets(receiver);
    film(&mut world, &mut camera, 10);
    assert_eq!(world.take_packets(receiver).len(), 0);
    world.resize(receiver, slot, 640, 360);
    film(&mut world, &mut camera, 10);
    let packets = world.take_packets(receiver);
    assert_eq!(packets.first().and_then(key_frame_width), Some(640));
}

#[test]
fn loss_towards_a_receiver_is_repaired_here_and_the_sender_does_not_hear_of_it() {
    let mut world = World::new();
    let (sender, mid, receiver, slot) = pair(&mut world);
    let mut camera = [Camera::new(sender, mid, None, (640, 360))];
    world.bind(receiver, slot, Some(world.source(sender, mid)));
    film(&mut world, &mut camera, 10);
    // Of the picture itself: packets that probe the path are lost on nobody.
    let picture = world.take_packets(receiver)[0].header.ssrc.to_be_bytes();
    let asked_before = world.total(|c| c.key_frames_requested);
    let mut count = 0;
    world.filter = Box::new(move |hop| {
        if hop.client == receiver && hop.is_rtp() && hop.bytes.get(8..12) == Some(&picture[..]) {
            count += 1;
            return count % 20 != 0;
        }
        true
    });
    film(&mut world, &mut camera, 60);
    world.run(Duration::from_millis(300));
    let mut numbers: Vec<u64> = world.take_packets(receiver).iter().map(|p| *p.seq_no).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_continuous(&numbers);
    assert!(numbers.len() >= 175, "{}", numbers.len());
    assert!(world.total(|c| c.packets_retransmitted) >= 8);
    assert_eq!(world.total(|c| c.key_frames_requested), asked_before);
}

#[test]
fn loss_from_a_sender_is_repaired_for_everybody() {
    let mut world = World::new();
    let (sender, mid, receiver, slot) = pair(&mut world);
    let mut camera = [Camera::new(sender, mid, None, (640, 360))];
    world.bind(receiver, slot, Some(world.source(sender, mid)));
    film(&mut world, &mut camera, 10);
    world.take_packets(receiver);
    let mut count = 0;
    world.filter = Box::new(move |hop| {
        if hop.client == sender && hop.to_server && hop.is_rtp() {
            count += 1;
            return count % 20 != 0;
        }
        true
    });
    film(&mut world, &mut camera, 40);
    world.filter = Box::new(|_| true);
    film(&mut world, &mut camera, 10);
    let mut numbers: Vec<u64> = world.take_packets(receiver).iter().map(|p| *p.seq_no).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_continuous(&numbers);
}

#[test]
fn a_key_frame_wanted_by_many_is_asked_for_once() {
    let mut world = World::new();
    let sender = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let receivers: Vec<_> = (0..20).map(|_| world.client(1)).collect();
    let slots: Vec<_> = receivers.iter().map(|r| world.offer(*r, &[Line::Receive(Video)]).0[0]).collect();
    world.connect(&receivers);
    let mut camera = [Camera::new(sender, sent[0], None, (640, 360))];
    film(&mut world, &mut camera, 5);
    world.clients[sender].key_frame_requests.clear();
    for (receiver, slot) in receivers.iter().zip(&slots) {
        world.bind(*receiver, *slot, Some(world.source(sender, sent[0])));
    }
    world.run(Duration::from_millis(50));
    assert_eq!(world.clients[sender].key_frame_requests.len(), 1);
    film(&mut world, &mut camera, 10);
    for receiver in receivers {
        assert!(world.take_packets(receiver).len() >= 24, "everybody sees from that one on");
    }
}

#[test]
fn a_receiver_that_is_not_connected_yet_costs_no_key_frame_and_begins_with_one() {
    let mut world = World::new();
    let sender = world.client(1);
    let (mids, _) = world.offer(sender, &[Line::Send(Video)]);
    world.connect(&[sender]);
    let mut camera = Camera::new(sender, mids[0], None, (640, 360));
    camera.frame(&mut world, true);
    world.settle();

    let receiver = world.client(1);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    let source = world.source(sender, mids[0]);
    world.bind(receiver, slots[0], Some(source));
    // The key frame that happens to come now is lost on this receiver.
    camera.frame(&mut world, true);
    let now = world.now;
    world.unit_of(sender).forward(now, |_| {});
    assert!(world.clients[sender].key_frame_requests.is_empty(), "nobody could be sent it");

    world.connect(&[receiver]);
    world.run(Duration::from_millis(10));
    assert_eq!(world.clients[sender].key_frame_requests.len(), 1, "asked for at once");
    camera.frame(&mut world, false);
    world.settle();
    assert!(world.take_packets(receiver).is_empty(), "nothing that cannot be decoded");
    camera.frame(&mut world, true);
    world.settle();
    assert_eq!(world.take_packets(receiver).len(), 3);
}

#[test]
fn media_does_not_leave_its_room() {
    let mut world = World::new();
    let sender = world.client(1);
    let stranger = world.client(2);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(stranger, &[Line::Receive(Video)]);
    world.connect(&[sender, stranger]);
    world.bind(stranger, slots[0], Some(world.source(sender, sent[0])));
    film(&mut world, &mut [Camera::new(sender, sent[0], None, (640, 360))], 10);
    assert_eq!(world.take_packets(stranger).len(), 0);
}

#[test]
fn a_muted_stream_is_dropped_here_whatever_its_sender_does() {
    let mut world = World::new();
    let (sender, mid, receiver, slot) = pair(&mut world);
    let source = world.source(sender, mid);
    let mut camera = [Camera::new(sender, mid, None, (640, 360))];
    world.bind(receiver, slot, Some(source));
    film(&mut world, &mut camera, 10);
    world.command(UnitCommand::Mute { source, muted: true });
    film(&mut world, &mut camera, 1);
    world.take_packets(receiver);
    film(&mut world, &mut camera, 10);
    assert_eq!(world.take_packets(receiver).len(), 0);
    assert!(world.total(|c| c.packets_muted) >= 30);
    world.command(UnitCommand::Mute { source, muted: false });
    film(&mut world, &mut camera, 10);
    let packets = world.take_packets(receiver);
    assert_eq!(packets.first().and_then(key_frame_width), Some(640));
}

#[test]
fn a_slot_bound_before_its_source_is_there_shows_it_when_it_comes() {
    let mut world = World::new();
    let receiver = world.client(1);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video), Line::Receive(Audio)]);
    world.connect(&[receiver]);
    let sender = world.client(1);
    let source = world.source(sender, "abc".parse().unwrap());
    world.bind(receiver, slots[0], Some(source));
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    world.connect(&[sender]);
    film(&mut world, &mut [Camera::new(sender, sent[0], None, (640, 360))], 10);
    assert!(world.take_packets(receiver).len() >= 20);
}

#[test]
fn a_client_that_comes_back_with_a_new_connection_takes_its_place() {
    let mut world = World::new();
    let (sender, mid, receiver, slot) = pair(&mut world);
    world.bind(receiver, slot, Some(world.source(sender, mid)));
    let again = world.client(1);
    (world.clients[again].peer, world.clients[again].unit) =
        (world.clients[receiver].peer, world.clients[receiver].unit);
    let (slots, answer) = world.offer(again, &[Line::Receive(Video)]);
    assert!(answer.replaced);
    world.facts.clear();
    world.connect(&[again]);
    world.bind(again, slots[0], Some(world.source(sender, mid)));
    film(&mut world, &mut [Camera::new(sender, mid, None, (640, 360))], 10);
    assert!(world.take_packets(again).len() >= 20);
    assert_eq!(world.take_packets(receiver).len(), 0);
    assert_eq!(world.unit.peer_count() + world.others.iter().map(|u| u.peer_count()).sum::<usize>(), 2);
}

#[test]
fn who_left_leaves_nothing_behind() {
    let mut world = World::new();
    for _ in 0..3 {
        let (sender, mid, receiver, slot) = pair(&mut world);
        world.bind(receiver, slot, Some(world.source(sender, mid)));
        film(&mut world, &mut [Camera::new(sender, mid, None, (640, 360))], 3);
        for client in [sender, receiver] {
            let peer = world.clients[client].peer;
            world.command(UnitCommand::Close { peer });
        }
        world.settle();
        assert!(world.is_empty(), "{:?} {:?}", world.unit, world.others);
    }
}
