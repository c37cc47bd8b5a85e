//! What the server says.

use std::collections::BTreeMap;

use model::{Codec, Layer, LayerReason, MediaKind, Mid, ParticipantId, Rid, Semantic, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use crate::ErrorType;

/// A message to a client. Those marked *added* go only to clients that said `hello`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The message named in `ref` was carried out.
    Success {
        /// What was done, in words.
        reason: String,
    },
    /// The message named in `ref` was not carried out.
    Error {
        /// Stable code.
        error_type: ErrorType,
        /// What is wrong, where, and what to do.
        error_message: Option<String>,
        /// More, for programs; always an object.
        detail: Map<String, Value>,
    },
    /// Something failed here.
    ServerError {
        /// In words.
        error_message: String,
    },
    /// The answer to the client's offer.
    MediaOffer {
        /// RFC 8866.
        sdp: String,
    },
    /// Everybody else in the meeting and what they publish: a whole snapshot.
    RosterUpdate {
        /// By participant id.
        participants: BTreeMap<ParticipantId, RosterEntry>,
    },
    /// Where the stream will arrive.
    RequestStreamResponse {
        /// The m-line.
        receive_mid: Mid,
    },
    /// To be answered by `pong`.
    Ping {},
    /// Answer to a `ping`.
    Pong {},

    /// Added: answer to `hello`.
    Welcome {
        /// Program and version.
        server: String,
        /// The receiver's own id.
        participant_id: ParticipantId,
        /// How long the server keeps a participant whose socket is lost, in milliseconds.
        grace_ms: u32,
        /// Streams that the server composes by choosing, by producer id and stream id: they are asked for as any other,
        /// and are in no roster. `@speakers` has `audio-1` to `audio-3`, the loudest, and `video-1` to `video-8`, the
        /// current speaker and those who spoke before; nobody gets themselves. What is on them says `slots`.
        virtual_producers: BTreeMap<String, BTreeMap<String, MediaKind>>,
        /// Chat so far, oldest first.
        chat: Vec<ChatMessage>,
    },
    /// Added: which stream ids the receiver's own m-lines have. Sent after each answered offer.
    Published {
        /// Stream by m-line.
        streams: BTreeMap<Mid, StreamId>,
    },
    /// Added: what is known of everybody (the receiver too) beside their streams: a whole snapshot.
    Members {
        /// By participant id.
        members: BTreeMap<ParticipantId, Member>,
    },
    /// Added: what the receiver's slots show: a whole snapshot.
    Slots {
        /// By receiving m-line; free slots are not listed.
        slots: BTreeMap<Mid, Slot>,
    },
    /// Added: what of the receiver's own video streams anybody looks at, or waits for: a whole snapshot. What is not
    /// named need not be sent, and is not looked at until this message says so. Sent after `hello` and when it changes.
    Demand {
        /// By the receiver's own sending m-line. A line that is not listed is to be sent whole.
        streams: BTreeMap<Mid, StreamDemand>,
    },
    /// Added: who speaks now, loudest first; empty for silence.
    Speakers {
        /// Participants.
        speakers: Vec<Speaker>,
    },
    /// Added: who is to be seen, the same for everybody. A view of one large picture and seven small ones takes the
    /// first that is not the receiver large, and the next seven small: who speaks sees who spoke before. Sent after
    /// `hello` and when it changes.
    Stage {
        /// Who speaks or spoke last; who spoke before, newest first; then who has not spoken, with a camera before
        /// without, in the order of arrival. At most nine.
        people: Vec<ParticipantId>,
    },
    /// Added: a chat message. The sender gets it too.
    ChatMessage {
        /// The message.
        message: ChatMessage,
    },
    /// Added: the media path is gone; offer again with a new peer connection.
    Reoffer {
        /// In words.
        reason: String,
    },
    /// Added: the socket is about to be closed by the server.
    Goodbye {
        /// Why.
        reason: GoodbyeReason,
    },
}

/// One participant's streams.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct RosterEntry {
    /// By stream id.
    pub streams: BTreeMap<StreamId, RosterStream>,
}

/// A published stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum RosterStream {
    /// Video.
    Video {
        /// What it is sent in.
        codec: Codec,
        /// What it is to the meeting.
        semantic: Semantic,
        /// Simulcast encodings; empty without simulcast.
        layers: Vec<Layer>,
    },
    /// Audio.
    Audio {
        /// What it is sent in.
        codec: Codec,
        /// What it is to the meeting.
        semantic: Semantic,
    },
}

/// What is known of a participant beside the streams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Member {
    /// What the participant's client said of it; null for clients that said nothing.
    pub profile: Value,
    /// Whether it is here.
    pub connection: MemberConnection,
    /// Order of arrival in this meeting: grows by each who comes.
    pub order: u32,
    /// Muted streams.
    pub muted: Vec<StreamId>,
}

/// Whether a participant is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum MemberConnection {
    /// Socket and media path are up, or media was never asked for.
    Connected,
    /// The socket is there, media is being set up.
    Connecting,
    /// Socket or media path are lost; the participant leaves when the grace time is over.
    Reconnecting,
}

/// What one receive slot shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Slot {
    /// Whose stream.
    pub producer_id: ParticipantId,
    /// Which stream.
    pub stream_id: StreamId,
    /// The encoding sent now; null for nothing or a stream without encodings.
    pub rid: Option<Rid>,
    /// Of an encoding with several spatial layers: the highest that is sent, from 0 for the smallest picture, or will be
    /// in a moment. Absent: it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub spatial: Option<u8>,
    /// Whether packets flow.
    pub active: bool,
    /// Why it is this encoding and not a better one.
    pub reason: LayerReason,
    /// The stream of `@speakers` that was asked for, if it was: the producer changes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seat: Option<String>,
}

/// What of one video stream is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StreamDemand {
    /// Whether anybody looks at it at all.
    pub watched: bool,
    /// The encodings that are looked at; empty for a stream without encodings.
    pub rids: Vec<Rid>,
    /// Where some receiver cannot decode the codec that the answer names first: those that all of them can, to be sent
    /// instead. Else empty: any of the answer's.
    pub codecs: Vec<Codec>,
}

/// Somebody who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Speaker {
    /// Who.
    pub participant_id: ParticipantId,
    /// How loud, 0 (silence) to 100.
    pub level: u8,
}

/// A chat message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChatMessage {
    /// Order in this meeting, from 1.
    pub number: u32,
    /// Who wrote it.
    pub from: ParticipantId,
    /// Name of the author at that time, from its profile (`profile.name`), for those who come when it has left.
    pub name: Option<String>,
    /// To one participant; null: to everybody.
    pub to: Option<ParticipantId>,
    /// Plain text.
    pub text: String,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub at_ms: u64,
}

/// Why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GoodbyeReason {
    /// The program is restarting: come back.
    Restart,
    /// A newer socket of the same participant took over.
    Replaced,
    /// Somebody removed this participant.
    Removed,
    /// The meeting has ended.
    Ended,
}
