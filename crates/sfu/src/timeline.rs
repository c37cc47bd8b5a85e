//! The continuous numbers of one outgoing stream. What is sent on a slot changes (another encoding, another camera);
//! its receiver sees one stream whose sequence numbers, timestamps and picture ids never jump.
//!
//! A *segment* is the time between two switches, in which source numbers and sent numbers differ by constants. The
//! last few are kept, so that a retransmission request finds the source's packet.
//!
//! Where packets of a segment are left out, as of a scalable stream, it falls into *runs*, between which the constants
//! differ. A stream of which all is sent has none, and needs no memory for them.
//!
//! A packet that is late gets the number that was left free for it. What was missing when later packets were left out
//! counts as to be sent, unless it lies within a frame that is left out: most of what is missing is repaired, and a
//! free number that is never used is a lost packet to the receiver, while a number too few would be none at all. When
//! what was missing turns out to be left out, and the receiver asks for its number, it is sent after all: a packet of a
//! frame that is never whole does no harm, and the receiver stops asking.

use std::collections::VecDeque;

use arrayvec::ArrayVec;

/// Segments that are remembered. A receiver asks for packets at most about a second old; eight switches in a second do
/// not happen.
const SEGMENTS_MAX: usize = 8;

/// Runs that are remembered: two seconds of a stream at 60 pictures a second, each of which is followed by some that are
/// left out.
const RUNS_MAX: usize = 128;

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
    /// Added to the frame numbers of dependency descriptors.
    frame_offset: u16,
    /// Added to the template ids of dependency descriptors.
    template_offset: u8,
    /// The first number that was not given in the first run: from there on runs say what was sent.
    runs_from: Option<u64>,
}

/// Packets that were sent without one left out between them.
#[derive(Debug, Clone, Copy)]
struct Run {
    source_first: u64,
    sent_first: u64,
    /// Pictures of the segment that were left out before.
    pictures_out: u16,
}

impl Run {
    fn sent(&self, sequence: u64) -> Option<u64> {
        Some(self.sent_first + sequence.checked_sub(self.source_first)?)
    }
}

impl Segment {
    /// Its packets up to the first that was left out.
    fn first_run(&self) -> Run {
        Run { source_first: self.source_first, sent_first: self.sent_first, pictures_out: 0 }
    }

    #[inline]
    fn mapped(&self, sequence: u64, timestamp: u32, run: &Run) -> Mapped {
        let mut ids_offset = self.ids_offset;
        ids_offset.picture_id = ids_offset.picture_id.wrapping_sub(run.pictures_out) & PICTURE_ID_MASK;
        Mapped {
            sequence,
            timestamp: timestamp.wrapping_add(self.timestamp_offset),
            ids_offset,
            frame_offset: self.frame_offset,
            template_offset: self.template_offset,
        }
    }
}

/// Numbers of one packet as they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Extended sequence number; its upper part is SRTP's roll-over counter.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    ids_offset: PictureIds,
    /// Added to frame numbers.
    pub(crate) frame_offset: u16,
    /// Added to template ids.
    pub(crate) template_offset: u8,
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
    /// The frame number of its dependency descriptor, and the ids of its templates.
    pub(crate) described: Option<(u16, Templates)>,
}

/// The template ids of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Templates {
    pub(crate) first: u8,
    pub(crate) count: u8,
}

/// Numbers of one outgoing stream.
#[derive(Debug)]
pub(crate) struct Timeline {
    next_sequence: u64,
    last_timestamp: u32,
    last_ids: PictureIds,
    /// The newest frame number sent.
    last_frame: u16,
    /// After the template ids sent last.
    next_template: u8,
    /// After the newest packet of the source that was sent or left out.
    next_source: u64,
    segments: ArrayVec<Segment, SEGMENTS_MAX>,
    /// Of all segments, by their sent numbers; never the first of a segment.
    runs: VecDeque<Run>,
}

