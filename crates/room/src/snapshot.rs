//! What must survive a restart of the program, so that clients that ask for nothing again get what they had. Nothing
//! that a person wrote: no profile, no chat.

use model::{MediaKind, Mid, ParticipantId, Rid, Semantic, StreamId};
use serde::{Deserialize, Serialize};

use crate::stage::Seat;

/// A room as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last place in the order of arrival that was given away.
    pub last_order: u32,
    /// The number of the last chat message, so that numbers never come again.
    pub last_chat_number: u32,
    /// Who is there, in the order of arrival.
    pub participants: Vec<SavedParticipant>,
    /// Who may not come again, oldest first.
    pub removed: Vec<ParticipantId>,
}

impl Snapshot {
    /// Whether a new room would be the same.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }
}

/// A participant as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedParticipant {
    /// Who.
    pub id: ParticipantId,
    /// Its place in the order of arrival.
    pub order: u32,
    /// The ids of its streams, those of stopped ones too.
    pub streams: Vec<SavedStream>,
    /// What its slots show; free ones are not listed.
    pub slots: Vec<SavedSlot>,
    /// Slots that follow the stage.
    #[serde(default)]
    pub seats: Vec<SavedSeat>,
}

/// A stream's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStream {
    /// The m-line it is sent on.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// What it is to the meeting.
    pub semantic: Semantic,
    /// Its id.
    pub id: StreamId,
    /// Whether its sender muted it.
    pub muted: bool,
}

/// A slot that follows the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSeat {
    /// The m-line received on.
    pub mid: Mid,
    /// Which seat it shows.
    pub seat: Seat,
}

/// What a slot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSlot {
    /// The m-line received on.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// Whose stream.
    pub producer: ParticipantId,
    /// Which stream.
    pub stream: StreamId,
    /// The encoding asked for; `None`: the best.
    pub rid: Option<Rid>,
}
