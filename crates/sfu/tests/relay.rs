//! Media between units: what crosses a link, and what a bad link or a unit that begins anew does to it.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use common::{Camera, Line, World, key_frame_width, sequences};
use model::unit::{Source, UnitCommand};
use model::{Mid, UnitId};
use proptest::prelude::*;
use str0m::media::MediaKind::{Audio, Video};

const FRAME: Duration = Duration::from_millis(35);
const S: Duration = Duration::from_secs(1);

/// A simulcast sender on the first unit, and so many receivers on the second.
struct Scene {
    cameras: Vec<Camera>,
    source: Source,
    receivers: Vec<(usize, Mid)>,
}

fn scene(world: &mut World, receivers: usize) -> Scene {
    let sender = world.client(1);
    let (mids, _) = world.offer(sender, &[Line::Simulcast(&["l", "m", "h"])]);
    let sizes = [("l", (320, 180)), ("m", (640, 360)), ("h", (1280, 720))];
    let cameras = sizes.iter().map(|(rid, size)| Camera::new(sender, mids[0], Some(rid), *size)).collect();
    world.connect(&[sender]);
    let source = world.source(sender, mids[0]);
    let receivers = (0..receivers).map(|_| receiver(world, source)).collect();
    Scene { cameras, source, receivers }
}

fn receiver(world: &mut World, source: Source) -> (usize, Mid) {
    let client = world.client(1);
    world.clients[client].unit = 1;
    let (slots, _) = world.offer(client, &[Line::Receive(Video)]);
    world.connect(&[client]);
    world.resize(client, slots[0], 320, 180);
    world.bind(client, slots[0], Some(source));
    (client, slots[0])
}

fn film(world: &mut World, scene: &mut Scene, time: Duration) {
    let end = world.now + time;
    while world.now < end {
        for camera in &mut scene.cameras {
            let asked = &mut world.clients[camera.client].key_frame_requests;
            let before = asked.len();
            asked.retain(|(_, rid, _)| rid.as_deref() != camera.rid);
            let key = asked.len() < before || !camera.begun;
            camera.frame(world, key);
        }
        world.run(FRAME);
    }
}

fn relayed(world: &World) -> u64 {
    world.unit.counters().relay_packets_sent
}

#[test]
fn each_wanted_encoding_crosses_once_however_many_look_at_it() {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 3);
    film(&mut world, &mut scene, S);
    let (before, frames) = (relayed(&world), world.unit.counters().packets_received);
    film(&mut world, &mut scene, 2 * S);
    let one_encoding = (world.unit.counters().packets_received - frames) / 3;
    assert_eq!(relayed(&world) - before, one_encoding);
    for (client, _) in &scene.receivers {
        let packets = world.take_packets(*client);
        assert_eq!(packets.iter().filter_map(key_frame_width).collect::<Vec<_>>(), [320]);
    }
    // One of them looks closer: a second encoding crosses, for all of them.
    let (client, slot) = scene.receivers[0];
    world.resize(client, slot, 1280, 720);
    film(&mut world, &mut scene, S);
    assert!(world.take_packets(client).iter().filter_map(key_frame_width).any(|w| w == 1280));
    let (before, frames) = (relayed(&world), world.unit.counters().packets_received);
    film(&mut world, &mut scene, S);
    assert_eq!(relayed(&world) - before, (world.unit.counters().packets_received - frames) * 2 / 3);
}

#[test]
fn nothing_crosses_for_a_hidden_tile_or_for_nobody() {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 1);
    film(&mut world, &mut scene, S);
    let (client, slot) = scene.receivers[0];
    world.resize(client, slot, 0, 0);
    film(&mut world, &mut scene, S / 10);
    let before = relayed(&world);
    film(&mut world, &mut scene, S);
    assert_eq!(relayed(&world), before, "hidden");
    world.resize(client, slot, 320, 180);
    film(&mut world, &mut scene, S);
    assert!(relayed(&world) > before + 60);
    world.command(UnitCommand::Close { peer: world.clients[client].peer });
    world.settle();
    let before = relayed(&world);
    film(&mut world, &mut scene, S);
    assert_eq!(relayed(&world), before, "gone");
    assert!(world.others[0].is_empty(), "{:?}", world.others[0]);
}

