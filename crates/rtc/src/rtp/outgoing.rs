//! Writing RTP headers: one per packet and receiver, so this is among the hottest code there is.

use model::Mid;

use super::dependency_descriptor::DESCRIPTOR_BYTES_MAX;
use super::extension::{AbsCaptureTime, AudioLevel, ExtensionIds, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};
use super::header::FIXED_LEN;

/// Contributing sources of one packet: the field that counts them has 4 bits.
pub const CSRC_MAX: usize = 15;

/// Bytes of all elements in the two-byte form, with padding: mid 18, transport-wide number 4, send time 5, level 3,
/// capture time 18, playout delay 5, and the head of a dependency descriptor.
const ELEMENTS_BYTES_MAX: usize = 56;

/// Bytes of the data of an element in the one-byte form (RFC 8285 §4.2).
const ONE_BYTE_DATA_MAX: usize = 16;

/// The longest header that is ever written, without a dependency descriptor.
const COMMON_BYTES_MAX: usize = FIXED_LEN + 4 * CSRC_MAX + 4 + ELEMENTS_BYTES_MAX;

/// The longest header that is ever written.
pub const HEADER_BYTES_MAX: usize = (COMMON_BYTES_MAX + DESCRIPTOR_BYTES_MAX).next_multiple_of(4);

/// What to say in header extensions. An extension without an agreed id is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutgoingExtensions {
    /// The m-line: until the receiver has acknowledged a packet with it.
    pub mid: Option<Mid>,
    /// The sequence number over all streams of the transport.
    pub transport_wide_cc: Option<u16>,
    /// When it is sent: 24 bits, 6 of seconds and 18 of their fraction.
    pub abs_send_time: Option<u32>,
    /// Loudness.
    pub audio_level: Option<AudioLevel>,
    /// When it was captured.
    pub abs_capture_time: Option<AbsCaptureTime>,
    /// Bounds of the playout delay.
    pub playout_delay: Option<[u8; 3]>,
}

/// A header to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeaderWriter<'a> {
    /// The payload that will follow ends with padding.
    pub padding: bool,
    /// End of a video frame, start of a talk spurt.
    pub marker: bool,
    /// 0 to 127; higher bits are ignored.
    pub payload_type: u8,
    /// Counts packets, wraps.
    pub sequence_number: u16,
    /// In the clock of the codec, wraps.
    pub timestamp: u32,
    /// Of the receiver's slot.
    pub ssrc: u32,
    /// Contributing sources. Those beyond [`CSRC_MAX`] are left out.
    pub csrcs: &'a [u32],
    /// Header extensions.
    pub extensions: OutgoingExtensions,
    /// The dependency descriptor, at most [`DESCRIPTOR_BYTES_MAX`]; empty for none.
    pub dependency_descriptor: &'a [u8],
}

impl HeaderWriter<'_> {
    /// Appends the header to an arena and says how long it is: at most [`HEADER_BYTES_MAX`].
    #[inline]
    pub fn write(&self, arena: &mut Vec<u8>, ids: &ExtensionIds) -> usize {
        let mut scratch = Scratch { bytes: [0; COMMON_BYTES_MAX], len: 0 };
        let csrcs = self.csrcs.get(..CSRC_MAX).unwrap_or(self.csrcs);
        scratch.put(&[
            0x80 | u8::from(self.padding) << 5 | csrcs.len() as u8,
            u8::from(self.marker) << 7 | self.payload_type & 0x7f,
        ]);
        scratch.put(&self.sequence_number.to_be_bytes());
        scratch.put(&self.timestamp.to_be_bytes());
        scratch.put(&self.ssrc.to_be_bytes());
        for csrc in csrcs {
            scratch.put(&csrc.to_be_bytes());
        }
        let described = !self.dependency_descriptor.is_empty()
            && self.dependency_descriptor.len() <= DESCRIPTOR_BYTES_MAX
            && ids.dependency_descriptor != 0;
        if !described {
            self.extensions.write(&mut scratch, ids, 0, &[]);
            arena.extend_from_slice(scratch.written());
            return scratch.len;
        }
        self.write_described(scratch, arena, ids)
    }

    /// The descriptor comes last, straight into the arena: it may be long, and most packets have none.
    fn write_described(&self, mut scratch: Scratch, arena: &mut Vec<u8>, ids: &ExtensionIds) -> usize {
        let start = arena.len();
        let id = ids.dependency_descriptor;
        self.extensions.write(&mut scratch, ids, id, self.dependency_descriptor);
        arena.extend_from_slice(scratch.written());
        arena.extend_from_slice(self.dependency_descriptor);
        let len = (arena.len() - start).next_multiple_of(4);
        arena.resize(start + len, 0);
        len
    }
}

