//! Receiving: packets counted by what their headers say in clear.

use std::time::{Duration, Instant};

use model::{Codec, MediaKind};
use rtc::rtcp::ReportBlock;
use str0m::media::Mid;

use super::light::LightReports;
use super::{SlotSsrc, seal, stamp};
use crate::histogram::Histogram;
use crate::stats::{FreezeWatch, Sequence};

/// The receiving side of a client.
pub struct Receiver {
    slots: Vec<Slot>,
    /// Decrypts and reports by `str0m`, instead of counting only.
    feeds: bool,
    /// Reports, though it only counts.
    pub(super) light: Option<LightReports>,
    /// When the kernel had the datagram that `str0m` has now, if it is no retransmission.
    arrived: Option<Duration>,
    delays: Histogram,
    first_media: Option<Instant>,
    repairs: u64,
    unknown: u64,
    decrypted: u64,
    /// Looks into what it decrypts; the codec of video.
    verifies: Option<Codec>,
    /// The slot of the packet recorded last.
    last: usize,
    verified: u64,
    damaged: u64,
}

/// One m-line.
pub(super) struct Slot {
    pub(super) kind: MediaKind,
    ssrc: Option<u32>,
    rtx: Option<u32>,
    pub(super) sequence: Sequence,
    pub(super) frames: FreezeWatch,
    pub(super) bytes: u64,
    /// Of the picture, as its newest key frame says.
    pub(super) size: Option<(u16, u16)>,
}

/// The fields of an RTP header that are counted by (RFC 3550 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Header {
    /// None: STUN, DTLS or RTCP (RFC 7983 §7, RFC 5761 §4), or too short.
    fn parse(datagram: &[u8]) -> Option<Self> {
        let &[first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = datagram.first_chunk()?;
        if !(128..192).contains(&first) || (192..224).contains(&second) {
            return None;
        }
        Some(Self {
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
        })
    }
}

impl Slot {
    /// What a receiver report says of it, if something has come.
    fn report_block(&self) -> Option<ReportBlock> {
        Some(ReportBlock {
            ssrc: self.ssrc?,
            cumulative_lost: i32::try_from(self.sequence.lost()).unwrap_or(i32::MAX),
            highest_sequence_number: self.sequence.highest()?,
            ..ReportBlock::default()
        })
    }
}

impl Receiver {
    /// Receives on these m-lines, with the SSRCs that the answer declares.
    pub fn new(lines: &[(Mid, MediaKind)], answer: &[SlotSsrc], feeds: bool) -> Self {
        let slot = |&(mid, kind): &(Mid, MediaKind)| {
            let declared = answer.iter().find(|slot| mid.to_string() == slot.mid);
            let (ssrc, rtx) = declared.map_or((None, None), |slot| (slot.ssrc, slot.rtx));
            let (sequence, frames) = (Sequence::default(), FreezeWatch::default());
            Slot { kind, ssrc, rtx, sequence, frames, bytes: 0, size: None }
        };
        let slots = lines.iter().map(slot).collect();
        Self {
            slots,
            feeds,
            light: None,
            arrived: None,
            delays: Histogram::default(),
            first_media: None,
            repairs: 0,
            unknown: 0,
            decrypted: 0,
            verifies: None,
            last: 0,
            verified: 0,
            damaged: 0,
        }
    }

    /// Lets a receiver look into what it decrypts; publishers have sealed it.
    #[must_use]
    pub fn with_verification(mut self, codec: Codec) -> Self {
        self.verifies = Some(codec);
        self
    }

    /// Lets a receiver that only counts report nevertheless; `extension` is the id of transport-wide numbers.
    #[must_use]
    pub fn with_light_reports(mut self, extension: Option<u8>, now: Instant) -> Self {
        if !self.feeds {
            let streams = self.slots.iter().flat_map(|slot| [slot.ssrc, slot.rtx]).flatten();
            let ssrc = streams.max().unwrap_or(0).wrapping_add(1);
            self.light = Some(LightReports::new(extension, ssrc, now));
        }
        self
    }

