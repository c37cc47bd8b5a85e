//! What is said between a room and the forwarding unit that carries its media. Commands go down, facts come up; only
//! an offer waits for an answer. Every command is idempotent, and a command for a peer, m-line or stream that is gone
//! is dropped.

use serde::{Deserialize, Serialize};

use crate::{
    Codec, Layer, LayerReason, MediaKind, MeetingId, Mid, PeerId, ReceiveQuality, Rid, Semantic, UnitId,
};

/// A stream as a unit knows it: an m-line of one of its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Who sends it.
    pub peer: PeerId,
    /// On which m-line.
    pub mid: Mid,
}

/// An offer of a participant, to be answered by the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Whose offer. The unit makes the peer when it hears of it for the first time.
    pub peer: PeerId,
    /// The room whose media may be bound to this peer, and which its media may reach.
    pub meeting: MeetingId,
    /// The session description.
    pub sdp: String,
}

/// An answered offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The session description, with all candidates.
    pub sdp: String,
    /// The offer came from a new peer connection (a new DTLS fingerprint), which took the place of the former one.
    /// The unit has forgotten all slots of the former: bind them again.
    pub replaced: bool,
    /// What the participant sends now, in the order of the m-lines. A stopped or rejected m-line is not listed.
    pub published: Vec<PublishedMedia>,
    /// The m-lines on which the participant can be sent something, in the order of the m-lines.
    pub slots: Vec<ReceiveSlot>,
}

/// An m-line on which a participant sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedMedia {
    /// The m-line.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// The codec that was agreed first; what is really sent may be any other that was agreed.
    pub codec: Codec,
    /// From `a=content`.
    pub semantic: Semantic,
    /// Simulcast encodings, in the order of the offer; empty without simulcast.
    pub layers: Vec<Layer>,
}

/// An m-line on which a participant receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveSlot {
    /// The m-line.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// From `a=content`.
    pub semantic: Semantic,
}

/// Why an offer got no answer. The text says what is wrong and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum OfferError {
    /// The description cannot be used: not SDP, no fingerprint, too many m-lines, an m-line changed its kind…
    #[error("{0}")]
    Invalid(String),
    /// The unit has no room for one more peer.
    #[error("the media unit is full")]
    Full,
}

/// What a room tells a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum UnitCommand {
    /// A candidate that the client found later. An ICE-lite server needs none; it is checked and kept for its errors.
    AddCandidate {
        /// Whose.
        peer: PeerId,
        /// The `candidate:` line.
        candidate: String,
    },
    /// Send this source on that slot; `None` stops. The newest command for a slot counts.
    Bind {
        /// Who receives.
        peer: PeerId,
        /// On which m-line.
        slot: Mid,
        /// What. A source that does not exist (any more) leaves the slot silent.
        source: Option<Source>,
        /// The unit that the source's peer is on; `None`: the receiver's own. From another unit it comes by a relay.
        home: Option<UnitId>,
        /// The encoding wanted; `None`: the best for this receiver, by the slot's size and the receiver's
        /// bandwidth. An encoding that the bandwidth does not carry is replaced by a lower one.
        rid: Option<Rid>,
    },
    /// How large the receiver shows a slot, in physical pixels. 0 × 0 is hidden: nothing is sent. A slot that was
    /// never sized is taken as large.
    Resize {
        /// Who receives.
        peer: PeerId,
        /// On which m-line.
        slot: Mid,
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
        /// What the receiver chose; `None`: what fits the size. Of a hidden slot nothing is sent all the same.
        quality: Option<ReceiveQuality>,
    },
    /// Whether packets of this source are forwarded. A muted source costs its receivers nothing, whatever the sender's
    /// program does.
    Mute {
        /// Whose m-line.
        source: Source,
        /// True: dropped at the unit.
        muted: bool,
    },
    /// Who speaks, or spoke last, in a room that is on several units: none of them hears everybody.
    Speaking {
        /// Where.
        meeting: MeetingId,
        /// Who; `None`: as far as this unit hears.
        peer: Option<PeerId>,
    },
    /// The participant is gone.
    Close {
        /// Who.
        peer: PeerId,
    },
}

/// Somebody who is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Whose microphone.
    pub peer: PeerId,
    /// Smoothed, in −dBov: 0 is the loudest, 127 silence (RFC 6464).
    pub level_dbov: u8,
    /// Share of the last second in which it was loud enough for speech, in percent.
    pub activity: u8,
}

/// What a unit tells the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum UnitFact {
    /// ICE and DTLS are up: media can flow.
    Connected {
        /// Whose.
        peer: PeerId,
        /// From the offer to here, in milliseconds.
        after_ms: u32,
    },
    /// No authenticated packet for a while: the path is dead until the client restarts ICE or connects anew.
    PathLost {
        /// Whose.
        peer: PeerId,
    },
    /// The path works again.
    PathRestored {
        /// Whose.
        peer: PeerId,
    },
    /// The peer connection is over: the client closed it, the handshake failed, or the unit gave it up. Said once;
    /// the client may offer again.
    Failed {
        /// Whose.
        peer: PeerId,
        /// A stable code and what happened, for logs and for the client.
        reason: String,
    },
    /// What a slot shows now. Sent when it changes.
    SlotLayer {
        /// Who receives.
        peer: PeerId,
        /// On which m-line.
        slot: Mid,
        /// The encoding sent now; `None`: nothing (hidden, muted, no key frame yet), or a source without RIDs.
        rid: Option<Rid>,
        /// Of an encoding with several spatial layers: the highest that is sent, or will be from the next place to
        /// switch on.
        spatial: Option<u8>,
        /// Whether packets flow.
        active: bool,
        /// Why it is this one and not a better one.
        reason: LayerReason,
    },
    /// What of a video source anybody looks at, or waits for, and in which codecs. What is not named here need not be
    /// sent. Sent when it changes: at once when more is looked at or somebody lacks the codec, after a while when less
    /// is or nobody lacks it any more. Until it is said for the first time,
    /// everything is to be sent; a source whose m-line or encodings changed starts anew.
    Demand {
        /// Which.
        source: Source,
        /// Whether anybody looks at it at all.
        watched: bool,
        /// The encodings that are looked at, in the order of the offer; empty without simulcast.
        rids: Vec<Rid>,
        /// Where some receiver cannot decode the codec that was agreed first: those that all of them can, in the order
        /// that was agreed. Else empty: any.
        codecs: Vec<Codec>,
    },
    /// What a source really sends. Sent when it changes: first packet, a layer's size learned from a key frame,
    /// a layer that fell silent or came back.
    SourceChanged {
        /// Which.
        source: Source,
        /// The codec of its packets.
        codec: Codec,
        /// The encodings, with the sizes learned so far.
        layers: Vec<Layer>,
        /// Whether packets come in.
        active: bool,
    },
    /// Who speaks in a room of those on one unit, loudest first; at most a few, empty for silence. Sent when it changes.
    Speakers {
        /// Where.
        meeting: MeetingId,
        /// Which unit hears them.
        unit: UnitId,
        /// Who.
        speakers: Vec<Voice>,
    },
    /// The unit lost these peers by a fault of its own. They must offer again.
    PeersLost {
        /// Who.
        peers: Vec<PeerId>,
    },
}