#[test]
fn a_unit_that_is_not_heard_of_any_more_is_sent_nothing_and_begins_again_when_it_is() {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 1);
    film(&mut world, &mut scene, S);
    world.relay_filter = Box::new(|_| false);
    film(&mut world, &mut scene, 5 * S);
    let before = relayed(&world);
    film(&mut world, &mut scene, S);
    assert_eq!(relayed(&world), before);
    world.take_packets(scene.receivers[0].0);
    world.relay_filter = Box::new(|_| true);
    film(&mut world, &mut scene, 3 * S);
    assert!(world.take_packets(scene.receivers[0].0).len() > 100);
}

#[test]
fn what_a_link_loses_is_repaired_between_the_units_and_the_sender_does_not_hear_of_it() {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 2);
    film(&mut world, &mut scene, S);
    let asked_before = world.total(|c| c.key_frames_requested);
    let lost = Rc::new(Cell::new(0));
    let (mut count, lost_here) = (0u32, Rc::clone(&lost));
    world.relay_filter = Box::new(move |batch| {
        count += 1;
        let arrives = batch.first() != Some(&1) || !count.is_multiple_of(9);
        lost_here.set(lost_here.get() + u32::from(!arrives));
        arrives
    });
    film(&mut world, &mut scene, 4 * S);
    world.relay_filter = Box::new(|_| true);
    film(&mut world, &mut scene, S);
    assert!(lost.get() > 10, "{}", lost.get());
    for (client, _) in scene.receivers {
        for mut numbers in sequences(&world.take_packets(client)).into_values() {
            numbers.sort_unstable();
            numbers.dedup();
            assert!(numbers.len() > 300);
            assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "nothing is missing");
        }
    }
    assert_eq!(world.total(|c| c.key_frames_requested), asked_before);
}

#[test]
fn one_damaged_number_does_not_end_a_picture() {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 1);
    let newest = Rc::new(RefCell::new(Vec::new()));
    let newest_here = Rc::clone(&newest);
    world.relay_filter = Box::new(move |batch| {
        if batch.first() == Some(&1) {
            newest_here.replace(batch.to_vec());
        }
        true
    });
    film(&mut world, &mut scene, S);
    let asked = world.total(|c| c.key_frames_requested);
    // The sequence number lies after kind, handle, encoding, flags and payload type.
    for (at, value) in [(9, 0x20), (13, 0x01), (9, 0x00)] {
        let mut batch = newest.borrow().clone();
        batch[at] = value;
        let now = world.now;
        world.others[0].handle_relay(now, UnitId(1), &batch);
        world.take_packets(scene.receivers[0].0);
        film(&mut world, &mut scene, S);
        let packets = world.take_packets(scene.receivers[0].0);
        assert!(packets.len() > 80, "byte {at}: {}", packets.len());
    }
    assert_eq!(world.total(|c| c.key_frames_requested), asked, "nobody noticed");
}

#[test]
fn the_unit_of_the_sender_may_begin_anew() {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 1);
    film(&mut world, &mut scene, S);
    world.restart_unit();
    let sender = world.client(1);
    (world.clients[sender].peer, world.clients[sender].unit) = (scene.source.peer, 0);
    let former = &mut world.clients[scene.cameras[0].client];
    former.peer = model::PeerId(999);
    let (mids, _) = world.offer(sender, &[Line::Simulcast(&["l", "m", "h"])]);
    world.facts.clear();
    world.connect(&[sender]);
    let (client, slot) = scene.receivers[0];
    let source = world.source(sender, mids[0]);
    world.bind(client, slot, Some(source));
    for camera in &mut scene.cameras {
        *camera = Camera::new(sender, mids[0], camera.rid, camera.size);
    }
    world.take_packets(client);
    film(&mut world, &mut scene, 2 * S);
    assert!(world.take_packets(client).len() > 100);
}

