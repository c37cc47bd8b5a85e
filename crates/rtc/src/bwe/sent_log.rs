//! What was sent, by transport-wide sequence number: a ring that is written once for each packet.

/// Places at the beginning: half a second of a small picture and its sound. 2 KiB.
const PLACES_MIN: usize = 256;
/// Places at most: a second at 100 Mbit/s. 64 KiB.
const PLACES_MAX: usize = 8_192;
/// A packet that is to be overwritten before it was reported makes the ring grow, unless it is older than this: then
/// no report will come.
const REPORT_WAIT_US: u32 = 2_000_000;

/// A number of the space has one place, whatever the size of the ring.
const _: () = assert!(PLACES_MIN.is_power_of_two() && PLACES_MAX.is_power_of_two() && PLACES_MAX < 1 << 16);

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// There was no such packet.
    None,
    Unknown,
    Lost,
    Received,
}

/// Eight bytes for each packet: the ring of a usual receiver stays in the first cache.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Lower bits of the time in µs; they wrap after 71 minutes.
    sent_us: u32,
    bytes: u16,
    cluster: u8,
    fate: Fate,
}

const EMPTY: Entry = Entry { sent_us: 0, bytes: 0, cluster: 0, fate: Fate::None };

/// A packet that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// When, in µs of the estimator's clock.
    pub(super) sent_us: i64,
    /// On the wire above UDP, with those bytes that were sent before it without a number.
    pub(super) bytes: u16,
    /// The probe that it was part of, or 0.
    pub(super) cluster: u8,
    /// It had been reported lost before.
    pub(super) was_lost: bool,
}

/// Packets that were sent lately. A few nanoseconds for each; memory grows with the rate and has a bound.
#[derive(Debug)]
pub(super) struct SentLog {
    ring: Vec<Entry>,
    newest: u16,
    /// Numbers that the ring holds, up to the newest.
    len: usize,
    /// Bytes of packets without a number (sound, where its line has none), counted with the next that has one.
    unnumbered_bytes: u16,
}

impl SentLog {
    /// Holds nothing, and has no memory yet.
    pub(super) fn new() -> Self {
        Self { ring: Vec::new(), newest: 0, len: 0, unnumbered_bytes: 0 }
    }

    /// Notes bytes that no feedback will tell of.
    pub(super) fn add_unnumbered(&mut self, bytes: usize) {
        self.unnumbered_bytes = self.unnumbered_bytes.saturating_add(clamp(bytes));
    }

    /// Notes a packet. Numbers count up by one; those left out were never sent.
    #[inline]
    pub(super) fn push(&mut self, now_us: i64, sequence: u16, bytes: usize, cluster: u8) {
        let step = usize::from(sequence.wrapping_sub(self.newest));
        if self.len == 0 || step != 1 {
            self.skip_to(sequence, step);
        }
        self.newest = sequence;
        if self.len == self.ring.len() {
            self.make_room(now_us, sequence);
        }
        self.len = (self.len + 1).min(self.ring.len());
        let bytes = clamp(bytes).saturating_add(std::mem::take(&mut self.unnumbered_bytes));
        let entry = Entry { sent_us: now_us as u32, bytes, cluster, fate: Fate::Unknown };
        let mask = self.ring.len().wrapping_sub(1);
        if let Some(place) = self.ring.get_mut(usize::from(sequence) & mask) {
            *place = entry;
        }
    }

    #[cold]
    fn skip_to(&mut self, sequence: u16, step: usize) {
        // Backwards, the same again or far ahead: nothing of what was is of use.
        if self.len == 0 || step == 0 || step > PLACES_MIN {
            self.len = 0;
            return;
        }
        let mask = self.ring.len().wrapping_sub(1);
        for behind in 1..step {
            let skipped = sequence.wrapping_sub(behind as u16);
            if let Some(place) = self.ring.get_mut(usize::from(skipped) & mask) {
                *place = EMPTY;
            }
        }
        self.len = (self.len + step - 1).min(self.ring.len());
    }

    /// The ring is full, and the oldest packet makes place, or the ring grows.
    #[inline]
    fn make_room(&mut self, now_us: i64, sequence: u16) {
        let mask = self.ring.len().wrapping_sub(1);
        let waits = self.ring.get(usize::from(sequence) & mask).is_some_and(|oldest| {
            oldest.fate == Fate::Unknown && (now_us as u32).wrapping_sub(oldest.sent_us) < REPORT_WAIT_US
        });
        if self.ring.is_empty() || waits && self.ring.len() < PLACES_MAX {
            self.grow(sequence);
        }
    }

