//! What flows: kinds, codecs, semantics, layers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Rid;

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Moving or still pictures.
    Video,
}

/// A codec that Althing forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
    /// The AV1 RTP specification of the Alliance for Open Media.
    Av1,
    /// RFC 7587.
    Opus,
    /// RFC 3551 §4.5.2; its RTP clock is 8000 Hz for historical reasons.
    G722,
    /// G.711 µ-law, RFC 3551 §4.5.14.
    Pcmu,
    /// G.711 A-law, RFC 3551 §4.5.14.
    Pcma,
}

impl Codec {
    /// Audio or video.
    pub const fn kind(self) -> MediaKind {
        match self {
            Codec::Vp8 | Codec::Vp9 | Codec::H264 | Codec::Av1 => MediaKind::Video,
            Codec::Opus | Codec::G722 | Codec::Pcmu | Codec::Pcma => MediaKind::Audio,
        }
    }

    /// The RTP clock rate, in Hz.
    pub const fn clock_rate_hz(self) -> u32 {
        match self {
            Codec::Vp8 | Codec::Vp9 | Codec::H264 | Codec::Av1 => 90_000,
            Codec::Opus => 48_000,
            Codec::G722 | Codec::Pcmu | Codec::Pcma => 8_000,
        }
    }
}

/// What a stream is to the meeting (`a=content`, RFC 4796: `slides` is a presentation, absent or `main` is main,
/// everything else is misc).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Semantic {
    /// A camera or microphone.
    #[default]
    Main,
    /// A shared screen, or its sound.
    Presentation,
    /// A further camera, or anything else.
    Misc,
}

/// One encoding of a video stream, as its sender announced it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Layer {
    /// The RID of the encoding.
    pub rid: Rid,
    /// Width in pixels; 0 while unknown.
    pub width: u16,
    /// Height in pixels; 0 while unknown.
    pub height: u16,
}

/// A receiver's choice of how good a picture is to be, whatever the size that it is shown at: of the sizes in which it
/// can be had, as several encodings or as layers of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReceiveQuality {
    /// The smallest.
    Low,
    /// The one in the middle; of two the smaller.
    Medium,
    /// The largest.
    High,
}

/// Why a receive slot shows the encoding that it shows, and not a better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LayerReason {
    /// It is as large as the tile needs, or the largest that there is.
    TileSize,
    /// The receiver asked for it, by name or by quality.
    Requested,
    /// The path to the receiver carries no more.
    Bandwidth,
    /// The receiver may not be sent more.
    Cap,
    /// The sender sends nothing, or nothing better, at the moment.
    #[default]
    Inactive,
    /// The tile is not shown: nothing is sent.
    Hidden,
}
