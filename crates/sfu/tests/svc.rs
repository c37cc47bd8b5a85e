//! Scalable video through real endpoints: one encoding, and each receiver gets its part of it.

mod common;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use common::{Line, World};
use model::unit::UnitFact;
use model::{LayerReason, Mid, ReceiveQuality};
use rtc::rtp::dependency_descriptor::{
    ChainDiffs, Descriptor, FrameDiffs, Indication, Indications, Structure, Template,
};
use str0m::format::Codec;
use str0m::media::MediaKind::Video;
use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues, RtpPacket, RtpWrite};

const FRAME: Duration = Duration::from_millis(35);
const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// The extension as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DescriptorBytes(Vec<u8>);

#[derive(Debug)]
struct Bytes;

impl ExtensionSerializer for Bytes {
    fn write_to(&self, buf: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(DescriptorBytes(bytes)) = values.user_values.get() else { return 0 };
        buf[..bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, buf: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(DescriptorBytes(buf.to_vec()));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        values.user_values.get::<DescriptorBytes>().is_some_and(|d| d.0.len() > 16)
    }
}

fn client(world: &mut World, described: bool) -> usize {
    world.client_with(1, |config| {
        let config = config.clear_codecs().enable_av1(true).enable_vp9(true).enable_opus(true, true);
        if described { config.set_extension(9, Extension::with_serializer(URI, Bytes)) } else { config }
    })
}

/// An AV1 encoder with two spatial and two temporal layers, which share key frames only (L2T2_KEY).
struct Encoder {
    client: usize,
    mid: Mid,
    sequence: u64,
    picture: u64,
    since_key: u64,
    chains: [u64; 2],
    begun: bool,
}

fn indications(key: bool, spatial: u8, temporal: u8) -> Indications {
    let mut made = Indications::default();
    for target in 0..4u8 {
        let (of_spatial, of_temporal) = (target / 2, target % 2);
        if of_temporal >= temporal && (of_spatial == spatial || key && of_spatial > spatial) {
            made.set(target, if temporal == 0 { Indication::Switch } else { Indication::Discardable });
        }
    }
    made
}

fn structure() -> Structure {
    let template = |key, spatial, temporal| Template {
        spatial,
        temporal,
        indications: indications(key, spatial, temporal),
        frame_diffs: FrameDiffs::new(),
        chain_diffs: ChainDiffs::default(),
    };
    Structure {
        id_offset: 10,
        target_count: 4,
        chain_count: 2,
        protected_by: [0, 0, 1, 1].into_iter().collect(),
        templates: [(true, 0, 0), (false, 0, 0), (false, 0, 1), (true, 1, 0), (false, 1, 0), (false, 1, 1)]
            .into_iter()
            .map(|(key, spatial, temporal)| template(key, spatial, temporal))
            .collect(),
        resolutions: [(320, 180), (640, 360)].into_iter().collect(),
    }
}

impl Encoder {
    fn new(client: usize, mid: Mid) -> Self {
        Self { client, mid, sequence: 30_000, picture: 32_760, since_key: 0, chains: [0; 2], begun: false }
    }

    /// Sends a picture: two frames of two packets each.
    fn picture(&mut self, world: &mut World) {
        let asked = &mut world.clients[self.client].key_frame_requests;
        let key = !asked.is_empty() || !self.begun;
        asked.clear();
        self.begun = true;
        self.since_key = if key { 0 } else { self.since_key + 1 };
        let temporal = (self.since_key % 2) as u8;
        let structure = structure();
        for spatial in 0..2u8 {
            let number = self.picture * 2 + u64::from(spatial);
            let mut chain_diffs = ChainDiffs::default();
            for (diff, chain) in chain_diffs.iter_mut().zip(self.chains) {
                *diff = if key && spatial == 0 { 0 } else { (number - chain) as u8 };
            }
            let mut frame_diffs = FrameDiffs::new();
            if !key {
                frame_diffs.push(if temporal == 0 { 4 } else { 2 });
            } else if spatial == 1 {
                frame_diffs.push(1);
            }
            let is = |t: &Template| {
                (t.spatial, t.temporal, t.indications)
                    == (spatial, temporal, indications(key, spatial, temporal))
            };
            let template = structure.templates.iter().position(is).expect("a template") as u8;
            for part in 0..2u8 {
                let descriptor = Descriptor {
                    start: part == 0,
                    end: part == 1,
                    template_id: structure.id_offset + template,
                    frame_number: number as u16,
                    structure: (key && spatial == 0 && part == 0).then(|| Box::new(structure.clone())),
                    frame_diffs: Some(frame_diffs.clone()),
                    chain_diffs: Some(chain_diffs),
                    ..Descriptor::default()
                };
                let bytes = descriptor.write(Some(&structure)).expect("it fits").to_vec();
                let header = if key && spatial == 0 && part == 0 { 0x18 } else { 0x10 };
                let picture = (self.picture as u16).to_be_bytes();
                let mut payload = vec![header, spatial, temporal, part, picture[0], picture[1]];
                payload.resize(700 + usize::from(part), 0x5a);
                self.send(world, bytes, payload, spatial == 1 && part == 1);
            }
            if temporal == 0 {
                for (chain, last) in (0u8..).zip(&mut self.chains) {
                    if chain == spatial || key && chain > spatial {
                        *last = number;
                    }
                }
            }
        }
        self.picture += 1;
    }

