//! The AV1 aggregation header (RTP Payload Format For AV1 §4.4).

use super::KeyFrame;

/// The byte in front of the OBU elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregationHeader {
    /// Z: the first element continues one of the packet before.
    pub continues: bool,
    /// Y: the last element goes on in the next packet.
    pub continued: bool,
    /// W: how many elements, 1 to 3; 0 when each of them has its length in front.
    pub element_count: u8,
    /// N: first packet of a coded video sequence, which begins with a key frame.
    pub new_sequence: bool,
}

impl AggregationHeader {
    /// Parses the first byte of a payload. `None` for an empty payload, and for a new sequence that continues
    /// something, which the format forbids.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let byte = *payload.first()?;
        let header = Self {
            continues: byte & 0x80 != 0,
            continued: byte & 0x40 != 0,
            element_count: byte >> 4 & 0x03,
            new_sequence: byte & 0x08 != 0,
        };
        (!(header.new_sequence && header.continues)).then_some(header)
    }
}

/// Whether the payload begins a key frame. The size is in the dependency descriptor or in the encrypted payload.
pub fn key_frame_start(payload: &[u8]) -> Option<KeyFrame> {
    AggregationHeader::parse(payload)?.new_sequence.then_some(KeyFrame { size: None })
}
