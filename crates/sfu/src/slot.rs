//! What goes out: a receive slot of a peer, the encoding that it shows, and the numbers that it shows it under.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use model::{Codec, LayerReason, Mid, ReceiveQuality, Rid};
use rtc::sdp::CodecParameters;

use crate::allocate::RungKey;
use crate::choice::TileSize;
use crate::history::Stored;
use crate::svc::{Choice, Ladder, Selector, Verdict};
use crate::timeline::{FirstPacket, LayerKey, Mapped, PictureIds, Timeline};
use rtc::rtp::dependency_descriptor::{ActiveTargets, Rewrite, SPATIAL_LAYERS_MAX};

/// Payload types of one sender. Chromium agrees on eleven for video.
const PAYLOAD_TYPES_MAX: usize = 24;

/// One receive slot.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) mid: Mid,
    pub(crate) clock_rate_hz: u32,
    /// Index of the track it is bound to.
    pub(crate) track: Option<u32>,
    /// The encoding that the receiver asked for by name.
    pub(crate) wanted: Option<Rid>,
    pub(crate) tile: TileSize,
    /// What the receiver chose, whatever the size of the tile.
    pub(crate) quality: Option<ReceiveQuality>,
    /// The encoding that is sent.
    pub(crate) current: Option<u8>,
    /// The encoding whose key frame is waited for.
    pub(crate) target: Option<u8>,
    /// The encoding that will be waited for as soon as its sender sends it: it was switched off, or its sender lacks
    /// bandwidth.
    pub(crate) awaited: Option<u8>,
    /// What the last plan gave, which may be on its way still.
    pub(crate) planned: Option<RungKey>,
    /// Why that and no more.
    pub(crate) reason: LayerReason,
    /// When it had to step down for want of bandwidth.
    pub(crate) lowered_at: Option<Instant>,
    pub(crate) timeline: Timeline,
    /// What is sent of a scalable encoding.
    pub(crate) selector: Selector,
    /// The receiver takes dependency descriptors.
    described: bool,
    /// By the sender's payload type.
    payload_types: ArrayVec<PayloadType, PAYLOAD_TYPES_MAX>,
    last_sent: Option<Sent>,
    /// What the room was last told: the encoding, the spatial layer, whether packets flow, and why no better one.
    pub(crate) told: (Option<Rid>, Option<u8>, bool, LayerReason),
    /// The last packets sent again, and when: a receiver that asks twice in a moment is answered once.
    resent: Vec<(u16, Instant)>,
}

/// What becomes of one of the sender's payload types.
#[derive(Debug, Clone, Copy)]
struct PayloadType {
    sender: u8,
    ours: u8,
    rtx: Option<u8>,
    /// Its packets carry older ones beside their own (RED).
    redundant: bool,
    /// As which the receiver takes those as they are, where it does, and what it wants for the payload type of their
    /// blocks, if not the sender's.
    red: Option<(u8, Option<u8>)>,
}

/// What of a payload is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// The primary block of redundant sound.
    Primary,
    /// Redundant sound, with this payload type in the headers of its blocks.
    Renamed(u8),
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    timestamp: u32,
}

/// Numbers and payload types of a packet that is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing {
    pub(crate) mapped: Mapped,
    pub(crate) marker: bool,
    /// How the receiver is to see the packet's dependency descriptor.
    pub(crate) descriptor: Rewrite,
    pub(crate) payload_type: u8,
    pub(crate) rtx_payload_type: Option<u8>,
    pub(crate) part: Part,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Send(Outgoing),
    /// It is not of what this receiver is sent.
    LeftOut,
    /// The receiver has no payload type for it.
    NoCodec,
    /// Redundant sound in which the receiver's part cannot be found.
    Damaged,
}

