//! The continuous numbers of one outgoing stream. What is sent on a slot changes (another encoding, another camera);
//! its receiver sees one stream whose sequence numbers, timestamps and picture ids never jump.
//!
//! A *segment* is the time between two switches, in which source numbers and sent numbers differ by constants. The
//! last few are kept, so that a retransmission request finds the source's packet.

use arrayvec::ArrayVec;

/// Segments that are remembered. A receiver asks for packets at most about a second old; eight switches in a second do
/// not happen.
const SEGMENTS_MAX: usize = 8;

/// An encoding of a track, as the unit numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LayerKey {
    pub(crate) track: u32,
    pub(crate) layer: u8,
}

/// VP8's own counters (RFC 7741 §4.2), which must not jump either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PictureIds {
    /// 15 bits.
    pub(crate) picture_id: u16,
    /// 8 bits.
    pub(crate) tl0_pic_idx: u8,
}

const PICTURE_ID_MASK: u16 = 0x7fff;

#[derive(Debug, Clone, Copy)]
struct Segment {
    source: LayerKey,
    /// First sequence number of the source in this segment.
    source_first: u64,
    /// What it was sent as.
    sent_first: u64,
    /// Highest number sent in this segment.
    sent_last: u64,
    timestamp_offset: u32,
    ids_offset: PictureIds,
}

/// Numbers of one packet as they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Extended sequence number; its upper part is SRTP's roll-over counter.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    ids_offset: PictureIds,
}

impl Mapped {
    /// A source's VP8 counters as they are sent.
    pub(crate) fn ids(&self, source: PictureIds) -> PictureIds {
        PictureIds {
            picture_id: source.picture_id.wrapping_add(self.ids_offset.picture_id) & PICTURE_ID_MASK,
            tl0_pic_idx: source.tl0_pic_idx.wrapping_add(self.ids_offset.tl0_pic_idx),
        }
    }
}

/// The first packet after a switch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstPacket {
    pub(crate) source: LayerKey,
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    /// Ticks of the RTP clock between the last packet sent and this one; at least one is taken.
    pub(crate) ticks_since_last: u32,
    pub(crate) ids: PictureIds,
}

/// Numbers of one outgoing stream.
#[derive(Debug)]
pub(crate) struct Timeline {
    next_sequence: u64,
    last_timestamp: u32,
    last_ids: PictureIds,
    segments: ArrayVec<Segment, SEGMENTS_MAX>,
}

impl Timeline {
    /// A stream whose first packet will have these numbers; they come from a random source (RFC 3550 §5.1).
    pub(crate) fn new(sequence: u16, timestamp: u32, ids: PictureIds) -> Self {
        // SRTP wants the first number in the lower half, so that a lost first packet cannot hide a roll-over.
        let next_sequence = u64::from(sequence & 0x7fff) + 1;
        Self { next_sequence, last_timestamp: timestamp, last_ids: ids, segments: ArrayVec::new() }
    }

    /// What is sent now.
    #[cfg(test)]
    pub(crate) fn source(&self) -> Option<LayerKey> {
        self.segments.last().map(|s| s.source)
    }

    /// The newest timestamp sent.
    pub(crate) fn last_timestamp(&self) -> u32 {
        self.last_timestamp
    }

    /// The newest number sent, as it is on the wire.
    pub(crate) fn newest(&self) -> Option<u16> {
        let segment = self.segments.last()?;
        Some(segment.sent_last as u16)
    }

    /// From here on, this source is sent, and its first packet is that one.
    pub(crate) fn switch(&mut self, first: FirstPacket) {
        let begun = !self.segments.is_empty();
        let ticks = if begun { first.ticks_since_last.max(1) } else { 0 };
        let step = u16::from(begun);
        let timestamp = self.last_timestamp.wrapping_add(ticks);
        let picture_id = self.last_ids.picture_id.wrapping_add(step);
        let tl0_pic_idx = self.last_ids.tl0_pic_idx.wrapping_add(step as u8);
        if self.segments.is_full() {
            self.segments.remove(0);
        }
        self.segments.push(Segment {
            source: first.source,
            source_first: first.sequence,
            sent_first: self.next_sequence,
            sent_last: self.next_sequence,
            timestamp_offset: timestamp.wrapping_sub(first.timestamp),
            ids_offset: PictureIds {
                picture_id: picture_id.wrapping_sub(first.ids.picture_id) & PICTURE_ID_MASK,
                tl0_pic_idx: tl0_pic_idx.wrapping_sub(first.ids.tl0_pic_idx),
            },
        });
    }

    /// The numbers of a packet of the current source; `None` for one from before the switch.
    #[inline]
    pub(crate) fn map(&mut self, sequence: u64, timestamp: u32, ids: PictureIds) -> Option<Mapped> {
        let segment = self.segments.last_mut()?;
        let since_first = sequence.checked_sub(segment.source_first)?;
        let mapped = Mapped {
            sequence: segment.sent_first + since_first,
            timestamp: timestamp.wrapping_add(segment.timestamp_offset),
            ids_offset: segment.ids_offset,
        };
        if mapped.sequence >= self.next_sequence {
            self.next_sequence = mapped.sequence + 1;
            segment.sent_last = mapped.sequence;
            self.last_timestamp = mapped.timestamp;
            self.last_ids = mapped.ids(ids);
        }
        Some(mapped)
    }

