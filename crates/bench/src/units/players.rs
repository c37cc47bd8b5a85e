//! Clients that are connected, played by hand: what a publisher sends, and what a receiver reports.

use std::time::{Duration, Instant};

use load::media::transport_sequence;
use load::source::{Frame, Packetizer};
use model::Codec;
use model::datagram::{Run, Transport};
use rtc::rtcp::{ArrivalLog, is_rtcp};
use rtc::rtp::{ExtensionIds, HeaderWriter, OutgoingExtensions};
use rtc::srtp::Outbound;

/// As often as libwebrtc does at high rates.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// …and earlier after so many packets: a log of arrivals remembers 2,048.
const FEEDBACK_PACKETS_MAX: u64 = 1_000;
/// Frames made before they are needed, sent in turn. Several megabytes: none lies in the nearest cache when its turn
/// comes.
const FRAMES: usize = 256;
/// One frame in so many is a key frame, so that whoever comes or loses its place goes on soon.
const KEY_INTERVAL: u64 = FRAMES as u64;
/// Where the payload descriptor of the generator's VP8 has the picture id (15 bits) and TL0PICIDX.
const PICTURE_ID_AT: usize = 2;
const TL0_PICTURE_INDEX_AT: usize = 4;

/// A client that sends.
pub(super) struct Publisher {
    pub(super) transport: Transport,
    keys: Outbound,
    ssrc: u32,
    payload_type: u8,
    extensions: ExtensionIds,
    frames: Vec<Vec<Vec<u8>>>,
    /// The frame to be sent next, and its first packet.
    frame: u64,
    sequence: u64,
    began: Instant,
    packets: Vec<Vec<u8>>,
}

/// How a publisher's stream is named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outlet {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) extension: u8,
}

impl Publisher {
    pub(super) fn new(
        now: Instant,
        transport: Transport,
        keys: Outbound,
        outlet: Outlet,
        shape: (usize, usize),
    ) -> Self {
        let (burst, size) = shape;
        let mut packetizer = Packetizer::new(Codec::Vp8, 1280, 720, outlet.ssrc.into());
        let frames = (0..FRAMES).map(|number| {
            let frame = Frame { sizes: vec![size; burst], key: number == 0, at: Duration::ZERO };
            packetizer.payloads(&frame)
        });
        Self {
            transport,
            keys,
            ssrc: outlet.ssrc,
            payload_type: outlet.payload_type,
            extensions: ExtensionIds { transport_wide_cc: outlet.extension, ..ExtensionIds::default() },
            frames: frames.collect(),
            frame: 0,
            sequence: 1,
            began: now,
            packets: vec![Vec::new(); burst],
        }
    }

    /// The next frame's packets, encrypted.
    pub(super) fn next_frame(&mut self, now: Instant) -> &mut [Vec<u8>] {
        let Some(frame) = self.frames.get_mut((self.frame % KEY_INTERVAL) as usize) else { return &mut [] };
        let picture_id = (0x8000 | (self.frame & 0x7fff) as u16).to_be_bytes();
        let timestamp = (now.saturating_duration_since(self.began).as_micros() * 9 / 100) as u32;
        let count = frame.len();
        for (index, (packet, payload)) in self.packets.iter_mut().zip(frame).enumerate() {
            if let Some(place) = payload.get_mut(PICTURE_ID_AT..).and_then(|rest| rest.first_chunk_mut()) {
                *place = picture_id;
            }
            if let Some(place) = payload.get_mut(TL0_PICTURE_INDEX_AT) {
                *place = self.frame as u8;
            }
            packet.clear();
            let extensions = OutgoingExtensions {
                transport_wide_cc: Some(self.sequence as u16),
                ..OutgoingExtensions::default()
            };
            let header = HeaderWriter {
                marker: index + 1 == count,
                payload_type: self.payload_type,
                sequence_number: self.sequence as u16,
                timestamp,
                ssrc: self.ssrc,
                extensions,
                ..HeaderWriter::default()
            };
            let header_len = header.write(packet, &self.extensions);
            packet.extend_from_slice(payload);
            self.keys.protect_rtp(packet, 0, header_len, self.sequence);
            self.sequence += 1;
        }
        self.frame += 1;
        &mut self.packets
    }
}

/// A client that is sent everything. It reads nothing: it is told what leaves for it, and says that all of it arrived
/// at once.
pub(super) struct Receiver {
    pub(super) transport: Transport,
    keys: Outbound,
    ssrc: u32,
    /// The id of the header extension that numbers packets.
    extension: u8,
    log: ArrivalLog,
    began: Instant,
    next_feedback: Instant,
    plain: Vec<u8>,
    /// Packets that left for it since its last feedback.
    unreported: u64,
}

impl Receiver {
    /// `turn` keeps receivers from reporting all at the same time.
    pub(super) fn new(
        now: Instant,
        transport: Transport,
        keys: Outbound,
        extension: u8,
        turn: (usize, usize),
    ) -> Self {
        let later = FEEDBACK_INTERVAL * turn.0 as u32 / turn.1.max(1) as u32;
        Self {
            transport,
            keys,
            // Of no stream: it only reports.
            ssrc: 0x5ecd_0000 + turn.0 as u32,
            extension,
            log: ArrivalLog::new(),
            began: now,
            next_feedback: now + later,
            plain: Vec::new(),
            unreported: 0,
        }
    }

    /// Something leaves for this client.
    pub(super) fn note(&mut self, now: Instant, run: &Run, datagrams: &[u8]) {
        let mut each = datagrams.chunks(run.segment.max(1));
        let Some(first) = each.next() else { return };
        let Some(number) = transport_sequence(first, self.extension).filter(|_| !is_rtcp(first)) else {
            return;
        };
        // Only the last datagram of a run may be of another kind, for only it may be shorter.
        let others = each.len();
        let media = 1 + others - usize::from(each.next_back().is_some_and(is_rtcp));
        let arrival = now.saturating_duration_since(self.began);
        for place in 0..media {
            self.log.record(number.wrapping_add(place as u16), arrival);
        }
        self.unreported += media as u64;
    }

    /// Whether something is to be reported.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let many = self.unreported >= FEEDBACK_PACKETS_MAX;
        (now >= self.next_feedback || many) && self.log.is_pending()
    }

    /// The next datagram of feedback. None: that was all for now.
    pub(super) fn next_feedback(&mut self, now: Instant) -> Option<&mut [u8]> {
        self.plain.clear();
        if !self.log.build(self.ssrc, 0, &mut self.plain) {
            (self.next_feedback, self.unreported) = (now + FEEDBACK_INTERVAL, 0);
            return None;
        }
        self.keys.protect_rtcp(&mut self.plain, 0);
        Some(&mut self.plain)
    }
}
