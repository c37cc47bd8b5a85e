//! RTCP: reading decrypted compound packets without a copy, writing feedback and reports, and the bookkeeping behind
//! them (RFC 3550, RFC 4585, RFC 5104, RFC 5506, and transport-wide feedback).

mod build;
mod compound;
mod feedback;
mod nack;
mod ntp;
mod reception;
mod report;
mod transport_feedback;

pub use build::{
    NACK_PAIRS_MAX, write_bye, write_fir, write_nack, write_pli, write_receiver_report, write_remb,
    write_sdes, write_sender_report,
};
pub use compound::{Compound, Packet};
pub use feedback::{FirEntry, FullIntraRequest, Nack, PictureLossIndication, Remb};
pub use nack::{NACK_BATCH_MAX, NackGenerator};
pub use ntp::NtpTime;
pub use reception::Reception;
pub use report::{Goodbye, ReceiverReport, ReportBlock, SenderInfo, SenderReport, SourceDescription};
pub use transport_feedback::{ArrivalLog, FEEDBACK_BYTES_MAX, PacketStatus, TICK, TransportFeedback};

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611).
mod kind {
    pub(super) const SENDER_REPORT: u8 = 200;
    pub(super) const RECEIVER_REPORT: u8 = 201;
    pub(super) const SOURCE_DESCRIPTION: u8 = 202;
    pub(super) const GOODBYE: u8 = 203;
    pub(super) const TRANSPORT_LAYER_FEEDBACK: u8 = 205;
    pub(super) const PAYLOAD_SPECIFIC_FEEDBACK: u8 = 206;
}

/// Formats of feedback packets.
mod format {
    pub(super) const NACK: u8 = 1;
    pub(super) const TRANSPORT_WIDE: u8 = 15;
    pub(super) const PLI: u8 = 1;
    pub(super) const FIR: u8 = 4;
    pub(super) const APPLICATION: u8 = 15;
}

/// Whether a packet that shares a port with RTP is RTCP (RFC 5761 §4).
#[inline]
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [first, kind, ..] if first >> 6 == 2 && (192..=223).contains(kind))
}

/// The big-endian word at `at`, for bodies whose length was checked.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}
