//! The packets of one encoding: what came in with this pass, to be sent on, and what came lately, to be sent again.
//! One for all receivers of the encoding; a receiver keeps only the mapping of its numbers.

use std::time::Instant;

use rtc::Carried;

use crate::svc::Mark;
use crate::timeline::PictureIds;

/// Packets kept of a video encoding: two seconds at 500 packets a second, more than any receiver still asks for.
pub(crate) const VIDEO_PACKETS: usize = 1024;
/// Packets kept of an audio stream: what one pass can bring, and a second of retransmission.
pub(crate) const AUDIO_PACKETS: usize = 64;

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

/// A ring of packets by sequence number.
#[derive(Debug)]
pub(crate) struct History {
    ring: Vec<Option<Stored>>,
    mask: u64,
}

impl History {
    /// A ring of `packets`, a power of two.
    pub(crate) fn new(packets: usize) -> Self {
        debug_assert!(packets.is_power_of_two());
        Self { ring: std::iter::repeat_with(|| None).take(packets).collect(), mask: packets as u64 - 1 }
    }

    /// The packet with this number, if it is still there.
    #[inline]
    pub(crate) fn get(&self, sequence: u64) -> Option<&Stored> {
        self.ring.get((sequence & self.mask) as usize)?.as_ref().filter(|s| s.sequence == sequence)
    }

    /// Keeps a packet in place of an older one, whose memory it takes over. `packet` comes without its bytes. False: it
    /// is already there, or too old.
    pub(crate) fn insert(&mut self, packet: Stored, payload: &[u8], descriptor: &[u8]) -> bool {
        let Some(place) = self.ring.get_mut((packet.sequence & self.mask) as usize) else { return false };
        let mut memory = match place {
            Some(old) if old.sequence >= packet.sequence => return false,
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
}
