//! A client: `str0m` as a browser's peer connection, with a camera and a microphone before it and a person behind it.

mod picture;
mod publisher;
mod scalable;
mod sound;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::{Codec, MediaKind};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::crypto::CryptoProvider;
use str0m::media::{Direction, KeyframeRequestKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

pub use picture::Shown;
pub use publisher::{LADDER, Sent, Step};
pub use sound::{Heard, Sound};

use crate::flow::Flow;
use crate::random::Random;
use picture::Picture;
use publisher::Publisher;

/// The least time between two looks at a client's own timers. `str0m` sets some of them in the past.
const TICK: Duration = Duration::from_millis(1);
/// Timers that are due at once and bring nothing: then the next tick is soon enough.
const FRUITLESS_MAX: u32 = 2;
/// Outputs of one poll: a key frame of a large encoding has about a hundred packets.
const OUTPUTS_MAX: usize = 10_000;

/// What a client sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// A camera: in three encodings, or in a scalable one.
    pub camera: bool,
    /// Of all pictures: VP8, or VP9 in one scalable encoding.
    pub codec: Codec,
    /// A microphone.
    pub microphone: bool,
    /// Receive slots for audio.
    pub audio_slots: usize,
    /// Receive slots for video.
    pub video_slots: usize,
}

/// What a slot's packets become.
#[derive(Debug)]
enum Playout {
    Sound(Sound),
    Picture(Picture),
}

/// A receive slot.
#[derive(Debug)]
struct Slot {
    mid: Mid,
    playout: Playout,
    /// Which sources its packets say they come from, and how much each.
    sources: Vec<(u32, Flow)>,
}

/// A person with a browser.
pub struct Client {
    base: Instant,
    rtc: Rtc,
    address: SocketAddr,
    pending: Option<SdpPendingOffer>,
    publisher: Publisher,
    microphone: Option<Mid>,
    camera: Option<Mid>,
    slots: Vec<Slot>,
    slot_by_ssrc: Vec<(Ssrc, usize)>,
    random: Random,
    connected_at: Option<Instant>,
    /// Streams that this client sends.
    ssrcs: Vec<Ssrc>,
    timeout: Instant,
    outgoing: Vec<Vec<u8>>,
    /// By stream.
    repairs_asked: Vec<(Mid, Option<Rid>, u64)>,
    /// The peer connection is over.
    dead: bool,
}

impl Client {
    /// A client that offers. Returns the offer. Times in reports count from `base`.
    ///
    /// # Errors
    /// `str0m` cannot offer that.
    pub fn offer(
        (base, now): (Instant, Instant),
        address: SocketAddr,
        lines: Lines,
        crypto: Arc<CryptoProvider>,
        random: Random,
    ) -> Result<(Self, String)> {
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .set_crypto_provider(crypto)
            .set_stats_interval((lines.camera || lines.microphone).then_some(Duration::from_secs(1)))
            .clear_codecs()
            .enable_vp8(lines.codec == Codec::Vp8)
            .enable_vp9(lines.codec == Codec::Vp9)
            .enable_opus(true, false)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").context("no candidate")?);
        let mut changes = rtc.sdp_api();
        let mut add = |kind, direction, simulcast| changes.add_media(kind, direction, None, None, simulcast);
        let (audio, video) = (str0m::media::MediaKind::Audio, str0m::media::MediaKind::Video);
        let microphone = lines.microphone.then(|| add(audio, Direction::SendOnly, None));
        let camera = lines
            .camera
            .then(|| add(video, Direction::SendOnly, (lines.codec == Codec::Vp8).then(simulcast)));
        let mut slots = Vec::new();
        for _ in 0..lines.audio_slots {
            let mid = add(audio, Direction::RecvOnly, None);
            slots.push(Slot { mid, playout: Playout::Sound(Sound::default()), sources: Vec::new() });
        }
        for _ in 0..lines.video_slots {
            let mid = add(video, Direction::RecvOnly, None);
            slots.push(Slot {
                mid,
                playout: Playout::Picture(Picture::new(lines.codec)),
                sources: Vec::new(),
            });
        }
        let (offer, pending) = changes.apply().context("nothing to offer")?;
        let client = Self {
            base,
            rtc,
            address,
            pending: Some(pending),
            publisher: Publisher::new((camera, lines.codec), microphone, &random, (base, now)),
            microphone,
            camera,
            slots,
            slot_by_ssrc: Vec::new(),
            random,
            connected_at: None,
            ssrcs: Vec::new(),
            timeout: now,
            outgoing: Vec::new(),
            repairs_asked: Vec::new(),
            dead: false,
        };
        Ok((client, offer.to_sdp_string()))
    }

