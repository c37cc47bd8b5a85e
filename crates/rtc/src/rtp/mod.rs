//! RTP as a forwarding unit needs it: parse a header once, write one per receiver (RFC 3550 §5.1, RFC 8285).

pub mod dependency_descriptor;
mod extension;
mod header;
mod outgoing;
mod rtx;
mod sequence;

pub use extension::{AbsCaptureTime, AudioLevel, ExtensionIds, Extensions, ReceivedExtensions};
pub use header::{ExtensionBlock, Header, HeaderError, without_padding};
pub use outgoing::{CSRC_MAX, HEADER_BYTES_MAX, HeaderWriter, OutgoingExtensions};
pub use rtx::{RTX_HEADER_LEN, split_rtx, write_osn};
pub use sequence::{
    SequenceExtender, TimestampExtender, extend_sequence_number, extend_timestamp, is_newer_sequence_number,
    is_newer_timestamp,
};
