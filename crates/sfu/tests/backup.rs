//! Somebody cannot decode what a sender sends: the sender is asked for a codec that everybody can.

mod common;

use std::time::Duration;

use common::{Line, World, key_frame_width, vp8_payload};
use model::unit::{UnitCommand, UnitFact};
use model::{Codec, Mid};
use str0m::media::MediaKind::Video;
use str0m::rtp::{ExtensionValues, RtpWrite};

const FRAME: Duration = Duration::from_millis(35);

/// A client that sends VP9, or VP8 when it is asked to; as our own client does.
struct Camera {
    client: usize,
    mid: Mid,
    codec: Codec,
    /// What it was told, as often as it was.
    told: Vec<Vec<Codec>>,
    facts_seen: usize,
    packets: u64,
    begun: bool,
}

/// A client that takes VP9 and VP8, VP9 before.
fn with_vp9(world: &mut World) -> usize {
    world.client_with(1, |config| config.clear_codecs().enable_vp9(true).enable_vp8(true))
}

/// A client that takes VP8 only.
fn without_vp9(world: &mut World) -> usize {
    world.client_with(1, |config| config.clear_codecs().enable_vp8(true))
}

impl Camera {
    fn new(world: &mut World) -> Self {
        let client = with_vp9(world);
        let (mids, answer) = world.offer(client, &[Line::Send(Video)]);
        assert_eq!(answer.published[0].codec, Codec::Vp9);
        world.connect(&[client]);
        let mid = mids[0];
        Self { client, mid, codec: Codec::Vp9, told: Vec::new(), facts_seen: 0, packets: 1_000, begun: false }
    }

    fn listen(&mut self, world: &World) {
        for fact in world.facts.iter().skip(self.facts_seen) {
            if let UnitFact::Demand { source, codecs, .. } = fact
                && *source == world.source(self.client, self.mid)
            {
                let codec = codecs.first().copied().unwrap_or(Codec::Vp9);
                self.begun &= codec == self.codec;
                self.codec = codec;
                if self.told.last().map_or(!codecs.is_empty(), |told| told != codecs) {
                    self.told.push(codecs.clone());
                }
            }
        }
        self.facts_seen = world.facts.len();
    }

    /// Sends frames of one packet; an encoder answers a request for a key frame, and begins with one.
    fn film(&mut self, world: &mut World, frames: usize) {
        for _ in 0..frames {
            self.listen(world);
            let asked = &mut world.clients[self.client].key_frame_requests;
            let key = !asked.is_empty() || !self.begun;
            asked.clear();
            self.begun = true;
            self.send(world, self.packets + 1, key);
            self.packets += 1;
            world.run(FRAME);
        }
    }

    fn send(&self, world: &mut World, number: u64, key: bool) {
        let (codec, payload) = match self.codec {
            Codec::Vp8 => {
                (str0m::format::Codec::Vp8, vp8_payload(number as u16 & 0x7fff, key, 0, (640, 360)))
            }
            // Begins and ends a frame (RFC 9628 §4.2).
            _ => (str0m::format::Codec::Vp9, [&[if key { 0x0c } else { 0x4c }][..], &[0x5a; 900]].concat()),
        };
        let now = world.now;
        let rtc = &mut world.clients[self.client].rtc;
        let pt = rtc.codec_config().find(|p| p.spec().codec == codec).expect("the codec").pt();
        let mut api = rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid.as_str().into(), None).expect("a stream to send on");
        let timestamp = number as u32 * 3_000;
        let write = RtpWrite::new(pt, number.into(), timestamp, now, payload).marker(true).nackable(true);
        stream.write_rtp(write.ext_vals(ExtensionValues::default()));
        world.drain(self.client);
    }
}

fn watch(world: &mut World, receiver: usize, camera: &Camera) {
    let (slots, _) = world.offer(receiver, &[Line::Receive(Video)]);
    world.connect(&[receiver]);
    world.bind(receiver, slots[0], Some(world.source(camera.client, camera.mid)));
}

fn close(world: &mut World, client: usize) {
    let peer = world.clients[client].peer;
    world.command(UnitCommand::Close { peer });
}

/// What a client was sent since it was asked last: how many packets, and whether all were of this payload type.
fn seen(world: &mut World, client: usize, codec: str0m::format::Codec) -> usize {
    let pt = world.clients[client].rtc.codec_config().find(|p| p.spec().codec == codec).expect("it").pt();
    let packets = world.take_packets(client);
    assert!(packets.iter().all(|p| p.header.payload_type == pt), "{packets:?}");
    packets.len()
}

#[test]
fn who_lacks_the_codec_gets_another_and_it_goes_back_when_nobody_does() {
    let mut world = World::new();
    let mut camera = Camera::new(&mut world);
    // Over two units, the one that lacks it is on the other.
    let plain = without_vp9(&mut world);
    let modern = with_vp9(&mut world);
    watch(&mut world, modern, &camera);
    camera.film(&mut world, 60);
    assert!(camera.told.is_empty(), "everybody takes what it likes best: {:?}", camera.told);
    assert!(seen(&mut world, modern, str0m::format::Codec::Vp9) >= 50);

    watch(&mut world, plain, &camera);
    camera.film(&mut world, 30);
    assert_eq!(camera.told, [vec![Codec::Vp8]]);
    world.take_packets(modern);
    world.take_packets(plain);
    camera.film(&mut world, 30);
    assert!(seen(&mut world, plain, str0m::format::Codec::Vp8) >= 28);
    assert!(seen(&mut world, modern, str0m::format::Codec::Vp8) >= 28, "all see the same encoding");

    close(&mut world, plain);
    camera.film(&mut world, 200);
    assert_eq!(camera.told.len(), 1, "people come back");
    camera.film(&mut world, 120);
    assert_eq!(camera.told, [vec![Codec::Vp8], vec![]]);
    world.take_packets(modern);
    camera.film(&mut world, 30);
    assert!(seen(&mut world, modern, str0m::format::Codec::Vp9) >= 28);
}

#[test]
fn a_picture_goes_on_across_a_change_of_codec() {
    let mut world = World::new();
    let mut camera = Camera::new(&mut world);
    let receiver = with_vp9(&mut world);
    watch(&mut world, receiver, &camera);
    camera.film(&mut world, 30);
    world.take_packets(receiver);
    let asked = world.total(|c| c.key_frames_requested);
    (camera.codec, camera.begun) = (Codec::Vp8, false);
    // One of the former codec is late on its way.
    camera.packets += 1;
    let late = camera.packets;
    camera.film(&mut world, 1);
    camera.codec = Codec::Vp9;
    camera.send(&mut world, late, false);
    camera.codec = Codec::Vp8;
    camera.film(&mut world, 20);
    let packets = world.take_packets(receiver);
    assert_eq!(packets.first().and_then(key_frame_width), Some(640));
    let numbers: Vec<u64> = packets.iter().map(|p| *p.seq_no).collect();
    assert_eq!(numbers.len(), 21);
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{numbers:?}");
    assert_eq!(world.total(|c| c.key_frames_requested), asked, "it began with one by itself");
}

#[test]
fn who_can_decode_nothing_is_no_reason_for_another_codec() {
    let mut world = World::new();
    let mut camera = Camera::new(&mut world);
    let other = world.client_with(1, |config| config.clear_codecs().enable_h264(true));
    watch(&mut world, other, &camera);
    camera.film(&mut world, 60);
    assert!(camera.told.is_empty(), "{:?}", camera.told);
}
