//! What a client is sent: one stream for each of its receive slots, with numbers that go on for the slot's life.

use arrayvec::ArrayVec;
use model::Mid;
use model::datagram::Outbox;
use model::datagram::Transport;

use crate::payload::{red, vp8};
use crate::receive::Carried;
use crate::rtcp::{NtpTime, SenderInfo};
use crate::rtp::dependency_descriptor::{self, DESCRIPTOR_BYTES_MAX};
use crate::rtp::{self, ExtensionIds, HeaderWriter, OutgoingExtensions};
use crate::sdp::{Extensions, MediaLine};
use crate::srtp;

/// Packets of a slot that name their m-line if the receiver does not report on it earlier. Receivers that know the
/// SSRC from the answer need none.
const NAMED_PACKETS_MAX: u32 = 50;

/// A packet to be sent on a slot.
#[derive(Debug, Clone, Copy)]
pub struct WriteRtp<'a> {
    /// Index of the m-line.
    pub line: u16,
    /// The receiver's.
    pub payload_type: u8,
    /// End of a frame.
    pub marker: bool,
    /// Extended; its upper bits are the roll-over counter of SRTP.
    pub sequence: u64,
    /// In the clock of the codec.
    pub timestamp: u32,
    /// The SSRC of the source, named as contributing source.
    pub csrc: u32,
    /// Header extensions of the source.
    pub carried: Carried,
    /// VP8's picture id and TL0PICIDX to be written over the source's.
    pub vp8: Option<(u16, u8)>,
    /// The source's dependency descriptor, and how this receiver is to see it.
    pub descriptor: Option<(&'a [u8], dependency_descriptor::Rewrite)>,
    /// The payload type to be written over the source's in the headers of [redundant](crate::payload::red) audio.
    pub red: Option<u8>,
    /// As the source sent it.
    pub payload: &'a [u8],
}

/// A padding packet carries at most so much: its last byte says how much it is (RFC 3550 §5.1).
pub(crate) const PADDING_BYTES_MAX: usize = 255;

/// A packet that was queued; no bytes where it could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written {
    /// Bytes on the wire.
    pub(crate) bytes: usize,
    /// Its number over all streams, where the receiver reports by it.
    pub(crate) transport_sequence: Option<u16>,
}

/// One slot's stream.
#[derive(Debug)]
struct Line {
    index: u16,
    mid: Mid,
    ssrc: u32,
    rtx_ssrc: Option<u32>,
    extensions: ExtensionIds,
    rtx_sequence: u64,
    last_sequence: u64,
    last_timestamp: u32,
    /// Roll-overs before the keys of now, which the receiver does not count (RFC 3711 §3.3.1).
    rolled_over: u64,
    rtx_rolled_over: u64,
    packets: u32,
    octets: u32,
    sent_since_report: bool,
    acknowledged: bool,
}

/// Everything that a client is sent.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    /// By index of the m-line.
    lines: Vec<Option<Line>>,
    /// Counts all packets of the connection.
    transport_sequence: u16,
}

impl Sender {
    /// Takes over what was agreed. `rtx_start` draws where the numbers of a new retransmission stream begin.
    pub(crate) fn agree(&mut self, media: &[MediaLine], mut rtx_start: impl FnMut() -> u16) {
        let count = media.iter().map(|m| m.index + 1).max().unwrap_or(0);
        let mut former = std::mem::take(&mut self.lines);
        self.lines.resize_with(count, || None);
        for line in media {
            let Some(slot) = &line.send else { continue };
            let Ok(index) = u16::try_from(line.index) else { continue };
            let kept = former.get_mut(line.index).and_then(Option::take);
            let mut kept =
                kept.filter(|k| k.ssrc == slot.ssrc && k.mid == line.mid).unwrap_or_else(|| Line {
                    index,
                    mid: line.mid,
                    ssrc: slot.ssrc,
                    rtx_ssrc: None,
                    extensions: ExtensionIds::default(),
                    rtx_sequence: u64::from(rtx_start() & 0x7fff),
                    last_sequence: 0,
                    last_timestamp: 0,
                    rolled_over: 0,
                    rtx_rolled_over: 0,
                    packets: 0,
                    octets: 0,
                    sent_since_report: false,
                    acknowledged: false,
                });
            kept.rtx_ssrc = slot.rtx_ssrc;
            kept.extensions = extension_ids(&line.send_extensions);
            // Structures are longer than the one-byte form holds, and without them the rest cannot be read.
            if !line.extmap_allow_mixed {
                kept.extensions.dependency_descriptor = 0;
            }
            if let Some(place) = self.lines.get_mut(line.index) {
                *place = Some(kept);
            }
        }
    }

    /// Packets go under new keys from here on.
    pub(crate) fn renew(&mut self) {
        for line in self.lines.iter_mut().flatten() {
            line.rolled_over = line.last_sequence & !0xffff;
            line.rtx_rolled_over = line.rtx_sequence & !0xffff;
        }
    }

