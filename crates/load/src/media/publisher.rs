//! Sending: sources turned into RTP.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use model::{Codec, MediaKind};
use str0m::Rtc;
use str0m::media::{KeyframeRequest, Mid, Pt, Rid};
use str0m::rtp::{ExtensionValues, RtpWrite, Ssrc};
use tracing::warn;

use net::clock::{self, WallClock};

use super::{seal, stamp};
use crate::args::Plan;
use crate::source::{Packetizer, Source, rtp_time};

/// Level of speech in the header extension (RFC 6464), and of the silence between.
const SPEECH_LEVEL: i8 = -25;
const SILENCE_LEVEL: i8 = -90;
/// For how many packets of 20 ms one publisher speaks before the next does.
const TURN_PACKETS: u64 = 250;

/// The sending side of a client.
pub struct Publisher {
    encodings: Vec<Encoding>,
    /// Packets of the frames that are due.
    due: VecDeque<Due>,
    /// Place among the publishers: whose turn it is to speak.
    index: u64,
    publishers: u64,
    sent_video: u64,
    sent_audio: u64,
    key_frame_requests: u64,
    /// How late a frame was sent at most, since sources were last let go on.
    late_max: Duration,
    /// Writes into packets when they are sent, by this clock.
    stamps: Option<WallClock>,
    /// Writes a checksum into packets.
    seals: bool,
    /// Since when nothing is sent.
    paused: Option<Instant>,
}

/// One packet to be written.
struct Due {
    encoding: usize,
    time: u32,
    payload: Vec<u8>,
    ends_frame: bool,
}

/// One RTP stream.
struct Encoding {
    mid: Mid,
    rid: Option<Rid>,
    codec: Codec,
    source: Source,
    packetizer: Packetizer,
    /// Set when the session is up.
    outlet: Option<(Ssrc, Pt)>,
    sequence: u64,
}

impl Publisher {
    /// Sends what the plan says on these m-lines.
    pub fn new(plan: &Plan, index: usize, lines: &[(Mid, MediaKind)], now: Instant) -> Self {
        let mut encodings = Vec::new();
        for (line, &(mid, kind)) in lines.iter().enumerate() {
            let seed = (index * 1000 + line * 10) as u64;
            if kind == MediaKind::Audio {
                let source = Source::new(plan.audio_shape(seed), now);
                encodings.push(Encoding::new(
                    mid,
                    None,
                    Codec::Opus,
                    source,
                    Packetizer::new(Codec::Opus, 0, 0, seed),
                ));
                continue;
            }
            for (layer, encoding) in plan.encodings.iter().enumerate() {
                let seed = seed + layer as u64;
                let source = Source::new(plan.video_shape(encoding, seed), now);
                let packetizer = Packetizer::new(plan.codec, encoding.width, encoding.height, seed);
                encodings.push(Encoding::new(
                    mid,
                    encoding.rid.map(Rid::from),
                    plan.codec,
                    source,
                    packetizer,
                ));
            }
        }
        Self {
            encodings,
            due: VecDeque::new(),
            index: index as u64,
            publishers: plan.args.publishers as u64,
            sent_video: 0,
            sent_audio: 0,
            key_frame_requests: 0,
            late_max: Duration::ZERO,
            stamps: plan.args.delay.then(WallClock::read),
            seals: plan.args.verify,
            paused: None,
        }
    }

