//! The packets of one encoding: what came in with this pass, to be sent on, and what came lately, to be sent again.
//! One for all receivers of the encoding; a receiver keeps only the mapping of its numbers.

use std::time::{Duration, Instant};

use rtc::Carried;

use crate::svc::Mark;
use crate::timeline::PictureIds;

/// Packets kept at most of a video encoding: [`KEPT`] at 500 packets a second.
pub(crate) const VIDEO_PACKETS: usize = 1024;
/// Packets kept of an audio stream: what one pass can bring, and a second of retransmission.
pub(crate) const AUDIO_PACKETS: usize = 64;
/// What is older gives its place away rather than that more memory is taken: no receiver still asks for it.
const KEPT: Duration = Duration::from_secs(2);
/// Packets kept at least: a frame of a thumbnail.
const PACKETS_MIN: usize = 32;

/// A packet as the sender sent it, without its protection.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Extended sequence number of the source.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// The sender's payload type.
    pub(crate) payload_type: u8,
    /// When it was captured, as far as that is known, else when it came.
    pub(crate) captured: Instant,
    /// The encoding has another source from here on.
    pub(crate) restarted: bool,
    /// Its payload stayed at the unit of its sender, but for the head.
    pub(crate) head_only: bool,
    /// A key frame begins here.
    pub(crate) key_frame: bool,
    /// The source's SSRC, named as contributing source towards receivers.
    pub(crate) ssrc: u32,
    /// Where the primary block of redundant sound begins; 0: it is none, or is damaged.
    pub(crate) primary_at: u16,
    /// VP8's counters, where there are any.
    pub(crate) ids: Option<PictureIds>,
    /// Header extensions that go on to receivers.
    pub(crate) carried: Carried,
    /// Where it stands in a scalable stream, where that can be told.
    pub(crate) mark: Option<Mark>,
    /// The payload, and after it the dependency descriptor.
    pub(crate) bytes: Vec<u8>,
    pub(crate) payload_len: u16,
}

impl Stored {
    /// As the sender sent it, without padding.
    #[inline]
    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.payload_len)).unwrap_or_default()
    }

    /// Redundant sound without its redundancy.
    #[inline]
    pub(crate) fn primary(&self) -> &[u8] {
        self.payload().get(usize::from(self.primary_at)..).unwrap_or_default()
    }

    /// The dependency descriptor as the sender sent it; empty without one.
    #[inline]
    pub(crate) fn descriptor(&self) -> &[u8] {
        self.bytes.get(usize::from(self.payload_len)..).unwrap_or_default()
    }
}

/// A ring of packets by sequence number, as long as two seconds of the encoding need: a thumbnail takes a tenth of the
/// memory of a large picture.
#[derive(Debug)]
pub(crate) struct History {
    ring: Vec<Option<Stored>>,
    /// What the ring grows to at most, a power of two.
    packets_max: usize,
}

impl History {
    /// Nothing yet; later at most `packets_max`, a power of two.
    pub(crate) fn new(packets_max: usize) -> Self {
        debug_assert!(packets_max.is_power_of_two());
        Self { ring: Vec::new(), packets_max }
    }

    /// Forgets all packets.
    pub(crate) fn clear(&mut self) {
        self.ring.fill_with(|| None);
    }

    /// The packet with this number, if it is still there.
    #[inline]
    pub(crate) fn get(&self, sequence: u64) -> Option<&Stored> {
        self.ring.get(self.place(sequence))?.as_ref().filter(|s| s.sequence == sequence)
    }

    /// The same, if there is more of it than its head.
    #[inline]
    pub(crate) fn get_whole(&self, sequence: u64) -> Option<&Stored> {
        self.get(sequence).filter(|s| !s.head_only)
    }

    /// Keeps a packet in place of an older one, whose memory it takes over. `packet` comes without its bytes. False: it
    /// is already there, or too old.
    pub(crate) fn insert(&mut self, now: Instant, packet: Stored, payload: &[u8], descriptor: &[u8]) -> bool {
        self.make_room(now, packet.sequence);
        let place = self.place(packet.sequence);
        let Some(place) = self.ring.get_mut(place) else { return false };
        let mut memory = match place {
            Some(old) if old.sequence > packet.sequence => return false,
            Some(old) if old.sequence == packet.sequence && (packet.head_only || !old.head_only) => {
                return false;
            }
            Some(old) => std::mem::take(&mut old.bytes),
            None => Vec::new(),
        };
        memory.clear();
        memory.extend_from_slice(payload);
        memory.extend_from_slice(descriptor);
        // Datagrams are bounded far below what 16 bits count.
        *place = Some(Stored { bytes: memory, payload_len: payload.len() as u16, ..packet });
        true
    }

