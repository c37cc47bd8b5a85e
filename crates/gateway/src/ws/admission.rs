//! Who may open a socket.

use model::MeetingId;
use store::{ParticipantStatus, StoreError, Timestamp};

use crate::app::Shared;
use crate::tokens::{JoinToken, TokenError};

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("token is for another meeting")]
    OtherMeeting,
    #[error("token is for another participant")]
    OtherParticipant,
    #[error("participant does not exist any more")]
    Unknown,
    #[error("participant secret was replaced by a newer one")]
    Replaced,
    #[error("participant was removed")]
    Removed,
    #[error("meeting has ended")]
    Ended,
    #[error("internal error")]
    Store(#[from] StoreError),
}

impl Shared {
    /// Whether this token of `/join` opens a socket of this meeting now.
    pub(crate) async fn admit_socket(&self, meeting: MeetingId, token: &str) -> Result<JoinToken, Refused> {
        let token = self.tokens.read_join(token)?;
        if token.meeting != meeting {
            return Err(Refused::OtherMeeting);
        }
        let participant = self.store.participants().get(meeting, token.participant).await?;
        let participant = participant.ok_or(Refused::Unknown)?;
        if participant.status == ParticipantStatus::Removed {
            return Err(Refused::Removed);
        }
        if participant.generation != token.generation {
            return Err(Refused::Replaced);
        }
        let meeting = self.store.meetings().get(meeting).await?.ok_or(Refused::Unknown)?;
        if meeting.is_over(Timestamp::now()) {
            return Err(Refused::Ended);
        }
        Ok(token)
    }
}
