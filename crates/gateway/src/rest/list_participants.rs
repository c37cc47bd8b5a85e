//! `GET /v1/meetings/{meeting}/participants?cursor=`: a meeting's participants, oldest first, in pages. Scope
//! `participant:read`. Answers 200 with `{objects, cursor}`; the last page's cursor is empty.

use axum::Json;
use axum::extract::{Path, Query, State};
use store::StoreError;
use wire::rest::{Page, Participant};

use super::access::{Access, Denied};
use super::common::{self, BadCursor, CursorQuery, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Find(error) => error.into(),
            Error::Cursor(bad) => bad.into(),
            Error::Store(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Path(meeting): Path<String>,
    Query(query): Query<CursorQuery>,
) -> Result<Json<Page<Participant>>, Error> {
    let project = access.allows(Scope::ParticipantRead)?;
    let meeting = app.find_meeting(project, &meeting).await?;
    let page = app.store.participants().list(meeting.id, query.read()?).await?;
    Ok(Json(common::page(page, common::participant)))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::testing::Harness;

    #[tokio::test]
    async fn lists_this_meetings_participants_without_secrets() {
        let harness = Harness::new().await;
        let (meeting, other) = (harness.meeting().await, harness.meeting().await);
        let (id, _) = harness.participant(&meeting).await;
        harness.participant(&other).await;
        let (status, body) = harness.get(&format!("/v1/meetings/{meeting}/participants")).await;
        assert_eq!((status, body["cursor"].as_str().unwrap()), (StatusCode::OK, ""));
        let objects = body["objects"].as_array().unwrap();
        assert_eq!(objects.iter().map(|p| p["id"].as_str().unwrap()).collect::<Vec<_>>(), [id]);
        assert!(objects[0].get("participant_secret").is_none());
        let (status, _) = harness.get(&format!("/v1/meetings/{meeting}/participants?cursor=!")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}/participants", harness.meeting().await);
        harness.needs_scope("GET", &path, "participant:read").await;
    }
}
