//! What a client sends: a camera as a browser encodes it, and a microphone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use load::source::{Camera, Noise, Packetizer, Shape, Source, rtp_time};
use model::Codec;
use str0m::Rtc;
use str0m::media::{KeyframeRequest, Mid, Pt, Rid};
use str0m::rtp::{ExtensionValues, RtpWrite, Ssrc};

use super::scalable::{Pictured, Scalable};
use crate::flow::Flow;
use crate::random::Random;

/// One simulcast encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its RID.
    pub rid: &'static str,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Of payloads.
    pub kbps: u32,
}

/// What a browser makes of a camera of 1280×720 with the web client's settings.
pub const LADDER: [Step; 3] = [
    Step { rid: "l", width: 320, height: 180, kbps: 150 },
    Step { rid: "m", width: 640, height: 360, kbps: 500 },
    Step { rid: "h", width: 1280, height: 720, kbps: 1_700 },
];

/// Level of speech in the header extension, in −dBov (RFC 6464).
const SPEECH_LEVEL: i8 = -25;

/// Everything that a client sends.
#[derive(Debug)]
pub(super) struct Publisher {
    encodings: Vec<Encoding>,
    due: VecDeque<Due>,
}

/// A packet of a frame that is due.
#[derive(Debug)]
struct Due {
    encoding: usize,
    time: u32,
    payload: Vec<u8>,
    ends_frame: bool,
}

/// One RTP stream.
#[derive(Debug)]
struct Encoding {
    mid: Mid,
    rid: Option<Rid>,
    codec: Codec,
    coder: Coder,
    /// Known when the session is up.
    outlet: Option<(Ssrc, Pt)>,
    /// Nobody looks at it: frames are made and thrown away.
    asleep: bool,
    sequence: u64,
    /// RTP time of the first frame.
    time_offset: u32,
    sent: u64,
    flow: Flow,
    key_frames_asked: u64,
}

/// What makes the frames of a stream.
#[derive(Debug)]
enum Coder {
    Plain(Source, Packetizer),
    Scalable(Scalable),
}

impl Coder {
    fn restart(&mut self, start: Instant) {
        match self {
            Coder::Plain(source, _) => source.restart(start),
            Coder::Scalable(scalable) => scalable.restart(start),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        match self {
            Coder::Plain(source, _) => Some(source.next_deadline()),
            Coder::Scalable(scalable) => scalable.next_deadline(),
        }
    }

    fn request_key_frame(&mut self) {
        match self {
            Coder::Plain(source, _) => source.request_key_frame(),
            Coder::Scalable(scalable) => scalable.request_key_frame(),
        }
    }

    /// A frame that is due.
    fn poll(&mut self, now: Instant) -> Option<Pictured> {
        match self {
            Coder::Plain(source, packetizer) => {
                let frame = source.poll_frame(now)?;
                Some(Pictured { at: frame.at, payloads: packetizer.payloads(&frame) })
            }
            Coder::Scalable(scalable) => scalable.poll(now),
        }
    }
}

/// What a stream did, for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Which.
    pub rid: Option<Rid>,
    /// Packets, without retransmissions.
    pub packets: u64,
    /// The same over time.
    pub flow: Flow,
    /// Of a camera.
    pub video: bool,
    /// Requests for key frames that came.
    pub key_frames_asked: u64,
}

impl Publisher {
    /// `codec` is the camera's: VP9 is sent in one scalable encoding, others in several.
    pub(super) fn new(
        (camera, codec): (Option<Mid>, Codec),
        microphone: Option<Mid>,
        random: &Random,
        (base, now): (Instant, Instant),
    ) -> Self {
        let mut encodings = Vec::new();
        if let Some(mid) = microphone {
            let mut random = random.part("microphone", 0);
            let shape = Shape::Speech(Noise::new(random.draw()));
            let packetizer = Packetizer::new(Codec::Opus, 0, 0, random.draw());
            encodings.push(Encoding::new(
                mid,
                None,
                Codec::Opus,
                Coder::Plain(Source::new(shape, now), packetizer),
                random,
                base,
            ));
        }
        if let (Some(mid), Codec::Vp9) = (camera, codec) {
            let mut random = random.part("camera", 0);
            let coder = Coder::Scalable(Scalable::new(&mut random, now));
            encodings.push(Encoding::new(mid, None, codec, coder, random, base));
        }
        for (step, number) in LADDER.iter().zip(0..).filter(|_| codec != Codec::Vp9) {
            let Some(mid) = camera else { break };
            let mut random = random.part("camera", number);
            let shape = Shape::Camera(Camera::new(step.kbps, random.draw()));
            let packetizer = Packetizer::new(Codec::Vp8, step.width, step.height, random.draw());
            let coder = Coder::Plain(Source::new(shape, now), packetizer);
            let rid = Some(step.rid.into());
            encodings.push(Encoding::new(mid, rid, Codec::Vp8, coder, random, base));
        }
        Self { encodings, due: VecDeque::new() }
    }