impl Timeline {
    /// A stream whose first packet will have these numbers; they come from a random source (RFC 3550 §5.1).
    pub(crate) fn new(sequence: u16, timestamp: u32, ids: PictureIds) -> Self {
        // SRTP wants the first number in the lower half, so that a lost first packet cannot hide a roll-over.
        let next_sequence = u64::from(sequence & 0x7fff) + 1;
        Self {
            next_sequence,
            last_timestamp: timestamp,
            last_ids: ids,
            last_frame: 0,
            next_template: 0,
            next_source: 0,
            segments: ArrayVec::new(),
            runs: VecDeque::new(),
        }
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
        // Numbers that were left free at the end are given anew.
        while self.runs.back().is_some_and(|run| run.sent_first >= self.next_sequence) {
            self.runs.pop_back();
        }
        let (frame_offset, template_offset) = match first.described {
            Some((number, templates)) => {
                let template_offset = self.next_template.wrapping_sub(templates.first) & 0x3f;
                self.next_template = self.next_template.wrapping_add(templates.count) & 0x3f;
                (self.last_frame.wrapping_add(1).wrapping_sub(number), template_offset)
            }
            None => (0, 0),
        };
        self.next_source = first.sequence;
        self.segments.push(Segment {
            frame_offset,
            template_offset,
            runs_from: None,
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

    /// The numbers of a packet of the current source; `None` for one from before the switch, and for one that was left
    /// out.
    #[inline]
    pub(crate) fn map(&mut self, sequence: u64, timestamp: u32, ids: PictureIds) -> Option<Mapped> {
        let segment = self.segments.last()?;
        let run = match segment.runs_from {
            None => segment.first_run(),
            Some(from) => self.run_of(sequence, segment, from)?,
        };
        let sent = run.sent(sequence)?;
        let mapped = segment.mapped(sent, timestamp, &run);
        self.next_source = self.next_source.max(sequence + 1);
        if sent >= self.next_sequence {
            self.next_sequence = sent + 1;
            self.last_timestamp = mapped.timestamp;
            self.last_ids = mapped.ids(ids);
            if let Some(segment) = self.segments.last_mut() {
                segment.sent_last = sent;
            }
        }
        Some(mapped)
    }

    /// A frame was sent under this number.
    #[inline]
    pub(crate) fn frame_sent(&mut self, number: u16) {
        if number.wrapping_sub(self.last_frame) < 1 << 15 {
            self.last_frame = number;
        }
    }

    /// A packet of the current source is left out: what comes after it takes its number. `within_frame`: what is
    /// missing before it belongs to the same frame, and is left out too. `pictures`: pictures that are left out with it.
    /// A packet that is late changes nothing.
    pub(crate) fn leave_out(&mut self, sequence: u64, within_frame: bool, pictures: u16) {
        let Some(segment) = self.segments.last_mut() else { return };
        if sequence < self.next_source.max(segment.source_first) {
            return;
        }
        let begun = segment.runs_from;
        let last = self.runs.back().filter(|_| begun.is_some()).copied();
        let last_run = last.unwrap_or_else(|| segment.first_run());
        let Some(next) = last_run.sent(if within_frame { self.next_source } else { sequence }) else {
            return;
        };
        self.next_source = sequence + 1;
        segment.runs_from.get_or_insert(next);
        let run = Run {
            source_first: sequence + 1,
            sent_first: next,
            pictures_out: last_run.pictures_out.wrapping_add(pictures),
        };
        match self.runs.back_mut() {
            // Nothing was sent, or was to be sent, since the last one was left out.
            Some(empty) if begun.is_some() && empty.sent_first == next => *empty = run,
            _ => {
                if self.runs.len() >= RUNS_MAX {
                    self.runs.pop_front();
                }
                self.runs.push_back(run);
            }
        }
    }

    /// The run of a packet of the current segment, in which some were left out from the number `from` on. `None`: it was
    /// left out, or it is too long ago to tell.
    fn run_of(&self, sequence: u64, segment: &Segment, from: u64) -> Option<Run> {
        let mut end = u64::MAX;
        for run in self.runs.iter().rev() {
            if run.sent_first < from {
                break;
            }
            if run.source_first <= sequence {
                return run.sent(sequence).filter(|sent| *sent < end).map(|_| *run);
            }
            end = run.sent_first;
        }
        let first = segment.first_run();
        first.sent(sequence).filter(|sent| *sent < from).map(|_| first)
    }

    /// Whether a packet was sent before the last switch.
    pub(crate) fn is_before_switch(&self, sequence: u16) -> bool {
        let sent = self.next_sequence.checked_sub(1).and_then(|newest| extend_backwards(sequence, newest));
        sent.zip(self.segments.last()).is_some_and(|(sent, segment)| sent < segment.sent_first)
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
        let run = match segment.runs_from {
            Some(from) if from <= sent => {
                let after = self.runs.partition_point(|run| run.sent_first <= sent);
                *self.runs.get(after.checked_sub(1)?).filter(|run| run.sent_first >= from)?
            }
            _ => segment.first_run(),
        };
        let (timestamp, found) = lookup(segment.source, run.source_first + (sent - run.sent_first))?;
        Some((segment.mapped(sent, timestamp, &run), found))
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
        FirstPacket {
            source,
            sequence,
            timestamp,
            ticks_since_last: 3000,
            ids: ids(picture),
            described: None,
        }
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
    fn what_was_sent_before_a_switch_is_known_by_its_number() {
        let mut timeline = Timeline::new(0xfff0, 0, ids(0));
        assert!(!timeline.is_before_switch(1));
        timeline.switch(first(LOW, 100, 0, 0));
        let before = timeline.map(100, 0, ids(0)).unwrap().sequence as u16;
        timeline.switch(first(HIGH, 5, 0, 0));
        let after = timeline.map(5, 0, ids(0)).unwrap().sequence as u16;
        assert!(timeline.is_before_switch(before) && !timeline.is_before_switch(after));
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

    #[test]
    fn what_is_left_out_leaves_no_gap_and_a_sent_number_leads_back_across_it() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        timeline.switch(first(LOW, 1000, 0, 0));
        let mut sent = Vec::new();
        for sequence in 1000..1020u64 {
            if sequence % 5 < 3 {
                let picture = ids(((sequence - 1000) / 5 * 2) as u16);
                let mapped = timeline.map(sequence, 0, picture).unwrap();
                sent.push((mapped.sequence as u16, sequence, mapped.ids(picture).picture_id));
            } else {
                timeline.leave_out(sequence, sequence % 5 == 4, u16::from(sequence % 5 == 3));
            }
        }
        assert_eq!(sent.iter().map(|s| s.0).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
        assert_eq!(sent.iter().map(|s| s.2).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        for (number, sequence, _) in sent {
            assert_eq!(timeline.find(number, |_, n| Some((0, n))).map(|(_, n)| n), Some(sequence));
        }
    }

    #[test]
    fn what_is_missing_keeps_its_number_unless_its_frame_is_left_out() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        timeline.switch(first(LOW, 100, 0, 0));
        timeline.map(100, 0, ids(0)).unwrap();
        // 101 is missing, 102 and 104 are left out, 103 between them is missing.
        timeline.leave_out(102, false, 1);
        timeline.leave_out(104, true, 0);
        assert_eq!(timeline.map(105, 0, ids(0)).map(|m| m.sequence), Some(3));
        assert_eq!(timeline.map(101, 0, ids(0)).map(|m| m.sequence), Some(2));
        assert_eq!(timeline.map(103, 0, ids(0)), None);
        assert_eq!(timeline.map(102, 0, ids(0)), None);
        timeline.leave_out(101, false, 0);
        assert_eq!(timeline.map(106, 0, ids(0)).map(|m| m.sequence), Some(4), "a late one changes nothing");
    }

    #[test]
    fn frame_numbers_and_template_ids_go_on_over_a_switch() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        let described = |number, first, count| Some((number, Templates { first, count }));
        timeline.switch(FirstPacket { described: described(500, 60, 10), ..first(LOW, 1, 0, 0) });
        let mapped = timeline.map(1, 0, ids(0)).unwrap();
        assert_eq!((500u16.wrapping_add(mapped.frame_offset), (60 + mapped.template_offset) & 0x3f), (1, 0));
        timeline.frame_sent(1);
        timeline.frame_sent(9);
        timeline.frame_sent(4);
        timeline.switch(FirstPacket { described: described(65_535, 3, 10), ..first(HIGH, 1, 0, 0) });
        let mapped = timeline.map(1, 0, ids(0)).unwrap();
        assert_eq!(
            (65_535u16.wrapping_add(mapped.frame_offset), (3 + mapped.template_offset) & 0x3f),
            (10, 10)
        );
    }

    mod properties {
        use super::*;
        use proptest::prelude::*;

        /// What happens to one packet of the source: it is sent or left out with its frame, and is lost before us, or
        /// late by some packets.
        #[derive(Debug, Clone, Copy)]
        struct Fate {
            out: bool,
            lost: bool,
        }

        fn fates() -> impl Strategy<Value = Vec<Fate>> {
            let fate = (any::<bool>(), prop::bool::weighted(0.1)).prop_map(|(out, lost)| Fate { out, lost });
            prop::collection::vec(fate, 1..400)
        }

        proptest! {
            /// Without loss there is never a gap, whatever is left out, and each number leads to its packet.
            #[test]
            fn numbers_are_continuous_under_any_pattern(frames in prop::collection::vec((any::<bool>(), 1..5u64), 1..200), switch_at in 0..200usize) {
                let mut timeline = Timeline::new(7, 0, ids(0));
                timeline.switch(first(LOW, 50, 0, 0));
                let (mut layer, mut next, mut expected) = (LOW, 50u64, 8u64);
                let mut sent = Vec::new();
                for (i, (out, packets)) in frames.into_iter().enumerate() {
                    if i == switch_at {
                        layer = HIGH;
                        next += 12_345;
                        timeline.switch(first(layer, next, 0, 0));
                    }
                    for n in 0..packets {
                        if out {
                            timeline.leave_out(next, n > 0, u16::from(n == 0));
                        } else {
                            prop_assert_eq!(timeline.map(next, 0, ids(0)).map(|m| m.sequence), Some(expected));
                            sent.push((expected, layer, next));
                            expected += 1;
                        }
                        next += 1;
                    }
                }
                for (number, layer, sequence) in sent.iter().rev().take(RUNS_MAX) {
                    let found = timeline.find(*number as u16, |l, n| Some((0, (l, n)))).map(|(_, f)| f);
                    prop_assert_eq!(found, Some((*layer, *sequence)));
                }
            }

            /// With loss and late repair: no number is given twice, all grow with the source's, and each that is
            /// remembered leads back to its packet; one that cannot be told leads nowhere.
            #[test]
            fn late_packets_take_their_own_numbers(fates in fates()) {
                let mut timeline = Timeline::new(0, 0, ids(0));
                timeline.switch(first(LOW, 0, 0, 0));
                timeline.map(0, 0, ids(0)).unwrap();
                let mut sent = std::collections::BTreeMap::from([(0u64, 1u64)]);
                let take = |timeline: &mut Timeline, sent: &mut std::collections::BTreeMap<u64, u64>, sequence: u64, fate: Fate| {
                    if fate.out {
                        timeline.leave_out(sequence, false, 1);
                    } else if let Some(mapped) = timeline.map(sequence, 0, ids(0)) {
                        sent.insert(sequence, mapped.sequence);
                    }
                };
                for (sequence, fate) in (1u64..).zip(&fates).filter(|(_, f)| !f.lost) {
                    take(&mut timeline, &mut sent, sequence, *fate);
                }
                let lost = || (1u64..).zip(&fates).filter(|(_, f)| f.lost);
                for (sequence, fate) in lost() {
                    take(&mut timeline, &mut sent, sequence, *fate);
                }
                // What was lost and is to be sent found its number, as nothing was within a frame left out.
                let known = fates.len() < RUNS_MAX;
                prop_assert!(!known || lost().filter(|(_, f)| !f.out).all(|(s, _)| sent.contains_key(&s)));
                let numbers: Vec<_> = sent.values().copied().collect();
                prop_assert!(numbers.windows(2).all(|w| w[0] < w[1]), "{:?}", numbers);
                for (sequence, number) in &sent {
                    let found = timeline.find(*number as u16, |_, n| Some((0, n))).map(|(_, n)| n);
                    prop_assert!(found == Some(*sequence) || (!known && found.is_none()), "{} {:?}", number, found);
                }
            }
        }
    }

    #[test]
    fn a_stream_of_which_all_is_sent_takes_no_memory_for_runs() {
        let mut timeline = Timeline::new(0, 0, ids(0));
        timeline.switch(first(LOW, 0, 0, 0));
        (0..10_000).for_each(|n| assert!(timeline.map(n, 0, ids(0)).is_some()));
        assert_eq!(timeline.runs.capacity(), 0);
        for n in (10_000..20_000).step_by(2) {
            timeline.map(n, 0, ids(0)).unwrap();
            timeline.leave_out(n + 1, false, 1);
        }
        assert!(timeline.runs.len() <= RUNS_MAX);
    }
}
