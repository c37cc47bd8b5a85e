//! `POST /v1/meetings/{meeting}/participants/{participant}/regenerate_secret`: gives a participant another secret. The
//! former one, and every token that was got with it, is worth nothing from now on; a socket that is open stays open.
//! Scope `participant:write`. Answers 200 with the participant and, this once, its secret; 400 after removal; or 404.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use store::{Change, StoreError, Timestamp};
use wire::rest::ParticipantWithSecret;

use super::access::{Access, Denied};
use super::common::{self, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::body::JsonObject;
use crate::random::NoRandomness;
use crate::secret::Randomness;
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("participant was removed")]
    Removed,
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
            Error::Removed => ApiError::new(StatusCode::BAD_REQUEST, error.to_string()),
            Error::Store(source) => ApiError::internal(&source),
            Error::NoRandomness(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Path((meeting, participant)): Path<(String, String)>,
    _: JsonObject,
) -> Result<Json<ParticipantWithSecret>, Error> {
    let project = access.allows(Scope::ParticipantWrite)?;
    let meeting = app.find_meeting(project, &meeting).await?.id;
    let id = participant.parse().map_err(|_| FindError::NoParticipant)?;
    let randomness = Randomness::new()?;
    match app.store.participants().regenerate(meeting, id, randomness.hash(), Timestamp::now()).await? {
        Change::Done(participant) => {
            tracing::info!(%meeting, participant = %id, "participant has another secret");
            let participant_secret = randomness.secret(id, participant.generation);
            Ok(Json(ParticipantWithSecret {
                participant: common::participant(participant),
                participant_secret,
            }))
        }
        Change::Already(_) => Err(Error::Removed),
        Change::Unknown => Err(FindError::NoParticipant.into()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::testing::Harness;

    #[tokio::test]
    async fn the_new_secret_counts_and_the_former_does_not() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, former) = harness.participant(&meeting).await;
        let path = format!("/v1/meetings/{meeting}/participants/{id}/regenerate_secret");
        let (status, body) = harness.post(&path, json!({})).await;
        assert_eq!((status, body["id"].as_str().unwrap()), (StatusCode::OK, id.as_str()));
        let secret = body["participant_secret"].as_str().unwrap();
        assert_eq!(harness.join(&meeting, &id, secret).await.0, StatusCode::OK);
        let (status, body) = harness.join(&meeting, &id, &former).await;
        assert_eq!(
            (status, body["reason"].as_str().unwrap()),
            (StatusCode::BAD_REQUEST, "participant secret was replaced by a newer one")
        );
    }

    #[tokio::test]
    async fn a_removed_participant_gets_none() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, _) = harness.participant(&meeting).await;
        let participant = format!("/v1/meetings/{meeting}/participants/{id}");
        harness.call("DELETE", &participant, None).await;
        let path = format!("{participant}/regenerate_secret");
        let (status, body) = harness.post(&path, json!({})).await;
        assert_eq!(
            (status, body["reason"].as_str().unwrap()),
            (StatusCode::BAD_REQUEST, "participant was removed")
        );
        harness.needs_scope("POST", &path, "participant:write").await;
    }
}