    /// Takes the answer to its offer.
    ///
    /// # Errors
    /// `str0m` does not accept it.
    pub fn answer(&mut self, now: Instant, sdp: &str) -> Result<()> {
        let answer = SdpAnswer::from_sdp_string(sdp).context("no valid answer")?;
        let pending = self.pending.take().context("an answer to nothing")?;
        self.rtc.sdp_api().accept_answer(pending, answer).context("the answer is not accepted")?;
        self.time_passes(now);
        Ok(())
    }

    /// Its own m-lines: microphone and camera.
    pub fn sends_on(&self) -> impl Iterator<Item = (MediaKind, Mid)> {
        let microphone = self.microphone.map(|mid| (MediaKind::Audio, mid));
        microphone.into_iter().chain(self.camera.map(|mid| (MediaKind::Video, mid)))
    }

    /// The room says what of a camera anybody looks at: what is not named is not sent.
    pub fn set_demand(&mut self, mid: &model::Mid, watched: bool, rids: &[model::Rid]) {
        self.publisher.set_demand(mid, watched, rids);
    }

    /// A datagram has come.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, datagram) else { return };
        if self.dead || self.rtc.handle_input(Input::Receive(now, receive)).is_err() {
            self.dead = true;
            return;
        }
        self.drain(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.dead {
            return;
        }
        if self.timeout <= now {
            self.time_passes(now);
        }
        while self.connected_at.is_some() && self.publisher.write_due(&mut self.rtc, now) {
            self.drain(now);
        }
        for index in 0..self.slots.len() {
            self.ask_for_key_frame(now, index);
        }
    }

    fn ask_for_key_frame(&mut self, now: Instant, index: usize) {
        let Some(Slot { mid, playout: Playout::Picture(picture), .. }) = self.slots.get_mut(index) else {
            return;
        };
        if !picture.asks(now) {
            return;
        }
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(*mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
            self.time_passes(now);
        }
    }