    /// The session is up: the first frame is taken soon, all encodings at the same time. Returns what streams are called.
    pub(super) fn start(&mut self, rtc: &mut Rtc, random: &mut Random, now: Instant) -> Vec<Ssrc> {
        let first = now + Duration::from_micros(random.below(33_000));
        for encoding in &mut self.encodings {
            let pt = rtc.media(encoding.mid).and_then(|media| media.remote_pts().first().copied());
            let ssrc =
                rtc.direct_api().stream_tx_by_mid(encoding.mid, encoding.rid).map(|stream| stream.ssrc());
            encoding.outlet = ssrc.zip(pt);
            encoding.coder.restart(first);
        }
        self.encodings.iter().filter_map(|e| Some(e.outlet?.0)).collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let there = self.encodings.iter().filter(|e| e.outlet.is_some());
        there.filter_map(|e| e.coder.next_deadline()).min()
    }

    /// Writes one packet of a frame that is due; false: there is none. One at a time, for `str0m` wants to be drained
    /// after each.
    pub(super) fn write_due(&mut self, rtc: &mut Rtc, now: Instant) -> bool {
        if self.due.is_empty() {
            self.fill_due(now);
        }
        let Some(packet) = self.due.pop_front() else { return false };
        let Some(encoding) = self.encodings.get_mut(packet.encoding) else { return false };
        let Some((ssrc, pt)) = encoding.outlet else { return false };
        let mut api = rtc.direct_api();
        let Some(stream) = api.stream_tx(&ssrc) else { return false };
        let video = encoding.codec != Codec::Opus;
        let bytes = packet.payload.len();
        let mut write = RtpWrite::new(pt, encoding.sequence.into(), packet.time, now, packet.payload)
            .marker(video && packet.ends_frame)
            .nackable(video);
        if !video {
            write = write.ext_vals(ExtensionValues {
                audio_level: Some(SPEECH_LEVEL),
                voice_activity: Some(true),
                ..ExtensionValues::default()
            });
        }
        stream.write_rtp(write);
        encoding.flow.count(now, bytes);
        encoding.sequence += 1;
        encoding.sent += 1;
        true
    }

    fn fill_due(&mut self, now: Instant) {
        for (index, encoding) in self.encodings.iter_mut().enumerate().filter(|(_, e)| e.outlet.is_some()) {
            while let Some(frame) = encoding.coder.poll(now) {
                if encoding.asleep {
                    continue;
                }
                let time = rtp_time(encoding.codec, frame.at).wrapping_add(encoding.time_offset);
                let last = frame.payloads.len().saturating_sub(1);
                self.due.extend(frame.payloads.into_iter().enumerate().map(|(n, payload)| Due {
                    encoding: index,
                    time,
                    payload,
                    ends_frame: n == last,
                }));
            }
        }
    }

    /// The next frame is a key frame, as a browser's encoder does it.
    pub(super) fn request_key_frame(&mut self, request: &KeyframeRequest) {
        let asked =
            |e: &&mut Encoding| e.mid == request.mid && (request.rid.is_none() || e.rid == request.rid);
        for encoding in self.encodings.iter_mut().filter(asked) {
            encoding.coder.request_key_frame();
            encoding.key_frames_asked += 1;
        }
    }

    /// Encodings that nobody looks at are not sent; one that somebody looks at again begins with a key frame.
    pub(super) fn set_demand(&mut self, mid: &model::Mid, watched: bool, rids: &[model::Rid]) {
        for encoding in self.encodings.iter_mut().filter(|e| *e.mid == *mid.as_str()) {
            let named = encoding.rid.is_none_or(|rid| rids.iter().any(|r| *rid == *r.as_str()));
            let slept = std::mem::replace(&mut encoding.asleep, !(watched && named));
            if slept && !encoding.asleep {
                encoding.coder.request_key_frame();
            }
        }
    }

    pub(super) fn sent(&self) -> impl Iterator<Item = Sent> {
        self.encodings.iter().map(|e| Sent {
            rid: e.rid,
            packets: e.sent,
            flow: e.flow.clone(),
            video: e.codec != Codec::Opus,
            key_frames_asked: e.key_frames_asked,
        })
    }
}

impl Encoding {
    fn new(
        mid: Mid,
        rid: Option<Rid>,
        codec: Codec,
        coder: Coder,
        mut random: Random,
        base: Instant,
    ) -> Self {
        Self {
            mid,
            rid,
            codec,
            coder,
            outlet: None,
            // As browsers begin (libwebrtc): below the half, so that the first roll-over is seen by everybody.
            sequence: 1 + random.below(0x7fff),
            time_offset: random.draw() as u32,
            sent: 0,
            flow: Flow::new(base),
            asleep: false,
            key_frames_asked: 0,
        }
    }
}
