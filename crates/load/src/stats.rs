//! What arrived: loss by sequence numbers, freezes by time, and percentiles.

use std::time::{Duration, Instant};

/// A gap between two frames of a video slot that a person sees as a freeze.
pub const FREEZE: Duration = Duration::from_millis(200);

/// Sequence numbers that count as late rather than as a new beginning, and within which doubles are recognised.
const WINDOW: u64 = 128;

/// Tells new, late and doubled packets of one RTP stream apart (RFC 3550 appendix A.1, with memory).
#[derive(Debug, Clone, Default)]
pub struct Sequence {
    /// Extended numbers of the first and the highest packet.
    range: Option<(u64, u64)>,
    /// Bit n: the packet n below the highest has come.
    seen: u128,
    received: u64,
    doubled: u64,
}

impl Sequence {
    /// Takes in a packet. False: it had come before.
    pub fn record(&mut self, number: u16) -> bool {
        let Some((first, highest)) = self.range else {
            // Room below the first packet for those that it has overtaken.
            let number = u64::from(number) + (1 << 16);
            self.range = Some((number, number));
            (self.seen, self.received) = (1, 1);
            return true;
        };
        let ahead = number.wrapping_sub(highest as u16) as i16;
        if ahead > 0 {
            let ahead = ahead as u64;
            self.seen = self.seen.checked_shl(ahead as u32).unwrap_or(0) | 1;
            self.range = Some((first, highest + ahead));
        } else {
            let behind = u64::from(ahead.unsigned_abs());
            let number = highest.saturating_sub(behind);
            if behind >= WINDOW || self.seen & (1 << behind) != 0 {
                self.doubled += 1;
                return false;
            }
            self.seen |= 1 << behind;
            self.range = Some((first.min(number), highest));
        }
        self.received += 1;
        true
    }

    /// The highest number, with its cycles above 16 bits, as receiver reports have it.
    pub fn highest(&self) -> Option<u32> {
        self.range.map(|(_, highest)| highest as u32)
    }

    /// Packets that came, doubles not counted.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that came again, or very late.
    pub fn doubled(&self) -> u64 {
        self.doubled
    }

    /// Packets that did not come, of those between the first and the highest.
    pub fn lost(&self) -> u64 {
        self.range.map_or(0, |(first, highest)| (highest - first + 1).saturating_sub(self.received))
    }
}

/// Watches the frames of a video slot.
#[derive(Debug, Clone, Default)]
pub struct FreezeWatch {
    last: Option<(u32, Instant)>,
    freezes: u64,
    frozen: Duration,
    frames: u64,
}

impl FreezeWatch {
    /// Takes in a packet of the frame with that RTP timestamp.
    pub fn record(&mut self, timestamp: u32, now: Instant) {
        match self.last {
            // A late packet of an earlier frame is no new frame.
            Some((last, _)) if timestamp.wrapping_sub(last) as i32 <= 0 => return,
            Some((_, at)) => {
                let gap = now.saturating_duration_since(at);
                if gap > FREEZE {
                    self.freezes += 1;
                    self.frozen += gap;
                }
            }
            None => {}
        }
        self.frames += 1;
        self.last = Some((timestamp, now));
    }

    /// The sources were stopped until now: the gap is none of the server's.
    pub fn forgive(&mut self, now: Instant) {
        if let Some((_, at)) = &mut self.last {
            *at = now;
        }
    }

    /// Gaps longer than [`FREEZE`] that have ended.
    pub fn freezes(&self) -> u64 {
        self.freezes
    }

    /// How long those were, together.
    pub fn frozen(&self) -> Duration {
        self.frozen
    }

    /// Frames of which something came.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether frames came once and none has come for a freeze's time.
    pub fn is_frozen(&self, now: Instant) -> bool {
        self.last.is_some_and(|(_, at)| now.saturating_duration_since(at) > FREEZE)
    }
}

/// The value below which that share (0 to 1) of the values lies; nearest rank. Sorts.
pub fn percentile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil().max(1.0) as usize;
    values.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(numbers: impl IntoIterator<Item = u16>) -> (Sequence, Vec<bool>) {
        let mut sequence = Sequence::default();
        let new = numbers.into_iter().map(|number| sequence.record(number)).collect();
        (sequence, new)
    }

    fn counts(sequence: &Sequence) -> (u64, u64, u64) {
        (sequence.received(), sequence.lost(), sequence.doubled())
    }

    #[test]
    fn gaps_are_lost_until_they_come_late() {
        assert_eq!(counts(&record([10, 11, 14]).0), (3, 2, 0));
        assert_eq!(counts(&record([10, 11, 14, 12, 13]).0), (5, 0, 0));
        let (sequence, new) = record([10, 11, 11, 10, 12]);
        assert_eq!(new, [true, true, false, false, true]);
        assert_eq!(counts(&sequence), (3, 0, 2));
    }

    #[test]
    fn numbers_turn_over_and_the_first_may_be_overtaken() {
        assert_eq!(counts(&record([65534, 65535, 0, 1]).0), (4, 0, 0));
        assert_eq!(counts(&record([1, 65535, 0, 2]).0), (4, 0, 0));
        let (sequence, _) = record((0..200_000u32).map(|n| n as u16));
        assert_eq!(counts(&sequence), (200_000, 0, 0));
        let (sequence, _) = record((0..200_000u32).filter(|n| n % 10 != 0).map(|n| n as u16));
        assert_eq!(counts(&sequence), (180_000, 19_999, 0), "what is missing before the first is not known");
    }

    #[test]
    fn only_the_gap_between_frames_is_a_freeze() {
        let base = net::clock::now();
        let at = |ms| base + Duration::from_millis(ms);
        let mut watch = FreezeWatch::default();
        for (timestamp, ms) in [(0, 0), (0, 150), (3000, 190), (6000, 391), (3000, 800), (9000, 500)] {
            watch.record(timestamp, at(ms));
        }
        assert_eq!((watch.freezes(), watch.frames()), (1, 4));
        assert_eq!(watch.frozen(), Duration::from_millis(201));
        assert!(!watch.is_frozen(at(700)) && watch.is_frozen(at(701)));
        watch.forgive(at(2_000));
        watch.record(12_000, at(2_100));
        assert_eq!(watch.freezes(), 1, "the gap was our own");
        assert!(!FreezeWatch::default().is_frozen(at(9_999)), "what never began is not frozen");
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(percentile(&mut [], 0.5), None);
        assert_eq!(percentile(&mut [7.0], 0.95), Some(7.0));
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.5), Some(50.0));
        assert_eq!(percentile(&mut values, 0.95), Some(95.0));
        assert_eq!(percentile(&mut values, 1.0), Some(100.0));
    }
}