    /// Lengthens the ring while a packet that may still be asked for would have to go.
    fn make_room(&mut self, now: Instant, sequence: u64) {
        while self.ring.len() < self.packets_max {
            let in_place = self.ring.get(self.place(sequence)).and_then(Option::as_ref);
            let is_needed =
                |old: &Stored| old.sequence < sequence && now.saturating_duration_since(old.captured) < KEPT;
            if !self.ring.is_empty() && !in_place.is_some_and(is_needed) {
                return;
            }
            let longer = (self.ring.len() * 2).clamp(PACKETS_MIN.min(self.packets_max), self.packets_max);
            let former = std::mem::take(&mut self.ring);
            self.ring.resize_with(longer, || None);
            for packet in former.into_iter().flatten() {
                // Two that had places of their own have places of their own in a longer ring.
                let place = self.place(packet.sequence);
                if let Some(place) = self.ring.get_mut(place) {
                    *place = Some(packet);
                }
            }
        }
    }

    #[inline]
    fn place(&self, sequence: u64) -> usize {
        // The length is a power of two, or there is no place at all.
        sequence as usize & self.ring.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    fn packet(sequence: u64, at: Instant) -> Stored {
        Stored {
            sequence,
            timestamp: 0,
            marker: false,
            payload_type: 96,
            captured: at,
            restarted: false,
            key_frame: false,
            ssrc: 1,
            primary_at: 0,
            head_only: false,
            ids: None,
            carried: Carried::default(),
            mark: None,
            bytes: Vec::new(),
            payload_len: 0,
        }
    }

    /// So many packets a second for ten seconds, from `first` on.
    fn filled(pps: u32, first: u64) -> (History, Instant, u64) {
        let (mut history, mut now, mut last) = (History::new(VIDEO_PACKETS), start(), first);
        for sequence in (first..).take(10 * pps as usize) {
            now += Duration::from_secs(1) / pps;
            last = sequence;
            assert!(history.insert(now, packet(sequence, now), &sequence.to_be_bytes(), &[]));
        }
        (history, now, last)
    }

    #[test]
    fn it_is_as_long_as_what_is_kept() {
        for (pps, places) in [(10, 32), (50, 128), (250, 512), (500, 1024), (5_000, 1024)] {
            let (history, _, last) = filled(pps, 65_000);
            assert_eq!(history.ring.len(), places, "{pps} packets/s");
            let kept = u64::from(2 * pps).min(VIDEO_PACKETS as u64);
            for sequence in last - kept + 1..=last {
                let found = history.get(sequence).map(Stored::payload);
                assert_eq!(found, Some(&sequence.to_be_bytes()[..]), "{pps} packets/s");
            }
            assert!(history.get(last + 1).is_none() && history.get(last - VIDEO_PACKETS as u64).is_none());
        }
    }

    #[test]
    fn a_frame_that_comes_at_once_stays_whole() {
        let (mut history, now, last) = filled(30, 0);
        for sequence in last + 1..=last + 700 {
            assert!(history.insert(now, packet(sequence, now), &[1], &[2, 3]));
        }
        assert!((last + 1..=last + 700).all(|sequence| history.get(sequence).is_some()));
        assert_eq!(history.get(last + 700).map(|p| p.descriptor().to_vec()), Some(vec![2, 3]));
    }

    #[test]
    fn what_is_there_or_too_old_is_not_taken() {
        let (mut history, now, last) = filled(5_000, 0);
        assert!(!history.insert(now, packet(last, now), &[], &[]), "it is there");
        assert!(!history.insert(now, packet(last - VIDEO_PACKETS as u64, now), &[], &[]), "too old");
        assert_eq!(History::new(AUDIO_PACKETS).get(0).map(|p| p.sequence), None);
    }

    #[test]
    fn numbers_may_leap() {
        let (mut history, now, last) = filled(50, 0);
        for leap in [1_u64 << 16, 1 << 31, 1 << 40] {
            assert!(history.insert(now, packet(last + leap, now), &[7], &[]));
            assert_eq!(history.get(last + leap).map(Stored::payload), Some(&[7][..]));
        }
        assert!(history.ring.len() <= VIDEO_PACKETS);
    }
}