    /// Which m-line an SSRC of ours belongs to.
    pub(crate) fn line_of(&self, ssrc: u32) -> Option<u16> {
        self.lines.iter().flatten().find(|l| l.ssrc == ssrc || l.rtx_ssrc == Some(ssrc)).map(|l| l.index)
    }

    /// The receiver reported on this SSRC, so it knows which m-line it is.
    pub(crate) fn acknowledge(&mut self, ssrc: u32) {
        if let Some(line) = self.lines.iter_mut().flatten().find(|l| l.ssrc == ssrc) {
            line.acknowledged = true;
        }
    }

    /// Whether packets are numbered over all streams, so that the receiver can report on each.
    pub(crate) fn is_numbered(&self) -> bool {
        self.lines.iter().flatten().any(|l| l.extensions.transport_wide_cc != 0)
    }

    /// Writes, protects and queues a packet.
    #[inline]
    pub(crate) fn write(
        &mut self,
        keys: &srtp::Outbound,
        to: Transport,
        send_time: u32,
        outbox: &mut Outbox,
        packet: &WriteRtp<'_>,
    ) -> Written {
        let Some(line) = self.lines.get_mut(usize::from(packet.line)).and_then(Option::as_mut) else {
            return Written::default();
        };
        // A packet from before the keys of now has no number under them.
        let Some(index) = packet.sequence.checked_sub(line.rolled_over) else { return Written::default() };
        line.last_sequence = line.last_sequence.max(packet.sequence);
        line.last_timestamp = packet.timestamp;
        line.packets = line.packets.wrapping_add(1);
        line.octets = line.octets.wrapping_add(packet.payload.len() as u32);
        line.sent_since_report = true;
        let extensions = line.outgoing_extensions(&packet.carried, &mut self.transport_sequence, send_time);
        let transport_sequence = extensions.transport_wide_cc;
        let descriptor = line.descriptor(packet);
        let header = HeaderWriter {
            padding: false,
            marker: packet.marker,
            payload_type: packet.payload_type,
            sequence_number: packet.sequence as u16,
            timestamp: packet.timestamp,
            ssrc: line.ssrc,
            csrcs: &[packet.csrc],
            extensions,
            dependency_descriptor: &descriptor,
        };
        let arena = outbox.arena();
        let start = arena.len();
        let header_len = header.write(arena, &line.extensions);
        arena.extend_from_slice(packet.payload);
        rewrite(arena, start + header_len, packet);
        keys.protect_rtp(arena, start, header_len, index);
        let bytes = arena.len().saturating_sub(start);
        outbox.commit(to, start);
        Written { bytes, transport_sequence }
    }

    /// Writes, protects and queues a packet again, as a retransmission (RFC 4588). Without a retransmission stream
    /// nothing is sent: the same packet under the same key must be the same to the bit, and its header has moved on.
    pub(crate) fn write_rtx(
        &mut self,
        keys: &srtp::Outbound,
        to: Transport,
        send_time: u32,
        outbox: &mut Outbox,
        packet: &WriteRtp<'_>,
        payload_type: Option<u8>,
    ) -> Written {
        let Some(line) = self.lines.get_mut(usize::from(packet.line)).and_then(Option::as_mut) else {
            return Written::default();
        };
        let (Some(ssrc), Some(payload_type)) = (line.rtx_ssrc, payload_type) else {
            return Written::default();
        };
        line.rtx_sequence += 1;
        let sequence = line.rtx_sequence;
        let index = sequence - line.rtx_rolled_over;
        let extensions = line.outgoing_extensions(&packet.carried, &mut self.transport_sequence, send_time);
        let transport_sequence = extensions.transport_wide_cc;
        let descriptor = line.descriptor(packet);
        let header = HeaderWriter {
            padding: false,
            marker: packet.marker,
            payload_type,
            sequence_number: sequence as u16,
            timestamp: packet.timestamp,
            ssrc,
            csrcs: &[packet.csrc],
            extensions,
            dependency_descriptor: &descriptor,
        };
        let arena = outbox.arena();
        let start = arena.len();
        let header_len = header.write(arena, &line.extensions);
        rtp::write_osn(arena, packet.sequence as u16);
        let payload_at = arena.len();
        arena.extend_from_slice(packet.payload);
        rewrite(arena, payload_at, packet);
        keys.protect_rtp(arena, start, header_len, index);
        let bytes = arena.len().saturating_sub(start);
        outbox.commit(to, start);
        Written { bytes, transport_sequence }
    }