    /// The session is up: time begins.
    pub(super) fn start(&mut self, rtc: &mut Rtc, now: Instant) {
        for encoding in &mut self.encodings {
            let pt = payload_type(rtc, encoding.mid, encoding.codec);
            let ssrc =
                rtc.direct_api().stream_tx_by_mid(encoding.mid, encoding.rid).map(|stream| stream.ssrc());
            encoding.outlet = ssrc.zip(pt);
            if encoding.outlet.is_none() {
                warn!(mid = %encoding.mid, codec = ?encoding.codec, "the answer does not take this stream");
            }
            encoding.source.restart(now);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if self.paused.is_some() {
            return None;
        }
        self.encodings.iter().filter(|e| e.outlet.is_some()).map(|e| e.source.next_deadline()).min()
    }

    /// Writes one packet of a frame that is due; false: there is none. One at a time, because `str0m` must be drained
    /// after each.
    pub(super) fn write_due(&mut self, rtc: &mut Rtc, now: Instant) -> bool {
        if self.due.is_empty() && self.paused.is_none() {
            self.fill_due(now);
        }
        let Some(mut packet) = self.due.pop_front() else { return false };
        let Some(encoding) = self.encodings.get_mut(packet.encoding) else { return false };
        let Some((ssrc, pt)) = encoding.outlet else { return false };
        let mut api = rtc.direct_api();
        let Some(stream) = api.stream_tx(&ssrc) else { return false };
        let video = encoding.codec.kind() == MediaKind::Video;
        if let Some(wall) = &self.stamps {
            stamp::write(&mut packet.payload, wall.unix(clock::now()));
        }
        if self.seals {
            seal::write(&mut packet.payload);
        }
        let mut write = RtpWrite::new(pt, encoding.sequence.into(), packet.time, now, packet.payload)
            .marker(video && packet.ends_frame)
            .nackable(video);
        if video {
            self.sent_video += 1;
        } else {
            let turn = self.sent_audio / TURN_PACKETS % self.publishers.max(1);
            self.sent_audio += 1;
            write = write.ext_vals(speech(turn == self.index));
        }
        stream.write_rtp(write);
        encoding.sequence += 1;
        true
    }

    fn fill_due(&mut self, now: Instant) {
        for (index, encoding) in self.encodings.iter_mut().enumerate().filter(|(_, e)| e.outlet.is_some()) {
            let due = encoding.source.next_deadline();
            self.late_max = self.late_max.max(now.saturating_duration_since(due));
            while let Some(frame) = encoding.source.poll_frame(now) {
                let time = rtp_time(encoding.codec, frame.at);
                let payloads = encoding.packetizer.payloads(&frame);
                let last = payloads.len().saturating_sub(1);
                self.due.extend(payloads.into_iter().enumerate().map(|(n, payload)| Due {
                    encoding: index,
                    time,
                    payload,
                    ends_frame: n == last,
                }));
            }
        }
    }

    pub(super) fn request_key_frame(&mut self, request: &KeyframeRequest) {
        self.key_frame_requests += 1;
        let asked =
            |e: &&mut Encoding| e.mid == request.mid && (request.rid.is_none() || e.rid == request.rid);
        self.encodings.iter_mut().filter(asked).for_each(|encoding| encoding.source.request_key_frame());
    }

    /// Stops sending, or goes on with what would be due now.
    pub(super) fn set_paused(&mut self, paused: bool, now: Instant) {
        match (paused, self.paused) {
            (true, None) => self.paused = Some(now),
            (false, Some(since)) => {
                let gap = now.saturating_duration_since(since);
                self.encodings.iter_mut().for_each(|encoding| encoding.source.skip(gap));
                (self.paused, self.late_max) = (None, Duration::ZERO);
            }
            _ => {}
        }
    }

    pub(super) fn set_pps(&mut self, pps: f64) {
        self.encodings.iter_mut().for_each(|encoding| encoding.source.set_pps(pps));
    }

    pub(super) fn sent_video(&self) -> u64 {
        self.sent_video
    }

    pub(super) fn sent_audio(&self) -> u64 {
        self.sent_audio
    }

    pub(super) fn key_frame_requests(&self) -> u64 {
        self.key_frame_requests
    }

    pub(super) fn late_max(&self) -> Duration {
        self.late_max
    }

    pub(super) fn skipped(&self) -> u64 {
        self.encodings.iter().map(|encoding| encoding.source.skipped()).sum()
    }
}

impl Encoding {
    fn new(mid: Mid, rid: Option<Rid>, codec: Codec, source: Source, packetizer: Packetizer) -> Self {
        Self { mid, rid, codec, source, packetizer, outlet: None, sequence: 1 }
    }
}

/// The payload type agreed for the codec. H.264 is sent in fragments, so its packetization mode must be 1.
fn payload_type(rtc: &Rtc, mid: Mid, codec: Codec) -> Option<Pt> {
    let agreed = rtc.media(mid)?.remote_pts();
    let params = rtc.codec_config().params();
    let fits = |pt: &&Pt| {
        codec != Codec::H264
            || params.iter().any(|p| p.pt() == **pt && p.spec().format.packetization_mode == Some(1))
    };
    agreed.iter().find(fits).or(agreed.first()).copied()
}

fn speech(speaks: bool) -> ExtensionValues {
    ExtensionValues {
        audio_level: Some(if speaks { SPEECH_LEVEL } else { SILENCE_LEVEL }),
        voice_activity: Some(speaks),
        ..ExtensionValues::default()
    }
}
