//! What units say to each other about what they relay, beside packets.

use model::unit::Source;
use model::{Bitrate, Codec, MediaKind, MeetingId, Rid, Semantic};
use rtc::sdp::CodecParameters;
use serde::{Deserialize, Serialize};

use super::Layers;

/// A control message. `handle` is the far unit's name for a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Control {
    /// Far to home, repeated.
    Subscribe(Subscription),
    /// Far to home: nobody is here any more who receives it.
    Unsubscribe { handle: u32 },
    /// Far to home: somebody needs a key frame. `urgent`: they see nothing.
    KeyFrame { handle: u32, encoding: u8, urgent: bool },
    /// Far to home: these packets did not come.
    Resend { handle: u32, encoding: u8, sequences: Vec<u64> },
    /// Home to far, when it changes and in answer to a subscription that does not know it: what the source is; `None`:
    /// nothing is sent (yet, any more).
    Announce { handle: u32, digest: u64, media: Option<Announced> },
    /// Home to far, in answer to a subscription that knows everything.
    Alive { handle: u32 },
}

/// What a far unit wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub(super) handle: u32,
    pub(super) source: Source,
    /// The room of those who receive it: media never leaves its room.
    pub(super) meeting: MeetingId,
    /// One bit for each encoding that is looked at.
    pub(super) encodings: u32,
    /// What of one that is scalable and alone; `None`: everything.
    #[serde(default)]
    pub(super) layers: Option<Layers>,
    /// Those that all receivers there can decode, if the sender's first is none of them; empty: any.
    #[serde(default)]
    pub(super) codecs: Vec<Codec>,
    /// Of what was announced last; 0: nothing was.
    pub(super) digest: u64,
}

/// A published source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announced {
    pub(super) kind: MediaKind,
    pub(super) semantic: Semantic,
    pub(super) muted: bool,
    pub(super) codecs: Vec<CodecParameters>,
    /// Never empty.
    pub(super) encodings: Vec<AnnouncedEncoding>,
}

/// One of its encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnnouncedEncoding {
    pub(super) rid: Option<Rid>,
    /// 0 × 0 while unknown.
    pub(super) size: (u16, u16),
    /// Of its last packet.
    pub(super) codec: Option<Codec>,
    /// It comes in, or would if somebody looked.
    pub(super) available: bool,
    /// What it costs a receiver, once that was measured.
    pub(super) cost: Option<Bitrate>,
}
