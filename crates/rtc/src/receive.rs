//! What a client sends: which m-line and encoding a packet belongs to, what of it is missing, and what its sender is
//! to be told about it.

use std::ops::Range;
use std::time::Duration;

use model::{Mid, Rid, limits};
use rustc_hash::FxHashMap;

use crate::rtcp::{self, ArrivalLog, NackGenerator, Reception, ReportBlock};
use crate::rtp::{self, AbsCaptureTime, AudioLevel, ExtensionIds, ReceivedExtensions};
use crate::sdp::{CodecParameters, MediaLine};

/// Round trip assumed until one is measured.
const ROUND_TRIP_DEFAULT: Duration = Duration::from_millis(100);

/// Numbers of a new source of an encoding begin this far above those of the one before, so that they never meet.
const GENERATION: u64 = 1 << 40;

/// Header extensions that go on to receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Loudness.
    pub audio_level: Option<AudioLevel>,
    /// When it was captured.
    pub abs_capture_time: Option<AbsCaptureTime>,
    /// Bounds of the playout delay.
    pub playout_delay: Option<[u8; 3]>,
}

/// A media packet, authenticated and in clear; a retransmission is what it repairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Index of the m-line.
    pub line: u16,
    /// Index of the encoding in the offer's order; 0 without simulcast.
    pub layer: u8,
    /// Extended; grows over the life of the encoding, also when its SSRC changes.
    pub sequence: u64,
    /// In the clock of the codec, wraps.
    pub timestamp: u32,
    /// End of a frame, start of a talk spurt.
    pub marker: bool,
    /// The sender's, of media.
    pub payload_type: u8,
    /// The source.
    pub ssrc: u32,
    /// Where the payload lies in the datagram, without padding.
    pub payload: Range<usize>,
    /// Header extensions that go on to receivers.
    pub carried: Carried,
    /// Where the dependency descriptor lies in the datagram; empty without one.
    pub descriptor: Range<usize>,
    /// The encoding has another source from here on: what was decoded so far has ended.
    pub restarted: bool,
}

/// An m-line on which the client sends.
#[derive(Debug)]
struct Line {
    index: u16,
    mid: Mid,
    rids: Vec<Rid>,
    codecs: Vec<CodecParameters>,
    ssrcs: Vec<(u32, Option<u32>)>,
}

impl Line {
    fn codec(&self, payload_type: u8) -> Option<&CodecParameters> {
        let is_of = |c: &&CodecParameters| c.carries(payload_type) || c.rtx_pt == Some(payload_type);
        self.codecs.iter().find(is_of)
    }

    fn is_rtx(&self, payload_type: u8) -> bool {
        self.codecs.iter().any(|c| c.rtx_pt == Some(payload_type))
    }
}

/// Which stream of which encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    line: u16,
    layer: u8,
    rtx: bool,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    place: Place,
    /// Added to the extended sequence numbers of this source.
    base: u64,
    reception: Reception,
    /// Only where the sender retransmits.
    nack: Option<NackGenerator>,
    /// The first packet has not been passed on yet, and there was another source before.
    restarted: bool,
    /// The keys are new since the last packet, and with them the count of roll-overs.
    renewed: bool,
}

impl Stream {
    /// The same source under new keys: extended numbers count from the start again, so they move to the next generation.
    fn begin_again(&mut self, header: &rtp::Header, index: u64, arrival: Duration) {
        let clock_rate_hz = self.reception.clock_rate_hz();
        self.reception = Reception::new(header.ssrc, clock_rate_hz, index, header.timestamp, arrival);
        self.nack = self.nack.take().map(|_| NackGenerator::new());
        self.base += GENERATION;
        self.restarted = true;
    }
}

/// What of a datagram is media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RtpOutcome {
    /// A packet to pass on.
    Media(Received),
    /// A probe, a duplicate, or a packet of no agreed m-line; it counts for feedback.
    Consumed,
    /// Forged, damaged, replayed, or before the handshake's end.
    Refused,
}