impl PayloadType {
    /// The payload type of a packet, and what of it goes under that. `sparing`: no redundancy. `None`: there is no part
    /// that this receiver could read.
    #[inline]
    fn as_sent(&self, packet: &Stored, sparing: bool) -> Option<(u8, Part)> {
        if !self.redundant {
            return Some((self.ours, Part::Whole));
        }
        let whole = packet.primary_at > 0;
        match self.red {
            Some((red, renamed)) if !(sparing && whole) => match renamed {
                None => Some((red, Part::Whole)),
                Some(blocks) => whole.then_some((red, Part::Renamed(blocks))),
            },
            _ => whole.then_some((self.ours, Part::Primary)),
        }
    }
}

fn rewrite(mapped: &Mapped, active_targets: Option<ActiveTargets>) -> Rewrite {
    Rewrite { number_offset: mapped.frame_offset, template_offset: mapped.template_offset, active_targets }
}

/// Packets sent again that are remembered: as many as a receiver asks for within a round trip on a bad link.
const RESENT_MAX: usize = 128;
/// A packet is sent again at most so often, whatever the round trip.
const RESEND_INTERVAL_MIN: Duration = Duration::from_millis(30);
const RESEND_INTERVAL_MAX: Duration = Duration::from_millis(500);

/// A packet that was sent again is under way for a round trip, and receivers that do not know of a queue ask for it
/// sooner, twice and three times, which makes the queue longer. A little less, for round trips vary.
fn resend_interval(round_trip: Option<Duration>) -> Duration {
    let most = round_trip.unwrap_or_default() * 4 / 5;
    most.clamp(RESEND_INTERVAL_MIN, RESEND_INTERVAL_MAX)
}

impl Slot {
    pub(crate) fn new(mid: Mid, clock_rate_hz: u32, timeline: Timeline) -> Self {
        Self {
            mid,
            clock_rate_hz,
            track: None,
            wanted: None,
            tile: TileSize::UNKNOWN,
            quality: None,
            current: None,
            target: None,
            awaited: None,
            planned: None,
            reason: LayerReason::default(),
            lowered_at: None,
            timeline,
            selector: Selector::default(),
            described: false,
            payload_types: ArrayVec::new(),
            last_sent: None,
            told: (None, None, false, LayerReason::default()),
            resent: Vec::new(),
        }
    }

    /// Which of the sender's payload types this receiver can be sent, and as which.
    pub(crate) fn agree(
        &mut self,
        sender: &[CodecParameters],
        receiver: &[CodecParameters],
        described: bool,
    ) {
        self.described = described;
        let both = sender.iter().filter_map(|s| rtc::sdp::pick(s, receiver).map(|r| (s, r)));
        let types = both.flat_map(|(s, r)| {
            let plain = PayloadType { sender: s.pt, ours: r.pt, rtx: r.rtx_pt, redundant: false, red: None };
            let red = r.red_pt.map(|red| (red, (r.pt != s.pt).then_some(r.pt)));
            let redundant = s.red_pt.map(|sender| PayloadType { sender, redundant: true, red, ..plain });
            std::iter::once(plain).chain(redundant)
        });
        self.payload_types = types.take(PAYLOAD_TYPES_MAX).collect();
        if let Some(first) = sender.first() {
            self.clock_rate_hz = first.codec.clock_rate_hz();
        }
    }

    /// Shows nothing, waits for nothing, and is planned for as if for the first time.
    pub(crate) fn clear(&mut self) {
        self.current = None;
        self.target = None;
        self.awaited = None;
        self.planned = None;
        self.reason = LayerReason::default();
        self.lowered_at = None;
    }

    fn payload_type(&self, sender: u8) -> Option<&PayloadType> {
        self.payload_types.iter().find(|t| t.sender == sender)
    }

    /// Whether the receiver can be sent packets of this payload type of the sender.
    pub(crate) fn takes(&self, sender: u8) -> bool {
        self.payload_type(sender).is_some()
    }

    /// The payload type under which a packet is sent again, that of its retransmission, and what of it: retransmissions
    /// name the codec alone, so of redundant sound it is the primary block.
    fn as_retransmission(&self, packet: &Stored) -> Option<(u8, Option<u8>, Part)> {
        let found = self.payload_type(packet.payload_type)?;
        let part = if found.redundant { Part::Primary } else { Part::Whole };
        (!found.redundant || packet.primary_at > 0).then_some((found.ours, found.rtx, part))
    }