    /// Counts a datagram. Returns whether `str0m` shall have it.
    pub(super) fn record(&mut self, datagram: &[u8], now: Instant, arrived: Option<Duration>) -> bool {
        let Some(header) = Header::parse(datagram) else { return true };
        if let Some(light) = &mut self.light {
            light.record(datagram, now);
        }
        let ssrc = Some(header.ssrc);
        self.arrived = None;
        let of = |slot: &Slot| slot.ssrc == ssrc || slot.rtx == ssrc;
        if let Some(place) = self.slots.iter().position(of) {
            self.last = place;
        }
        if let Some(slot) = self.slots.get_mut(self.last).filter(|slot| slot.ssrc == ssrc) {
            self.first_media.get_or_insert(now);
            self.arrived = arrived;
            if slot.sequence.record(header.sequence) {
                slot.bytes += datagram.len() as u64;
            }
            if slot.kind == MediaKind::Video {
                slot.frames.record(header.timestamp, now);
            }
        } else if self.slots.iter().any(|slot| slot.rtx == ssrc) {
            self.repairs += 1;
        } else {
            self.unknown += 1;
        }
        self.feeds
    }

    /// The sources were stopped until now.
    pub(super) fn forgive_gap(&mut self, now: Instant) {
        self.slots.iter_mut().for_each(|slot| slot.frames.forgive(now));
    }

    /// A packet that was decrypted, the one recorded last.
    pub(super) fn count_decrypted(&mut self, payload: &[u8]) {
        self.decrypted += 1;
        if let Some(arrived) = self.arrived.take()
            && let Some(sent) = stamp::read(payload)
        {
            self.delays.record(arrived.saturating_sub(sent));
        }
        let Some(codec) = self.verifies else { return };
        if let Some(intact) = seal::check(payload) {
            self.verified += 1;
            self.damaged += u64::from(!intact);
        }
        if let Some(slot) = self.slots.get_mut(self.last).filter(|slot| slot.kind == MediaKind::Video)
            && let Some(size) = rtc::payload::key_frame_start(codec, payload).and_then(|key| key.size)
        {
            slot.size = Some(size);
        }
    }

    /// Payloads that were looked into, and those that were not as they were sent.
    pub(super) fn verified(&self) -> (u64, u64) {
        (self.verified, self.damaged)
    }

    /// What is due to be reported, protected, by a receiver that only counts.
    pub(super) fn report(&mut self, now: Instant, send: impl FnMut(&[u8])) {
        let Self { light: Some(light), slots, .. } = self else { return };
        if light.is_due(now) {
            light.report(now, || slots.iter().filter_map(Slot::report_block).collect(), send);
        }
    }

    /// From a packet's sending to its arrival.
    pub(super) fn delays(&self) -> &Histogram {
        &self.delays
    }

    pub(super) fn first_media(&self) -> Option<Instant> {
        self.first_media
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Retransmissions, packets of SSRCs that the answer does not declare, packets decrypted.
    pub(super) fn others(&self) -> (u64, u64, u64) {
        (self.repairs, self.unknown, self.decrypted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 0x60];
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&timestamp.to_be_bytes());
        packet.extend_from_slice(&ssrc.to_be_bytes());
        packet.extend_from_slice(&[0; 100]);
        packet
    }

    #[test]
    fn packets_are_counted_by_slot_and_only_fed_where_wanted() {
        let now = net::clock::now();
        let mid = Mid::from("v");
        let answer = [SlotSsrc { mid: "v".into(), ssrc: Some(1), rtx: Some(2) }];
        let mut receiver = Receiver::new(&[(mid, MediaKind::Video)], &answer, false);
        assert!(receiver.record(&[0, 1, 0, 0], now, None), "STUN is for str0m");
        assert!(receiver.record(&[0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0], now, None), "RTCP is for str0m");
        assert_eq!(receiver.first_media(), None);
        for (ssrc, sequence) in [(1, 10), (1, 12), (1, 12), (2, 5), (3, 1)] {
            assert!(!receiver.record(&packet(ssrc, sequence, u32::from(sequence) * 3000), now, None));
        }
        let slot = &receiver.slots()[0];
        assert_eq!((slot.sequence.received(), slot.sequence.lost(), slot.sequence.doubled()), (2, 1, 1));
        assert_eq!((slot.frames.frames(), slot.bytes), (2, 224));
        assert_eq!(receiver.others(), (1, 1, 0));
        assert_eq!(receiver.first_media(), Some(now));
    }
}