    fn send(&mut self, world: &mut World, descriptor: Vec<u8>, payload: Vec<u8>, marker: bool) {
        self.sequence += 1;
        let now = world.now;
        let known = &mut world.clients[self.client].rtc;
        let pt = known.codec_config().find(|p| p.spec().codec == Codec::Av1).expect("AV1").pt();
        let mut values = ExtensionValues::default();
        values.user_values.set(DescriptorBytes(descriptor));
        let mut api = known.direct_api();
        let mid: str0m::media::Mid = self.mid.as_str().into();
        let stream = api.stream_tx_by_mid(mid, None).expect("a stream to send on");
        let write = RtpWrite::new(pt, self.sequence.into(), self.picture as u32 * 3000, now, payload);
        stream.write_rtp(write.marker(marker).ext_vals(values).nackable(true));
        world.drain(self.client);
    }
}

fn film(world: &mut World, encoder: &mut Encoder, pictures: usize) {
    for _ in 0..pictures {
        encoder.picture(world);
        world.run(FRAME);
    }
}

/// Spatial and temporal layer of a packet, by its payload.
fn layers(packet: &RtpPacket) -> (u8, u8) {
    (packet.payload[1], packet.payload[2])
}

fn numbers(packets: &[RtpPacket]) -> Vec<u64> {
    let mut numbers: Vec<u64> = packets.iter().map(|p| *p.seq_no).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn assert_continuous(packets: &[RtpPacket]) {
    let numbers = numbers(packets);
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{numbers:?}");
}

/// What a decoder would: the references of every whole frame are there, descriptors can be read, and pictures end with
/// a marker.
fn assert_decodable(packets: &[RtpPacket]) {
    let mut packets: Vec<_> = packets.iter().collect();
    packets.sort_by_key(|p| *p.seq_no);
    packets.dedup_by_key(|p| *p.seq_no);
    let frame = |p: &RtpPacket| (p.header.timestamp, layers(p).0);
    let whole: BTreeSet<_> = packets
        .iter()
        .filter(|p| packets.iter().filter(|other| frame(other) == frame(p)).count() == 2)
        .map(|p| frame(p))
        .collect();
    packets.retain(|p| whole.contains(&frame(p)));
    let mut structure: Option<Structure> = None;
    let mut frames = BTreeSet::new();
    for (i, packet) in packets.iter().enumerate() {
        let Some(DescriptorBytes(bytes)) = packet.header.ext_vals.user_values.get() else {
            panic!("a packet without descriptor");
        };
        let descriptor = Descriptor::parse(bytes, structure.as_ref()).expect("a descriptor");
        if let Some(attached) = &descriptor.structure {
            structure = Some((**attached).clone());
            frames.clear();
        }
        for diff in descriptor.frame_diffs.iter().flatten() {
            let needed = descriptor.frame_number.wrapping_sub(*diff);
            assert!(frames.contains(&needed), "frame {} lacks {needed}", descriptor.frame_number);
        }
        if descriptor.end {
            frames.insert(descriptor.frame_number);
        }
        let next = packets.get(i + 1);
        if let Some(next) = next {
            let ends = next.header.timestamp != packet.header.timestamp;
            assert_eq!(packet.header.marker, ends, "at {}", packet.seq_no);
        }
    }
}

fn shown(packets: &[RtpPacket]) -> BTreeSet<(u8, u8)> {
    packets.iter().map(layers).collect()
}

struct Meeting {
    world: World,
    encoder: Encoder,
    viewers: Vec<(usize, Mid)>,
}

/// A sender, and viewers with tiles of these widths.
fn meeting(widths: &[u16]) -> Meeting {
    let mut world = World::new();
    let sender = client(&mut world, true);
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let viewers: Vec<_> = widths
        .iter()
        .map(|_| {
            let viewer = client(&mut world, true);
            (viewer, world.offer(viewer, &[Line::Receive(Video)]).0[0])
        })
        .collect();
    let all: Vec<_> = viewers.iter().map(|v| v.0).chain([sender]).collect();
    world.connect(&all);
    for ((viewer, slot), width) in viewers.iter().zip(widths) {
        world.resize(*viewer, *slot, *width, width * 9 / 16);
        world.bind(*viewer, *slot, Some(world.source(sender, sent[0])));
    }
    let encoder = Encoder::new(sender, sent[0]);
    Meeting { world, encoder, viewers }
}

#[test]
fn one_encoding_serves_a_small_and_a_large_tile() {
    let Meeting { mut world, mut encoder, viewers } = meeting(&[320, 640]);
    film(&mut world, &mut encoder, 40);
    let [small, large] = [0, 1].map(|v| world.take_packets(viewers[v].0));
    for packets in [&small, &large] {
        assert_continuous(packets);
        assert_decodable(packets);
    }
    assert_eq!(shown(&small), BTreeSet::from([(0, 0), (0, 1)]));
    let higher = large.iter().filter(|p| layers(p).0 == 1).count();
    assert!(
        higher >= 70 && large.len() <= higher + 8,
        "{higher} of {}: lower ones with key frames only",
        large.len()
    );
    assert!(small.len() >= 70);
}

#[test]
fn a_quality_is_a_layer_of_the_one_encoding_for_one_receiver_and_no_other() {
    let Meeting { mut world, mut encoder, viewers } = meeting(&[640, 640]);
    let (viewer, slot) = viewers[0];
    film(&mut world, &mut encoder, 20);
    let mut all = world.take_packets(viewer);
    let told = |world: &World| {
        let peer = world.clients[viewer].peer;
        let last = world.facts.iter().rev().find_map(|f| match f {
            UnitFact::SlotLayer { peer: p, spatial, reason, .. } if *p == peer => Some((*spatial, *reason)),
            _ => None,
        });
        last.expect("something was told")
    };
    assert_eq!(told(&world), (Some(1), LayerReason::TileSize));
    for (quality, spatial) in [
        (Some(ReceiveQuality::Low), 0),
        (Some(ReceiveQuality::High), 1),
        (Some(ReceiveQuality::Medium), 0),
        (None, 1),
    ] {
        world.choose(viewer, slot, quality);
        // Two seconds at most.
        film(&mut world, &mut encoder, 57);
        let packets = world.take_packets(viewer);
        assert!(packets.iter().rev().take(20).all(|p| layers(p).0 == spatial), "{quality:?}");
        all.extend(packets);
        let reason = if quality.is_some() { LayerReason::Requested } else { LayerReason::TileSize };
        assert_eq!(told(&world), (Some(spatial), reason), "{quality:?}");
    }
    assert_continuous(&all);
    assert_decodable(&all);
    let others = world.take_packets(viewers[1].0);
    assert!(
        others.iter().rev().take(400).filter(|p| layers(p).0 == 1).count() > 380,
        "the other sees what it saw"
    );
    world.resize(viewer, slot, 0, 0);
    film(&mut world, &mut encoder, 5);
    world.take_packets(viewer);
    film(&mut world, &mut encoder, 5);
    assert!(world.take_packets(viewer).is_empty(), "hidden is hidden");
}

#[test]
fn a_tile_that_grows_and_shrinks_gets_what_it_shows() {
    let Meeting { mut world, mut encoder, viewers } = meeting(&[320, 640]);
    film(&mut world, &mut encoder, 20);
    let (viewer, slot) = viewers[0];
    let mut all = world.take_packets(viewer);
    world.resize(viewer, slot, 640, 360);
    film(&mut world, &mut encoder, 30);
    let large = world.take_packets(viewer);
    world.resize(viewer, slot, 320, 180);
    film(&mut world, &mut encoder, 30);
    let small = world.take_packets(viewer);
    assert!(large.iter().rev().take(20).all(|p| layers(p).0 == 1));
    assert!(small.iter().rev().take(20).all(|p| layers(p).0 == 0));
    all.extend(large);
    all.extend(small);
    assert_continuous(&all);
    assert_decodable(&all);
    assert!(shown(&world.take_packets(viewers[1].0)).contains(&(1, 1)), "the other sees what it saw");
}

#[test]
fn loss_is_repaired_from_where_packets_were_left_out() {
    let Meeting { mut world, mut encoder, viewers } = meeting(&[320, 640]);
    film(&mut world, &mut encoder, 10);
    let viewer = viewers[0].0;
    let mut count = 0;
    world.filter = Box::new(move |hop| {
        if hop.client == viewer && !hop.to_server && hop.is_rtp() {
            count += 1;
            return count % 10 != 0;
        }
        true
    });
    film(&mut world, &mut encoder, 60);
    world.filter = Box::new(|_| true);
    film(&mut world, &mut encoder, 5);
    let packets = world.take_packets(viewer);
    assert_continuous(&packets);
    assert_decodable(&packets);
    assert!(world.total(|c| c.packets_retransmitted) >= 8);
    assert_eq!(shown(&packets), BTreeSet::from([(0, 0), (0, 1)]));
}

#[test]
fn loss_before_the_unit_is_repaired_for_those_who_are_sent_a_part() {
    let Meeting { mut world, mut encoder, viewers } = meeting(&[320, 640]);
    film(&mut world, &mut encoder, 10);
    let sender = encoder.client;
    let mut count = 0;
    world.filter = Box::new(move |hop| {
        if hop.client == sender && hop.to_server && hop.is_rtp() {
            count += 1;
            return count % 17 != 0;
        }
        true
    });
    film(&mut world, &mut encoder, 60);
    world.filter = Box::new(|_| true);
    film(&mut world, &mut encoder, 20);
    for (viewer, _) in viewers {
        let packets = world.take_packets(viewer);
        // A number that was left free for what turned out to be left out is filled with it when it is missed.
        assert_continuous(&packets);
        assert_decodable(&packets);
        assert!(packets.len() >= 140, "{}", packets.len());
    }
}

#[test]
fn who_comes_late_begins_with_a_key_frame_and_its_structure() {
    let Meeting { mut world, mut encoder, .. } = meeting(&[640]);
    film(&mut world, &mut encoder, 20);
    let late = client(&mut world, true);
    let (slots, _) = world.offer(late, &[Line::Receive(Video)]);
    world.connect(&[late]);
    world.resize(late, slots[0], 320, 180);
    let source = world.source(encoder.client, encoder.mid);
    world.bind(late, slots[0], Some(source));
    film(&mut world, &mut encoder, 30);
    let packets = world.take_packets(late);
    assert!(packets.len() >= 40);
    assert_continuous(&packets);
    assert_decodable(&packets);
    let first = packets.first().and_then(|p| p.header.ext_vals.user_values.get::<DescriptorBytes>());
    let first = Descriptor::parse(&first.expect("a descriptor").0, None).expect("one with its structure");
    assert_eq!(first.active_targets, Some(0b11), "the targets of the lower layer");
}

#[test]
fn without_the_descriptor_a_receiver_is_sent_the_lowest_spatial_layer_of_av1() {
    let Meeting { mut world, mut encoder, .. } = meeting(&[640]);
    let plain = client(&mut world, false);
    let (slots, _) = world.offer(plain, &[Line::Receive(Video)]);
    world.connect(&[plain]);
    let source = world.source(encoder.client, encoder.mid);
    world.bind(plain, slots[0], Some(source));
    film(&mut world, &mut encoder, 30);
    let packets = world.take_packets(plain);
    assert_eq!(shown(&packets), BTreeSet::from([(0, 0), (0, 1)]));
    assert!(packets.iter().all(|p| p.header.ext_vals.user_values.get::<DescriptorBytes>().is_none()));
    assert!(
        packets.iter().all(|p| p.header.marker == (p.payload[3] == 1)),
        "each picture ends with a marker"
    );
    assert_continuous(&packets);
}

/// The viewers of a small and of a large tile are beyond a link.
#[test]
fn what_nobody_looks_at_beyond_a_link_does_not_cross() {
    let mut world = World::over(2);
    let sender = client(&mut world, true);
    world.clients[sender].unit = 0;
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let source = world.source(sender, sent[0]);
    let viewers = [(); 2].map(|()| {
        let viewer = client(&mut world, true);
        world.clients[viewer].unit = 1;
        (viewer, world.offer(viewer, &[Line::Receive(Video)]).0[0])
    });
    world.connect(&[sender, viewers[0].0, viewers[1].0]);
    for (viewer, slot) in viewers {
        world.resize(viewer, slot, 320, 180);
        world.bind(viewer, slot, Some(source));
    }
    let crossed = Rc::new(Cell::new(0));
    let crossed_here = Rc::clone(&crossed);
    world.relay_filter = Box::new(move |batch| {
        crossed_here.set(crossed_here.get() + if batch.first() == Some(&1) { batch.len() } else { 0 });
        true
    });
    let mut encoder = Encoder::new(sender, sent[0]);
    let bytes = |world: &mut World, encoder: &mut Encoder, pictures| {
        let before = crossed.get();
        film(world, encoder, pictures);
        crossed.get() - before
    };
    bytes(&mut world, &mut encoder, 80);
    let small = bytes(&mut world, &mut encoder, 20);
    let (viewer, slot) = viewers[0];
    let mut all = world.take_packets(viewer);
    world.resize(viewer, slot, 640, 360);
    bytes(&mut world, &mut encoder, 20);
    let large = bytes(&mut world, &mut encoder, 20);
    assert!(small * 100 < large * 60, "{small} {large}: the upper layer is half of the bytes");
    let seen = world.take_packets(viewer);
    assert!(seen.iter().rev().take(20).all(|p| layers(p).0 == 1), "within a key frame");
    all.extend(seen);
    // Smaller again, and larger before and after that was noticed.
    for (pictures, width) in [(30, 320), (10, 640), (80, 320), (30, 640)] {
        world.resize(viewer, slot, width, width * 9 / 16);
        film(&mut world, &mut encoder, pictures);
    }
    let seen = world.take_packets(viewer);
    assert!(seen.iter().rev().take(20).all(|p| layers(p).0 == 1));
    all.extend(seen);
    let other = world.take_packets(viewers[1].0);
    assert_eq!(shown(&other), BTreeSet::from([(0, 0), (0, 1)]), "the other sees what it saw");
    for packets in [&all, &other] {
        assert_continuous(packets);
        assert_decodable(packets);
    }
    let heads = world.unit.counters().relay_heads_sent;
    assert!(heads > 100, "{heads}");
}

/// Chromium sends VP8 without numbers of its own where descriptors are agreed on, and numbers what it receives by them.
#[test]
fn a_descriptor_that_is_not_read_is_not_sent_on() {
    let mut world = World::new();
    let client = |world: &mut World| {
        world.client_with(1, |config| {
            config.clear_codecs().enable_vp8(true).set_extension(9, Extension::with_serializer(URI, Bytes))
        })
    };
    let (sender, receiver) = (client(&mut world), client(&mut world));
    let (sent, _) = world.offer(sender, &[Line::Send(Video)]);
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[sender, receiver]);
    world.bind(receiver, slots[0], Some(world.source(sender, sent[0])));
    for n in 0..20u16 {
        let mut payload = vec![0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 64, 1, 180, 0];
        payload.resize(500, 0x5a);
        let now = world.now;
        let known = &mut world.clients[sender].rtc;
        let pt = known.codec_config().find(|p| p.spec().codec == Codec::Vp8).expect("VP8").pt();
        let mut values = ExtensionValues::default();
        let [high, low] = n.to_be_bytes();
        values.user_values.set(DescriptorBytes(vec![0xc0, high, low]));
        let mut api = known.direct_api();
        let stream = api.stream_tx_by_mid(sent[0].as_str().into(), None).expect("a stream to send on");
        let write = RtpWrite::new(pt, u64::from(n).into(), u32::from(n) * 3000, now, payload);
        stream.write_rtp(write.marker(true).ext_vals(values).nackable(true));
        world.drain(sender);
        world.run(FRAME);
    }
    let packets = world.take_packets(receiver);
    assert!(packets.len() > 15, "{}", packets.len());
    let described = |p: &RtpPacket| p.header.ext_vals.user_values.get::<DescriptorBytes>().is_some();
    assert!(!packets.iter().any(described));
}