    /// Begins to show another encoding with this packet.
    pub(crate) fn switch(&mut self, source: LayerKey, packet: &Stored, ladder: Option<&Ladder>) {
        self.selector.restart(source.layer, ladder, packet.mark.as_ref());
        let templates = ladder.and_then(Ladder::templates).filter(|_| !packet.descriptor().is_empty());
        let elapsed =
            self.last_sent.map(|s| packet.captured.saturating_duration_since(s.at)).unwrap_or_default();
        let ticks = elapsed.as_micros() * u128::from(self.clock_rate_hz) / 1_000_000;
        self.timeline.switch(FirstPacket {
            source,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ticks_since_last: u32::try_from(ticks).unwrap_or(u32::MAX / 2),
            ids: packet.ids.unwrap_or_default(),
            described: templates.zip(packet.mark).map(|(templates, mark)| (mark.frame as u16, templates)),
        });
        self.current = Some(source.layer);
        self.target = None;
    }

    /// The highest spatial layer that the receiver can take: without the descriptor, the frames of an AV1 picture cannot
    /// be told apart.
    pub(crate) fn spatial_max(&self, codec: Codec) -> u8 {
        if codec == Codec::Av1 && !self.described { 0 } else { SPATIAL_LAYERS_MAX as u8 - 1 }
    }

    /// What is wanted of the encoding `chosen`; `shown` is the one that is shown now.
    pub(crate) fn want(&mut self, chosen: Option<Choice>, shown: Option<&Ladder>) {
        self.selector.want(chosen, self.current.zip(shown));
    }

    /// The numbers of a packet of the encoding that is shown, and what else the receiver sees of it. `sparing`: no
    /// redundancy.
    #[inline]
    pub(crate) fn outgoing(&mut self, packet: &Stored, ladder: Option<&Ladder>, sparing: bool) -> Outcome {
        let Some(found) = self.payload_type(packet.payload_type) else { return Outcome::NoCodec };
        let rtx_payload_type = found.rtx;
        let (payload_type, part) = match found.as_sent(packet, sparing) {
            Some(sent) => sent,
            None => return Outcome::Damaged,
        };
        let mut marker = packet.marker;
        let mut active_targets = None;
        if let (Some(ladder), Some(mark)) = (ladder, &packet.mark)
            && mark.whole != u32::MAX
            && !self.selector.is_limited()
        {
            self.selector.confine(ladder, mark);
        }
        if let (true, Some(ladder), Some(mark)) = (self.selector.is_limited(), ladder, &packet.mark) {
            match self.selector.judge(ladder, mark, packet.key_frame) {
                Verdict::Send { last } => marker |= last,
                Verdict::LeaveOut { within_frame, begins } => {
                    let picture = begins && packet.ids.is_some();
                    self.timeline.leave_out(packet.sequence, within_frame, picture.into());
                    return Outcome::LeftOut;
                }
            }
            active_targets = self.selector.active_targets(ladder, mark, packet.key_frame);
        }
        if packet.head_only {
            // Its unit says that it belongs to what comes whole, which is not so.
            self.timeline.leave_out(packet.sequence, false, 0);
            return Outcome::LeftOut;
        }
        let ids = packet.ids.unwrap_or_default();
        let Some(mapped) = self.timeline.map(packet.sequence, packet.timestamp, ids) else {
            return Outcome::LeftOut;
        };
        if let Some(mark) = &packet.mark {
            self.timeline.frame_sent((mark.frame as u16).wrapping_add(mapped.frame_offset));
        }
        if mapped.timestamp == self.timeline.last_timestamp() {
            self.last_sent = Some(Sent { at: packet.captured, timestamp: mapped.timestamp });
        }
        let descriptor = rewrite(&mapped, active_targets);
        Outcome::Send(Outgoing { mapped, marker, descriptor, payload_type, rtx_payload_type, part })
    }