    /// Writes, protects and queues a packet of padding only on the retransmission stream of an m-line: of up to
    /// [`PADDING_BYTES_MAX`] bytes with its padding alone.
    pub(crate) fn write_padding(
        &mut self,
        keys: &srtp::Outbound,
        to: Transport,
        send_time: u32,
        outbox: &mut Outbox,
        (line, payload_type): (u16, u8),
        bytes: usize,
    ) -> Written {
        let Some(line) = self.lines.get_mut(usize::from(line)).and_then(Option::as_mut) else {
            return Written::default();
        };
        let Some(ssrc) = line.rtx_ssrc else { return Written::default() };
        line.rtx_sequence += 1;
        let sequence = line.rtx_sequence;
        let index = sequence - line.rtx_rolled_over;
        let extensions =
            line.outgoing_extensions(&Carried::default(), &mut self.transport_sequence, send_time);
        let transport_sequence = extensions.transport_wide_cc;
        let header = HeaderWriter {
            padding: true,
            payload_type,
            sequence_number: sequence as u16,
            timestamp: line.last_timestamp,
            ssrc,
            extensions,
            ..HeaderWriter::default()
        };
        let arena = outbox.arena();
        let start = arena.len();
        let header_len = header.write(arena, &line.extensions);
        let padding = bytes.clamp(1, PADDING_BYTES_MAX);
        arena.resize(arena.len() + padding - 1, 0);
        arena.push(padding as u8);
        keys.protect_rtp(arena, start, header_len, index);
        let bytes = arena.len().saturating_sub(start);
        outbox.commit(to, start);
        Written { bytes, transport_sequence }
    }

    /// Sender reports of what was sent since the last time. `timestamp_at` gives the RTP time of now on an m-line.
    pub(crate) fn reports(
        &mut self,
        now: NtpTime,
        timestamp_at: &dyn Fn(u16) -> Option<u32>,
    ) -> Vec<SenderInfo> {
        let lines = self.lines.iter_mut().flatten();
        lines
            .filter_map(|line| {
                if !std::mem::take(&mut line.sent_since_report) {
                    return None;
                }
                Some(SenderInfo {
                    ssrc: line.ssrc,
                    ntp: now,
                    rtp_timestamp: timestamp_at(line.index)?,
                    packet_count: line.packets,
                    octet_count: line.octets,
                })
            })
            .collect()
    }

    /// All SSRCs of ours, for a goodbye.
    pub(crate) fn ssrcs(&self) -> Vec<u32> {
        self.lines.iter().flatten().filter(|l| l.packets > 0).map(|l| l.ssrc).collect()
    }
}

impl Line {
    #[inline]
    fn outgoing_extensions(
        &self,
        carried: &Carried,
        transport_sequence: &mut u16,
        send_time: u32,
    ) -> OutgoingExtensions {
        let named = self.acknowledged || self.packets > NAMED_PACKETS_MAX;
        let transport_wide = self.extensions.transport_wide_cc != 0;
        if transport_wide {
            *transport_sequence = transport_sequence.wrapping_add(1);
        }
        OutgoingExtensions {
            mid: (!named).then_some(self.mid),
            transport_wide_cc: transport_wide.then_some(*transport_sequence),
            // One way of estimating is enough, and the transport-wide number is the better one.
            abs_send_time: (!transport_wide).then_some(send_time),
            audio_level: carried.audio_level,
            abs_capture_time: carried.abs_capture_time,
            playout_delay: carried.playout_delay,
        }
    }

    /// The dependency descriptor as this receiver sees it; empty where there is none, or none was agreed.
    #[inline]
    fn descriptor(&self, packet: &WriteRtp<'_>) -> ArrayVec<u8, DESCRIPTOR_BYTES_MAX> {
        match &packet.descriptor {
            Some((source, rewrite)) if self.extensions.dependency_descriptor != 0 => {
                dependency_descriptor::rewrite(source, rewrite).unwrap_or_default()
            }
            _ => ArrayVec::new(),
        }
    }
}

/// Writes VP8's counters and RED's payload types over the source's.
#[inline]
fn rewrite(arena: &mut [u8], payload_at: usize, packet: &WriteRtp<'_>) {
    if let (Some(codec), Some(payload)) = (packet.red, arena.get_mut(payload_at..)) {
        red::rename(payload, codec);
    }
    let Some((picture_id, tl0_pic_idx)) = packet.vp8 else { return };
    if let Some(descriptor) = vp8::Descriptor::parse(packet.payload)
        && let Some(payload) = arena.get_mut(payload_at..)
    {
        descriptor.rewrite(payload, picture_id, tl0_pic_idx);
    }
}

/// Extension ids as the packet path has them: 0 for none.
pub(crate) fn extension_ids(agreed: &Extensions) -> ExtensionIds {
    let id = |id: Option<u8>| id.unwrap_or(0);
    ExtensionIds {
        mid: id(agreed.mid),
        rid: id(agreed.rid),
        repaired_rid: id(agreed.repaired_rid),
        audio_level: id(agreed.audio_level),
        abs_send_time: id(agreed.abs_send_time),
        transport_wide_cc: id(agreed.transport_wide_cc),
        abs_capture_time: id(agreed.abs_capture_time),
        playout_delay: id(agreed.playout_delay),
        dependency_descriptor: id(agreed.dependency_descriptor),
    }
}
