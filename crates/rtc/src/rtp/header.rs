//! The RTP header (RFC 3550 §5.1), parsed once per received packet.

use super::extension::{ExtensionIds, Extensions, ReceivedExtensions};

/// Bytes before CSRCs and extensions.
pub(super) const FIXED_LEN: usize = 12;

/// Why bytes are no RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Shorter than the header that it announces.
    #[error("shorter than its RTP header")]
    TooShort,
    /// Not version 2.
    #[error("not RTP version 2")]
    Version,
}

/// Where the header extensions lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtensionBlock {
    /// `0xBEDE`: one-byte form. `0x1000` to `0x100F`: two-byte form. Anything else is not RFC 8285.
    pub profile: u16,
    /// First byte of the elements, counted from the start of the packet.
    pub start: usize,
    /// First byte after them.
    pub end: usize,
}

/// An RTP header. Holds no reference: the packet is decrypted in place afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The payload ends with padding, see [`without_padding`].
    pub padding: bool,
    /// End of a video frame, start of a talk spurt.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Counts packets, wraps.
    pub sequence_number: u16,
    /// In the clock of the codec, wraps.
    pub timestamp: u32,
    /// Who.
    pub ssrc: u32,
    /// Bytes before the payload: fixed header, CSRCs and extension block.
    pub header_len: usize,
    /// CSRCs after the fixed header, 0 to 15.
    pub csrc_count: u8,
    /// The header extensions, if there are any.
    pub extension: Option<ExtensionBlock>,
}

impl Header {
    /// Parses the header of a packet, protected or not.
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<Self, HeaderError> {
        let (fixed, rest) = packet.split_first_chunk::<FIXED_LEN>().ok_or(HeaderError::TooShort)?;
        let &[flags, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = fixed;
        if flags >> 6 != 2 {
            return Err(HeaderError::Version);
        }
        let csrc_count = flags & 0x0f;
        let csrcs_len = 4 * usize::from(csrc_count);
        let mut header_len = FIXED_LEN + csrcs_len;
        let mut extension = None;
        if flags & 0x10 != 0 {
            let block =
                rest.get(csrcs_len..).and_then(|r| r.first_chunk::<4>()).ok_or(HeaderError::TooShort)?;
            let &[p0, p1, w0, w1] = block;
            let start = header_len + 4;
            let end = start + 4 * usize::from(u16::from_be_bytes([w0, w1]));
            extension = Some(ExtensionBlock { profile: u16::from_be_bytes([p0, p1]), start, end });
            header_len = end;
        }
        if packet.len() < header_len {
            return Err(HeaderError::TooShort);
        }
        Ok(Self {
            padding: flags & 0x20 != 0,
            marker: kind & 0x80 != 0,
            payload_type: kind & 0x7f,
            sequence_number: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            header_len,
            csrc_count,
            extension,
        })
    }

    /// The contributing sources. `packet` is the one that the header was parsed from.
    pub fn csrcs<'a>(&self, packet: &'a [u8]) -> impl Iterator<Item = u32> + use<'a> {
        let end = FIXED_LEN + 4 * usize::from(self.csrc_count);
        let bytes = packet.get(FIXED_LEN..end).unwrap_or_default();
        bytes.as_chunks::<4>().0.iter().map(|b| u32::from_be_bytes(*b))
    }

    /// The header extensions as (id, data). `packet` is the one that the header was parsed from. Ends early where the
    /// block is malformed.
    #[inline]
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        match self.extension {
            Some(block) => {
                Extensions::new(block.profile, packet.get(block.start..block.end).unwrap_or_default())
            }
            None => Extensions::new(0, &[]),
        }
    }

    /// The header extensions that we know, by the ids agreed with the sender.
    #[inline]
    pub fn received_extensions(&self, packet: &[u8], ids: &ExtensionIds) -> ReceivedExtensions {
        let end = self.extension.map_or(0, |block| block.end);
        ReceivedExtensions::read(self.extensions(packet), end, ids)
    }
}

/// A payload without its padding, for a packet whose header says it has some (RFC 3550 §5.1): the last byte counts the
/// bytes of padding, itself included. `None` if it counts none or more than there are. Empty for a packet that is
/// nothing but padding (a probe).
#[inline]
pub fn without_padding(payload: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*payload.last()?);
    if count == 0 {
        return None;
    }
    payload.get(..payload.len().checked_sub(count)?)
}
