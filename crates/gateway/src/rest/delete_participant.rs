//! `DELETE /v1/meetings/{meeting}/participants/{participant}`: removes a participant, which is told, disconnected, and
//! cannot come again. Scope `participant:write`. The body may hold a `reason` (a string; checked and, until a message
//! for it exists, not passed on). Answers 200 with the participant, 304 when it was removed before, or 404.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bus::Address;
use bus::control::RoomCommand;
use store::{Change, StoreError, Timestamp};

use super::access::{Access, Denied};
use super::common::{self, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::body::{FieldError, JsonObject};
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Field(error) => error.into(),
            Error::Find(error) => error.into(),
            Error::Store(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Path((meeting, participant)): Path<(String, String)>,
    body: JsonObject,
) -> Result<Response, Error> {
    let project = access.allows(Scope::ParticipantWrite)?;
    let meeting = app.find_meeting(project, &meeting).await?.id;
    let participant = participant.parse().map_err(|_| FindError::NoParticipant)?;
    body.optional_string("reason")?;
    match app.store.participants().remove(meeting, participant, Timestamp::now()).await? {
        Change::Done(removed) => {
            tracing::info!(%meeting, %participant, "participant removed");
            // The store already says so; a control role that is down reads it there when it comes back.
            let command = RoomCommand::Remove { meeting, participant };
            if let Err(error) = app.bus.send(Address::Control, command).await {
                tracing::warn!(%meeting, %participant, %error, "nobody told the meeting of a removal");
            }
            Ok(Json(common::participant(removed)).into_response())
        }
        Change::Already(_) => Ok(common::not_modified()),
        Change::Unknown => Err(FindError::NoParticipant.into()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use bus::Address;
    use bus::control::RoomCommand;
    use serde_json::json;

    use crate::testing::Harness;

    #[tokio::test]
    async fn a_participant_is_removed_once_and_the_room_is_told() {
        let harness = Harness::new().await;
        let mut commands = harness.bus.consume::<RoomCommand>(Address::Control);
        let meeting = harness.meeting().await;
        let (id, _) = harness.participant(&meeting).await;
        let path = format!("/v1/meetings/{meeting}/participants/{id}");
        let (status, body) = harness.call("DELETE", &path, Some(json!({"reason": "spam"}))).await;
        assert_eq!((status, body["status"].as_str().unwrap()), (StatusCode::OK, "removed"));
        let expected =
            RoomCommand::Remove { meeting: meeting.parse().unwrap(), participant: id.parse().unwrap() };
        assert_eq!(commands.next().await, Some(expected));
        assert_eq!(harness.call("DELETE", &path, None).await.0, StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, _) = harness.participant(&meeting).await;
        let path = format!("/v1/meetings/{meeting}/participants/{id}");
        let (status, body) = harness.call("DELETE", &path, Some(json!({"reason": 7}))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["details"], json!({"reason": ["must be a string"]}));
        let unknown = format!("/v1/meetings/{meeting}/participants/aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(harness.call("DELETE", &unknown, None).await.0, StatusCode::NOT_FOUND);
        harness.needs_scope("DELETE", &path, "participant:write").await;
    }
}
