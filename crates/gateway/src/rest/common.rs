//! What several endpoints do.

use std::str::FromStr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::ProjectId;
use serde::Deserialize;
use store::{Cursor, StoreError, Timestamp};
use wire::rest::{Meeting, Page, Participant};

use crate::api_error::ApiError;
use crate::app::Shared;

/// Something named in a path that the caller cannot see: malformed, unknown, or another project's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error("meeting not found")]
    NoMeeting,
    #[error("participant not found")]
    NoParticipant,
    #[error("internal error")]
    Store(#[from] StoreError),
}

impl From<FindError> for ApiError {
    fn from(error: FindError) -> Self {
        match &error {
            FindError::NoMeeting | FindError::NoParticipant => {
                ApiError::new(StatusCode::NOT_FOUND, error.to_string())
            }
            FindError::Store(source) => ApiError::internal(source),
        }
    }
}

impl Shared {
    /// The meeting of this project that the path names.
    pub(crate) async fn find_meeting(
        &self,
        project: ProjectId,
        id: &str,
    ) -> Result<store::Meeting, FindError> {
        let id = id.parse().map_err(|_| FindError::NoMeeting)?;
        let found = self.store.meetings().get(id).await?;
        found.filter(|m| m.project == project).ok_or(FindError::NoMeeting)
    }

    /// The participant of that meeting that the path names.
    pub(crate) async fn find_participant(
        &self,
        meeting: &store::Meeting,
        id: &str,
    ) -> Result<store::Participant, FindError> {
        let id = id.parse().map_err(|_| FindError::NoParticipant)?;
        self.store.participants().get(meeting.id, id).await?.ok_or(FindError::NoParticipant)
    }
}

/// `?cursor=` of a list; empty is the same as absent, for that is how the last page says that it is the last.
#[derive(Debug, Deserialize)]
pub(crate) struct CursorQuery {
    #[serde(default)]
    cursor: String,
}

/// A cursor that no answer of ours had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor")]
pub(crate) struct BadCursor;

impl From<BadCursor> for ApiError {
    fn from(error: BadCursor) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, error.to_string())
            .detail("cursor", "is not the cursor of an earlier answer")
    }
}

impl CursorQuery {
    pub(crate) fn read(&self) -> Result<Option<Cursor>, BadCursor> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        Cursor::from_str(&self.cursor).map(Some).map_err(|_| BadCursor)
    }
}

/// A page as the wire has it.
pub(crate) fn page<T, U>(page: store::Page<T>, to_wire: impl Fn(T) -> U) -> Page<U> {
    Page {
        objects: page.objects.into_iter().map(to_wire).collect(),
        cursor: page.next.map(|c| c.to_string()).unwrap_or_default(),
    }
}

/// A meeting as the wire has it. One whose time is over has ended, whether somebody wrote that down yet or not.
pub(crate) fn meeting(meeting: store::Meeting) -> Meeting {
    let over = meeting.is_over(Timestamp::now());
    Meeting {
        id: meeting.id,
        status: if over { store::MeetingStatus::Ended } else { meeting.status },
        created_at: meeting.created_at.to_rfc3339(),
        updated_at: meeting.updated_at.to_rfc3339(),
    }
}

/// A participant as the wire has it.
pub(crate) fn participant(participant: store::Participant) -> Participant {
    Participant {
        id: participant.id,
        meeting_id: participant.meeting,
        status: participant.status,
        created_at: participant.created_at.to_rfc3339(),
        updated_at: participant.updated_at.to_rfc3339(),
    }
}

/// An answer without a body: what was asked for is so already. (The public types say 304.)
pub(crate) fn not_modified() -> Response {
    StatusCode::NOT_MODIFIED.into_response()
}

/// Lets an endpoint's error enum be its rejection: it says what its variants are as [`ApiError`]s.
macro_rules! answered_as_api_error {
    ($error:ty) => {
        impl axum::response::IntoResponse for $error {
            fn into_response(self) -> axum::response::Response {
                $crate::api_error::ApiError::from(self).into_response()
            }
        }
    };
}
pub(crate) use answered_as_api_error;
