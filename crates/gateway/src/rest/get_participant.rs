//! `GET /v1/meetings/{meeting}/participants/{participant}`: one participant. Scope `participant:read`. Answers 200 with
//! the participant (without its secret), or 404.

use axum::Json;
use axum::extract::{Path, State};
use wire::rest::Participant;

use super::access::{Access, Denied};
use super::common::{self, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Find(#[from] FindError),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Find(error) => error.into(),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Path((meeting, participant)): Path<(String, String)>,
) -> Result<Json<Participant>, Error> {
    let project = access.allows(Scope::ParticipantRead)?;
    let meeting = app.find_meeting(project, &meeting).await?;
    Ok(Json(common::participant(app.find_participant(&meeting, &participant).await?)))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::testing::Harness;

    #[tokio::test]
    async fn is_found_in_its_own_meeting_only() {
        let harness = Harness::new().await;
        let (meeting, other) = (harness.meeting().await, harness.meeting().await);
        let (id, _) = harness.participant(&meeting).await;
        let (status, body) = harness.get(&format!("/v1/meetings/{meeting}/participants/{id}")).await;
        assert_eq!((status, body["meeting_id"].as_str().unwrap()), (StatusCode::OK, meeting.as_str()));
        for path in [
            format!("/v1/meetings/{other}/participants/{id}"),
            format!("/v1/meetings/{meeting}/participants/nonsense"),
        ] {
            let (status, body) = harness.get(&path).await;
            assert_eq!(
                (status, body["reason"].as_str().unwrap()),
                (StatusCode::NOT_FOUND, "participant not found")
            );
        }
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, _) = harness.participant(&meeting).await;
        let path = format!("/v1/meetings/{meeting}/participants/{id}");
        harness.needs_scope("GET", &path, "participant:read").await;
    }
}
