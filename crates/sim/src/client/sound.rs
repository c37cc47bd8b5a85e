//! What a person hears of one slot: packets that came in time, and the gaps between them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Of one packet.
const PACKET_TIME: Duration = Duration::from_millis(20);
/// A packet that is so much later than the fastest of the last ones is too late to be played: about where libwebrtc's
/// jitter buffer stops to wait.
const LATE: Duration = Duration::from_millis(200);
/// The fastest of so many packets (two seconds) is what the others are compared with, so that a path may change.
const RECENT: usize = 100;

/// What was heard of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Packets from the first to the newest.
    pub expected: u64,
    /// Those that came in time.
    pub in_time: u64,
    /// Those that did not, but whose follower did: Opus carries a coarse copy of a packet in the next one (RFC 6716
    /// §2.1.7), so a single loss is hardly heard.
    pub repaired: u64,
    /// The longest row of packets that were neither.
    pub gap_max: u64,
    /// The first of that row, counted from the first packet.
    pub gap_from: u64,
}

impl Heard {
    /// Share of the sound that was heard.
    pub fn share(&self) -> f64 {
        if self.expected == 0 { 0.0 } else { (self.in_time + self.repaired) as f64 / self.expected as f64 }
    }

    /// How long after the first packet the longest silence began.
    pub fn longest_gap_from(&self) -> Duration {
        PACKET_TIME * u32::try_from(self.gap_from).unwrap_or(u32::MAX)
    }

    /// The longest silence that was none.
    pub fn longest_gap(&self) -> Duration {
        PACKET_TIME * u32::try_from(self.gap_max).unwrap_or(u32::MAX)
    }
}

/// A jitter buffer's view of a slot with Opus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sound {
    /// By packet from the first on: whether it came in time.
    packets: Vec<bool>,
    first: Option<(u64, Instant)>,
    /// How far behind its place in the sequence each of the last packets came.
    transits: VecDeque<Duration>,
    newest: Option<Instant>,
}

/// Packets of an hour: more is no sequence number of this stream.
const PACKETS_MAX: u64 = 180_000;
/// Transit times are counted from so long before the first packet, so that none is negative.
const LEEWAY: Duration = Duration::from_secs(60);

impl Sound {
    /// Takes a packet.
    pub(super) fn take(&mut self, now: Instant, sequence: u64) {
        let (first, at) = *self.first.get_or_insert((sequence, now));
        let Some(place) = sequence.checked_sub(first).filter(|place| *place < PACKETS_MAX) else { return };
        let played = PACKET_TIME * place as u32;
        let transit = (now + LEEWAY).saturating_duration_since(at + played);
        let fastest = self.transits.iter().min().copied().unwrap_or(transit).min(transit);
        if self.transits.len() == RECENT {
            self.transits.pop_front();
        }
        self.transits.push_back(transit);
        self.newest = Some(now);
        let place = place as usize;
        if self.packets.len() <= place {
            self.packets.resize(place + 1, false);
        }
        if let Some(in_time) = self.packets.get_mut(place) {
            *in_time |= transit - fastest <= LATE;
        }
    }

    /// What was heard of what should have come from then until then. What did not come is a gap.
    pub fn heard(&self, from: Instant, until: Instant) -> Option<Heard> {
        let (newest, (_, first_at)) = (self.newest?, self.first?);
        let before = from.saturating_duration_since(first_at).as_millis() / PACKET_TIME.as_millis();
        let missing = until.saturating_duration_since(newest).saturating_sub(LATE);
        let missing = (missing.as_millis() / PACKET_TIME.as_millis()) as usize;
        let mut heard = Heard::default();
        let mut gap = 0;
        let after = |n: usize| self.packets.get(n + 1).copied().unwrap_or(false);
        for (n, in_time) in
            self.packets.iter().copied().chain(std::iter::repeat_n(false, missing)).enumerate()
        {
            if (n as u128) < before {
                continue;
            }
            heard.expected += 1;
            if in_time {
                heard.in_time += 1;
            } else if after(n) {
                heard.repaired += 1;
            } else {
                gap += 1;
                if gap > heard.gap_max {
                    (heard.gap_max, heard.gap_from) = (gap, n as u64 + 1 - gap);
                }
                continue;
            }
            gap = 0;
        }
        Some(heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(packets: impl IntoIterator<Item = (u64, u64)>, until_ms: u64) -> Heard {
        let (mut sound, base) = (Sound::default(), crate::tests::base());
        for (sequence, ms) in packets {
            sound.take(base + Duration::from_millis(ms), sequence);
        }
        sound.heard(base, base + Duration::from_millis(until_ms)).unwrap()
    }

    #[test]
    fn all_in_time_is_all_heard() {
        let heard = listen((0..100).map(|n| (n + 7, n * 20)), 2_000);
        assert_eq!(heard, Heard { expected: 100, in_time: 100, ..Heard::default() });
    }

    #[test]
    fn a_single_loss_is_repaired_and_a_row_is_a_gap() {
        let lost = [10, 20, 21, 22, 40, 41];
        let heard = listen((0..100).filter(|n| !lost.contains(n)).map(|n| (n, n * 20)), 2_000);
        assert_eq!(heard, Heard { expected: 100, in_time: 94, repaired: 3, gap_max: 2, gap_from: 20 });
        assert_eq!(heard.longest_gap(), Duration::from_millis(40));
    }

    #[test]
    fn late_is_not_heard_but_a_longer_way_is_got_used_to() {
        let late = |n: u64| if n == 50 { 300 } else { 0 };
        assert_eq!(listen((0..100).map(|n| (n, n * 20 + late(n))), 2_000).in_time, 99);
        let longer = |n: u64| if n >= 100 { 300 } else { 0 };
        let heard = listen((0..400).map(|n| (n, n * 20 + longer(n))), 8_300);
        assert!((98..=101).contains(&(400 - heard.in_time)), "two seconds to get used to it: {heard:?}");
    }

    #[test]
    fn silence_at_the_end_is_a_gap() {
        let heard = listen((0..50).map(|n| (n, n * 20)), 2_000);
        assert!((39..=51).contains(&heard.gap_max), "{heard:?}");
    }
}