    #[cold]
    fn grow(&mut self, sequence: u16) {
        let places = (self.ring.len() * 2).clamp(PLACES_MIN, PLACES_MAX);
        let former = std::mem::replace(&mut self.ring, vec![EMPTY; places]);
        for behind in 1..=self.len {
            let number = usize::from(sequence.wrapping_sub(behind as u16));
            let entry = former.get(number & former.len().wrapping_sub(1));
            if let (Some(entry), Some(place)) = (entry, self.ring.get_mut(number & (places - 1))) {
                *place = *entry;
            }
        }
    }

    fn entry(&mut self, sequence: u16) -> Option<&mut Entry> {
        let behind = usize::from(self.newest.wrapping_sub(sequence));
        if behind >= self.len {
            return None;
        }
        let mask = self.ring.len().wrapping_sub(1);
        self.ring.get_mut(usize::from(sequence) & mask)
    }

    /// A packet arrived. `None` where it is not known, or was reported before.
    #[inline]
    pub(super) fn received(&mut self, now_us: i64, sequence: u16) -> Option<Sent> {
        let entry = self.entry(sequence).filter(|e| matches!(e.fate, Fate::Unknown | Fate::Lost))?;
        let was_lost = entry.fate == Fate::Lost;
        entry.fate = Fate::Received;
        Some(entry.sent(now_us, was_lost))
    }

    /// A packet did not arrive (yet). `None` where it is not known, or was reported before.
    #[inline]
    pub(super) fn lost(&mut self, now_us: i64, sequence: u16) -> Option<Sent> {
        let entry = self.entry(sequence).filter(|e| e.fate == Fate::Unknown)?;
        entry.fate = Fate::Lost;
        Some(entry.sent(now_us, false))
    }
}

impl Entry {
    fn sent(&self, now_us: i64, was_lost: bool) -> Sent {
        let age_us = (now_us as u32).wrapping_sub(self.sent_us);
        Sent { sent_us: now_us - i64::from(age_us), bytes: self.bytes, cluster: self.cluster, was_lost }
    }
}

fn clamp(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_found_once_by_its_number_across_the_wrap() {
        let mut log = SentLog::new();
        for n in 0..100u16 {
            log.push(i64::from(n) * 1_000, 65_500u16.wrapping_add(n), 100 + usize::from(n), 3);
        }
        let found = log.received(1_000_000, 10).unwrap();
        assert_eq!(found, Sent { sent_us: 46_000, bytes: 146, cluster: 3, was_lost: false });
        assert_eq!(log.received(1_000_000, 10), None, "a second report changes nothing");
        assert_eq!(log.lost(1_000_000, 10), None);
        assert!(log.lost(1_000_000, 11).is_some());
        assert_eq!(log.lost(1_000_000, 11), None);
        assert!(log.received(1_000_000, 11).unwrap().was_lost, "late, not lost");
        assert_eq!(log.received(1_000_000, 64), None, "not sent yet");
        assert_eq!(log.received(1_000_000, 65_499), None, "before the first");
    }

    #[test]
    fn the_ring_grows_while_reports_are_out_and_only_then() {
        let mut log = SentLog::new();
        for n in 0..2_000u16 {
            log.push(i64::from(n) * 100, n, 100, 0);
        }
        assert_eq!(log.ring.len(), 2_048);
        assert!(log.received(200_000, 0).is_some());

        let mut reported = SentLog::new();
        for n in 0..2_000u16 {
            reported.push(i64::from(n) * 100, n, 100, 0);
            reported.received(i64::from(n) * 100, n);
        }
        assert_eq!(reported.ring.len(), PLACES_MIN);

        let mut silent = SentLog::new();
        for n in 0..60_000u32 {
            silent.push(i64::from(n) * 10, n as u16, 100, 0);
        }
        assert_eq!(silent.ring.len(), PLACES_MAX);
    }

    #[test]
    fn numbers_left_out_are_no_packets_and_bytes_without_a_number_are_not_forgotten() {
        let mut log = SentLog::new();
        log.push(0, 1, 100, 0);
        log.add_unnumbered(50);
        log.push(0, 4, 100, 0);
        assert_eq!(log.received(0, 2), None);
        assert_eq!(log.received(0, 4).unwrap().bytes, 150);
        assert!(log.received(0, 1).is_some());
        log.push(0, 30_000, 100, 0);
        assert_eq!(log.received(0, 4), None);
        assert!(log.received(0, 30_000).is_some());
    }
}
