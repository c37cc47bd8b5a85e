//! Retransmission payloads (RFC 4588 §4): the original sequence number, then the original payload.

/// Bytes before the original payload.
pub const RTX_HEADER_LEN: usize = 2;

/// The original sequence number and payload. `None` for a probe, which has neither: take off padding first.
#[inline]
pub fn split_rtx(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (number, original) = payload.split_first_chunk::<RTX_HEADER_LEN>()?;
    Some((u16::from_be_bytes(*number), original))
}

/// Appends the original sequence number; the original payload comes next.
#[inline]
pub fn write_osn(arena: &mut Vec<u8>, original_sequence_number: u16) {
    arena.extend_from_slice(&original_sequence_number.to_be_bytes());
}