/// Everything that a client sends.
#[derive(Debug)]
pub(crate) struct Receiver {
    lines: Vec<Line>,
    streams: Vec<Stream>,
    by_ssrc: FxHashMap<u32, u32>,
    extensions: ExtensionIds,
    arrivals: ArrivalLog,
    pub(crate) round_trip: Option<Duration>,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            lines: Vec::new(),
            streams: Vec::new(),
            by_ssrc: FxHashMap::default(),
            extensions: ExtensionIds::default(),
            arrivals: ArrivalLog::new(),
            round_trip: None,
        }
    }

    /// Takes over what was agreed. Streams of m-lines that ended are forgotten.
    pub(crate) fn agree(&mut self, media: &[MediaLine], extensions: ExtensionIds) {
        self.extensions = extensions;
        self.lines = media
            .iter()
            .filter_map(|m| {
                let receive = m.receive.as_ref()?;
                Some(Line {
                    index: u16::try_from(m.index).ok()?,
                    mid: m.mid,
                    rids: receive.layers.iter().map(|l| l.rid).take(limits::LAYERS_MAX).collect(),
                    codecs: m.codecs.clone(),
                    ssrcs: receive.ssrcs.clone(),
                })
            })
            .collect();
        let alive = |place: &Place| self.lines.iter().any(|l| l.index == place.line);
        self.streams.retain(|s| alive(&s.place));
        self.by_ssrc = self.streams.iter().zip(0..).map(|(s, i)| (s.ssrc, i)).collect();
    }

    /// Packets come under new keys from here on.
    pub(crate) fn renew(&mut self) {
        self.streams.iter_mut().for_each(|s| s.renewed = true);
        self.arrivals = ArrivalLog::new();
    }

    /// Takes an authenticated packet. `index` is its extended sequence number, `payload` where its payload lies.
    pub(crate) fn handle(
        &mut self,
        arrival: Duration,
        header: &rtp::Header,
        index: u64,
        packet: &[u8],
        payload: Range<usize>,
    ) -> RtpOutcome {
        let extensions = header.received_extensions(packet, &self.extensions);
        if let Some(number) = extensions.transport_wide_cc {
            self.arrivals.record(number, arrival);
        }
        let Some(at) = self.stream(header, index, arrival, &extensions) else { return RtpOutcome::Consumed };
        let payload = match header.padding {
            false => payload,
            true => match packet.get(payload.clone()).and_then(rtp::without_padding) {
                Some(rest) => payload.start..payload.start + rest.len(),
                None => return RtpOutcome::Consumed,
            },
        };
        let carried = Carried {
            audio_level: extensions.audio_level,
            abs_capture_time: extensions.abs_capture_time,
            playout_delay: extensions.playout_delay,
        };
        let Some(stream) = self.streams.get_mut(at) else { return RtpOutcome::Consumed };
        if stream.place.rtx {
            let place = stream.place;
            let descriptor = extensions.dependency_descriptor;
            return self.repaired(arrival, header, place, packet, payload, carried, descriptor);
        }
        let sequence = stream.base + index;
        if let Some(nack) = &mut stream.nack {
            nack.received(sequence, arrival);
        }
        RtpOutcome::Media(Received {
            line: stream.place.line,
            layer: stream.place.layer,
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            payload_type: header.payload_type,
            ssrc: header.ssrc,
            payload,
            carried,
            descriptor: extensions.dependency_descriptor,
            restarted: std::mem::take(&mut stream.restarted),
        })
    }

    /// A packet of a retransmission stream (RFC 4588) becomes the one that it repairs.
    #[expect(clippy::too_many_arguments, reason = "the parts of one packet, parsed once by its only caller")]
    fn repaired(
        &mut self,
        arrival: Duration,
        header: &rtp::Header,
        place: Place,
        packet: &[u8],
        payload: Range<usize>,
        carried: Carried,
        descriptor: Range<usize>,
    ) -> RtpOutcome {
        let Some((number, _)) = packet.get(payload.clone()).and_then(rtp::split_rtx) else {
            return RtpOutcome::Consumed;
        };
        let codec =
            self.lines.iter().find(|l| l.index == place.line).and_then(|l| l.codec(header.payload_type));
        let Some(payload_type) = codec.map(|c| c.pt) else { return RtpOutcome::Consumed };
        let original = Place { rtx: false, ..place };
        let Some(stream) = self.streams.iter_mut().find(|s| s.place == original) else {
            return RtpOutcome::Consumed;
        };
        let index = rtp::extend_sequence_number(number, stream.reception.highest());
        let sequence = stream.base + index;
        if let Some(nack) = &mut stream.nack {
            nack.received(sequence, arrival);
        }
        RtpOutcome::Media(Received {
            line: place.line,
            layer: place.layer,
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            payload_type,
            ssrc: stream.ssrc,
            payload: payload.start + rtp::RTX_HEADER_LEN..payload.end,
            carried,
            descriptor,
            restarted: false,
        })
    }

    /// The stream of a packet; a new one is made when the packet says where it belongs.
    fn stream(
        &mut self,
        header: &rtp::Header,
        index: u64,
        arrival: Duration,
        extensions: &ReceivedExtensions,
    ) -> Option<usize> {
        if let Some(&at) = self.by_ssrc.get(&header.ssrc) {
            let at = at as usize;
            let stream = self.streams.get_mut(at)?;
            if std::mem::take(&mut stream.renewed) {
                stream.begin_again(header, index, arrival);
            } else {
                stream.reception.received(index, header.timestamp, arrival);
            }
            return Some(at);
        }
        let place = self.place(header, extensions)?;
        let line = self.lines.iter().find(|l| l.index == place.line)?;
        let codec = line.codec(header.payload_type)?;
        let retransmits = codec.rtx_pt.is_some() && codec.feedback.nack && !place.rtx;
        let reception = Reception::new(header.ssrc, codec.clock_rate_hz, index, header.timestamp, arrival);
        let former = self.streams.iter().position(|s| s.place == place);
        let base = former.and_then(|at| self.streams.get(at)).map_or(GENERATION, |s| s.base + GENERATION);
        let stream = Stream {
            ssrc: header.ssrc,
            place,
            base,
            reception,
            nack: retransmits.then(NackGenerator::new),
            restarted: former.is_some(),
            renewed: false,
        };
        let at = match former {
            Some(at) => {
                let old = std::mem::replace(self.streams.get_mut(at)?, stream);
                self.by_ssrc.remove(&old.ssrc);
                at
            }
            None => {
                self.streams.push(stream);
                self.streams.len() - 1
            }
        };
        self.by_ssrc.insert(header.ssrc, u32::try_from(at).ok()?);
        Some(at)
    }

    /// Where a packet of an unknown source belongs: by its header extensions, else by the SSRCs of the offer, else by
    /// its payload type where only one m-line has it (RFC 9143 §9.2).
    fn place(&self, header: &rtp::Header, extensions: &ReceivedExtensions) -> Option<Place> {
        let pt = header.payload_type;
        if let Some(mid) = extensions.mid {
            let line = self.lines.iter().find(|l| l.mid == mid)?;
            line.codec(pt)?;
            let rid = extensions.repaired_rid.or(extensions.rid);
            let layer = match rid {
                Some(rid) if !line.rids.is_empty() => line.rids.iter().position(|r| *r == rid)?,
                // Several encodings and no name: wait for a packet that has one.
                None if line.rids.len() > 1 => return None,
                _ => 0,
            };
            return Some(Place { line: line.index, layer: u8::try_from(layer).ok()?, rtx: line.is_rtx(pt) });
        }
        for line in &self.lines {
            for (ssrc, rtx_ssrc) in &line.ssrcs {
                if *ssrc == header.ssrc {
                    return Some(Place { line: line.index, layer: 0, rtx: false });
                }
                if *rtx_ssrc == Some(header.ssrc) {
                    return Some(Place { line: line.index, layer: 0, rtx: true });
                }
            }
        }
        let mut having = self.lines.iter().filter(|l| l.rids.is_empty() && l.codec(pt).is_some());
        match (having.next(), having.next()) {
            (Some(line), None) => Some(Place { line: line.index, layer: 0, rtx: line.is_rtx(pt) }),
            _ => None,
        }
    }

    /// A sender report of one of the sources. Returns the m-line and encoding of media; none for retransmissions.
    pub(crate) fn sender_report(&mut self, info: &rtcp::SenderInfo, arrival: Duration) -> Option<(u16, u8)> {
        let stream = self.by_ssrc.get(&info.ssrc).and_then(|at| self.streams.get_mut(*at as usize))?;
        stream.reception.sender_report(info.ntp, arrival);
        (!stream.place.rtx).then_some((stream.place.line, stream.place.layer))
    }

    /// What to tell the sender about its streams.
    pub(crate) fn report_blocks(&mut self, now: Duration, most: usize) -> Vec<ReportBlock> {
        self.streams.iter_mut().take(most).map(|s| s.reception.report(now)).collect()
    }

    /// Whether transport-wide feedback is waiting.
    pub(crate) fn feedback_pending(&self) -> bool {
        self.arrivals.is_pending()
    }

    /// Appends one packet of transport-wide feedback, if there is any.
    pub(crate) fn write_feedback(&mut self, sender_ssrc: u32, out: &mut Vec<u8>) -> bool {
        let media_ssrc = self.streams.first().map_or(0, |s| s.ssrc);
        self.arrivals.build(sender_ssrc, media_ssrc, out)
    }

    /// When to ask for missing packets.
    pub(crate) fn nack_due(&self) -> Option<Duration> {
        self.streams.iter().filter_map(|s| s.nack.as_ref()?.poll_timeout()).min()
    }

    /// Appends requests for what is missing. True if anything was written.
    pub(crate) fn write_nacks(&mut self, now: Duration, sender_ssrc: u32, out: &mut Vec<u8>) -> bool {
        let round_trip = self.round_trip.unwrap_or(ROUND_TRIP_DEFAULT);
        let before = out.len();
        for stream in &mut self.streams {
            let Some(nack) = &mut stream.nack else { continue };
            let lost = nack.poll(now, round_trip);
            if !lost.is_empty() {
                rtcp::write_nack(out, sender_ssrc, stream.ssrc, &lost);
            }
            if nack.take_key_frame_needed() {
                rtcp::write_pli(out, sender_ssrc, stream.ssrc);
            }
        }
        out.len() > before
    }

    /// Appends a request for a key frame of an encoding. False if nothing has come from it yet.
    pub(crate) fn write_key_frame_request(
        &self,
        line: u16,
        layer: u8,
        sender_ssrc: u32,
        out: &mut Vec<u8>,
    ) -> bool {
        let place = Place { line, layer, rtx: false };
        let Some(stream) = self.streams.iter().find(|s| s.place == place) else { return false };
        rtcp::write_pli(out, sender_ssrc, stream.ssrc);
        true
    }
}
