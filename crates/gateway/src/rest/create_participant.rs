//! `POST /v1/meetings/{meeting}/participants`: makes a participant. Scope `participant:create`. The body is an object;
//! no field is known yet. Answers 200 with the participant and, this once, its secret; 400 when the meeting is over.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::ParticipantId;
use store::{StoreError, Timestamp};
use wire::rest::ParticipantWithSecret;

use super::access::{Access, Denied};
use super::common::{self, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::{App, Shared};
use crate::body::JsonObject;
use crate::random::{self, NoRandomness};
use crate::secret::Randomness;
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("meeting has ended")]
    Ended,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Find(error) => error.into(),
            // The public types have no 409 and no 410 here.
            Error::Ended => ApiError::new(StatusCode::BAD_REQUEST, error.to_string()),
            Error::Store(source) => ApiError::internal(&source),
            Error::NoRandomness(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Path(meeting): Path<String>,
    _: JsonObject,
) -> Result<Json<ParticipantWithSecret>, Error> {
    let project = access.allows(Scope::ParticipantCreate)?;
    let meeting = app.find_meeting(project, &meeting).await?;
    let (participant, participant_secret) = app.create_participant(&meeting).await?;
    let participant = common::participant(participant);
    Ok(Json(ParticipantWithSecret { participant, participant_secret }))
}

impl Shared {
    /// What this endpoint does, for customers in the program, too.
    pub(crate) async fn create_participant(
        &self,
        meeting: &store::Meeting,
    ) -> Result<(store::Participant, String), Error> {
        let randomness = Randomness::new()?;
        let id = ParticipantId::from_bytes(random::bytes()?);
        let participants = self.store.participants();
        let made = participants.create(meeting.id, id, randomness.hash(), Timestamp::now()).await?;
        let participant = made.ok_or(Error::Ended)?;
        self.metrics.participants_created.inc();
        tracing::debug!(meeting = %meeting.id, participant = %id, "participant made");
        Ok((participant, randomness.secret(id, participant.generation)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::testing::Harness;

    #[tokio::test]
    async fn the_secret_is_shown_once() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let path = format!("/v1/meetings/{meeting}/participants");
        let (status, body) = harness.post(&path, json!({})).await;
        assert_eq!((status, body["status"].as_str().unwrap()), (StatusCode::OK, "ready"));
        assert_eq!(body["meeting_id"], json!(meeting));
        assert!(body["participant_secret"].as_str().unwrap().len() >= 43);
        let (_, again) = harness.get(&format!("{path}/{}", body["id"].as_str().unwrap())).await;
        assert_eq!(again["id"], body["id"]);
        assert!(again.get("participant_secret").is_none());
    }

    #[tokio::test]
    async fn nobody_is_made_for_a_meeting_that_is_over() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        harness.call("DELETE", &format!("/v1/meetings/{meeting}"), None).await;
        let (status, body) = harness.post(&format!("/v1/meetings/{meeting}/participants"), json!({})).await;
        assert_eq!(
            (status, body["reason"].as_str().unwrap()),
            (StatusCode::BAD_REQUEST, "meeting has ended")
        );
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}/participants", harness.meeting().await);
        harness.needs_scope("POST", &path, "participant:create").await;
        let other = harness.other_project();
        assert_eq!(harness.call_as(&other, "POST", &path, Some(json!({}))).await.0, StatusCode::NOT_FOUND);
    }
}
