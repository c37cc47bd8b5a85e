//! `GET /v1/meetings/{meeting}`: one meeting. Scope `meeting:read`. Answers 200 with the meeting, or 404.

use axum::Json;
use axum::extract::{Path, State};
use wire::rest::Meeting;

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
    Path(meeting): Path<String>,
) -> Result<Json<Meeting>, Error> {
    let project = access.allows(Scope::MeetingRead)?;
    Ok(Json(common::meeting(app.find_meeting(project, &meeting).await?)))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::testing::Harness;

    #[tokio::test]
    async fn what_is_not_the_projects_is_not_found() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}", harness.meeting().await);
        assert_eq!(harness.get(&path).await.0, StatusCode::OK);
        for (token, path) in [
            (harness.other_project(), path.as_str()),
            (harness.token(), "/v1/meetings/aaaaaaaaaaaaaaaaaaaaaaaaaa"),
            (harness.token(), "/v1/meetings/nonsense"),
        ] {
            let (status, body) = harness.call_as(&token, "GET", path, None).await;
            assert_eq!(
                (status, body["reason"].as_str().unwrap()),
                (StatusCode::NOT_FOUND, "meeting not found")
            );
        }
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}", harness.meeting().await);
        harness.needs_scope("GET", &path, "meeting:read").await;
    }
}
