//! Bodies of Meet's own endpoints, under `/meet/v1`.

use model::{MeetingId, ParticipantId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Answer of `POST /meet/v1/rooms`: a new room with an unguessable name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewRoom {
    /// The name, as in the link `/m/{name}`.
    pub name: String,
}

/// Answer of `POST /meet/v1/rooms/{name}/participants`: everything a guest needs to join. Makes the room's meeting
/// if there is none now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Guest {
    /// The platform's address (scheme, host, port), without a path.
    pub api_address: String,
    /// The meeting.
    pub meeting_id: MeetingId,
    /// The participant made for this guest.
    pub participant_id: ParticipantId,
    /// For `/join`.
    pub participant_secret: String,
}

/// Answer of `GET /meet/v1/info`: what the web client needs to know of this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Info {
    /// Program version.
    pub version: String,
    /// Addresses under which other devices reach this server (`https://192.0.2.7:8443`), best first.
    pub lan_addresses: Vec<String>,
}