    /// Which packet of which source was sent with this number, and with which other numbers. `timestamp_of` gives the
    /// source packet's timestamp, if the source still has it.
    pub(crate) fn find<T>(
        &self,
        sequence: u16,
        lookup: impl Fn(LayerKey, u64) -> Option<(u32, T)>,
    ) -> Option<(Mapped, T)> {
        let sent = extend_backwards(sequence, self.next_sequence.checked_sub(1)?)?;
        let segment = self.segments.iter().rev().find(|s| (s.sent_first..=s.sent_last).contains(&sent))?;
        let (timestamp, found) = lookup(segment.source, segment.source_first + (sent - segment.sent_first))?;
        let mapped = Mapped {
            sequence: sent,
            timestamp: timestamp.wrapping_add(segment.timestamp_offset),
            ids_offset: segment.ids_offset,
        };
        Some((mapped, found))
    }
}

/// The extended number that ends in these 16 bits and is at or below the newest.
fn extend_backwards(sequence: u16, newest: u64) -> Option<u64> {
    let behind = (newest as u16).wrapping_sub(sequence);
    newest.checked_sub(u64::from(behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: LayerKey = LayerKey { track: 1, layer: 0 };
    const HIGH: LayerKey = LayerKey { track: 1, layer: 2 };

    fn ids(n: u16) -> PictureIds {
        PictureIds { picture_id: n & PICTURE_ID_MASK, tl0_pic_idx: n as u8 }
    }

    fn first(source: LayerKey, sequence: u64, timestamp: u32, picture: u16) -> FirstPacket {
        FirstPacket { source, sequence, timestamp, ticks_since_last: 3000, ids: ids(picture) }
    }

    #[test]
    fn a_switch_continues_every_number() {
        let mut timeline = Timeline::new(99, 5_000, ids(7));
        timeline.switch(first(LOW, 65_530, 1_000, 20));
        let sent: Vec<_> = (0..4u32)
            .filter_map(|n| timeline.map(65_530 + u64::from(n), 1_000 + n * 3000, ids(20 + n as u16)))
            .collect();
        assert_eq!(sent.iter().map(|m| m.sequence).collect::<Vec<_>>(), [100, 101, 102, 103]);
        assert_eq!(sent.iter().map(|m| m.timestamp).collect::<Vec<_>>(), [5_000, 8_000, 11_000, 14_000]);
        assert_eq!(sent[3].ids(ids(23)), ids(10));

        timeline.switch(first(HIGH, 7, u32::MAX - 10, 32_767));
        let next = timeline.map(7, u32::MAX - 10, ids(32_767)).unwrap();
        assert_eq!((next.sequence, next.timestamp, next.ids(ids(32_767))), (104, 17_000, ids(11)));
        let after = timeline.map(8, u32::MAX.wrapping_add(2_990), ids(32_768)).unwrap();
        assert_eq!((after.sequence, after.timestamp), (105, 20_000));
        assert_eq!(after.ids(ids(32_768)).picture_id, 12);
        assert_eq!(timeline.source(), Some(HIGH));
    }

    #[test]
    fn packets_from_before_the_switch_are_not_sent() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        assert_eq!(timeline.map(1, 1, ids(0)), None);
        timeline.switch(first(LOW, 100, 0, 0));
        assert_eq!(timeline.map(99, 0, ids(0)), None);
    }

    #[test]
    fn a_late_packet_gets_its_own_number_and_moves_nothing() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        timeline.switch(first(LOW, 100, 0, 0));
        timeline.map(100, 0, ids(0)).unwrap();
        timeline.map(103, 900, ids(3)).unwrap();
        assert_eq!(timeline.map(101, 300, ids(1)).map(|m| m.sequence), Some(2));
        assert_eq!(timeline.last_timestamp(), 900);
        timeline.switch(first(HIGH, 5, 0, 0));
        assert_eq!(timeline.map(5, 0, ids(0)).map(|m| m.sequence), Some(5));
    }

    #[test]
    fn a_sent_number_leads_back_to_the_packet_across_switches() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        timeline.switch(first(LOW, 1000, 0, 0));
        for n in 0..10 {
            timeline.map(1000 + n, 0, ids(0));
        }
        timeline.switch(first(HIGH, 50, 0, 0));
        for n in 0..10 {
            timeline.map(50 + n, 0, ids(0));
        }
        let find = |sent| timeline.find(sent, |layer, sequence| Some((0, (layer, sequence)))).map(|(_, f)| f);
        assert_eq!(find(1), Some((LOW, 1000)));
        assert_eq!(find(10), Some((LOW, 1009)));
        assert_eq!(find(11), Some((HIGH, 50)));
        assert_eq!(find(20), Some((HIGH, 59)));
        assert_eq!(find(21), None, "not sent yet");
        assert_eq!(find(65_535), None, "never sent");
    }
}