impl OutgoingExtensions {
    /// Writes the block, but for the data of the `last` element, of which only the head is written.
    #[inline]
    fn write(&self, scratch: &mut Scratch, ids: &ExtensionIds, last_id: u8, last: &[u8]) {
        let block = scratch.len;
        scratch.len += 4;
        let two_byte = last.len() > ONE_BYTE_DATA_MAX || last_id > 14 || self.needs_two_byte_form(ids);
        let mut element = |id: u8, data: &[u8]| {
            if id == 0 {
                return;
            }
            if two_byte {
                scratch.put(&[id, data.len() as u8]);
            } else {
                scratch.put(&[id << 4 | (data.len() as u8).wrapping_sub(1) & 0x0f]);
            }
            scratch.put(data);
        };
        if let Some(number) = self.transport_wide_cc {
            element(ids.transport_wide_cc, &number.to_be_bytes());
        }
        if let Some(time) = self.abs_send_time {
            let [_, time @ ..] = time.to_be_bytes();
            element(ids.abs_send_time, &time);
        }
        if let Some(level) = self.audio_level {
            element(ids.audio_level, &[u8::from(level.voice) << 7 | level.level_dbov & 0x7f]);
        }
        if let Some(mid) = &self.mid {
            element(ids.mid, mid.as_str().as_bytes());
        }
        if let Some(time) = &self.abs_capture_time {
            element(ids.abs_capture_time, time.as_bytes());
        }
        if let Some(delay) = &self.playout_delay {
            element(ids.playout_delay, delay);
        }
        let profile = if two_byte { TWO_BYTE_PROFILE } else { ONE_BYTE_PROFILE };
        if last.is_empty() {
            scratch.pad();
        } else if two_byte {
            scratch.put(&[last_id, last.len() as u8]);
        } else {
            scratch.put(&[last_id << 4 | (last.len() as u8).wrapping_sub(1) & 0x0f]);
        }
        scratch.finish_block(block, profile, last.len());
    }

    /// Whether an id is too large for the one-byte form. No length is: the longest data has 16 bytes.
    #[inline]
    fn needs_two_byte_form(&self, ids: &ExtensionIds) -> bool {
        let large = |present: bool, id: u8| present && id > 14;
        large(self.transport_wide_cc.is_some(), ids.transport_wide_cc)
            || large(self.abs_send_time.is_some(), ids.abs_send_time)
            || large(self.audio_level.is_some(), ids.audio_level)
            || large(self.mid.is_some(), ids.mid)
            || large(self.abs_capture_time.is_some(), ids.abs_capture_time)
            || large(self.playout_delay.is_some(), ids.playout_delay)
    }
}

/// A header is put together here and copied to the arena once, so that the arena's capacity is checked once.
struct Scratch {
    bytes: [u8; COMMON_BYTES_MAX],
    len: usize,
}

impl Scratch {
    #[inline]
    fn put(&mut self, data: &[u8]) {
        let end = self.len + data.len();
        // Always there: `COMMON_BYTES_MAX` is the sum of all that is ever put.
        if let Some(to) = self.bytes.get_mut(self.len..end) {
            to.copy_from_slice(data);
            self.len = end;
        }
    }

    /// Fills up to whole words; the bytes are zeros already.
    #[inline]
    fn pad(&mut self) {
        self.len = self.len.next_multiple_of(4).min(COMMON_BYTES_MAX);
    }

    /// Completes the extension block that begins at `block`, after which so many bytes are still to come, or takes it
    /// off again when it has no elements.
    #[inline]
    fn finish_block(&mut self, block: usize, profile: u16, to_come: usize) {
        if self.len == block + 4 {
            self.len = block;
            return;
        }
        let words = (self.len + to_come - block - 4).div_ceil(4) as u16;
        if let Some([p0, p1, w0, w1]) = self.bytes.get_mut(block..).and_then(|b| b.first_chunk_mut()) {
            [*p0, *p1] = profile.to_be_bytes();
            [*w0, *w1] = words.to_be_bytes();
            self.bytes[0] |= 0x10;
        }
    }

    #[inline]
    fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
