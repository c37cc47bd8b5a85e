//! `PATCH /v1/meetings/{meeting}`: edits a meeting. Scope `meeting:write`. A meeting has no field that can be edited
//! yet, so nothing is modified, which the public types answer with 304; unknown meetings with 404.

use axum::extract::{Path, State};
use axum::response::Response;

use super::access::{Access, Denied};
use super::common::{self, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::body::JsonObject;
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
    _: JsonObject,
) -> Result<Response, Error> {
    let project = access.allows(Scope::MeetingWrite)?;
    app.find_meeting(project, &meeting).await?;
    Ok(common::not_modified())
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::testing::Harness;

    #[tokio::test]
    async fn nothing_is_modified() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}", harness.meeting().await);
        assert_eq!(harness.call("PATCH", &path, Some(json!({"x": 1}))).await.0, StatusCode::NOT_MODIFIED);
        assert_eq!(harness.call("PATCH", "/v1/meetings/x", None).await.0, StatusCode::NOT_FOUND);
        harness.needs_scope("PATCH", &path, "meeting:write").await;
    }
}
