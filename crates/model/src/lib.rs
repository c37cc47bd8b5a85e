//! The nouns every part of Althing shares: ids, kinds of media, layers, limits, and what is said between rooms and
//! units.
//!
//! Nothing here acts. A type is in this crate when at least two crates that must not know each other use it.

pub mod datagram;
mod id;
pub mod limits;
mod media;
mod rate;
mod text;
pub mod unit;

pub use id::{
    ConnectionId, KeyId, MeetingId, NodeId, ParseIdError, ParticipantId, PeerId, ProjectId, StreamId, UnitId,
};
pub use media::{Codec, Layer, LayerReason, MediaKind, ReceiveQuality, Semantic};
pub use rate::Bitrate;
pub use text::{Mid, Rid, TextError};
