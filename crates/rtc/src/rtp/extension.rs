//! Header extensions (RFC 8285): reading them.

use std::ops::Range;

use model::{Mid, Rid};

/// The profile of a block in the one-byte form.
pub(super) const ONE_BYTE_PROFILE: u16 = 0xBEDE;
/// The profile of a block in the two-byte form, without its four application bits.
pub(super) const TWO_BYTE_PROFILE: u16 = 0x1000;

/// Which number was agreed for which extension with one peer; 0 is none. Numbers 1 to 14 fit the one-byte form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143).
    pub mid: u8,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    pub rid: u8,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852).
    pub repaired_rid: u8,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    pub audio_level: u8,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`.
    pub abs_send_time: u8,
    /// `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`.
    pub transport_wide_cc: u8,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time`.
    pub abs_capture_time: u8,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`.
    pub playout_delay: u8,
    /// `https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension`.
    pub dependency_descriptor: u8,
}

/// How loud a packet of sound is (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// −dBov: 0 is the loudest, 127 silence.
    pub level_dbov: u8,
    /// The sender thinks that it is speech.
    pub voice: bool,
}

/// When a frame was captured, as it is on the wire: an NTP time, and perhaps the offset of the capturer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbsCaptureTime {
    bytes: [u8; 16],
    long: bool,
}

impl AbsCaptureTime {
    /// From 8 or 16 bytes; nothing else is one.
    pub fn from_bytes(data: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        let long = match data.len() {
            8 => false,
            16 => true,
            _ => return None,
        };
        bytes.iter_mut().zip(data).for_each(|(to, from)| *to = *from);
        Some(Self { bytes, long })
    }

    /// The 8 or 16 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        if self.long { &self.bytes } else { &self.bytes[..8] }
    }
}

/// What a packet says in its header extensions. What is malformed is taken as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceivedExtensions {
    /// The m-line.
    pub mid: Option<Mid>,
    /// The encoding.
    pub rid: Option<Rid>,
    /// The encoding that this packet of a retransmission stream repairs.
    pub repaired_rid: Option<Rid>,
    /// Loudness.
    pub audio_level: Option<AudioLevel>,
    /// When it was sent: 24 bits, 6 of seconds and 18 of their fraction.
    pub abs_send_time: Option<u32>,
    /// The sequence number over all streams of the transport.
    pub transport_wide_cc: Option<u16>,
    /// When it was captured.
    pub abs_capture_time: Option<AbsCaptureTime>,
    /// Bounds of the playout delay: 12 bits of minimum and 12 of maximum, in 10 ms.
    pub playout_delay: Option<[u8; 3]>,
    /// Where the dependency descriptor lies, counted from the start of the packet; empty without one. Reading it needs
    /// the structure of its stream.
    pub dependency_descriptor: Range<usize>,
}

impl ReceivedExtensions {
    /// `end` is where the block ends, counted from the start of the packet.
    #[inline]
    pub(super) fn read(mut extensions: Extensions<'_>, end: usize, ids: &ExtensionIds) -> Self {
        let mut read = Self::default();
        // Ids are never 0 here, so that an absent one (0) matches nothing.
        while let Some((id, data)) = extensions.next() {
            if id == ids.transport_wide_cc {
                read.transport_wide_cc = data.first_chunk().map(|b| u16::from_be_bytes(*b));
            } else if id == ids.audio_level {
                read.audio_level =
                    data.first().map(|b| AudioLevel { level_dbov: b & 0x7f, voice: b & 0x80 != 0 });
            } else if id == ids.abs_send_time {
                read.abs_send_time = data.first_chunk().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]));
            } else if id == ids.mid {
                read.mid = text(data);
            } else if id == ids.rid {
                read.rid = text(data);
            } else if id == ids.repaired_rid {
                read.repaired_rid = text(data);
            } else if id == ids.abs_capture_time {
                read.abs_capture_time = AbsCaptureTime::from_bytes(data);
            } else if id == ids.playout_delay {
                read.playout_delay = data.try_into().ok();
            } else if id == ids.dependency_descriptor {
                let data_end = end.saturating_sub(extensions.rest.len());
                read.dependency_descriptor = data_end.saturating_sub(data.len())..data_end;
            }
        }
        read
    }
}

fn text<T: std::str::FromStr>(data: &[u8]) -> Option<T> {
    std::str::from_utf8(data).ok()?.parse().ok()
}

/// The elements of an extension block as (id, data). Ids are never 0.
#[derive(Debug, Clone)]
pub struct Extensions<'a> {
    rest: &'a [u8],
    two_byte: bool,
}

impl<'a> Extensions<'a> {
    #[inline]
    pub(super) fn new(profile: u16, elements: &'a [u8]) -> Self {
        let two_byte = profile & 0xfff0 == TWO_BYTE_PROFILE;
        let known = two_byte || profile == ONE_BYTE_PROFILE;
        Self { rest: if known { elements } else { &[] }, two_byte }
    }

    /// The id and the data of the element at the front. An id of 0 stands for padding or something to pass over.
    #[inline]
    fn take_one_byte_form(&mut self) -> Option<(u8, &'a [u8])> {
        let (&first, rest) = self.rest.split_first()?;
        if first == 0 {
            self.rest = rest;
            return Some((0, &[]));
        }
        let id = first >> 4;
        // 15 ends the block, whatever its length says (RFC 8285 §4.2).
        let len = if id == 15 { usize::MAX } else { usize::from(first & 0x0f) + 1 };
        let (data, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((id, data))
    }

    #[inline]
    fn take_two_byte_form(&mut self) -> Option<(u8, &'a [u8])> {
        let (&id, rest) = self.rest.split_first()?;
        if id == 0 {
            self.rest = rest;
            return Some((0, &[]));
        }
        let (&len, rest) = rest.split_first()?;
        let (data, rest) = rest.split_at_checked(len.into())?;
        self.rest = rest;
        Some((id, data))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let element = if self.two_byte { self.take_two_byte_form() } else { self.take_one_byte_form() };
            match element {
                Some((0, _)) => {}
                Some(element) => return Some(element),
                None => {
                    self.rest = &[];
                    return None;
                }
            }
        }
    }
}