    fn time_passes(&mut self, now: Instant) {
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.dead = true;
            return;
        }
        self.drain(now);
    }

    /// When something will be due.
    pub fn deadline(&self) -> Option<Instant> {
        if self.dead {
            return None;
        }
        let pictures = self.slots.iter().filter_map(|slot| match &slot.playout {
            Playout::Picture(picture) => picture.deadline(),
            Playout::Sound(_) => None,
        });
        let source = self.publisher.next_deadline().filter(|_| self.connected_at.is_some());
        pictures.chain(source).chain([self.timeout]).min()
    }

    /// What it sends, oldest first.
    pub fn take_outgoing(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    /// Takes everything that `str0m` has to say. It wants that after each input.
    fn drain(&mut self, now: Instant) {
        let mut fruitless = 0;
        for _ in 0..OUTPUTS_MAX {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    fruitless = 0;
                    self.outgoing.push(transmit.contents.to_vec());
                }
                Ok(Output::Event(event)) => {
                    fruitless = 0;
                    self.handle_event(now, event);
                }
                // Due at once: a packet that was written, a request that is to be made.
                Ok(Output::Timeout(at)) if at <= now && fruitless < FRUITLESS_MAX => {
                    fruitless += 1;
                    if self.rtc.handle_input(Input::Timeout(now)).is_err() {
                        break;
                    }
                }
                Ok(Output::Timeout(at)) => {
                    self.timeout = at.max(now + TICK);
                    return;
                }
                Err(_) => break,
            }
        }
        self.dead = true;
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected if self.connected_at.is_none() => {
                self.connected_at = Some(now);
                self.ssrcs = self.publisher.start(&mut self.rtc, &mut self.random, now);
            }
            Event::RtpPacket(packet) => self.take_packet(now, &packet),
            Event::KeyframeRequest(request) => self.publisher.request_key_frame(&request),
            Event::MediaEgressStats(stats) => {
                self.repairs_asked.retain(|(mid, rid, _)| (*mid, *rid) != (stats.mid, stats.rid));
                self.repairs_asked.push((stats.mid, stats.rid, stats.nacks));
            }
            _ => {}
        }
    }

    fn take_packet(&mut self, now: Instant, packet: &RtpPacket) {
        let ssrc = packet.header.ssrc;
        let known = self.slot_by_ssrc.iter().find(|(known, _)| *known == ssrc).map(|(_, slot)| *slot);
        let Some(index) = known.or_else(|| self.learn(ssrc)) else { return };
        let Some(slot) = self.slots.get_mut(index) else { return };
        let source =
            packet.header.csrc.first().copied().filter(|_| packet.header.csrc_count > 0).unwrap_or(0);
        match slot.sources.iter_mut().find(|(known, _)| *known == source) {
            Some((_, flow)) => flow.count(now, packet.payload.len()),
            None => {
                let mut flow = Flow::new(self.base);
                flow.count(now, packet.payload.len());
                slot.sources.push((source, flow));
            }
        }
        match &mut slot.playout {
            Playout::Sound(sound) => sound.take(now, *packet.seq_no),
            Playout::Picture(picture) => picture.take(
                now,
                *packet.seq_no,
                packet.header.timestamp,
                packet.header.marker,
                &packet.payload,
            ),
        }
    }

    /// Finds out which slot a stream belongs to.
    fn learn(&mut self, ssrc: Ssrc) -> Option<usize> {
        let mid = self.rtc.direct_api().stream_rx(&ssrc)?.mid();
        let index = self.slots.iter().position(|slot| slot.mid == mid)?;
        self.slot_by_ssrc.push((ssrc, index));
        Some(index)
    }

    /// What the slots showed and played, in order of the m-lines: sound first.
    pub fn slots(&self) -> impl Iterator<Item = SlotReport> {
        self.slots.iter().map(|slot| SlotReport {
            sources: slot.sources.clone(),
            playout: match &slot.playout {
                Playout::Sound(sound) => Played::Sound(sound.clone()),
                Playout::Picture(picture) => {
                    Played::Picture { shown: picture.shown().to_vec(), key_frames_asked: picture.asked() }
                }
            },
        })
    }

    /// Streams that it sends.
    pub fn ssrcs(&self) -> &[Ssrc] {
        &self.ssrcs
    }

    /// What it sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.publisher.sent().collect()
    }

    /// Requests for retransmissions that it was sent, as it says once a second.
    pub fn repairs_asked(&self) -> u64 {
        self.repairs_asked.iter().map(|(_, _, count)| count).sum()
    }

    /// When its peer connection came up.
    pub fn connected_at(&self) -> Option<Instant> {
        self.connected_at
    }

    /// Its peer connection is up.
    pub fn is_connected(&self) -> bool {
        self.connected_at.is_some() && !self.dead
    }
}

/// What happened on a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotReport {
    /// SSRCs of the sources that its packets named, and when those came.
    pub sources: Vec<(u32, Flow)>,
    /// What came of them.
    pub playout: Played,
}

/// What a person noticed of a slot.
#[derive(Debug, Clone, PartialEq)]
pub enum Played {
    /// Audio.
    Sound(Sound),
    /// Video.
    Picture {
        /// The frames that were shown.
        shown: Vec<Shown>,
        /// Key frames that the decoder asked for.
        key_frames_asked: u64,
    },
}

fn simulcast() -> Simulcast {
    let mut simulcast = Simulcast::new();
    for step in LADDER {
        let layer = SimulcastLayer::new_with_attributes(step.rid);
        let layer = layer.max_width(step.width.into()).max_height(step.height.into()).max_fps(30);
        simulcast.add_send_layer(layer.build());
    }
    simulcast
}
