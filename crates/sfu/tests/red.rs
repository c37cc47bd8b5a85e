//! Sound that carries older packets beside its own (RED, RFC 2198), and sound that pauses (DTX): who gets what of it.

mod common;

use std::time::Duration;

use common::{Line, World, sequences};
use model::Mid;
use model::unit::UnitFact;
use str0m::media::MediaKind::Audio;
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};

const OPUS: u8 = 111;
const RED: u8 = 63;

/// A client that takes Opus alone.
fn without_red(world: &mut World) -> usize {
    world.client_with(1, |config| config.clear_codecs().enable_opus(true, false))
}

/// A microphone: packets of 20 ms, or as a test says.
struct Microphone {
    client: usize,
    mid: Mid,
    packets: u64,
    timestamp: u32,
}

impl Microphone {
    fn new(world: &mut World) -> Self {
        let client = world.client(1);
        Self::of(world, client)
    }

    fn of(world: &mut World, client: usize) -> Self {
        let (mids, _) = world.offer(client, &[Line::Send(Audio)]);
        Self { client, mid: mids[0], packets: 500, timestamp: 77_777 }
    }

    fn send(&mut self, world: &mut World, pt: u8, payload: Vec<u8>) {
        self.packets += 1;
        self.timestamp += 960;
        let now = world.now;
        let mut api = world.clients[self.client].rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid.as_str().into(), None).expect("a stream to send on");
        let write = RtpWrite::new(pt.into(), self.packets.into(), self.timestamp, now, payload);
        stream.write_rtp(write.ext_vals(ExtensionValues::default()));
        world.drain(self.client);
    }

    /// Sends so many packets with the one before them.
    fn speak(&mut self, world: &mut World, packets: u64) {
        for _ in 0..packets {
            let payload = red(OPUS, self.packets, self.packets + 1);
            self.send(world, RED, payload);
            world.run(Duration::from_millis(20));
        }
    }
}

/// The Opus packet of a number.
fn opus(number: u64) -> Vec<u8> {
    let mut payload = vec![number as u8; 80 + number as usize % 7];
    payload[0] = 0xfc;
    payload
}

fn red(codec: u8, older: u64, newest: u64) -> Vec<u8> {
    let (older, newest) = (opus(older), opus(newest));
    let mut payload = vec![0x80 | codec, (960u16 >> 6) as u8, (960u16 << 2) as u8, older.len() as u8, codec];
    payload.extend(older);
    payload.extend(newest);
    payload
}

fn listen(world: &mut World, receiver: usize, to: &Microphone) {
    let (slots, _) = world.offer(receiver, &[Line::Receive(Audio)]);
    world.connect(&[receiver, to.client]);
    world.bind(receiver, slots[0], Some(world.source(to.client, to.mid)));
}

fn payload_types(packets: &[RtpPacket]) -> Vec<u8> {
    let mut types: Vec<u8> = packets.iter().map(|p| *p.header.payload_type).collect();
    types.dedup();
    types
}

#[test]
fn who_takes_redundancy_gets_it_as_it_is() {
    let mut world = World::new();
    let mut microphone = Microphone::new(&mut world);
    let receiver = world.client(1);
    listen(&mut world, receiver, &microphone);
    microphone.speak(&mut world, 50);
    let packets = world.take_packets(receiver);
    assert!(packets.len() >= 45, "{}", packets.len());
    assert_eq!(payload_types(&packets), [RED]);
    let newest = packets.last().unwrap();
    assert_eq!(*newest.payload, *red(OPUS, microphone.packets - 1, microphone.packets));
    assert_eq!(world.total(|c| c.red_stripped + c.red_damaged), 0);
}

#[test]
fn who_does_not_gets_the_newest_packet_alone() {
    let mut world = World::new();
    let mut microphone = Microphone::new(&mut world);
    let receiver = without_red(&mut world);
    listen(&mut world, receiver, &microphone);
    microphone.speak(&mut world, 50);
    let packets = world.take_packets(receiver);
    assert!(packets.len() >= 45, "{}", packets.len());
    assert_eq!(payload_types(&packets), [OPUS]);
    let first = microphone.packets + 1 - packets.len() as u64;
    for (packet, number) in packets.iter().zip(first..) {
        assert_eq!(*packet.payload, *opus(number));
    }
    let numbers: Vec<u64> = sequences(&packets).into_values().next().unwrap();
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{numbers:?}");
    assert!(world.total(|c| c.red_stripped) >= 45);
}