    /// Whether it is of no use to send a packet again: it was sent again a moment ago, or what it belongs to is shown no
    /// more. After a key frame nothing before it is missed, and where too much was sent it would be too much again.
    pub(crate) fn needs_no_repair(&self, now: Instant, sequence: u16, round_trip: Option<Duration>) -> bool {
        let interval = resend_interval(round_trip);
        let under_way =
            |(s, at): &(u16, Instant)| *s == sequence && now.saturating_duration_since(*at) < interval;
        self.current.is_none()
            || self.timeline.is_before_switch(sequence)
            || self.resent.iter().any(under_way)
    }

    /// A packet that the receiver says it lacks, if it was sent and is still there.
    pub(crate) fn again<'a>(
        &mut self,
        now: Instant,
        sequence: u16,
        lookup: impl Fn(LayerKey, u64) -> Option<&'a Stored>,
    ) -> Option<(Outgoing, &'a Stored)> {
        let (mapped, packet) =
            self.timeline.find(sequence, |layer, number| lookup(layer, number).map(|p| (p.timestamp, p)))?;
        let (payload_type, rtx_payload_type, part) = self.as_retransmission(packet)?;
        if self.resent.len() >= RESENT_MAX {
            self.resent.remove(0);
        }
        self.resent.push((sequence, now));
        let mark = packet.mark.as_ref();
        let marker = packet.marker || mark.is_some_and(|mark| self.selector.is_last(mark));
        let descriptor = rewrite(&mapped, None);
        Some((Outgoing { mapped, marker, descriptor, payload_type, rtx_payload_type, part }, packet))
    }

    /// The payload type of this slot's retransmissions, where there are any.
    pub(crate) fn retransmission_payload_type(&self) -> Option<u8> {
        self.payload_types.iter().find_map(|t| t.rtx)
    }

    /// The packet that was sent so many before the newest, if it is still there.
    pub(crate) fn sent_before<'a>(
        &self,
        back: u16,
        lookup: impl Fn(LayerKey, u64) -> Option<&'a Stored>,
    ) -> Option<(Outgoing, &'a Stored)> {
        let sequence = self.timeline.newest()?.wrapping_sub(back);
        let (mapped, packet) =
            self.timeline.find(sequence, |layer, number| lookup(layer, number).map(|p| (p.timestamp, p)))?;
        let (payload_type, rtx_payload_type, part) = self.as_retransmission(packet)?;
        let (marker, descriptor) = (packet.marker, rewrite(&mapped, None));
        Some((Outgoing { mapped, marker, descriptor, payload_type, rtx_payload_type, part }, packet))
    }

    /// The timestamp that a frame captured now would have, for sender reports.
    pub(crate) fn timestamp_at(&self, now: Instant) -> Option<u32> {
        let sent = self.last_sent?;
        let ticks =
            now.saturating_duration_since(sent.at).as_micros() * u128::from(self.clock_rate_hz) / 1_000_000;
        Some(sent.timestamp.wrapping_add(ticks as u32))
    }

    /// Picture ids of a packet as they are sent.
    pub(crate) fn ids(outgoing: &Outgoing, packet: &Stored) -> Option<PictureIds> {
        packet.ids.map(|ids| outgoing.mapped.ids(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    #[test]
    fn a_repair_is_repeated_after_a_round_trip_and_none_is_made_for_what_is_shown_no_more() {
        let (now, ms) = (start(), Duration::from_millis);
        let mut slot =
            Slot::new("0".parse::<Mid>().unwrap(), 90_000, Timeline::new(0, 0, PictureIds::default()));
        assert!(slot.needs_no_repair(now, 7, None), "nothing is shown");
        slot.current = Some(0);
        assert!(!slot.needs_no_repair(now, 7, None));
        slot.resent.push((7, now));
        for (round_trip, again) in
            [(None, 30), (Some(ms(10)), 30), (Some(ms(250)), 200), (Some(ms(9_000)), 500)]
        {
            assert!(slot.needs_no_repair(now + ms(again - 1), 7, round_trip), "{round_trip:?}");
            assert!(!slot.needs_no_repair(now + ms(again), 7, round_trip), "{round_trip:?}");
        }
        assert!(!slot.needs_no_repair(now, 8, None), "another one");
    }
}
