//! Session descriptions (RFC 8866) and the answers to them (RFC 3264, RFC 9429), for an endpoint that is always the
//! answerer, ICE-lite and the DTLS server, and carries everything on one transport (RFC 8843).
//!
//! ```text
//! text ─ SessionDescription::parse ─▶ SessionDescription ─ Negotiator::handle_offer ─▶ Negotiated { answer, … }
//! ```
//!
//! A [`SessionDescription`] holds what an answer depends on; every other attribute is skipped while reading. A
//! [`Negotiator`] belongs to one peer connection: it keeps the SSRCs and msids of its m-lines from offer to offer. What
//! cannot be served is rejected m-line by m-line, by port 0; an [`SdpError`] says that the offer as a whole is unusable,
//! and leaves the negotiator as it was.
//!
//! Nothing here does I/O, reads a clock or draws a random number: SSRCs and ICE credentials are handed in.

mod answer;
mod attribute;
mod bundle;
mod codec;
mod error;
mod extension;
mod parse;
mod profile;
mod rid;
mod slot;
mod write;

pub use answer::{
    LineState, LocalParameters, MediaLine, Negotiated, Negotiator, ReceiveLine, RejectReason, RemoteTransport,
};
pub use attribute::{
    Direction, Fingerprint, HashAlgorithm, Msid, Setup, Ssrc, SsrcGroup, SsrcSemantics, Transport,
};
pub use codec::{CodecParameters, Feedback, FeedbackKind, FeedbackLine, FormatParameters, RtpMap, pick};
pub use error::{SdpError, SyntaxProblem};
pub use extension::{Extension, Extensions, Extmap};
pub use parse::{MediaDescription, MediaType, SessionDescription};
pub use profile::{CodecProfile, H264Profile};
pub use rid::{RidLine, Simulcast};
pub use slot::SendSlot;

/// Bytes of one line. The longest line that browsers write is the BUNDLE group; with [`model::limits::MEDIA_LINES_MAX`]
/// m-lines of the longest mids it has about 2,200 bytes.
pub const LINE_BYTES_MAX: usize = 4_096;

/// Payload formats of one m-line: an RTP payload type has 7 bits. Chromium offers about 40.
pub const FORMATS_MAX: usize = 128;

/// Feedback lines of one m-line: five kinds that we know, for each payload type.
pub const FEEDBACK_LINES_MAX: usize = 5 * FORMATS_MAX;

/// Header extensions of one m-line. Chromium offers 14 for video.
pub const EXTMAPS_MAX: usize = 64;

/// SSRCs of one m-line: four layers, each with retransmission and error correction, and as many again in reserve.
pub const SSRCS_MAX: usize = 32;

/// SSRC groups of one m-line.
pub const SSRC_GROUPS_MAX: usize = 32;

/// `a=rid` lines of one m-line. More than [`model::limits::LAYERS_MAX`], for alternatives and for both directions.
pub const RIDS_MAX: usize = 16;

/// Sizes in one `a=imageattr` line that are looked at.
pub const IMAGE_SIZES_MAX: usize = 16;

/// Candidates of one m-line that are kept; the rest is skipped, as an ICE-lite endpoint can do without all of them. A
/// laptop with two networks, IPv6 and a TURN server sends about 20.
pub const CANDIDATES_MAX: usize = 64;

/// Fingerprints of one m-line or session: a certificate hashed with each algorithm that is known.
pub const FINGERPRINTS_MAX: usize = 8;

/// `a=msid` lines of one m-line that are kept: a track in several streams. Only the first is used.
pub const MSIDS_MAX: usize = 8;

/// BUNDLE groups of a session. We use one; Chromium can write several.
pub const BUNDLE_GROUPS_MAX: usize = 16;