#[test]
fn the_blocks_have_the_payload_type_of_whoever_receives_them() {
    let mut world = World::new();
    let sender = world.client(1);
    // What str0m calls 111 is 109 on the wire.
    world.clients[sender].says =
        vec![("SAVPF 63 111", "SAVPF 63 109"), (":111 ", ":109 "), ("111/111", "109/109")];
    let mut microphone = Microphone::of(&mut world, sender);
    let (one, other) = (world.client(1), without_red(&mut world));
    listen(&mut world, one, &microphone);
    listen(&mut world, other, &microphone);
    for _ in 0..20 {
        let payload = red(109, microphone.packets, microphone.packets + 1);
        microphone.send(&mut world, RED, payload);
        world.run(Duration::from_millis(20));
    }
    let newest = world.take_packets(one).pop().unwrap();
    assert_eq!(*newest.payload, *red(OPUS, microphone.packets - 1, microphone.packets));
    assert_eq!(payload_types(&[newest]), [RED]);
    let newest = world.take_packets(other).pop().unwrap();
    assert_eq!(*newest.payload, *opus(microphone.packets));
    assert_eq!(payload_types(&[newest]), [OPUS]);
}

#[test]
fn damaged_redundancy_reaches_only_who_could_make_sense_of_it() {
    let mut world = World::new();
    let mut microphone = Microphone::new(&mut world);
    let (one, other) = (world.client(1), without_red(&mut world));
    listen(&mut world, one, &microphone);
    listen(&mut world, other, &microphone);
    microphone.speak(&mut world, 5);
    world.take_packets(one);
    world.take_packets(other);
    for damaged in [vec![], vec![OPUS], vec![0x80 | OPUS, 0, 0, 200, OPUS, 1], vec![0xff; 100], vec![13, 1]] {
        microphone.send(&mut world, RED, damaged);
        world.run(Duration::from_millis(20));
    }
    microphone.speak(&mut world, 5);
    assert_eq!(world.take_packets(other).len(), 5);
    assert_eq!(world.take_packets(one).len(), 10);
    assert_eq!(world.total(|c| c.red_damaged), 5);
}

#[test]
fn sound_does_not_fill_a_narrow_path() {
    let mut world = World::new();
    let mut microphone = Microphone::new(&mut world);
    let receiver = world.client(1);
    listen(&mut world, receiver, &microphone);
    world.lose_to(receiver, 4);
    microphone.speak(&mut world, 600);
    let peer = world.clients[receiver].peer;
    let bandwidth = world.unit_of(receiver).bandwidth(peer).unwrap();
    assert!(bandwidth.target.unwrap().as_bps() < 150_000, "{bandwidth:?}");
    assert_eq!(payload_types(&world.take_packets(receiver)), [RED], "what gets lost is repaired");
    world.filter = Box::new(|_| true);
    microphone.speak(&mut world, 500);
    let bandwidth = world.unit_of(receiver).bandwidth(peer).unwrap();
    let packets = world.take_packets(receiver);
    assert!(bandwidth.target.unwrap().as_bps() < 150_000, "{bandwidth:?}");
    assert_eq!(payload_types(&packets), [RED, OPUS], "{bandwidth:?}");
    assert_eq!(*packets.last().unwrap().payload, *opus(microphone.packets));
    let numbers: Vec<u64> = sequences(&packets).into_values().next().unwrap();
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{numbers:?}");
}

/// Whoever says nothing sends a packet of two bytes every 400 ms.
#[test]
fn a_pause_of_speech_is_no_silence_of_the_stream() {
    let mut world = World::new();
    let mut microphone = Microphone::new(&mut world);
    let receiver = world.client(1);
    listen(&mut world, receiver, &microphone);
    microphone.speak(&mut world, 20);
    world.facts.clear();
    world.take_packets(receiver);
    for _ in 0..25 {
        microphone.timestamp += 19 * 960;
        microphone.send(&mut world, OPUS, vec![0xf8, 0xff]);
        world.run(Duration::from_millis(400));
    }
    microphone.speak(&mut world, 20);
    let told = world
        .facts
        .iter()
        .filter(|f| matches!(f, UnitFact::SlotLayer { .. } | UnitFact::SourceChanged { .. }));
    assert_eq!(told.collect::<Vec<_>>(), Vec::<&UnitFact>::new());
    let packets = world.take_packets(receiver);
    assert_eq!(packets.len(), 25 + 20);
    assert_eq!(payload_types(&packets), [OPUS, RED]);
}