#[test]
fn a_sender_that_comes_back_with_the_same_lines_is_seen_at_once() {
    sim::on_fixed_thread(1, || {
        let mut world = World::over(2);
        fastrand::seed(7);
        let mut scene = scene(&mut world, 1);
        let (client, slot) = scene.receivers[0];
        film(&mut world, &mut scene, 3 * S);
        world.restart_unit();
        world.bind(client, slot, None);
        world.run(S / 2);
        let former = scene.cameras[0].client;
        let sender = world.client(1);
        (world.clients[sender].peer, world.clients[sender].unit) = (scene.source.peer, 0);
        world.clients[former].peer = model::PeerId(999);
        fastrand::seed(7);
        world.client(1);
        let (mids, _) = world.offer(sender, &[Line::Simulcast(&["l", "m", "h"])]);
        assert_eq!(mids[0], scene.source.mid, "as browsers name them");
        world.bind(client, slot, Some(scene.source));
        world.facts.clear();
        world.connect(&[sender]);
        for camera in &mut scene.cameras {
            *camera = Camera::new(sender, mids[0], camera.rid, camera.size);
        }
        world.take_packets(client);
        let begun = world.now;
        while world.take_packets(client).is_empty() {
            film(&mut world, &mut scene, FRAME);
            assert!(world.now - begun < S, "{:?}", world.facts);
        }
    });
}

#[test]
fn a_sender_may_move_to_the_receivers_unit_and_away_again() {
    let mut world = World::without_estimates_over(3);
    let mut scene = scene(&mut world, 1);
    let (client, slot) = scene.receivers[0];
    film(&mut world, &mut scene, S);
    for unit in [1, 2, 0] {
        let former = scene.cameras[0].client;
        world.command(UnitCommand::Close { peer: scene.source.peer });
        let sender = world.client(1);
        (world.clients[sender].peer, world.clients[sender].unit) = (scene.source.peer, unit);
        world.clients[former].peer = model::PeerId(900 + former as u64);
        let (mids, _) = world.offer(sender, &[Line::Simulcast(&["l", "m", "h"])]);
        world.facts.clear();
        world.connect(&[sender]);
        world.bind(client, slot, Some(world.source(sender, mids[0])));
        for camera in &mut scene.cameras {
            *camera = Camera::new(sender, mids[0], camera.rid, camera.size);
        }
        world.take_packets(client);
        film(&mut world, &mut scene, 2 * S);
        assert!(world.take_packets(client).len() > 100, "from unit {unit}");
    }
}

#[test]
fn sound_crosses_too_and_a_mute_is_told() {
    let mut world = World::without_estimates_over(2);
    let sender = world.client(1);
    let (mids, _) = world.offer(sender, &[Line::Send(Audio)]);
    let receiver = world.client(1);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Audio)]);
    world.connect(&[sender, receiver]);
    let source = world.source(sender, mids[0]);
    world.bind(receiver, slots[0], Some(source));
    let mut microphone = common::Microphone::new(sender, mids[0]);
    microphone.speak(&mut world, 50);
    assert!(world.take_packets(receiver).len() >= 48);
    world.command(UnitCommand::Mute { source, muted: true });
    let before = relayed(&world);
    microphone.speak(&mut world, 50);
    assert_eq!((world.take_packets(receiver).len(), relayed(&world)), (0, before));
    world.command(UnitCommand::Mute { source, muted: false });
    microphone.speak(&mut world, 50);
    assert!(world.take_packets(receiver).len() >= 48);
}

/// Batches of both directions, as they really are.
fn batches() -> Vec<Vec<u8>> {
    let mut world = World::without_estimates_over(2);
    let mut scene = scene(&mut world, 1);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let seen_here = Rc::clone(&seen);
    world.relay_filter = Box::new(move |batch| {
        seen_here.borrow_mut().push(batch.to_vec());
        true
    });
    film(&mut world, &mut scene, S);
    drop(world);
    Rc::try_unwrap(seen).expect("the only one").into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_batch_does_no_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        thread_local! {
            static BATCHES: Vec<Vec<u8>> = batches();
            static WORLD: RefCell<(World, Scene)> = RefCell::new({
                let mut world = World::without_estimates_over(2);
                let scene = scene(&mut world, 1);
                (world, scene)
            });
        }
        let mut batch = BATCHES.with(|batches| which.get(batches).clone());
        for (at, value) in changes {
            if !batch.is_empty() {
                let at = at.index(batch.len());
                batch[at] = value;
            }
        }
        batch.truncate(cut.index(batch.len() + 1));
        batch.extend(noise);
        WORLD.with_borrow_mut(|(world, scene)| {
            let now = world.now;
            world.unit.handle_relay(now, UnitId(2), &batch);
            world.others[0].handle_relay(now, UnitId(1), &batch);
            world.settle();
            film(world, scene, FRAME);
        });
    }
}
