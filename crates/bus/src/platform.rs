//! The platform's API for customers inside the program. Meet uses it; it can do nothing that REST cannot.

use model::{MeetingId, ParticipantId, ProjectId};
use serde::{Deserialize, Serialize};

use crate::Request;

/// As `POST /v1/meetings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateMeeting {
    /// Whose.
    pub project: ProjectId,
}

impl Request for CreateMeeting {
    type Reply = Result<MeetingId, PlatformError>;
}

/// As `POST /v1/meetings/{id}/participants`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateParticipant {
    /// Whose.
    pub project: ProjectId,
    /// Of which meeting.
    pub meeting: MeetingId,
}

impl Request for CreateParticipant {
    type Reply = Result<NewParticipant, PlatformError>;
}

/// A new participant and the secret that is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewParticipant {
    /// Who.
    pub participant: ParticipantId,
    /// For `/join`.
    pub secret: String,
}

/// Why it was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PlatformError {
    /// No such meeting in this project.
    #[error("no such meeting")]
    NotFound,
    /// The meeting is over.
    #[error("the meeting has ended")]
    Ended,
    /// Something failed here; the log says what.
    #[error("internal error")]
    Internal,
}
