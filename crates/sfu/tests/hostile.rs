//! What comes from strangers: garbage, forgeries, replays. The meeting of the others goes on.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{Camera, Line, SERVER, World};
use model::datagram::{Protocol, Transport};
use str0m::media::MediaKind::Video;

fn stranger() -> Transport {
    Transport {
        protocol: Protocol::Udp,
        local: SERVER.into(),
        remote: SocketAddr::from(([198, 51, 100, 7], 9)),
    }
}

/// A stream of numbers that is the same in every run.
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    }
}

#[test]
fn garbage_of_every_kind_and_length_changes_nothing() {
    let mut world = World::new();
    let sender = world.client(1);
    let receiver = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    let mut next = noise(7);
    let known = world.transport(sender);
    for round in 0..20_000usize {
        let mut datagram: Vec<u8> = (0..round % 1600).map(|_| next()).collect();
        if let Some(first) = datagram.first_mut() {
            *first = [0, 1, 20, 22, 63, 64, 127, 128, 144, 191, 192, 255][round % 12];
        }
        let from = if round % 2 == 0 { stranger() } else { known };
        world.unit.handle_datagram(world.now, from, &mut datagram);
    }
    let mut oversized = vec![0x80; 60_000];
    world.unit.handle_datagram(world.now, known, &mut oversized);
    assert!(world.unit.outbox().is_empty(), "nobody who is unknown is answered");
    assert!(world.unit.counters().packets_refused > 1_000);
    let mut camera = Camera::new(sender, sent[0], None, (640, 360));
    camera.frame(&mut world, true);
    world.run(Duration::from_millis(50));
    camera.frame(&mut world, true);
    world.run(Duration::from_millis(50));
    assert!(world.take_packets(receiver).len() >= 3, "the others' meeting goes on");
}

#[test]
fn replayed_packets_are_not_forwarded_twice() {
    let mut world = World::new();
    let sender = world.client(1);
    let receiver = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    let recorded = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let tape = recorded.clone();
    world.filter = Box::new(move |hop| {
        if hop.client == sender && hop.to_server && hop.is_rtp() {
            tape.borrow_mut().push(hop.bytes.to_vec());
        }
        true
    });
    let mut camera = Camera::new(sender, sent[0], None, (640, 360));
    for _ in 0..5 {
        camera.frame(&mut world, true);
        world.run(Duration::from_millis(40));
    }
    let before = world.take_packets(receiver).len();
    let forwarded = world.unit.counters().packets_forwarded;
    let refused = world.unit.counters().packets_refused;
    let transport = world.transport(sender);
    let replayed = recorded.borrow().clone();
    assert!(before >= 12 && replayed.len() >= 15);
    for mut datagram in replayed.clone() {
        world.unit.handle_datagram(world.now, transport, &mut datagram);
    }
    for mut datagram in replayed.clone() {
        datagram[20] ^= 1;
        world.unit.handle_datagram(world.now, transport, &mut datagram);
    }
    world.run(Duration::from_millis(20));
    assert_eq!(world.unit.counters().packets_forwarded, forwarded);
    assert_eq!(world.unit.counters().packets_refused, refused + 2 * replayed.len() as u64);
}

#[test]
fn a_captured_packet_from_another_address_is_nobodys() {
    let mut world = World::new();
    let sender = world.client(1);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    world.connect(&[sender]);
    let recorded = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let tape = recorded.clone();
    world.filter = Box::new(move |hop| {
        tape.borrow_mut().push(hop.bytes.to_vec());
        !hop.is_rtp()
    });
    Camera::new(sender, sent[0], None, (640, 360)).frame(&mut world, true);
    world.run(Duration::from_millis(40));
    let rtp: Vec<_> = recorded.borrow().iter().filter(|d| d[0] == 0x90).cloned().collect();
    assert!(!rtp.is_empty());
    let unknown = world.unit.counters().datagrams_unknown;
    for mut datagram in rtp.clone() {
        world.unit.handle_datagram(world.now, stranger(), &mut datagram);
    }
    assert_eq!(world.unit.counters().datagrams_unknown, unknown + rtp.len() as u64);
    assert_eq!(world.unit.counters().packets_received, 0);
}
