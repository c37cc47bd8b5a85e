//! Secure RTP and RTCP (RFC 3711, RFC 7714) as WebRTC uses it: three protection profiles, keys from DTLS (RFC 5764),
//! no MKI, no rekeying, everything encrypted.
//!
//! Packets are protected and opened in place. Keys are scheduled once, per direction of a session; a packet costs no
//! allocation.

mod cipher;
mod derive;
mod inbound;
mod keys;
mod outbound;
mod replay;

pub use inbound::{Inbound, SOURCES_MAX, Unprotected};
pub use keys::{KeyError, KeyingMaterial, Profile};
pub use outbound::Outbound;
pub use replay::REPLAY_WINDOW_PACKETS;

/// Why a packet was not opened. All of these are facts about a packet from the network, none is a fault of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SrtpError {
    /// Shorter than its headers and the authentication tag.
    #[error("too short to be protected")]
    TooShort,
    /// The tag does not fit: forged, damaged, or of another session.
    #[error("authentication failed")]
    Authentication,
    /// Seen before, or so old that nobody can tell (RFC 3711 §3.3.2).
    #[error("replayed or too old")]
    Replay,
    /// An authentic packet of one more source than [`SOURCES_MAX`]. Nothing is evicted for it: forgetting what was
    /// received would let old packets be replayed.
    #[error("too many sources in one session")]
    TooManySources,
    /// A control packet that says it is not encrypted, which WebRTC does not allow (RFC 8827 §6.5).
    #[error("control packet is not encrypted")]
    NotEncrypted,
}
